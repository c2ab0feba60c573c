#include "core/table/table_read.h"

#include <cstring>

#include "core/metrics/perf_context.h"

namespace skarn {

void TableRead::AddCounts() {
  if (PerfCounts(thread)) {
    auto add = [this](PerfMetric metric, uint64_t count) {
      thread->perf_counters[static_cast<size_t>(metric)] += count;
    };
    add(PerfMetric::kBlockCacheHitCount,
        uint64_t{counts.data_hits} + counts.index_hits + counts.filter_hits);
    if (counts.index_hits != 0) add(PerfMetric::kBlockCacheIndexHitCount, counts.index_hits);
    if (counts.filter_hits != 0) add(PerfMetric::kBlockCacheFilterHitCount, counts.filter_hits);
    add(PerfMetric::kBlockCacheReadByte, counts.hit_bytes);
    if (counts.blocks_decompressed != 0) {
      add(PerfMetric::kBlockDecompressCount, counts.blocks_decompressed);
    }
    if (counts.blocks_read != 0) {
      add(PerfMetric::kIndexBlockReadByte, counts.index_bytes_read);
      add(PerfMetric::kFilterBlockReadByte, counts.filter_bytes_read);
      add(PerfMetric::kDataBlockReadByte,
          counts.bytes_read - counts.index_bytes_read - counts.filter_bytes_read);
      add(PerfMetric::kBlockReadCount, counts.blocks_read);
      add(PerfMetric::kBlockReadByte, counts.bytes_read);
      add(PerfMetric::kIndexBlockReadCount, counts.index_blocks_read);
      add(PerfMetric::kFilterBlockReadCount, counts.filter_blocks_read);
    }
    if (counts.filter_useful != 0 || counts.filter_positive != 0 || counts.prefix_checked != 0) {
      add(PerfMetric::kBloomSstMissCount, uint64_t{counts.filter_useful} + counts.prefix_useful);
      add(PerfMetric::kBloomSstHitCount,
          uint64_t{counts.filter_positive} + counts.prefix_checked - counts.prefix_useful);
    }
  }
  if (statistics_ != nullptr) AddToStatistics();
}

void TableRead::NoteBlockTime(uint64_t nanos) {
  statistics_->Record(thread,
                      caller == TableCaller::kCompaction ? HistogramKind::kReadBlockCompactionMicros
                                                         : HistogramKind::kReadBlockGetMicros,
                      nanos / 1000);
}

void TableRead::NoteFileRead(size_t bytes, bool last_level, uint64_t nanos, Histogram* by_level) {
  ++counts.file_reads;
  counts.file_read_bytes += bytes;
  counts.last_level = last_level;
  thread->perf_counters[static_cast<size_t>(PerfMetric::kTableBytesRead)] += bytes;
  if (!timed()) return;
  statistics_->Record(thread, HistogramKind::kSstReadMicros, nanos / 1000);
  if (by_level != nullptr) by_level->Add(nanos / 1000);
}

void TableRead::AddToStatistics() {
  auto add = [this](Ticker ticker, uint64_t count) {
    if (count != 0) statistics_->Add(thread, ticker, count);
  };
  const TableReadCounts& c = counts;
  add(Ticker::kBlockCacheHit, uint64_t{c.data_hits} + c.index_hits + c.filter_hits);
  add(Ticker::kBlockCacheMiss, uint64_t{c.data_misses} + c.index_misses + c.filter_misses);
  add(Ticker::kBlockCacheDataHit, c.data_hits);
  add(Ticker::kBlockCacheDataMiss, c.data_misses);
  add(Ticker::kBlockCacheIndexHit, c.index_hits);
  add(Ticker::kBlockCacheIndexMiss, c.index_misses);
  add(Ticker::kBlockCacheFilterHit, c.filter_hits);
  add(Ticker::kBlockCacheFilterMiss, c.filter_misses);
  add(Ticker::kBlockCacheBytesRead, c.hit_bytes);
  add(Ticker::kBlockCacheAdd, uint64_t{c.data_adds} + c.index_adds + c.filter_adds);
  add(Ticker::kBlockCacheAddFailures, c.adds_failed);
  add(Ticker::kBlockCacheBytesWrite, c.data_add_bytes + c.index_add_bytes + c.filter_add_bytes);
  add(Ticker::kBlockCacheDataAdd, c.data_adds);
  add(Ticker::kBlockCacheDataBytesInsert, c.data_add_bytes);
  add(Ticker::kBlockCacheIndexAdd, c.index_adds);
  add(Ticker::kBlockCacheIndexBytesInsert, c.index_add_bytes);
  add(Ticker::kBlockCacheFilterAdd, c.filter_adds);
  add(Ticker::kBlockCacheFilterBytesInsert, c.filter_add_bytes);
  add(Ticker::kBlockChecksumComputeCount, c.checksums_computed);
  add(Ticker::kBlockChecksumMismatchCount, c.checksum_mismatches);
  add(Ticker::kNumberBlockDecompressed, c.blocks_decompressed);
  add(Ticker::kBytesDecompressedFrom, c.decompressed_from_bytes);
  add(Ticker::kBytesDecompressedTo, c.decompressed_to_bytes);
  add(Ticker::kBloomFilterUseful, c.filter_useful);
  add(Ticker::kBloomFilterFullPositive, c.filter_positive);
  add(Ticker::kBloomFilterFullTruePositive, c.filter_true_positive);
  add(Ticker::kBloomFilterPrefixChecked, c.prefix_checked);
  add(Ticker::kBloomFilterPrefixUseful, c.prefix_useful);
  add(c.last_level ? Ticker::kLastLevelReadBytes : Ticker::kNonLastLevelReadBytes,
      c.file_read_bytes);
  add(c.last_level ? Ticker::kLastLevelReadCount : Ticker::kNonLastLevelReadCount, c.file_reads);
  if (caller == TableCaller::kVerify) add(Ticker::kVerifyChecksumReadBytes, c.bytes_read);
}

}  // namespace skarn
