#include "core/options/option_presets.h"

#include <utility>

#include "core/env/thread_pool.h"

namespace skarn {

void IncreaseParallelism(int threads, DbOptions* options) {
  options->max_background_jobs = threads;
  ThreadPool* pool = options->env->thread_pool;
  pool->SetThreads(ThreadPool::Priority::kLow, threads);
  pool->SetThreads(ThreadPool::Priority::kHigh, 1);
}

void OptimizeForPointLookup(std::shared_ptr<Cache> block_cache, ColumnFamilyOptions* options) {
  TableOptions table;
  table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
  table.data_block_hash_table_util_ratio = 0.75;
  table.filter_policy = std::make_shared<const FilterPolicy>();
  table.block_cache = std::move(block_cache);
  options->table_factory = TableFactory();
  options->table_factory.block_based = std::move(table);
  options->memtable_prefix_bloom_size_ratio = 0.02;
  options->memtable_whole_key_filtering = true;
}

void OptimizeLevelStyleCompaction(uint64_t memtable_bytes, ColumnFamilyOptions* options) {
  options->write_buffer_size = memtable_bytes / 4;
  options->min_write_buffer_number_to_merge = 2;
  options->max_write_buffer_number = 6;
  options->level0_file_num_compaction_trigger = 2;
  options->target_file_size_base = memtable_bytes / 8;
  options->max_bytes_for_level_base = memtable_bytes;
  options->compaction_style = CompactionStyle::kLevel;
  // The first two levels are rewritten often: no codec is worth its time there.
  options->compression_per_level.clear();
  for (int level = 0; level < options->num_levels; level++) {
    options->compression_per_level.push_back(level < 2 ? CompressionType::kNone
                                                       : CompressionType::kLz4);
  }
}

void PrepareForBulkLoad(DbOptions* db, ColumnFamilyOptions* family) {
  constexpr int32_t kNever = 1 << 30;
  family->level0_file_num_compaction_trigger = kNever;
  family->level0_slowdown_writes_trigger = kNever;
  family->level0_stop_writes_trigger = kNever;
  family->soft_pending_compaction_bytes_limit = 0;
  family->hard_pending_compaction_bytes_limit = 0;
  family->disable_auto_compactions = true;
  // One compaction by hand takes everything to level 1, in any number of bytes.
  family->max_compaction_bytes = uint64_t{1} << 60;
  family->num_levels = 2;
  family->max_write_buffer_number = 6;
  family->min_write_buffer_number_to_merge = 1;
  db->max_background_flushes = 4;
  db->max_background_compactions = 2;
  family->target_file_size_base = 256 << 20;
}

}  // namespace skarn
