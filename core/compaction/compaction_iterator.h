// CompactionIterator is the loop that flushes and compactions share: it walks the
// merged versions of keys and gives back those that must be kept, merged and
// rewritten as the rules of docs/architecture.md ("what a compaction drops") say.
//
// Per user key, newest first: a version hidden by a newer one in the same snapshot
// stripe goes; deletions go when nothing below can need them; merge operands are
// combined; single deletions meet their value; range tombstones cover; the
// compaction filter is asked about the newest version; at the bottom, sequence
// numbers become 0.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_COMPACTION_COMPACTION_ITERATOR_H_
#define SKARN_CORE_COMPACTION_COMPACTION_ITERATOR_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_cursor.h"
#include "core/key/internal_key.h"
#include "core/key/pin.h"

namespace skarn {

class CompactionFilter;
class CompactionRangeDeletions;  // core/compaction/range_deletions.h
class MergeOperator;
class Statistics;

// What the iterator must know of the tree below the output.
class KeyBelow {
 public:
  virtual ~KeyBelow() = default;
  // Whether a level below the output level may hold the user key. Asked with ascending keys.
  virtual bool MayExistBelow(Slice user_key) = 0;
};

struct CompactionIteratorOptions {
  const KeyOrder* order = nullptr;
  std::vector<SequenceNumber> snapshots;  // Ascending, without duplicates.
  SequenceNumber earliest_write_conflict_snapshot = kMaxSequenceNumber;
  // Newest number that the job's input may contain; newer snapshots do not matter.
  bool is_flush = false;
  bool bottommost = false;  // Nothing older exists for any key of the input.
  bool allow_ingest_behind = false;
  bool zero_sequences = true;  // At the bottom; off where preserved times forbid it.
  KeyBelow* below = nullptr;   // Null in flushes: every key may exist below.
  const MergeOperator* merge_operator = nullptr;
  const CompactionFilter* filter = nullptr;
  int start_level = 0;                                  // What filters are told.
  CompactionRangeDeletions* range_deletions = nullptr;  // May be null.
  bool enforce_single_delete_contracts = true;
  std::string full_history_ts_low;  // Empty: keep all timestamps.
  Statistics* statistics = nullptr;
  const std::atomic<bool>* cancel = nullptr;        // Shutdown or column family drop.
  const std::atomic<bool>* pause_manual = nullptr;  // A manual compaction was told to stop.
};

class CompactionIterator {
 public:
  struct Counts {
    uint64_t input_records = 0;
    uint64_t input_deletions = 0;
    uint64_t input_raw_key_bytes = 0;
    uint64_t input_raw_value_bytes = 0;
    uint64_t dropped_hidden = 0;
    uint64_t dropped_range_deletion = 0;
    uint64_t dropped_obsolete_deletion = 0;
    uint64_t dropped_by_filter = 0;
    uint64_t single_delete_mismatch = 0;
    uint64_t single_delete_fallthrough = 0;
    uint64_t corrupt_keys = 0;
  };

  // `input` must outlive the iterator; it is moved, never rewound.
  CompactionIterator(CompactionIteratorOptions options, InternalCursor* input);
  ~CompactionIterator();

  void SeekToFirst();  // From wherever `input` stands now.
  void Next();
  bool valid() const { return valid_; }
  // The entry to write. Valid until the next move.
  Slice user_key() const { return user_key_; }
  uint64_t tag() const { return tag_; }
  Slice value() const { return value_; }
  const Status& status() const { return status_; }
  const Counts& counts() const { return counts_; }

 private:
  struct Rep;
  void Advance();

  std::unique_ptr<Rep> rep_;
  bool valid_ = false;
  uint64_t tag_ = 0;
  Slice user_key_;
  Slice value_;
  Status status_;
  Counts counts_;
};

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_COMPACTION_ITERATOR_H_
