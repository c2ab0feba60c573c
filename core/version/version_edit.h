// VersionEdit is one change of the tree of files: one record of a MANIFEST.
//
// FileRecord is what the MANIFEST says about a table file, FileMetadata the same file
// in a running database, with what is known beside. Bytes: docs/formats/manifest.md.
//
// Thread safety: VersionEdit and FileRecord: plain values. FileMetadata: see its members.

#ifndef SKARN_CORE_VERSION_VERSION_EDIT_H_
#define SKARN_CORE_VERSION_VERSION_EDIT_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/options/option_enums.h"

namespace skarn {

class TableReader;
struct OpenTable;

inline constexpr uint64_t kUnknownEpoch = 0;
// With ingest-behind, what is put behind everything gets this one; others start after it.
inline constexpr uint64_t kEpochReservedForIngestBehind = 1;

// What the MANIFEST says about a table file.
struct FileRecord {
  uint64_t number = 0;
  uint32_t path_id = 0;
  uint64_t size_bytes = 0;
  std::string smallest;  // Packed internal keys; empty until the first ExtendTo().
  std::string largest;
  SequenceNumber smallest_sequence = kMaxSequenceNumber;
  SequenceNumber largest_sequence = 0;

  uint64_t epoch_number = kUnknownEpoch;
  uint64_t oldest_blob_file = 0;      // 0: none.
  uint64_t oldest_ancestor_time = 0;  // Seconds since 1970; 0 unknown. So is the next.
  uint64_t file_creation_time = 0;
  std::string checksum;           // Raw bytes; of no meaning without a function.
  std::string checksum_function;  // Empty: none known.
  Temperature temperature = Temperature::kUnknown;
  bool marked_for_compaction = false;
  std::string min_timestamp;
  std::string max_timestamp;
  uint64_t unique_id[2] = {0, 0};  // Internal form; both zero: unknown.
  uint64_t compensated_range_deletion_size = 0;
  uint64_t tail_size_bytes = 0;  // From the end of data blocks; 0 unknown.
  bool timestamps_persisted = true;
  std::string open_metadata;  // Kept, not used.

  // Widens boundaries and sequence numbers so that they hold this entry.
  void ExtendTo(const KeyOrder& order, Slice user_key, uint64_t tag);
  // Widens them for a range tombstone's start (`packed` as given) and end key.
  void ExtendToRange(const KeyOrder& order, Slice smallest_packed, Slice largest_packed,
                     SequenceNumber sequence);

  // Precondition for these: boundaries are set.
  Slice smallest_user_key() const { return PackedUserKey(smallest); }
  Slice largest_user_key() const { return PackedUserKey(largest); }
  // Whether the file ends before largest_user_key(): a range tombstone's exclusive end.
  bool largest_is_exclusive() const { return PackedTag(largest) == kRangeEndTag; }

  // The tag of an exclusive upper boundary: (2^56-1, range deletion).
  static constexpr uint64_t kRangeEndTag = PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion);
};

// A table file of a running database. Shared by the versions that hold it; owned by
// the VersionSet, which frees it when the last of them has gone. A copy has the same
// record and no state.
struct FileMetadata : FileRecord {
  FileMetadata() = default;
  explicit FileMetadata(FileRecord record) : FileRecord(std::move(record)) {}
  FileMetadata(const FileMetadata& other) : FileRecord(other) {}
  FileMetadata& operator=(const FileMetadata& other) {
    FileRecord::operator=(other);
    return *this;
  }

  // The open table or null. Set and cleared by TableCache; read under an epoch, or
  // through TableCache::Hold(). Acquire pairs with the release that publishes it.
  std::atomic<TableReader*> reader{nullptr};
  std::atomic<OpenTable*> open_table{nullptr};  // TableCache's; whose reader it is.
  // How many versions hold the file.
  std::atomic<int> references{0};

  // Read and written under the db mutex.
  bool being_compacted = false;
  bool marked_by_request = false;  // suggest_compact_range.

  // From the table's properties, as a sample; written before the file's first version
  // is installed or under the db mutex.
  bool sampled = false;
  uint64_t entries = 0;
  uint64_t deletions = 0;  // Range deletions included.
  uint64_t range_deletions = 0;
  uint64_t raw_key_bytes = 0;
  uint64_t raw_value_bytes = 0;
  // Stands in where the record has no time at all: the file's modification time; 0 unknown.
  uint64_t modification_time = 0;
  // Size with deletions counted for more (docs/architecture.md); 0 until computed.
  uint64_t compensated_size_bytes = 0;

  // Lookups that came to this file, one in many counted. Any thread, relaxed.
  std::atomic<uint64_t> sampled_reads{0};
  // Those of them that met a deletion or a merge operand.
  std::atomic<uint64_t> sampled_collapsible_reads{0};

  uint64_t comp_bytes() const {
    return compensated_size_bytes != 0 ? compensated_size_bytes : size_bytes;
  }
};

struct BlobFileAddition {
  uint64_t number = 0;
  uint64_t count = 0;
  uint64_t bytes = 0;  // Whole records: header, key and value.
  std::string checksum_method;
  std::string checksum_value;
};

struct BlobFileGarbage {
  uint64_t number = 0;
  uint64_t count = 0;
  uint64_t bytes = 0;
};

struct WalAddition {
  uint64_t number = 0;
  std::optional<uint64_t> synced_size_bytes;
};

struct VersionEdit {
  // Fields that are absent do not change anything.
  std::optional<std::string> db_id;
  std::optional<std::string> comparator;
  std::optional<uint64_t> log_number;
  std::optional<uint64_t> previous_log_number;
  std::optional<uint64_t> next_file_number;
  std::optional<uint32_t> max_column_family;
  std::optional<uint64_t> min_log_number_to_keep;
  std::optional<SequenceNumber> last_sequence;
  std::vector<std::pair<int, std::string>> compact_cursors;  // Level, packed key.
  std::vector<std::pair<int, uint64_t>> deleted_files;       // Level, file number.
  std::vector<std::pair<int, FileRecord>> new_files;
  std::vector<BlobFileAddition> blob_additions;
  std::vector<BlobFileGarbage> blob_garbage;
  std::vector<WalAddition> wal_additions;
  std::optional<uint64_t> wal_deletion;  // Logs below this number are gone.
  uint32_t column_family = 0;            // What the edit is about.
  std::optional<std::string> column_family_add;
  bool column_family_drop = false;
  std::optional<uint32_t> remaining_in_group;  // Member of an atomic group.
  std::optional<std::string> full_history_ts_low;
  std::optional<bool> persist_timestamps;
  std::optional<std::string> subcompaction_progress;  // Opaque.
  std::optional<uint64_t> compacted_manifest_bytes;

  // Raises last_sequence to the file's largest.
  void AddFile(int level, FileRecord file);
  void DeleteFile(int level, uint64_t number) { deleted_files.emplace_back(level, number); }
  bool empty_of_files() const {
    return new_files.empty() && deleted_files.empty() && blob_additions.empty() &&
           blob_garbage.empty();
  }
  bool is_column_family_change() const {
    return column_family_add.has_value() || column_family_drop;
  }

  // Appends the bytes to `*to`. Corruption when a boundary key is not valid or an epoch
  // number is unknown. `timestamp_size` is that of the column family's comparator: files
  // that do not persist timestamps have boundaries stored without them.
  Status EncodeTo(std::string* to, size_t timestamp_size = 0) const;
  // Corruption with RocksDB's text when the bytes are none of an edit. Boundary keys are
  // as stored: PadTimestamps() completes them once the column family is known.
  Status DecodeFrom(Slice bytes);
  // Gives boundaries of files without persisted timestamps their missing bytes.
  void PadTimestamps(size_t timestamp_size);

  // One line for people.
  std::string ToString() const;
};

// Stored on disk: never renumber, never reuse.
enum class EditTag : uint32_t {
  kComparator = 1,
  kLogNumber = 2,
  kNextFileNumber = 3,
  kLastSequence = 4,
  kCompactCursor = 5,
  kDeletedFile = 6,
  kNewFile = 7,
  kPreviousLogNumber = 9,
  kMinLogNumberToKeep = 10,
  kNewFile2 = 100,
  kNewFile3 = 102,
  kNewFile4 = 103,
  kColumnFamily = 200,
  kColumnFamilyAdd = 201,
  kColumnFamilyDrop = 202,
  kMaxColumnFamily = 203,
  kInAtomicGroup = 300,
  kBlobFileAddition = 400,
  kBlobFileGarbage = 401,
  // Readers skip unknown tags with this bit: a length and that many bytes.
  kSafeIgnoreMask = 1 << 13,
  kDbId = 8193,
  kBlobFileAdditionOld = 8194,
  kBlobFileGarbageOld = 8195,
  kWalAdditionOld = 8196,
  kWalDeletionOld = 8197,
  kFullHistoryTsLow = 8198,
  kWalAddition = 8199,
  kWalDeletion = 8200,
  kPersistTimestamps = 8201,
  kSubcompactionProgress = 8202,
  kCompactedManifestBytes = 8203,
};

// Stored on disk: never renumber, never reuse.
enum class NewFileTag : uint32_t {
  kTerminate = 1,
  kNeedCompaction = 2,
  kMinLogNumberToKeep = 3,
  kOldestBlobFile = 4,
  kOldestAncestorTime = 5,
  kFileCreationTime = 6,
  kFileChecksum = 7,
  kFileChecksumFunction = 8,
  kTemperature = 9,
  kMinTimestamp = 10,
  kMaxTimestamp = 11,
  kUniqueId = 12,
  kEpochNumber = 13,
  kCompensatedRangeDeletionSize = 14,
  kTailSize = 15,
  kTimestampsPersisted = 16,
  kOpenMetadata = 17,
  // Readers refuse unknown tags with this bit.
  kNonSafeIgnoreMask = 1 << 6,
  kPathId = 65,
};

}  // namespace skarn

#endif  // SKARN_CORE_VERSION_VERSION_EDIT_H_
