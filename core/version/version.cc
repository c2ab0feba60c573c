#include "core/version/version.h"

#include <algorithm>
#include <cassert>

#include "core/base/epoch.h"
#include "core/base/small_array.h"
#include "core/version/version_set.h"

namespace skarn {
namespace {

// Positions of files without an allocation for any usual number of them.
class Positions {
 public:
  uint32_t* Reserve(size_t count) {
    if (count <= kInline) return inline_;
    heap_.resize(count);
    return heap_.data();
  }

 private:
  static constexpr size_t kInline = 128;
  uint32_t inline_[kInline];
  std::vector<uint32_t> heap_;
};

// Keys of a multi-get that go through the files of a level together.
constexpr size_t kTogetherMax = 32;

// One lookup in this many is counted at the files it comes to, as that many.
constexpr uint64_t kReadSampleRate = 1024;

}  // namespace

Version::Version(VersionSet* set, ColumnFamilyVersions* family, TableCache* table_cache,
                 uint64_t number, const KeyOrder* order, int num_levels, CompactionStyle style)
    : set_(set),
      family_(family),
      table_cache_(table_cache),
      number_(number),
      storage_(order, num_levels, style),
      without_tombstones_(new std::atomic<uint32_t>[static_cast<size_t>(num_levels)]()) {}

void Version::Unref() {
  // Release so that the last one sees all uses; acquire for that last one.
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) set_->ReleaseVersion(this);
}

// --- Point reads ---

bool Version::SkipFilters(int level, size_t position) const {
  // The last sorted run has no filters when the options say that keys are mostly found.
  if (!skip_last_filters_) return false;
  if (level != storage_.num_non_empty_levels() - 1) return false;
  return level > 0 || position + 1 == storage_.level(0).size();
}

bool Version::TombstoneCounts(const FileRecord& file, const PointLookup& lookup,
                              SequenceNumber sequence) const {
  const KeyOrder& order = storage_.order();
  if (order.CompareStripped(lookup.user_key(), order.StripTimestamp(file.largest_user_key())) !=
      0) {
    return true;
  }
  // At the upper boundary only what belongs to this file is covered: nothing when the
  // boundary is an excluded end; else versions from the boundary's own on.
  const SequenceNumber largest = TagSequence(PackedTag(file.largest));
  if (file.largest_is_exclusive() || largest == 0) return false;
  return order.timestamp_size() != 0 || sequence > largest;
}

TableReader* Version::OpenFor(const ReadOptions& read, FileMetadata* file, int level,
                              PointLookup* lookup) {
  if (read.read_tier == ReadTier::kBlockCache && !TableCache::IsOpen(file)) {
    lookup->Fail(Status::Incomplete("no blocking io"));
    return nullptr;
  }
  Result<TableReader*> reader = table_cache_->Find(file, level);
  if (reader.ok()) return *reader;
  lookup->Fail(reader.status());
  return nullptr;
}

void Version::Cover(const FileMetadata& file, const FragmentedTombstones& tombstones,
                    PointLookup* lookup) const {
  Slice timestamp;
  const SequenceNumber sequence = tombstones.MaxCovering(lookup->user_key(), lookup->snapshot(),
                                                         lookup->read_timestamp(), &timestamp);
  if (sequence != 0 && TombstoneCounts(file, *lookup, sequence)) {
    lookup->CoverUpTo(sequence, timestamp);
  }
}

void Version::NoteSample(FileMetadata* file, const PointLookup& lookup) {
  file->sampled_reads.fetch_add(kReadSampleRate, std::memory_order_relaxed);
  if (lookup.state() == PointLookup::State::kDeleted ||
      lookup.state() == PointLookup::State::kMerging) {
    file->sampled_collapsible_reads.fetch_add(kReadSampleRate, std::memory_order_relaxed);
  }
}

void Version::LookIn(const ReadOptions& read, FileMetadata* file, int level, size_t position,
                     PointLookup* lookup) {
  lookup->EnterLevel(level);
  TableReader* reader = table_cache_->FindOpen(file);
  if (SKARN_UNLIKELY(reader == nullptr)) {
    reader = OpenFor(read, file, level, lookup);
    if (reader == nullptr) return;
  }
  const bool sampled = ((lookup->hash() ^ lookup->snapshot()) & (kReadSampleRate - 1)) == 0;
  const FragmentedTombstones* const tombstones = reader->Tombstones().get();
  if (SKARN_UNLIKELY(tombstones != nullptr) && !read.ignore_range_deletions) {
    Cover(*file, *tombstones, lookup);
  }
  if (SKARN_UNLIKELY(table_cache_->row_cache().enabled())) {
    table_cache_->row_cache().Get(read, *file, reader, lookup, SkipFilters(level, position));
  } else {
    reader->Get(read, lookup, SkipFilters(level, position));
  }
  if (SKARN_UNLIKELY(sampled)) NoteSample(file, *lookup);
}

void Version::LookInLevel(const ReadOptions& read, int level, size_t position,
                          PointLookup* lookup) {
  const LevelFiles& files = storage_.level(level);
  // Versions of one key may go on in the next file.
  for (; position < files.size() && files.AtOrAfterSmallest(position, lookup->user_key());
       ++position) {
    LookIn(read, files[position], level, position, lookup);
    if (lookup->settled()) return;
  }
}

void Version::Get(const ReadOptions& read, PointLookup* lookup) {
  const LevelFiles& level0 = storage_.level(0);
  const std::vector<int>& levels = storage_.lower_levels();
  const uint64_t hash = lookup->hash();
  Positions room;
  uint32_t* candidates = nullptr;
  size_t found = 0;

  // Find the file of every level and begin to load what each is asked for first; by the
  // time the first is asked, the others' lines are on their way.
  const auto prefetch = [hash](const FileMetadata* file) {
    const TableReader* reader = file->reader.load(std::memory_order_acquire);
    if (SKARN_LIKELY(reader != nullptr)) reader->PrefetchGet(hash);
  };
  if (!level0.empty()) {
    candidates = room.Reserve(level0.size());
    found = level0.CollectCovering(lookup->user_key(), candidates);
    for (size_t i = 0; i < found; ++i) prefetch(level0[candidates[i]]);
  }
  constexpr size_t kPlanned = 16;
  size_t planned[kPlanned];
  const size_t last_planned = std::min(levels.size(), kPlanned);
  for (size_t n = 0; n < last_planned; ++n) {
    const LevelFiles& files = storage_.level(levels[n]);
    planned[n] = files.FindHolder(lookup->seek_key(), lookup->seek_tag());
    if (planned[n] < files.size()) prefetch(files[planned[n]]);
  }

  for (size_t i = 0; i < found; ++i) {
    LookIn(read, level0[candidates[i]], /*level=*/0, candidates[i], lookup);
    if (lookup->settled()) return;
  }
  for (size_t n = 0; n < levels.size(); ++n) {
    const int level = levels[n];
    const LevelFiles& files = storage_.level(level);
    size_t position =
        n < last_planned ? planned[n] : files.FindHolder(lookup->seek_key(), lookup->seek_tag());
    if (position >= files.size()) continue;
    LookIn(read, files[position], level, position, lookup);
    if (lookup->settled()) return;
    // Versions of one key may go on in the next file.
    if (SKARN_UNLIKELY(++position < files.size())) {
      LookInLevel(read, level, position, lookup);
      if (lookup->settled()) return;
    }
  }
}

void Version::LookInForMany(const ReadOptions& read, int level, size_t position,
                            PointLookup* const* lookups, size_t count) {
  if (count == 1) {
    LookIn(read, storage_.level(level)[position], level, position, lookups[0]);
    return;
  }
  for (size_t i = 0; i < count; ++i) lookups[i]->EnterLevel(level);
  FileMetadata* const file = storage_.level(level)[position];
  const bool cached_only = read.read_tier == ReadTier::kBlockCache;
  if (cached_only && !TableCache::IsOpen(file)) {
    for (size_t i = 0; i < count; ++i) lookups[i]->Fail(Status::Incomplete("no blocking io"));
    return;
  }
  Result<TableReader*> reader = table_cache_->Find(file, level);
  if (!reader.ok()) {
    for (size_t i = 0; i < count; ++i) lookups[i]->Fail(reader.status());
    return;
  }
  const FragmentedTombstones* const tombstones = (*reader)->Tombstones().get();
  if (SKARN_UNLIKELY(tombstones != nullptr) && !read.ignore_range_deletions) {
    for (size_t i = 0; i < count; ++i) Cover(*file, *tombstones, lookups[i]);
  }
  if (SKARN_UNLIKELY(table_cache_->row_cache().enabled())) {
    for (size_t i = 0; i < count; ++i) {
      table_cache_->row_cache().Get(read, *file, *reader, lookups[i], SkipFilters(level, position));
    }
    return;
  }
  (*reader)->MultiGet(read, lookups, count, SkipFilters(level, position));
}

bool Version::LookTogether(const ReadOptions& read, int level, const size_t* positions,
                           PointLookup* const* lookups, size_t count) {
  if (count < 2 || count > kTogetherMax || table_cache_->row_cache().enabled()) return false;
  const LevelFiles& files = storage_.level(level);
  TableLookup items[kTogetherMax];
  size_t size = 0;
  for (size_t i = 0; i < count; ++i) {
    if (positions[i] >= files.size()) continue;
    TableReader* const reader = table_cache_->FindOpen(files[positions[i]]);
    if (reader == nullptr || (reader->Tombstones() != nullptr && !read.ignore_range_deletions)) {
      return false;
    }
    items[size++] = {reader, lookups[i]};
  }
  if (size == 0) return true;
  for (size_t i = 0; i < size; ++i) items[i].lookup->EnterLevel(level);
  const size_t left = TableReader::MultiGetCached(read, items, size, SkipFilters(level, 0));
  for (size_t i = 0; i < left;) {
    size_t end = i + 1;
    while (end < left && items[end].table == items[i].table) ++end;
    items[i].table->MultiGetRest(read, items + i, end - i);
    i = end;
  }
  // Versions of one key may go on in the next file.
  for (size_t i = 0; i < count; ++i) {
    const size_t next = positions[i] + 1;
    if (next < files.size() && !lookups[i]->settled() &&
        files.AtOrAfterSmallest(next, lookups[i]->user_key())) {
      LookInLevel(read, level, next, lookups[i]);
    }
  }
  return true;
}

void Version::MultiGet(const ReadOptions& read, PointLookup* const* lookups, size_t count) {
  constexpr size_t kUsual = 32;
  SmallArray<PointLookup*, kUsual> open(count);   // What is not settled, ascending.
  SmallArray<PointLookup*, kUsual> group(count);  // Those that one file may have.
  SmallArray<size_t, kUsual> positions(count);    // Of the level's file, for each in `open`.
  PointLookup** const begin = open.begin();
  PointLookup** end = begin;
  for (size_t i = 0; i < count; ++i) {
    if (!lookups[i]->settled()) *end++ = lookups[i];
  }
  const auto forget_settled = [&] {
    end = std::remove_if(begin, end, [](const PointLookup* lookup) { return lookup->settled(); });
  };

  const LevelFiles& level0 = storage_.level(0);
  for (size_t position = 0; position < level0.size() && begin != end; ++position) {
    // The keys within the file are neighbours.
    PointLookup** const first = std::partition_point(begin, end, [&](PointLookup* lookup) {
      return !level0.AtOrAfterSmallest(position, lookup->user_key());
    });
    PointLookup** const last = std::partition_point(first, end, [&](PointLookup* lookup) {
      return level0.AtOrBeforeLargest(position, lookup->user_key());
    });
    if (first == last) continue;
    LookInForMany(read, /*level=*/0, position, first, static_cast<size_t>(last - first));
    forget_settled();
  }

  for (int level = 1; level < storage_.num_non_empty_levels() && begin != end; ++level) {
    const LevelFiles& files = storage_.level(level);
    if (files.empty()) continue;
    const auto left = static_cast<size_t>(end - begin);
    for (size_t i = 0; i < left; ++i) {
      positions[i] = files.FindHolder(begin[i]->seek_key(), begin[i]->seek_tag());
    }
    if (LookTogether(read, level, positions.data(), begin, left)) {
      forget_settled();
      continue;
    }
    for (size_t i = 0; i < left;) {
      const size_t position = positions[i];
      if (position >= files.size()) {
        ++i;
        continue;
      }
      size_t size = 0;
      size_t next = i;
      for (; next < left; ++next) {
        if (positions[next] == position) {
          group[size++] = begin[next];
        } else if (positions[next] < files.size()) {
          break;
        }
      }
      LookInForMany(read, level, position, group.data(), size);
      // The last of them, or many when a key was given twice, may go on in the next file.
      while (position + 1 < files.size() && size != 0 &&
             files.AtOrAfterSmallest(position + 1, group[size - 1]->user_key())) {
        if (!group[size - 1]->settled()) {
          LookInLevel(read, level, position + 1, group[size - 1]);
        }
        --size;
      }
      i = next;
    }
    forget_settled();
  }
}

// --- Cursors ---

Status Version::OpenTable(const ReadOptions& read, int level, FileMetadata* file,
                          TableCaller caller, size_t compaction_readahead_bytes,
                          TableSource* source) {
  Result<TableHold> table =
      table_cache_->Hold(file, level, read.read_tier == ReadTier::kBlockCache);
  if (!table.ok()) return table.status();
  source->file = file;
  if (!read.ignore_range_deletions) source->tombstones = (*table)->Tombstones();
  const bool wanted = read.table_filter == nullptr ||
                      read.table_filter(read.table_filter_state.get(), *(*table)->properties());
  if (wanted) {
    source->cursor =
        (*table)->NewCursor(read, caller, /*skip_filters=*/skip_last_filters_ &&
                                              level == storage_.num_non_empty_levels() - 1,
                            compaction_readahead_bytes);
  }
  source->pin = table->TakePin();
  return Status::Ok();
}

bool Version::HasNoTombstones(int level) {
  constexpr uint32_t kAskedMax = 16;
  const LevelFiles& files = storage_.level(level);
  const auto count = static_cast<uint32_t>(files.size());
  std::atomic<uint32_t>& without = without_tombstones_[static_cast<size_t>(level)];
  uint32_t known = without.load(std::memory_order_relaxed);
  if (SKARN_LIKELY(known == count)) return true;
  if (known == kSomeHave) return false;
  EpochGuard guard;
  for (const uint32_t end = std::min(count, known + kAskedMax); known < end; ++known) {
    const TableReader* const reader = TableCache::Peek(files[known]);
    if (reader == nullptr) break;
    if (reader->Tombstones() != nullptr) {
      without.store(kSomeHave, std::memory_order_relaxed);
      return false;
    }
  }
  without.store(known, std::memory_order_relaxed);
  return known == count;
}

// --- Sizes and properties ---

uint64_t Version::ApproximateOffset(FileMetadata* file, int level, Slice user_key, uint64_t tag) {
  const KeyOrder& order = storage_.order();
  if (order.Compare(PackedUserKey(file->largest), PackedTag(file->largest), user_key, tag) <= 0) {
    return file->size_bytes;
  }
  if (order.Compare(PackedUserKey(file->smallest), PackedTag(file->smallest), user_key, tag) > 0) {
    return 0;
  }
  EpochGuard guard;
  Result<TableReader*> reader = table_cache_->Find(file, level);
  return reader.ok() ? (*reader)->ApproximateOffset(user_key, tag) : 0;
}

uint64_t Version::ApproximateBytesOfFile(FileMetadata* file, int level, Slice start, Slice limit) {
  const KeyOrder& order = storage_.order();
  const Slice largest = PackedUserKey(file->largest);
  const Slice smallest = PackedUserKey(file->smallest);
  if (order.Compare(largest, PackedTag(file->largest), start, kMaxSeekTag) < 0 ||
      order.Compare(smallest, PackedTag(file->smallest), limit, kMaxSeekTag) > 0) {
    return 0;
  }
  if (order.Compare(smallest, PackedTag(file->smallest), start, kMaxSeekTag) >= 0) {
    return ApproximateOffset(file, level, limit, kMaxSeekTag);
  }
  const uint64_t from = ApproximateOffset(file, level, start, kMaxSeekTag);
  const uint64_t to = order.Compare(largest, PackedTag(file->largest), limit, kMaxSeekTag) < 0
                          ? file->size_bytes
                          : ApproximateOffset(file, level, limit, kMaxSeekTag);
  return to - std::min(from, to);
}

uint64_t Version::ApproximateBytes(const SizeApproximation& how, Slice start_key, Slice limit_key,
                                   int start_level, int end_level) {
  const KeyOrder& order = storage_.order();
  // The newest timestamp sorts first, like the newest sequence number.
  std::string start = start_key.ToString() + std::string(order.timestamp_size(), '\xff');
  std::string limit = limit_key.ToString() + std::string(order.timestamp_size(), '\xff');
  if (order.CompareUser(start, limit) >= 0) return 0;
  const int last = end_level < 0 ? storage_.num_non_empty_levels()
                                 : std::min(end_level, storage_.num_non_empty_levels());
  struct Part {
    FileMetadata* file;
    int level;
  };
  std::vector<Part> partial;
  uint64_t whole = 0;
  for (int level = start_level; level < last; ++level) {
    const LevelFiles& files = storage_.level(level);
    if (level == 0) {
      for (FileMetadata* file : files) partial.push_back({file, 0});
      continue;
    }
    if (files.empty()) continue;
    const size_t first = files.Find(start, kMaxSeekTag);
    if (first >= files.size()) continue;
    const size_t end = files.Find(limit, kMaxSeekTag);
    partial.push_back({files[first], level});
    for (size_t i = first + 1; i < std::min(end, files.size()); ++i) whole += files[i]->size_bytes;
    if (end != first && end < files.size()) partial.push_back({files[end], level});
  }
  if (how.files_size_error_margin > 0) {
    uint64_t uncertain = 0;
    for (const Part& part : partial) {
      const bool outside = order.CompareUser(PackedUserKey(part.file->largest), start) < 0 ||
                           order.CompareUser(PackedUserKey(part.file->smallest), limit) > 0;
      if (!outside) uncertain += part.file->size_bytes;
    }
    if (static_cast<double>(uncertain) < static_cast<double>(whole) * how.files_size_error_margin) {
      return whole + uncertain / 2;
    }
  }
  for (const Part& part : partial)
    whole += ApproximateBytesOfFile(part.file, part.level, start, limit);
  return whole;
}

Status Version::PropertiesOfTables(
    int level, std::map<std::string, std::shared_ptr<const TableProperties>>* properties) {
  for (int i = 0; i < storage_.num_levels(); ++i) {
    if (level >= 0 && i != level) continue;
    for (FileMetadata* file : storage_.level(i)) {
      auto found = table_cache_->Properties(*file);
      if (!found.ok()) return found.status();
      properties->emplace(table_cache_->PathOf(*file), std::move(*found));
    }
  }
  return Status::Ok();
}

Status Version::AggregatedProperties(int level, TableProperties* sum) {
  std::map<std::string, std::shared_ptr<const TableProperties>> all;
  Status s = PropertiesOfTables(level, &all);
  if (!s.ok()) return s;
  for (const auto& [path, properties] : all) sum->Aggregate(*properties);
  return Status::Ok();
}

uint64_t Version::TableReaderMemory() const {
  uint64_t bytes = 0;
  for (int level = 0; level < storage_.num_levels(); ++level) {
    bytes += TableCache::MemoryBytes(storage_.level(level).files());
  }
  return bytes;
}

void Version::AddLiveFiles(std::vector<uint64_t>* tables, std::vector<uint64_t>* blobs) const {
  for (int level = 0; level < storage_.num_levels(); ++level) {
    for (const FileMetadata* file : storage_.level(level)) tables->push_back(file->number);
  }
  for (const auto& [number, blob] : storage_.blob_files()) blobs->push_back(number);
}

void Version::SampleProperties(bool may_open) {
  // Enough for an average when each look costs the opening of a file.
  constexpr int kSampled = 20;
  int looked_at = 0;
  for (int level = 0; level < storage_.num_levels(); ++level) {
    for (FileMetadata* file : storage_.level(level)) {
      // Files of an earlier version belong to the db mutex; they had their chance.
      const bool fresh = file->references.load(std::memory_order_relaxed) == 0;
      if (!file->sampled && fresh &&
          ((may_open && looked_at < kSampled) || TableCache::IsOpen(file))) {
        ++looked_at;
        auto properties = table_cache_->Properties(*file);
        if (properties.ok() && *properties != nullptr) {
          file->entries = (*properties)->num_entries;
          file->deletions = (*properties)->num_deletions;
          file->range_deletions = (*properties)->num_range_deletions;
          file->raw_key_bytes = (*properties)->raw_key_size;
          file->raw_value_bytes = (*properties)->raw_value_size;
          file->sampled = true;
          if (file->oldest_ancestor_time == 0) {
            file->oldest_ancestor_time = (*properties)->creation_time;
          }
          if (file->file_creation_time == 0) {
            file->file_creation_time = (*properties)->file_creation_time;
          }
        }
      }
      storage_.AddSample(*file);
    }
  }
}

}  // namespace skarn
