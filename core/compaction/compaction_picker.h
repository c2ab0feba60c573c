// CompactionPicker chooses the next compaction of a column family.
//
// Thread safety: every call is made under the db mutex.

#ifndef SKARN_CORE_COMPACTION_COMPACTION_PICKER_H_
#define SKARN_CORE_COMPACTION_COMPACTION_PICKER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/compaction/compaction.h"

namespace skarn {

struct ManualRange {
  int input_level = 0;
  int output_level = 0;
  const Slice* begin = nullptr;  // User keys without timestamp; null: open end. Inclusive.
  const Slice* end = nullptr;
  uint64_t max_file_number = UINT64_MAX;  // Only files older than this (kForceOptimized).
  CompactRangeOptions options;
};

// One per column family.
class CompactionPicker {
 public:
  virtual ~CompactionPicker() = default;
  // Whether Pick() might find something in this version.
  virtual bool NeedsCompaction(const Version& version) const = 0;
  // The best compaction now, or null. Rescores the version's levels, because its inputs are busy
  // now.
  virtual std::unique_ptr<Compaction> Pick(Version* version, const ColumnFamilyOptions& options,
                                           const DbOptions& db_options,
                                           const std::vector<SequenceNumber>& snapshots) = 0;
  // A piece of a manual compaction of one level. Null with *conflict false: nothing to do.
  // Null with *conflict true: an input is busy, try again later. *next_begin is where the
  // next piece starts; unset when this was the last.
  virtual std::unique_ptr<Compaction> PickManual(Version* version,
                                                 const ColumnFamilyOptions& options,
                                                 const DbOptions& db_options,
                                                 const ManualRange& range, bool* conflict,
                                                 std::optional<std::string>* next_begin) = 0;
  // The compaction ended (done, failed or never started): its inputs are free again.
  virtual void Release(Compaction* compaction) = 0;
  // Whether a running compaction writes to `level` in a range that overlaps. User keys
  // without timestamps.
  virtual bool OverlapsRunningOutput(Slice smallest_user_key, Slice largest_user_key,
                                     int level) const = 0;
  virtual size_t running() const = 0;
};

std::unique_ptr<CompactionPicker> NewLevelPicker(const KeyOrder& order);

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_COMPACTION_PICKER_H_
