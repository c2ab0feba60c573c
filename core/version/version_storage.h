// VersionStorage is the shape of the tree at one moment: the files of every level, the
// value files, and what compaction wants to know of them: targets, scores, marks and
// orders.
//
// A builder fills it (SetLevel(), AddBlobFile(), Finish()), then it belongs to a
// Version and its files never change. Scores, marks and positions are recomputed as
// files become busy.
//
// Thread safety: files and level sizes: any thread. Everything said to be "under the db
// mutex" is written and read there only.

#ifndef SKARN_CORE_VERSION_VERSION_STORAGE_H_
#define SKARN_CORE_VERSION_VERSION_STORAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/key/internal_key.h"
#include "core/options/options.h"
#include "core/version/level_files.h"
#include "core/version/version_edit.h"

namespace skarn {

// A value file as one version sees it.
struct BlobFileMetadata {
  uint64_t number = 0;
  uint64_t count = 0;
  uint64_t bytes = 0;  // Of whole records; header and footer of the file not included.
  std::string checksum_method;
  std::string checksum_value;
  uint64_t garbage_count = 0;
  uint64_t garbage_bytes = 0;
  // Table files whose oldest value file this is.
  std::vector<uint64_t> linked_tables;

  // With the file's header and footer.
  uint64_t file_bytes() const { return bytes + 30 + 32; }
};

// What compaction should do with a file although its level is not full.
struct MarkedFile {
  int level = 0;
  FileMetadata* file = nullptr;
};

class VersionStorage {
 public:
  VersionStorage(const KeyOrder* order, int num_levels, CompactionStyle style);
  VersionStorage(const VersionStorage&) = delete;
  VersionStorage& operator=(const VersionStorage&) = delete;

  // --- Files. Any thread. ---

  int num_levels() const { return static_cast<int>(levels_.size()); }
  // Levels up to the last one that has files; 0 when there are none at all.
  int num_non_empty_levels() const { return num_non_empty_levels_; }
  // The levels below level 0 that have files.
  const std::vector<int>& lower_levels() const { return lower_levels_; }
  const LevelFiles& level(int level) const { return levels_[static_cast<size_t>(level)]; }
  int file_count(int level) const {
    return static_cast<int>(levels_[static_cast<size_t>(level)].size());
  }
  uint64_t level_bytes(int level) const { return level_bytes_[static_cast<size_t>(level)]; }
  uint64_t total_bytes() const;
  const KeyOrder& order() const { return *order_; }
  CompactionStyle style() const { return style_; }
  // Where a file is; false when this version does not hold it.
  bool Find(uint64_t file_number, int* level, FileMetadata** file) const;
  const std::map<uint64_t, std::shared_ptr<const BlobFileMetadata>>& blob_files() const {
    return blob_files_;
  }
  uint64_t MaxEpochNumber() const;

  // --- Key ranges. User keys without timestamps; null is an open end; inclusive. ---

  // Files of `level` that hold keys of the range, in the level's order. On level 0 the range grows
  // until no further file overlaps it (`grow` false: as given).
  void OverlappingFiles(int level, const Slice* begin, const Slice* end,
                        std::vector<FileMetadata*>* files, bool grow = true) const;
  bool RangeOverlaps(int level, const Slice* begin, const Slice* end) const;
  // Enlarges `files`, which are files of `level`, until no other file of the level
  // shares a boundary user key with them (level 0: until none overlaps).
  void ExpandToCleanCut(int level, std::vector<FileMetadata*>* files) const;
  // Smallest and largest user key of the files; they must not be empty.
  void KeyRange(const std::vector<FileMetadata*>& files, Slice* smallest, Slice* largest) const;
  uint64_t OverlappingBytes(int level, Slice smallest_user_key, Slice largest_user_key) const;
  // Whether older data may overlap the range: a level below `level` or, for level 0, a file
  // after position `level0_position` (-1: do not look there).
  bool RangeMayExistBelow(Slice smallest_user_key, Slice largest_user_key, int level,
                          int level0_position) const;

  // --- For compaction. Under the db mutex once the version is installed. ---

  // Level targets, order of files, marks and scores. `oldest_snapshot` is the number below
  // which nobody reads (kMaxSequenceNumber: no snapshot).
  void Finish(const ColumnFamilyOptions& options, uint64_t now_s, SequenceNumber oldest_snapshot,
              bool allow_ingest_behind);
  // After files became busy or free, or options changed.
  void ComputeScores(const ColumnFamilyOptions& options, uint64_t now_s);
  // Files that become due for periodic compaction within so long count as due already.
  void set_offpeak_ahead_s(uint64_t seconds) { offpeak_ahead_s_ = seconds; }
  // Marks bottommost files anew when a released snapshot allows it.
  void UpdateOldestSnapshot(SequenceNumber oldest_snapshot, bool allow_ingest_behind);
  SequenceNumber oldest_snapshot() const { return oldest_snapshot_; }

  // Bytes the level may have; UINT64_MAX where there is no limit.
  uint64_t target_bytes(int level) const { return targets_[static_cast<size_t>(level)]; }
  // Where level 0 is compacted to; -1 when the style has none.
  int base_level() const { return base_level_; }
  // The level of the i-th highest score, and that score.
  int score_level(int i) const { return scores_[static_cast<size_t>(i)].second; }
  double score(int i) const { return scores_[static_cast<size_t>(i)].first; }
  int score_count() const { return static_cast<int>(scores_.size()); }
  double max_score() const { return scores_.empty() ? 0 : scores_.front().first; }
  uint64_t pending_compaction_bytes() const { return pending_compaction_bytes_; }
  // Files of level 0 as write stalls count them: for universal style, all sorted runs.
  int level0_delay_count() const { return level0_delay_count_; }
  // Marked files that are not busy.
  const std::vector<MarkedFile>& marked_for_compaction() const { return marked_; }
  const std::vector<MarkedFile>& expired_by_ttl() const { return expired_; }
  const std::vector<MarkedFile>& marked_periodic() const { return periodic_; }
  const std::vector<MarkedFile>& marked_bottommost() const { return bottommost_marked_; }
  const std::vector<MarkedFile>& marked_for_blob_gc() const { return blob_gc_; }
  // All of the last level and others with nothing below them.
  const std::vector<MarkedFile>& bottommost_files() const { return bottommost_; }

  // Positions in level(n) in the order in which compaction_pri wants the files, and where to
  // begin in it. A new version begins at 0.
  const std::vector<int>& by_priority(int level) const {
    return by_priority_[static_cast<size_t>(level)];
  }
  int next_position(int level) const { return next_position_[static_cast<size_t>(level)]; }
  void set_next_position(int level, int position) {
    next_position_[static_cast<size_t>(level)] = position;
  }
  // Packed key after which round robin continues; empty: at the start.
  const std::string& compact_cursor(int level) const {
    return cursors_[static_cast<size_t>(level)];
  }

  // --- Samples and reports. ---

  // Adds what is known of the file's properties to the averages below.
  void AddSample(const FileMetadata& file);
  size_t sampled_files() const { return sampled_files_; }
  // Bytes of an average value as it lies in files; 0 when nothing was sampled.
  uint64_t AverageValueBytes() const;
  // Entries that are not deletions less deletions, scaled to all files.
  uint64_t EstimatedLiveKeys() const;
  uint64_t EstimatedLiveBytes() const;
  // The property `rocksdb.sstables`.
  std::string DebugString(uint64_t version_number) const;
  // One line for the LOG: "files[0 1 2] max score 1.00".
  std::string Summary() const;

  // --- For the builder. ---

  void SetLevel(int level, std::vector<FileMetadata*> files);
  void SetCursor(int level, std::string packed) {
    cursors_[static_cast<size_t>(level)] = std::move(packed);
  }
  void AddBlobFile(std::shared_ptr<const BlobFileMetadata> file);

 private:
  void ComputeCompensatedSizes();
  void ComputeTargets(const ColumnFamilyOptions& options);
  void ComputePending(const ColumnFamilyOptions& options);
  double Level0Score(const ColumnFamilyOptions& options, uint64_t now_s);
  void ComputeMarks(const ColumnFamilyOptions& options, uint64_t now_s);
  void ComputeBottommost();
  void ComputeBottommostMarks();
  void ComputeBlobGc(const ColumnFamilyOptions& options);
  void OrderByPriority(const ColumnFamilyOptions& options, uint64_t now_s);
  const KeyOrder* const order_;
  const CompactionStyle style_;
  std::vector<LevelFiles> levels_;
  std::vector<uint64_t> level_bytes_;
  int num_non_empty_levels_ = 0;
  std::vector<int> lower_levels_;
  std::unordered_map<uint64_t, std::pair<int, FileMetadata*>> places_;
  std::map<uint64_t, std::shared_ptr<const BlobFileMetadata>> blob_files_;  // Shared by versions.
  std::vector<std::string> cursors_;

  // Under the db mutex.
  int base_level_ = -1;
  bool dynamic_ = false;
  double multiplier_ = 10;
  int lowest_unnecessary_level_ = -1;
  std::vector<uint64_t> targets_;
  std::vector<std::pair<double, int>> scores_;  // Descending.
  uint64_t pending_compaction_bytes_ = 0;
  int level0_delay_count_ = 0;
  std::vector<std::vector<int>> by_priority_;
  std::vector<int> next_position_;
  std::vector<MarkedFile> marked_, expired_, periodic_, bottommost_, bottommost_marked_, blob_gc_;
  SequenceNumber oldest_snapshot_ = 0;
  // No mark changes before the oldest snapshot passes this.
  SequenceNumber bottommost_threshold_ = kMaxSequenceNumber;
  uint32_t bottommost_delay_s_ = 0;
  uint64_t offpeak_ahead_s_ = 0;
  bool bottommost_marks_off_ = false;  // Ingest-behind.
  uint64_t now_s_ = 0;                 // When scores were last computed.

  // Sums over sampled files.
  size_t sampled_files_ = 0;
  uint64_t sampled_file_bytes_ = 0;
  uint64_t sampled_raw_key_bytes_ = 0;
  uint64_t sampled_raw_value_bytes_ = 0;
  uint64_t sampled_non_deletions_ = 0;
  uint64_t sampled_deletions_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_STORAGE_H_
