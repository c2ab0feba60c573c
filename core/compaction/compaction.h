// Compaction is a decision: which files go in, where the result goes and how it is
// written. CompactionPicker makes it (under the db mutex), CompactionJob carries it
// out, and the db room installs the edit.
//
// Thread safety: made and released under the db mutex; read by the job's threads.

#ifndef SKARN_CORE_COMPACTION_COMPACTION_H_
#define SKARN_CORE_COMPACTION_COMPACTION_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/key/internal_key.h"
#include "core/options/options.h"
#include "core/version/version.h"
#include "core/version/version_edit.h"

namespace skarn {

// The numbers and names are those of log lines (`"compaction_reason": "LevelL0FilesNum"`).
enum class CompactionReason : uint8_t {
  kUnknown = 0,
  kLevelL0FilesNum,
  kLevelMaxLevelSize,
  kUniversalSizeAmplification,
  kUniversalSizeRatio,
  kUniversalSortedRunNum,
  kFIFOMaxSize,
  kFIFOReduceNumFiles,
  kFIFOTtl,
  kManualCompaction,
  kFilesMarkedForCompaction,
  kBottommostFiles,
  kTtl,
  kFlush,
  kExternalSstIngestion,
  kPeriodicCompaction,
  kChangeTemperature,
  kForcedBlobGC,
  kRoundRobinTtl,
  kRefitLevel,
};
const char* CompactionReasonName(CompactionReason reason);

struct CompactionInput {
  int level = 0;
  std::vector<FileMetadata*> files;  // In key order; level 0 newest first.
};

class Compaction {
 public:
  // Marks the input files as being compacted; the destructor (under the db mutex) takes the marks
  // off. `version` is referenced for the compaction's life.
  Compaction(Version* version, const ColumnFamilyOptions& options,
             std::vector<CompactionInput> inputs, int output_level, CompactionReason reason);
  ~Compaction();
  Compaction(const Compaction&) = delete;
  Compaction& operator=(const Compaction&) = delete;

  Version* version() const { return version_; }
  const ColumnFamilyOptions& options() const { return options_; }
  const std::vector<CompactionInput>& inputs() const { return inputs_; }
  int start_level() const { return inputs_.front().level; }
  int output_level() const { return output_level_; }
  CompactionReason reason() const { return reason_; }
  uint64_t input_bytes() const;
  size_t input_file_count() const;
  // Smallest and largest user key of all inputs, without timestamps.
  Slice smallest_user_key() const { return smallest_; }
  Slice largest_user_key() const { return largest_; }

  // Set by the picker after construction.
  bool deletion_only = false;  // FIFO drop, delete files in range: the edit only removes.
  bool manual = false;
  uint32_t output_path_id = 0;
  uint64_t max_output_file_bytes = 0;
  uint32_t max_subcompactions = 0;
  double score = -1;
  std::string trim_timestamp;  // Versions with newer timestamps are dropped; empty: none.
  // Files below the output level that the range overlaps; outputs are cut along them.
  std::vector<FileMetadata*> grandparents;

  // Only a change of level in the MANIFEST: semantics in docs/architecture.md.
  bool IsTrivialMove() const;
  // No deeper level, nor an older file of level 0, overlaps the key range.
  bool bottommost() const { return bottommost_; }
  CompressionType OutputCompression() const { return output_compression_; }
  CompressionOptions OutputCompressionOptions() const;
  // Adds the removal of all inputs to `edit`.
  void AddInputDeletions(VersionEdit* edit) const;
  // Whether a level below the output level may hold the key; ascending keys, one state per user.
  bool MayExistBelow(Slice user_key, std::vector<size_t>* level_positions) const;

 private:
  Version* const version_;
  const ColumnFamilyOptions options_;
  const std::vector<CompactionInput> inputs_;
  const int output_level_;
  const CompactionReason reason_;
  // Chosen under the db mutex: new options change what it depends on while the job runs.
  const CompressionType output_compression_;
  bool bottommost_ = false;
  Slice smallest_;  // Into the input files' metadata.
  Slice largest_;
};

// The codec for tables that a compaction writes to a level, by the column family's options.
CompressionType CompressionForLevel(const ColumnFamilyOptions& options,
                                    const VersionStorage& storage, int level);

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_COMPACTION_H_
