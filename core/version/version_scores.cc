// What compaction wants to know of a version: docs/architecture.md, "Compaction". All of
// it runs under the db mutex, or before the version is installed.

#include <algorithm>
#include <limits>

#include "core/version/version_storage.h"

namespace skarn {
namespace {

size_t At(int level) { return static_cast<size_t>(level); }

uint64_t Multiply(uint64_t bytes, double factor) {
  const double product = static_cast<double>(bytes) * factor;
  return product >= static_cast<double>(std::numeric_limits<uint64_t>::max())
             ? bytes
             : static_cast<uint64_t>(product);
}

// Ages of options: kDefaultAge that nobody replaced counts as none.
uint64_t Age(uint64_t seconds) { return seconds >= kDefaultAge ? 0 : seconds; }

uint64_t CreationTime(const FileMetadata& file) {
  if (file.file_creation_time != 0) return file.file_creation_time;
  if (file.oldest_ancestor_time != 0) return file.oldest_ancestor_time;
  return file.modification_time;
}

bool MarkedForCompaction(const FileMetadata& file) {
  return file.marked_for_compaction || file.marked_by_request;
}

// A deletion counts for twice the values it will free.
constexpr uint64_t kDeletionWeight = 2;
// Separates levels that must be compacted from those that only should be.
constexpr double kScoreScale = 10.0;

// How much earlier old files of a level are picked, when data has a time to live.
class AgeBoost {
 public:
  AgeBoost(uint64_t now_s, uint64_t ttl, int num_non_empty_levels, int level) : now_s_(now_s) {
    if (ttl == 0 || level == 0 || level >= num_non_empty_levels - 1) return;
    const uint64_t first = ttl / 2;
    const uint64_t range = (ttl / 32 * 31 - first) >> (num_non_empty_levels - level - 1);
    start_ = first + range;
    step_ = std::max<uint64_t>(range / 16, 1);
    enabled_ = true;
  }
  uint64_t Of(const FileMetadata& file) const {
    if (!enabled_ || file.oldest_ancestor_time >= now_s_) return 1;
    const uint64_t age = now_s_ - file.oldest_ancestor_time;
    return age > start_ ? 1 + (age - start_) / step_ : 1;
  }

 private:
  const uint64_t now_s_;
  bool enabled_ = false;
  uint64_t start_ = 0;
  uint64_t step_ = 1;
};

}  // namespace

void VersionStorage::Finish(const ColumnFamilyOptions& options, uint64_t now_s,
                            SequenceNumber oldest_snapshot, bool allow_ingest_behind) {
  oldest_snapshot_ = oldest_snapshot;
  bottommost_marks_off_ = allow_ingest_behind;
  ComputeCompensatedSizes();
  ComputeTargets(options);
  OrderByPriority(options, now_s);
  ComputeBottommost();
  level0_delay_count_ = file_count(0);
  if (style_ == CompactionStyle::kUniversal) {
    for (int level = 1; level < num_levels(); ++level) {
      if (file_count(level) > 0) ++level0_delay_count_;
    }
  }
  ComputeScores(options, now_s);
}

void VersionStorage::ComputeCompensatedSizes() {
  const uint64_t value_bytes = AverageValueBytes();
  for (const LevelFiles& files : levels_) {
    for (FileMetadata* file : files) {
      if (file->compensated_size_bytes != 0) continue;
      uint64_t bytes = file->size_bytes;
      const uint64_t deletions = file->deletions - std::min(file->deletions, file->range_deletions);
      // What is deleted less than half cannot free more than it holds.
      if (file->sampled && deletions * 2 >= file->entries) {
        bytes += (deletions * 2 - file->entries) * value_bytes * kDeletionWeight;
      }
      file->compensated_size_bytes = bytes + file->compensated_range_deletion_size;
    }
  }
}

void VersionStorage::ComputeTargets(const ColumnFamilyOptions& options) {
  const int levels = num_levels();
  const uint64_t base_max = options.max_bytes_for_level_base;
  multiplier_ = options.max_bytes_for_level_multiplier;
  dynamic_ = options.level_compaction_dynamic_level_bytes && style_ == CompactionStyle::kLevel;
  lowest_unnecessary_level_ = -1;

  if (!dynamic_) {
    base_level_ = style_ == CompactionStyle::kLevel ? 1 : -1;
    for (int level = 0; level < levels; ++level) {
      uint64_t target = base_max;
      if (level > 1) {
        const std::vector<int32_t>& extra = options.max_bytes_for_level_multiplier_additional;
        const int32_t factor = At(level - 1) < extra.size() ? extra[At(level - 1)] : 1;
        target = Multiply(Multiply(targets_[At(level - 1)], multiplier_), factor);
      }
      targets_[At(level)] = target;
    }
    return;
  }

  std::fill(targets_.begin(), targets_.end(), UINT64_MAX);
  uint64_t largest = 0;
  int first = -1;
  for (int level = 1; level < levels; ++level) {
    if (level_bytes_[At(level)] > 0 && first < 0) first = level;
    largest = std::max(largest, level_bytes_[At(level)]);
  }
  if (largest == 0) {
    base_level_ = levels - 1;
    return;
  }

  // What the first level with files would hold if the sizes above the largest level
  // shrank by the multiplier.
  const auto base_min = static_cast<uint64_t>(static_cast<double>(base_max) / multiplier_);
  uint64_t size = largest;
  for (int level = levels - 2; level >= first; --level) {
    size = static_cast<uint64_t>(static_cast<double>(size) / multiplier_);
    if (lowest_unnecessary_level_ < 0 && size <= base_min &&
        (options.preclude_last_level_data_seconds == 0 || level < levels - 2)) {
      lowest_unnecessary_level_ = level;
    }
  }
  base_level_ = first;
  if (size <= base_min) {
    size = base_min + 1;
  } else {
    for (; base_level_ > 1 && size > base_max; --base_level_) {
      size = static_cast<uint64_t>(static_cast<double>(size) / multiplier_);
    }
    size = std::max<uint64_t>(1, std::min(size, base_max));
  }
  for (int level = base_level_; level < levels; ++level) {
    if (level > base_level_) size = Multiply(size, multiplier_);
    targets_[At(level)] = std::max(size, base_max);
  }
}

double VersionStorage::Level0Score(const ColumnFamilyOptions& options, uint64_t now_s) {
  const auto trigger = static_cast<double>(options.level0_file_num_compaction_trigger);
  uint64_t runs = 0;
  uint64_t bytes = 0;
  for (const FileMetadata* file : levels_[0]) {
    if (file->being_compacted) continue;
    ++runs;
    bytes += file->comp_bytes();
  }

  if (style_ == CompactionStyle::kFIFO) {
    const FifoCompactionOptions& fifo = options.compaction_options_fifo;
    uint64_t all_bytes = total_bytes();
    uint64_t limit = fifo.max_table_files_size;
    if (fifo.max_data_files_size > 0) {
      limit = fifo.max_data_files_size;
      for (const auto& [number, blob] : blob_files_) all_bytes += blob->file_bytes();
    }
    double score =
        static_cast<double>(all_bytes) / static_cast<double>(std::max<uint64_t>(1, limit));
    if (score < 1 && fifo.allow_compaction)
      score = std::max(score, static_cast<double>(runs) / trigger);
    const uint64_t ttl = Age(options.ttl);
    if (score < 1 && ttl > 0 && now_s > ttl) {
      for (const FileMetadata* file : levels_[0]) {
        const uint64_t time = CreationTime(*file);
        if (!file->being_compacted && time != 0 && time < now_s - ttl) return 1;
      }
    }
    return score;
  }
  if (style_ == CompactionStyle::kUniversal) {
    // One score for the whole tree: deeper levels are sorted runs too.
    for (int level = 1; level < num_levels(); ++level) {
      if (!levels_[At(level)].empty() && !levels_[At(level)][0]->being_compacted) ++runs;
    }
    return static_cast<double>(runs) / trigger;
  }

  double score = static_cast<double>(runs) / trigger;
  if (num_levels() <= 1) return score;
  if (!dynamic_) {
    return std::max(
        score, static_cast<double>(bytes) / static_cast<double>(options.max_bytes_for_level_base));
  }
  if (bytes >= options.max_bytes_for_level_base) score = std::max(score, 1.01);
  if (base_level_ >= 0 && bytes > targets_[At(base_level_)]) {
    uint64_t base_bytes = 0;
    for (const FileMetadata* file : levels_[At(base_level_)]) base_bytes += file->comp_bytes();
    score =
        std::max(score, static_cast<double>(bytes) /
                            static_cast<double>(std::max(base_bytes, targets_[At(base_level_)])));
  }
  return score > 1 ? score * kScoreScale : score;
}

void VersionStorage::ComputeScores(const ColumnFamilyOptions& options, uint64_t now_s) {
  const int last = style_ == CompactionStyle::kLevel ? num_levels() - 2 : 0;
  // Bytes that are going to come down into the level in question.
  uint64_t coming_down = 0;
  scores_.clear();
  for (int level = 0; level <= std::max(last, 0); ++level) {
    double score = 0;
    if (level == 0) {
      score = Level0Score(options, now_s);
      coming_down = level_bytes_[0];
    } else {
      uint64_t idle = 0;
      for (const FileMetadata* file : levels_[At(level)]) {
        if (!file->being_compacted) idle += file->comp_bytes();
      }
      const uint64_t target = targets_[At(level)];
      const auto ratio =
          static_cast<double>(idle) / static_cast<double>(std::max<uint64_t>(1, target));
      if (!dynamic_ || idle < target) {
        score = ratio;
      } else {
        score = kScoreScale * static_cast<double>(idle) /
                (static_cast<double>(target) + static_cast<double>(coming_down));
      }
      if (dynamic_ && idle > 0 && level <= lowest_unnecessary_level_) {
        // To be emptied, but after what is urgent.
        score =
            std::max(score, kScoreScale * (1.001 + 0.001 * (lowest_unnecessary_level_ - level)));
      }
      const uint64_t bytes = level_bytes_[At(level)];
      if (level <= lowest_unnecessary_level_) {
        coming_down += bytes;
      } else if (bytes > target) {
        coming_down += bytes - target;
      }
    }
    scores_.emplace_back(score, level);
  }
  std::stable_sort(scores_.begin(), scores_.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  bottommost_delay_s_ = options.bottommost_file_compaction_delay;
  now_s_ = now_s;
  ComputeMarks(options, now_s);
  ComputeBottommostMarks();
  ComputeBlobGc(options);
  ComputePending(options);
}

void VersionStorage::ComputePending(const ColumnFamilyOptions& options) {
  pending_compaction_bytes_ = 0;
  if (style_ != CompactionStyle::kLevel || num_levels() < 2) return;
  uint64_t down = 0;
  const bool level0_due = file_count(0) >= options.level0_file_num_compaction_trigger ||
                          level_bytes_[0] >= options.max_bytes_for_level_base;
  if (level0_due) {
    pending_compaction_bytes_ = level_bytes_[0];
    down = level_bytes_[0];
  }
  for (int level = base_level_; level <= num_levels() - 2; ++level) {
    uint64_t bytes = level_bytes_[At(level)];
    if (level == base_level_ && level0_due) pending_compaction_bytes_ += bytes;
    bytes += down;
    down = 0;
    const uint64_t target = targets_[At(level)];
    if (bytes <= target) continue;
    down = bytes - target;
    const uint64_t next = level_bytes_[At(level + 1)];
    if (next > 0) {
      const double fan_out = static_cast<double>(next) / static_cast<double>(bytes) + 1;
      pending_compaction_bytes_ += static_cast<uint64_t>(static_cast<double>(down) * fan_out);
    }
  }
}

void VersionStorage::ComputeMarks(const ColumnFamilyOptions& options, uint64_t now_s) {
  marked_.clear();
  expired_.clear();
  periodic_.clear();
  // The last level with files stays: its files would only move further down.
  int last_marked = 0;
  for (int level = num_levels() - 1; level >= 1; --level) {
    if (levels_[At(level)].empty()) continue;
    last_marked = level - 1;
    break;
  }
  for (int level = 0; level <= last_marked; ++level) {
    for (FileMetadata* file : levels_[At(level)]) {
      if (!file->being_compacted && MarkedForCompaction(*file)) marked_.push_back({level, file});
    }
  }
  if (options.read_triggered_compaction_threshold > 0) {
    for (int level = 0; level < num_non_empty_levels_ - 1; ++level) {
      for (FileMetadata* file : levels_[At(level)]) {
        const auto reads =
            static_cast<double>(file->sampled_collapsible_reads.load(std::memory_order_relaxed));
        if (file->being_compacted || MarkedForCompaction(*file)) continue;
        if (reads >
            options.read_triggered_compaction_threshold * static_cast<double>(file->size_bytes)) {
          marked_.push_back({level, file});
        }
      }
    }
  }
  const uint64_t ttl = Age(options.ttl);
  if (ttl > 0 && now_s > ttl && style_ == CompactionStyle::kLevel) {
    for (int level = 0; level < num_levels() - 1; ++level) {
      for (FileMetadata* file : levels_[At(level)]) {
        const uint64_t time = file->oldest_ancestor_time;
        if (!file->being_compacted && time > 0 && time < now_s - ttl)
          expired_.push_back({level, file});
      }
    }
  }
  const uint64_t period = Age(options.periodic_compaction_seconds);
  if (period > 0 && now_s > period) {
    for (int level = 0; level < num_levels(); ++level) {
      for (FileMetadata* file : levels_[At(level)]) {
        const uint64_t time = CreationTime(*file);
        if (!file->being_compacted && time > 0 && time < now_s + offpeak_ahead_s_ - period) {
          periodic_.push_back({level, file});
        }
      }
    }
  }
}

void VersionStorage::ComputeBottommost() {
  bottommost_.clear();
  for (int level = 0; level < num_levels(); ++level) {
    for (int i = 0; i < file_count(level); ++i) {
      FileMetadata* file = levels_[At(level)][At(i)];
      if (!RangeMayExistBelow(order_->StripTimestamp(file->smallest_user_key()),
                              order_->StripTimestamp(file->largest_user_key()), level,
                              level == 0 ? i : -1)) {
        bottommost_.push_back({level, file});
      }
    }
  }
}

void VersionStorage::ComputeBottommostMarks() {
  bottommost_marked_.clear();
  bottommost_threshold_ = kMaxSequenceNumber;
  if (bottommost_marks_off_) return;
  for (const MarkedFile& candidate : bottommost_) {
    FileMetadata* file = candidate.file;
    // Sequence number 0 says that nothing is left to be cleared away.
    if (file->being_compacted || file->largest_sequence == 0) continue;
    if (file->largest_sequence >= oldest_snapshot_) {
      bottommost_threshold_ = std::min(bottommost_threshold_, file->largest_sequence);
      continue;
    }
    const uint64_t time = CreationTime(*file);
    if (bottommost_delay_s_ > 0 && time + bottommost_delay_s_ > now_s_) continue;
    bottommost_marked_.push_back(candidate);
  }
}

void VersionStorage::UpdateOldestSnapshot(SequenceNumber oldest_snapshot,
                                          bool allow_ingest_behind) {
  bottommost_marks_off_ = allow_ingest_behind;
  oldest_snapshot_ = oldest_snapshot;
  if (oldest_snapshot_ > bottommost_threshold_) ComputeBottommostMarks();
}

void VersionStorage::ComputeBlobGc(const ColumnFamilyOptions& options) {
  blob_gc_.clear();
  if (!options.enable_blob_garbage_collection || options.blob_garbage_collection_age_cutoff <= 0 ||
      options.blob_garbage_collection_force_threshold >= 1 || blob_files_.empty()) {
    return;
  }
  auto old_files = static_cast<size_t>(options.blob_garbage_collection_age_cutoff *
                                       static_cast<double>(blob_files_.size()));
  if (old_files == 0) return;
  uint64_t bytes = 0;
  uint64_t garbage = 0;
  for (const auto& [number, blob] : blob_files_) {
    if (old_files-- == 0) break;
    bytes += blob->bytes;
    garbage += blob->garbage_bytes;
  }
  if (static_cast<double>(garbage) <
      options.blob_garbage_collection_force_threshold * static_cast<double>(bytes)) {
    return;
  }
  for (uint64_t number : blob_files_.begin()->second->linked_tables) {
    MarkedFile marked;
    if (Find(number, &marked.level, &marked.file) && !marked.file->being_compacted) {
      blob_gc_.push_back(marked);
    }
  }
}

void VersionStorage::OrderByPriority(const ColumnFamilyOptions& options, uint64_t now_s) {
  if (style_ != CompactionStyle::kLevel) return;
  for (int level = 0; level < num_levels() - 1; ++level) {
    const LevelFiles& files = levels_[At(level)];
    std::vector<int>& positions = by_priority_[At(level)];
    positions.resize(files.size());
    for (size_t i = 0; i < files.size(); ++i) positions[i] = static_cast<int>(i);
    next_position_[At(level)] = 0;

    // Rank: ascending, ties by position, which above level 0 is by smallest key.
    std::vector<uint64_t> rank(files.size());
    switch (options.compaction_pri) {
      case CompactionPri::kByCompensatedSize:
        for (size_t i = 0; i < files.size(); ++i) rank[i] = UINT64_MAX - files[i]->comp_bytes();
        break;
      case CompactionPri::kOldestLargestSeqFirst:
        for (size_t i = 0; i < files.size(); ++i) rank[i] = files[i]->largest_sequence;
        break;
      case CompactionPri::kOldestSmallestSeqFirst:
        for (size_t i = 0; i < files.size(); ++i) rank[i] = files[i]->smallest_sequence;
        break;
      case CompactionPri::kMinOverlappingRatio: {
        const AgeBoost boost(now_s, Age(options.ttl), num_non_empty_levels_, level);
        const LevelFiles& next = levels_[At(level + 1)];
        size_t from = 0;
        for (size_t i = 0; i < files.size(); ++i) {
          const Slice smallest = order_->StripTimestamp(files[i]->smallest_user_key());
          const Slice largest = order_->StripTimestamp(files[i]->largest_user_key());
          if (level == 0) from = 0;
          while (from < next.size() && !next.AtOrBeforeLargest(from, smallest)) ++from;
          uint64_t overlap = 0;
          for (size_t j = from; j < next.size() && next.AtOrAfterSmallest(j, largest); ++j) {
            overlap += next[j]->size_bytes;
          }
          rank[i] =
              overlap * 1024 / std::max<uint64_t>(1, files[i]->comp_bytes()) / boost.Of(*files[i]);
        }
        break;
      }
      case CompactionPri::kRoundRobin: {
        const std::string& cursor = cursors_[At(level)];
        if (cursor.size() < kTagSize) break;
        size_t start = 0;
        while (start < files.size() && order_->ComparePacked(files[start]->smallest, cursor) <= 0)
          ++start;
        std::rotate(
            positions.begin(),
            positions.begin() + static_cast<ptrdiff_t>(start % std::max<size_t>(1, files.size())),
            positions.end());
        continue;
      }
    }
    if (options.compaction_pri == CompactionPri::kRoundRobin) continue;
    const bool marked_first = options.compaction_pri == CompactionPri::kMinOverlappingRatio;
    std::stable_sort(positions.begin(), positions.end(), [&](int a, int b) {
      if (marked_first) {
        const bool a_marked = MarkedForCompaction(*files[At(a)]);
        const bool b_marked = MarkedForCompaction(*files[At(b)]);
        if (a_marked != b_marked) return a_marked;
      }
      return rank[At(a)] < rank[At(b)];
    });
  }
}

}  // namespace skarn
