#include "core/compaction/compaction_job.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "core/base/helper_thread.h"
#include "core/compaction/output_writer.h"
#include "core/compaction/range_deletions.h"
#include "core/iterate/concatenating_cursor.h"
#include "core/iterate/merging_cursor.h"
#include "core/metrics/perf_context.h"
#include "core/plugin/compaction_filter.h"
#include "core/version/table_cache.h"
#include "core/version/version.h"

namespace skarn {
namespace {

// How finely the inputs are sampled to cut a compaction into parts.
constexpr size_t kAnchorsPerFile = 128;

// The input files of one level, opened one after another.
class InputFiles final : public FileSequence {
 public:
  InputFiles(Version* version, const ReadOptions* read, int level, std::vector<FileMetadata*> files,
             size_t readahead)
      : version_(version),
        read_(read),
        level_(level),
        files_(std::move(files)),
        readahead_(readahead) {}

  size_t size() const override { return files_.size(); }
  Slice smallest(size_t index) const override { return files_[index]->smallest; }
  Slice largest(size_t index) const override { return files_[index]->largest; }

  std::unique_ptr<InternalCursor> OpenCursor(size_t index) override {
    // The one before is closed by now: its cursor went before this is called.
    pin_.Reset();
    auto cursor = version_->table_cache()->NewCursor(*read_, files_[index], level_,
                                                     TableCaller::kCompaction, readahead_, &pin_);
    if (!cursor.ok()) return NewEmptyCursor(cursor.status());
    return std::move(cursor.value());
  }

 private:
  Version* const version_;
  const ReadOptions* const read_;
  const int level_;
  const std::vector<FileMetadata*> files_;
  const size_t readahead_;
  Pin pin_;  // Keeps the table of the open cursor.
};

// Ends a cursor before the part's last key, and leaves out what is newer than a timestamp
// (empty: nothing). Moves forward only.
class BoundedCursor final : public InternalCursor {
 public:
  BoundedCursor(const KeyOrder& order, InternalCursor* inner, Slice end, Slice newest_timestamp)
      : order_(order), inner_(inner), end_(end), newest_timestamp_(newest_timestamp) {}

  void SeekToFirst() override {
    inner_->SeekToFirst();
    Copy();
  }
  void SeekToLast() override { assert(false); }
  void Seek(Slice user_key, uint64_t tag) override {
    inner_->Seek(user_key, tag);
    Copy();
  }
  void SeekForPrev(Slice, uint64_t) override { assert(false); }
  void Next() override {
    inner_->Next();
    Copy();
  }
  void Prev() override { assert(false); }
  Status status() const override { return inner_->status(); }

 private:
  bool IsTooNew() const {
    const Slice user_key = inner_->user_key();
    const Slice timestamp(user_key.end() - order_.timestamp_size(), order_.timestamp_size());
    return order_.comparator()->CompareTimestamp(timestamp, newest_timestamp_) > 0;
  }

  void Copy() {
    while (!newest_timestamp_.empty() && inner_->valid() && IsTooNew()) inner_->Next();
    valid_ = inner_->valid() && (end_.empty() || order_.comparator()->CompareWithoutTimestamp(
                                                     inner_->user_key(), true, end_, false) < 0);
    if (!valid_) return;
    user_key_ = inner_->user_key();
    tag_ = inner_->tag();
    value_ = inner_->value();
  }

  const KeyOrder& order_;
  InternalCursor* const inner_;
  const Slice end_;  // Without timestamp.
  const Slice newest_timestamp_;
};

class CompactionBelow final : public KeyBelow, public OutputWriterOptions::RangeBelow {
 public:
  explicit CompactionBelow(const Compaction& compaction) : compaction_(compaction) {}

  bool MayExistBelow(Slice user_key) override {
    return compaction_.MayExistBelow(user_key, &positions_);
  }
  bool MayExistBelow(Slice start, Slice end) override {
    if (compaction_.output_level() == 0) return !compaction_.bottommost();
    return compaction_.version()->storage().RangeMayExistBelow(start, end,
                                                               compaction_.output_level(), -1);
  }

 private:
  const Compaction& compaction_;
  std::vector<size_t> positions_;
};

// One part of the key space and what came of it.
struct Part {
  std::string begin;  // User keys without timestamp; empty: open.
  std::string end;
  Status status;
  std::vector<TableOutput> outputs;
  CompactionIterator::Counts counts;
  uint64_t bytes_written = 0;
  uint64_t table_bytes_read = 0;  // From the files, not from caches.
  uint64_t dropped_tombstones = 0;
  uint64_t cpu_micros = 0;
};

class Job {
 public:
  Job(const JobContext& context, const Compaction& compaction)
      : context_(context), compaction_(compaction), options_(compaction.options()) {}

  Status Run(CompactionResult* result) {
    const uint64_t start_us = context_.env->clock->NowMicros();
    *result = CompactionResult();
    std::vector<Part> parts;
    if (Status s = CutIntoParts(&parts); !s.ok()) return s;

    std::vector<HelperThread> threads;
    size_t begun = 1;
    for (; begun < parts.size(); ++begun) {
      HelperThread thread;
      if (!thread.Start([this, part = &parts[begun]] { RunPart(part); })) break;
      threads.push_back(thread);
    }
    RunPart(&parts.front());
    for (; begun < parts.size(); ++begun) RunPart(&parts[begun]);
    for (HelperThread& thread : threads) thread.Join();

    Status status;
    for (Part& part : parts) {
      if (status.ok()) status = part.status;
      Add(part.counts, &result->counts);
      result->bytes_written += part.bytes_written;
      result->cpu_micros += part.cpu_micros;
      result->table_bytes_read += part.table_bytes_read;
      result->dropped_tombstones += part.dropped_tombstones;
      for (TableOutput& output : part.outputs) result->outputs.push_back(std::move(output));
    }
    if (status.ok() && !result->outputs.empty()) {
      status = SyncDirectories(context_.env->file_system,
                               {context_.table_directory(compaction_.output_path_id)});
    }
    if (!status.ok()) {
      RemoveOutputs(result);
      return status;
    }
    for (const CompactionInput& input : compaction_.inputs()) {
      for (const FileMetadata* file : input.files) {
        result->bytes_read += file->size_bytes;
        if (input.level == compaction_.output_level()) {
          result->bytes_read_output_level += file->size_bytes;
        }
      }
    }
    if (context_.db_options->compaction_verify_record_count && context_.trim_timestamp.empty()) {
      status = CheckRecordCount(result->counts.input_records);
      if (!status.ok()) {
        RemoveOutputs(result);
        return status;
      }
    }
    compaction_.AddInputDeletions(&result->edit);
    for (const TableOutput& output : result->outputs) {
      result->edit.AddFile(compaction_.output_level(), output.file);
    }
    result->subcompactions = parts.size();
    result->micros = context_.env->clock->NowMicros() - start_us;
    return Status::Ok();
  }

 private:
  bool MayRunInParts() const {
    if (compaction_.max_subcompactions <= 1 || compaction_.output_level() == 0) return false;
    return compaction_.start_level() == 0 || compaction_.manual ||
           options_.compaction_pri == CompactionPri::kRoundRobin;
  }

  // Cuts at keys that the inputs' indexes offer, so that parts read about as much.
  Status CutIntoParts(std::vector<Part>* parts) {
    parts->emplace_back();
    if (!MayRunInParts()) return Status::Ok();
    const KeyOrder& order = *context_.order;
    std::vector<TableReader::Anchor> anchors;
    for (const CompactionInput& input : compaction_.inputs()) {
      for (FileMetadata* file : input.files) {
        auto hold = compaction_.version()->table_cache()->Hold(file, input.level);
        if (!hold.ok()) return hold.status();
        std::vector<TableReader::Anchor> of_file;
        if (Status s = hold.value()->Anchors(kAnchorsPerFile, &of_file); !s.ok()) return s;
        uint64_t before = 0;  // Anchors tell the bytes up to them; wanted are those between.
        for (TableReader::Anchor& anchor : of_file) {
          const uint64_t up_to = anchor.bytes;
          anchor.bytes = up_to > before ? up_to - before : 0;
          before = std::max(before, up_to);
          anchors.push_back(std::move(anchor));
        }
      }
    }
    std::sort(anchors.begin(), anchors.end(), [&](const auto& a, const auto& b) {
      return order.CompareUserWithoutTimestamp(a.user_key, b.user_key) < 0;
    });
    uint64_t total = 0;
    for (const auto& anchor : anchors) total += anchor.bytes;
    const uint64_t bytes_per_part =
        std::max(total / compaction_.max_subcompactions, compaction_.max_output_file_bytes);
    uint64_t bytes = 0;
    for (const auto& anchor : anchors) {
      bytes += anchor.bytes;
      if (bytes < bytes_per_part || parts->size() >= compaction_.max_subcompactions) continue;
      const Slice cut = order.StripTimestamp(anchor.user_key);
      const std::string& previous = parts->back().begin;
      if (!previous.empty() &&
          order.comparator()->CompareWithoutTimestamp(cut, false, previous, false) <= 0) {
        continue;
      }
      if (cut.empty()) continue;
      parts->back().end = cut.ToString();
      parts->emplace_back();
      parts->back().begin = cut.ToString();
      bytes = 0;
    }
    return Status::Ok();
  }

  void RunPart(Part* part) {
    const uint64_t start_cpu_us = context_.env->clock->CpuMicros();
    ThreadContext* const thread = CurrentThreadContext();
    const uint64_t start_bytes = PerfGet(thread, PerfMetric::kTableBytesRead);
    // The thread may be a caller's, whose perf context is about its own operations.
    const uint8_t perf_level = thread->perf_level;
    thread->perf_level = static_cast<uint8_t>(PerfLevel::kDisable);
    part->status = Process(part);
    thread->perf_level = perf_level;
    part->table_bytes_read = PerfGet(thread, PerfMetric::kTableBytesRead) - start_bytes;
    part->cpu_micros = context_.env->clock->CpuMicros() - start_cpu_us;
  }

  Status Process(Part* part) {
    const KeyOrder& order = *context_.order;
    ReadOptions read;
    read.fill_cache = false;
    read.total_order_seek = true;
    read.verify_checksums = true;
    read.rate_limiter_priority = context_.priority;
    const size_t readahead = context_.db_options->compaction_readahead_size;

    // Tombstones of every input file, each within its bounds; cursors over the same.
    CompactionRangeDeletions range_deletions(order, context_.snapshots, context_.trim_timestamp);
    std::vector<Pin> pins;  // Outlive the cursors.
    MergingCursorBuilder sources(order);
    for (const CompactionInput& input : compaction_.inputs()) {
      for (FileMetadata* file : input.files) {
        auto hold = compaction_.version()->table_cache()->Hold(file, input.level);
        if (!hold.ok()) return hold.status();
        range_deletions.Add(hold.value()->Tombstones(), file->smallest, file->largest);
        if (input.level != 0) continue;
        Pin pin;
        auto cursor = compaction_.version()->table_cache()->NewCursor(
            read, file, 0, TableCaller::kCompaction, readahead, &pin);
        if (!cursor.ok()) return cursor.status();
        pins.push_back(std::move(pin));
        sources.Add(std::move(cursor.value()));
      }
      if (input.level != 0 && !input.files.empty()) {
        sources.Add(std::make_unique<ConcatenatingCursor>(
            order, std::make_unique<InputFiles>(compaction_.version(), &read, input.level,
                                                input.files, readahead)));
      }
    }
    range_deletions.Freeze();
    sources.SetCommonBytes(CommonBytes());
    const std::unique_ptr<InternalCursor> merged = sources.Finish();
    BoundedCursor bounded(order, merged.get(), part->end, context_.trim_timestamp);
    InternalCursor& input =
        part->end.empty() && context_.trim_timestamp.empty() ? *merged : bounded;
    if (part->begin.empty()) {
      input.SeekToFirst();
    } else {
      // The newest timestamp sorts first.
      const std::string begin = part->begin + std::string(order.timestamp_size(), '\xff');
      input.Seek(begin, kMaxTag);
    }

    CompactionBelow below(compaction_);
    std::unique_ptr<CompactionFilter> own_filter;
    CompactionIteratorOptions loop;
    loop.order = &order;
    loop.snapshots = context_.snapshots;
    loop.earliest_write_conflict_snapshot = context_.earliest_write_conflict_snapshot;
    loop.bottommost = compaction_.bottommost();
    loop.allow_ingest_behind = context_.db_options->allow_ingest_behind;
    loop.below = &below;
    loop.merge_operator = options_.merge_operator.get();
    loop.filter = options_.compaction_filter;
    if (loop.filter == nullptr && options_.compaction_filter_factory != nullptr) {
      CompactionFilter::Context filter_context;
      filter_context.is_manual_compaction = compaction_.manual;
      filter_context.is_full_compaction = IsFull();
      filter_context.column_family_id = context_.column_family_id;
      own_filter = options_.compaction_filter_factory->Create(filter_context);
      loop.filter = own_filter.get();
    }
    loop.start_level = compaction_.start_level();
    loop.range_deletions = range_deletions.empty() ? nullptr : &range_deletions;
    loop.enforce_single_delete_contracts = context_.db_options->enforce_single_del_contracts;
    loop.full_history_ts_low = context_.full_history_ts_low;
    loop.statistics = context_.db_options->statistics.get();
    loop.cancel = context_.shutting_down;
    loop.pause_manual = compaction_.manual ? context_.pause_manual : nullptr;

    OutputWriterOptions output;
    output.context = &context_;
    output.options = &options_;
    output.compression = compaction_.OutputCompression();
    output.compression_options = compaction_.OutputCompressionOptions();
    output.reason = TableCreationReason::kCompaction;
    output.level = compaction_.output_level();
    output.last_level =
        compaction_.output_level() >= compaction_.version()->storage().num_non_empty_levels() - 1;
    output.path_id = compaction_.output_path_id;
    SetTimes(&output);
    output.target_file_bytes = compaction_.max_output_file_bytes;
    output.max_compaction_bytes = options_.max_compaction_bytes;
    output.bottommost = compaction_.bottommost();
    output.grandparents = &compaction_.grandparents;
    output.begin = part->begin;
    output.end = part->end;
    output.tombstones = range_deletions.merged().get();
    output.below = &below;
    OutputWriter writer(output);

    SstPartition partition(options_.sst_partitioner_factory.get());
    CompactionIterator entries(std::move(loop), &input);
    for (entries.SeekToFirst(); entries.valid(); entries.Next()) {
      const bool cut = partition.BeginsBefore(order.StripTimestamp(entries.user_key()));
      if (Status s = writer.Add(entries.user_key(), entries.tag(), entries.value(), cut); !s.ok()) {
        return s;
      }
    }
    if (!entries.status().ok()) return entries.status();
    if (Status s = writer.Finish(); !s.ok()) return s;
    part->counts = entries.counts();
    part->bytes_written = writer.bytes_written();
    part->dropped_tombstones = writer.dropped_tombstones();
    part->outputs = writer.TakeOutputs();
    return Status::Ok();
  }

  // Whether a key starts a new partition, by the fixed-prefix partitioner of the options.
  class SstPartition {
   public:
    explicit SstPartition(const SstPartitionerFactory* factory) : factory_(factory) {}
    bool BeginsBefore(Slice user_key) {
      if (factory_ == nullptr) return false;
      const size_t length =
          std::min(user_key.size(), static_cast<size_t>(factory_->fixed_prefix_length));
      const Slice prefix(user_key.data(), length);
      const bool begins = any_ && prefix != Slice(prefix_);
      if (begins || !any_) prefix_.assign(prefix.data(), prefix.size());
      any_ = true;
      return begins;
    }

   private:
    const SstPartitionerFactory* const factory_;
    std::string prefix_;
    bool any_ = false;
  };

  // How many first bytes all keys of the inputs have in common.
  size_t CommonBytes() const {
    const KeyOrder& order = *context_.order;
    if (order.timestamp_size() != 0 || order.comparator()->kind() == Comparator::Kind::kUser) {
      return 0;
    }
    // The order is that of the bytes, or its reverse: what the first and the last key share,
    // all between them do.
    Slice common;
    bool any = false;
    for (const CompactionInput& input : compaction_.inputs()) {
      for (const FileMetadata* file : input.files) {
        for (const std::string* packed : {&file->smallest, &file->largest}) {
          const Slice key = PackedUserKey(*packed);
          if (!any) common = key;
          any = true;
          const size_t limit = std::min(common.size(), key.size());
          size_t same = 0;
          while (same < limit && common.data()[same] == key.data()[same]) ++same;
          common = Slice(common.data(), same);
        }
      }
    }
    return common.size();
  }

  bool IsFull() const {
    const VersionStorage& storage = compaction_.version()->storage();
    size_t all = 0;
    for (int level = 0; level < storage.num_levels(); ++level) {
      all += static_cast<size_t>(storage.file_count(level));
    }
    return all == compaction_.input_file_count();
  }

  void SetTimes(OutputWriterOptions* output) const {
    uint64_t epoch = UINT64_MAX;
    uint64_t oldest = UINT64_MAX;
    for (const CompactionInput& input : compaction_.inputs()) {
      for (const FileMetadata* file : input.files) {
        epoch = std::min(epoch, file->epoch_number);
        uint64_t time = file->oldest_ancestor_time;
        if (time == 0) time = file->file_creation_time;
        if (time != 0) oldest = std::min(oldest, time);
      }
    }
    output->epoch_number = epoch == UINT64_MAX ? 1 : epoch;
    output->oldest_ancestor_time =
        oldest == UINT64_MAX ? context_.env->clock->NowSeconds() : oldest;
  }

  // Whether all entries of the inputs were seen, as far as their properties tell how many
  // there are.
  Status CheckRecordCount(uint64_t seen) const {
    uint64_t expected = 0;
    for (const CompactionInput& input : compaction_.inputs()) {
      for (FileMetadata* file : input.files) {
        auto hold = compaction_.version()->table_cache()->Hold(file, input.level);
        if (!hold.ok()) return hold.status();
        const TableProperties& properties = *hold.value()->properties();
        // Old releases counted range deletions among the entries without telling.
        const bool told =
            hold.value()->Tombstones() == nullptr || properties.num_range_deletions > 0;
        if (properties.num_entries == 0 || !told) return Status::Ok();
        expected += properties.num_entries - properties.num_range_deletions;
      }
    }
    if (seen == expected) return Status::Ok();
    return Status::Corruption(
        Concat("Compaction number of input keys does not match number of keys processed. Expected ",
               expected, " but processed ", seen));
  }

  static void Add(const CompactionIterator::Counts& from, CompactionIterator::Counts* to) {
    to->input_records += from.input_records;
    to->input_deletions += from.input_deletions;
    to->input_raw_key_bytes += from.input_raw_key_bytes;
    to->input_raw_value_bytes += from.input_raw_value_bytes;
    to->dropped_hidden += from.dropped_hidden;
    to->dropped_range_deletion += from.dropped_range_deletion;
    to->dropped_obsolete_deletion += from.dropped_obsolete_deletion;
    to->dropped_by_filter += from.dropped_by_filter;
    to->single_delete_mismatch += from.single_delete_mismatch;
    to->single_delete_fallthrough += from.single_delete_fallthrough;
    to->corrupt_keys += from.corrupt_keys;
  }

  void RemoveOutputs(CompactionResult* result) {
    for (const TableOutput& output : result->outputs) {
      compaction_.version()->table_cache()->Forget(output.file.number);
      const std::string path = compaction_.version()->table_cache()->PathOf(output.file);
      (void)context_.env->file_system->DeleteFile(path).ok();  // What stays is purged later.
    }
    result->outputs.clear();
  }

  const JobContext& context_;
  const Compaction& compaction_;
  const ColumnFamilyOptions& options_;
};

}  // namespace

Status RunCompactionJob(const JobContext& context, const Compaction& compaction,
                        CompactionResult* result) {
  return Job(context, compaction).Run(result);
}

}  // namespace skarn
