#include "core/compaction/output_writer.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "core/base/hash.h"
#include "core/metrics/statistics.h"
#include "core/table/table_reader.h"
#include "core/table/unique_id.h"
#include "core/version/file_names.h"
#include "core/version/table_cache.h"

namespace skarn {
namespace {

constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();
// Of a file's target: for what does not grow with its entries.
constexpr uint64_t kRoomKept = 64 << 10;

// Bits of verify_output_flags.
constexpr uint32_t kVerifyBlocks = 1 << 0;
constexpr uint32_t kVerifyEntries = 1 << 1;
constexpr uint32_t kVerifyCompactions = 1 << 10;

uint64_t HashOfEntry(uint64_t before, Slice user_key, uint64_t tag, Slice value) {
  return (before ^ Hash64(user_key)) * 0x9e3779b97f4a7c15ULL + (Hash64(value) ^ tag);
}

}  // namespace

FileOptions TableFileOptions(const DbOptions& options) {
  FileOptions file;
  file.direct_writes = options.use_direct_io_for_flush_and_compaction;
  file.direct_reads = options.use_direct_reads;
  file.allow_fallocate = options.allow_fallocate;
  file.bytes_per_sync = options.bytes_per_sync;
  file.strict_bytes_per_sync = options.strict_bytes_per_sync;
  file.use_fsync = options.use_fsync;
  return file;
}

Status SyncDirectories(FileSystem* fs, const std::set<std::string>& directories) {
  for (const std::string& path : directories) {
    Result<std::unique_ptr<Directory>> directory = fs->NewDirectory(path);
    if (!directory.ok()) return directory.status();
    if (Status s = directory.value()->Fsync(); !s.ok()) return s;
  }
  return Status::Ok();
}

OutputWriter::OutputWriter(OutputWriterOptions options)
    : options_(std::move(options)), order_(*options_.context->order) {
  const uint32_t flags = options_.options->verify_output_flags;
  const bool by_flags =
      options_.reason == TableCreationReason::kCompaction && (flags & kVerifyCompactions) != 0;
  verify_entries_ =
      options_.options->paranoid_file_checks || (by_flags && (flags & kVerifyEntries) != 0);
  verify_blocks_ = by_flags && (flags & kVerifyBlocks) != 0;
  const TableOptions& table = options_.options->table_factory.block_based;
  pads_blocks_ = table.block_align || table.super_block_alignment_size != 0;
}

OutputWriter::~OutputWriter() {
  if (finished_ && status_.ok()) return;
  FileSystem* const fs = options_.context->env->file_system;
  if (builder_ != nullptr) {
    builder_->Abandon();
    builder_.reset();
  }
  if (file_ != nullptr) {
    const std::string path = file_->path();
    (void)file_->Close().ok();  // Of no use any more.
    file_.reset();
    (void)fs->DeleteFile(path).ok();  // What stays is purged at the next open.
  }
  for (const TableOutput& output : outputs_) {
    options_.context->table_cache->Forget(output.file.number);
    (void)fs->DeleteFile(PathOf(output.file.number)).ok();
  }
}

std::string OutputWriter::PathOf(uint64_t number) const {
  return TableFileName(options_.context->table_directory(options_.path_id), number);
}

Status OutputWriter::OpenFile() {
  const JobContext& context = *options_.context;
  const DbOptions& db = *context.db_options;
  current_ = TableOutput();
  room_ = 0;
  FileMetadata& record = current_.file;
  record.number = context.new_file_number();
  record.path_id = options_.path_id;
  record.epoch_number = options_.epoch_number;
  record.oldest_ancestor_time = options_.oldest_ancestor_time;
  record.file_creation_time = context.env->clock->NowSeconds();
  record.timestamps_persisted = options_.options->persist_user_defined_timestamps;
  record.temperature =
      options_.last_level && options_.options->last_level_temperature != Temperature::kUnknown
          ? options_.options->last_level_temperature
          : options_.options->default_write_temperature;

  const std::string path = PathOf(record.number);
  const FileOptions file_options = TableFileOptions(db);
  auto file = context.env->file_system->NewWritableFile(path, file_options);
  if (!file.ok()) return file.status();
  FileWriter::Options writer_options;
  writer_options.buffer_bytes = db.writable_file_max_buffer_size;
  writer_options.preallocation_bytes =
      options_.target_file_bytes == kNoLimit
          ? 0
          : options_.target_file_bytes + options_.target_file_bytes / 10;
  writer_options.rate_limiter = db.rate_limiter.get();
  writer_options.priority = db.rate_limiter != nullptr ? context.priority : IoPriority::kTotal;
  if (context.helpers.jobs != 0) {
    writer_options.pool = context.helpers.pool;
    writer_options.pool_priority = context.helpers.priority;
  }
  file_ = std::make_unique<FileWriter>(std::move(file.value()), path, file_options, writer_options);

  TableBuilderOptions table;
  table.order = &order_;
  table.table = options_.options->table_factory.block_based;
  table.prefix_extractor = options_.options->prefix_extractor;
  table.compression = options_.compression;
  table.compression_options = options_.compression_options;
  if (options_.options->merge_operator != nullptr) {
    table.merge_operator_name = options_.options->merge_operator->Name();
  }
  table.collectors = options_.options->table_properties_collector_factories;
  table.column_family_id = context.column_family_id;
  table.column_family_name = context.column_family_name;
  table.level = options_.level;
  table.last_level = options_.last_level;
  table.skip_filters = options_.last_level && options_.options->optimize_filters_for_hits;
  table.reason = options_.reason;
  table.db_id = context.db_id;
  table.db_session_id = context.db_session_id;
  table.db_host_id = context.db_host_id;
  table.file_number = record.number;
  table.creation_time = options_.oldest_ancestor_time;
  table.oldest_key_time =
      options_.reason == TableCreationReason::kCompaction ? 0 : options_.oldest_ancestor_time;
  table.newest_key_time = options_.newest_key_time;
  table.file_creation_time = record.file_creation_time;
  table.target_file_size = options_.target_file_bytes == kNoLimit ? 0 : options_.target_file_bytes;
  table.persist_user_defined_timestamps = options_.options->persist_user_defined_timestamps;
  table.sample_for_compression = options_.options->sample_for_compression;
  table.block_cache = table.table.block_cache;
  table.fill_cache = true;
  table.helpers = context.helpers;
  builder_ = std::make_unique<TableBuilder>(table, file_.get());
  first_key_.clear();
  entries_hash_ = 0;
  return Status::Ok();
}

size_t OutputWriter::PassGrandparents(Slice user_key, uint64_t tag) {
  const std::vector<FileMetadata*>& files = *options_.grandparents;
  size_t crossed = 0;
  skipped_grandparent_bytes_ = 0;
  const auto before = [&](const std::string& packed) {
    return order_.Compare(user_key, tag, PackedUserKey(packed), PackedTag(packed)) < 0;
  };
  while (grandparent_ < files.size()) {
    if (inside_grandparent_) {
      const std::string& largest = files[grandparent_]->largest;
      const int order = order_.Compare(user_key, tag, PackedUserKey(largest), PackedTag(largest));
      if (order <= 0) break;
      inside_grandparent_ = false;
      ++grandparent_;
      ++crossed;
    } else {
      if (before(files[grandparent_]->smallest)) break;
      inside_grandparent_ = true;
      if (passed_any_key_) {
        grandparent_bytes_ += files[grandparent_]->size_bytes;
        const std::string& largest = files[grandparent_]->largest;
        if (order_.Compare(user_key, tag, PackedUserKey(largest), PackedTag(largest)) > 0) {
          skipped_grandparent_bytes_ += files[grandparent_]->size_bytes;
        }
      }
      ++crossed;
    }
  }
  const bool first = !passed_any_key_;
  passed_any_key_ = true;
  if (first) {
    if (inside_grandparent_) grandparent_bytes_ += files[grandparent_]->size_bytes;
    return 0;  // Before the first key nothing is crossed.
  }
  return crossed;
}

bool OutputWriter::ShouldCutBefore(Slice user_key, uint64_t tag) {
  const bool has_grandparents = options_.grandparents != nullptr && !options_.grandparents->empty();
  const size_t crossed = has_grandparents ? PassGrandparents(user_key, tag) : 0;
  if (builder_ == nullptr || first_key_.empty() || options_.level == 0 ||
      options_.target_file_bytes == kNoLimit) {
    return false;
  }
  if (crossed == 0 && room_ != 0) return false;
  const uint64_t size = builder_->estimated_file_size_bytes();
  const uint64_t target = options_.target_file_bytes;
  const uint64_t hard_limit =
      options_.bottommost || !has_grandparents || target > kNoLimit / 2 ? target : 2 * target;
  if (size >= hard_limit) return true;
  if (crossed == 0) {
    // What waits to be compressed may shrink less than expected.
    const uint64_t taken = size + builder_->queued_bytes() + kRoomKept;
    room_ = !pads_blocks_ && taken < hard_limit ? hard_limit - taken : 0;
    return false;
  }
  boundaries_crossed_ += crossed;
  if (grandparent_bytes_ + size > options_.max_compaction_bytes) return true;
  if (skipped_grandparent_bytes_ > target / 8) return true;
  // The more boundaries a file spans, the fuller it must be to end at the next one.
  const uint64_t percent = std::min<uint64_t>(50 + 5 * boundaries_crossed_, 90);
  return size >= target / 100 * percent;
}

void OutputWriter::TakeRoom(Slice user_key, Slice value) {
  // Its part of the index, of the filter and of the block's frame are less.
  const uint64_t bytes = 2 * (user_key.size() + value.size()) + 64;
  room_ -= std::min(room_, bytes);
}

Status OutputWriter::Add(Slice user_key, uint64_t tag, Slice value, bool cut_before) {
  const bool by_rules = ShouldCutBefore(user_key, tag);
  if (by_rules || (cut_before && builder_ != nullptr && options_.level > 0)) {
    if (Status s = CloseFile(&user_key); !s.ok()) return s;
    boundaries_crossed_ = 0;
    grandparent_bytes_ =
        inside_grandparent_ ? (*options_.grandparents)[grandparent_]->size_bytes : 0;
  }
  if (builder_ == nullptr) {
    if (Status s = OpenFile(); !s.ok()) return status_ = s;
  }
  if (first_key_.empty()) AppendPackedKey(&first_key_, user_key, tag);
  last_user_key_.Assign(user_key);
  last_tag_ = tag;
  builder_->Add(user_key, tag, value);
  TakeRoom(user_key, value);
  if (SKARN_UNLIKELY(verify_entries_)) {
    entries_hash_ = HashOfEntry(entries_hash_, KeyToVerify(user_key), tag, value);
  }
  if (!builder_->status().ok()) return status_ = builder_->status();

  FileMetadata& record = current_.file;
  const SequenceNumber sequence = TagSequence(tag);
  record.smallest_sequence = std::min(record.smallest_sequence, sequence);
  record.largest_sequence = std::max(record.largest_sequence, sequence);
  return Status::Ok();
}

Status OutputWriter::AddTombstones(const Slice* next_user_key) {
  if (options_.tombstones == nullptr) return Status::Ok();
  const std::vector<SequenceNumber>& snapshots = options_.context->snapshots;
  const SequenceNumber earliest = snapshots.empty() ? kMaxSequenceNumber : snapshots.front();
  const Comparator& comparator = *order_.comparator();
  const auto compare = [&](Slice a, Slice b) {
    return comparator.CompareWithoutTimestamp(a, false, b, false);
  };
  const size_t timestamp_size = order_.timestamp_size();
  const auto plain = [&](Slice key) { return order_.StripTimestamp(key); };
  const std::string& history_low = options_.context->full_history_ts_low;
  const auto may_go = [&](Slice timestamp) {
    return timestamp_size == 0 ||
           (!history_low.empty() && comparator.CompareTimestamp(timestamp, history_low) < 0);
  };

  // What this file is responsible for, as packed keys; empty: open.
  std::string low;
  if (!first_file_) {
    low = first_key_;
  } else if (!options_.begin.empty()) {
    // Before every version of the key, yet after the exclusive end that the part to the
    // left has at the same key; a kind that may be stored.
    low = PackKey(options_.begin + std::string(timestamp_size, '\xff'),
                  PackTag(kMaxSequenceNumber, EntryKind::kValue));
  }
  std::string up;
  bool up_is_exclusive = true;
  if (next_user_key != nullptr) {
    if (!first_key_.empty() &&
        order_.CompareUserWithoutTimestamp(last_user_key_.slice(), *next_user_key) == 0) {
      up = current_.file.largest;  // The key goes on in the next file.
      up_is_exclusive = false;
    } else {
      up = PackKey(*next_user_key, FileRecord::kRangeEndTag);
    }
  } else if (!options_.end.empty()) {
    up = PackKey(options_.end + std::string(timestamp_size, '\xff'), FileRecord::kRangeEndTag);
  }

  for (const auto& fragment : options_.tombstones->fragments()) {
    if (!up.empty()) {
      const int order = compare(fragment.start, plain(PackedUserKey(up)));
      if (order > 0 || (order == 0 && up_is_exclusive)) break;
    }
    if (!low.empty() && compare(fragment.end, plain(PackedUserKey(low))) <= 0) continue;
    size_t last_stripe = std::numeric_limits<size_t>::max();
    for (uint32_t i = 0; i < fragment.count; ++i) {
      const SequenceNumber sequence = options_.tombstones->sequence(fragment, i);
      const Slice timestamp = options_.tombstones->timestamp(fragment, i);
      const size_t stripe = static_cast<size_t>(
          std::lower_bound(snapshots.begin(), snapshots.end(), sequence) - snapshots.begin());
      // With timestamps each of them is a reader's moment of its own.
      if (timestamp_size == 0 && stripe == last_stripe) continue;  // A newer one covers the stripe.
      last_stripe = stripe;
      if (may_go(timestamp) && sequence <= earliest && options_.below != nullptr &&
          !options_.below->MayExistBelow(fragment.start, fragment.end)) {
        ++dropped_tombstones_;
        continue;  // There is nothing left to delete.
      }
      if (builder_ == nullptr) {
        if (Status s = OpenFile(); !s.ok()) return s;
      }
      const std::string start = Concat(fragment.start, timestamp);
      const std::string end = Concat(fragment.end, timestamp);
      builder_->AddRangeDeletion(start, end, sequence);

      std::string smallest = PackKey(start, PackTag(sequence, EntryKind::kRangeDeletion));
      // Also where it starts at the first key: newer versions of that key may be in the file
      // before.
      if (!low.empty() && order_.ComparePacked(smallest, low) < 0) smallest = low;
      std::string largest = PackKey(Concat(fragment.end, std::string(timestamp_size, '\xff')),
                                    FileRecord::kRangeEndTag);
      if (!up.empty() && order_.ComparePacked(up, largest) < 0) largest = up;
      FileMetadata& record = current_.file;
      if (record.smallest.empty() || order_.ComparePacked(smallest, record.smallest) < 0) {
        record.smallest = smallest;
      }
      if (record.largest.empty() || order_.ComparePacked(largest, record.largest) > 0) {
        record.largest = largest;
      }
      record.smallest_sequence = std::min(record.smallest_sequence, sequence);
      record.largest_sequence = std::max(record.largest_sequence, sequence);
    }
  }
  return Status::Ok();
}

Status OutputWriter::CloseFile(const Slice* next_user_key) {
  if (builder_ != nullptr && !first_key_.empty()) {
    // The first entry is the smallest, the last one the largest; tombstones may reach further.
    current_.file.smallest = first_key_;
    current_.file.largest = PackKey(last_user_key_.slice(), last_tag_);
  }
  if (Status s = AddTombstones(next_user_key); !s.ok()) return status_ = s;
  if (builder_ == nullptr) return Status::Ok();
  Status s = builder_->Finish();
  if (s.ok()) s = SyncFile();
  if (s.ok()) s = file_->Close();
  if (!s.ok()) return status_ = s;

  FileMetadata& record = current_.file;
  record.size_bytes = builder_->file_size_bytes();
  record.tail_size_bytes = builder_->tail_size_bytes();
  record.marked_for_compaction = builder_->need_compaction();
  current_.properties = builder_->properties();
  record.sampled = true;
  record.entries = current_.properties.num_entries;
  record.deletions = current_.properties.num_deletions;
  record.range_deletions = current_.properties.num_range_deletions;
  record.raw_key_bytes = current_.properties.raw_key_size;
  record.raw_value_bytes = current_.properties.raw_value_size;
  const Result<UniqueId> id = ComputeUniqueId(current_.properties);
  if (id.ok()) {
    record.unique_id[0] = id->words[0];
    record.unique_id[1] = id->words[1];
  }
  bytes_written_ += record.size_bytes;
  CountCompression();
  builder_.reset();
  file_.reset();
  outputs_.push_back(current_);
  first_file_ = false;

  // A table that cannot be read must not replace what it was made from.
  auto reader = options_.context->table_cache->OpenUnshared(record, options_.level);
  if (!reader.ok()) return status_ = reader.status();
  s = Verify(reader.value().get());
  if (!s.ok()) return status_ = s;
  options_.context->table_cache->Park(record, options_.level, std::move(*reader));
  return Status::Ok();
}

Slice OutputWriter::KeyToVerify(Slice user_key) const {
  return current_.file.timestamps_persisted ? user_key : order_.StripTimestamp(user_key);
}

Status OutputWriter::Verify(TableReader* reader) const {
  ReadOptions read;
  read.fill_cache = false;
  if (verify_blocks_) {
    if (Status s = reader->VerifyChecksums(read); !s.ok()) return s;
  }
  if (!verify_entries_) return Status::Ok();
  auto cursor = reader->NewCursor(read, TableCaller::kVerify, /*skip_filters=*/true);
  uint64_t hash = 0;
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
    if (!cursor->PrepareValue()) break;
    hash = HashOfEntry(hash, KeyToVerify(cursor->user_key()), cursor->tag(), cursor->value());
  }
  if (!cursor->status().ok()) return cursor->status();
  if (hash == entries_hash_) return Status::Ok();
  return Status::Corruption(Concat(PathOf(current_.file.number),
                                   ": key-value checksum of what was written does not match what "
                                   "is read back"));
}

Status OutputWriter::SyncFile() {
  const JobContext& context = *options_.context;
  const uint64_t start_ns = context.env->clock->NowNanos();
  Status s = file_->Sync();
  RecordHistogram(context.db_options->statistics.get(),
                  options_.reason == TableCreationReason::kCompaction
                      ? HistogramKind::kCompactionOutfileSyncMicros
                      : HistogramKind::kTableSyncMicros,
                  (context.env->clock->NowNanos() - start_ns) / 1000);
  return s;
}

void OutputWriter::CountCompression() {
  Statistics* const statistics = options_.context->db_options->statistics.get();
  if (statistics == nullptr) return;
  const CompressionCounts& counts = builder_->compression_counts();
  statistics->Add(Ticker::kNumberBlockCompressed, counts.compressed);
  statistics->Add(Ticker::kBytesCompressedFrom, counts.compressed_from_bytes);
  statistics->Add(Ticker::kBytesCompressedTo, counts.compressed_to_bytes);
  statistics->Add(Ticker::kNumberBlockCompressionRejected, counts.rejected);
  statistics->Add(Ticker::kBytesCompressionRejected, counts.rejected_bytes);
  statistics->Add(Ticker::kNumberBlockCompressionBypassed, counts.bypassed);
  statistics->Add(Ticker::kBytesCompressionBypassed, counts.bypassed_bytes);
}

Status OutputWriter::Finish() {
  if (!status_.ok()) return status_;
  if (Status s = CloseFile(nullptr); !s.ok()) return s;
  finished_ = true;
  return Status::Ok();
}

std::vector<TableOutput> OutputWriter::TakeOutputs() { return std::move(outputs_); }

}  // namespace skarn
