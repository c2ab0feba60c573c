// PointLookup is one key being looked for, carried from the memtables through the
// files. Each source offers the versions it has, newest first, until the lookup says
// that it knows enough.
//
// What ends it: a value, an entity, a deletion. Merge operands are collected on the
// way; when a base or the end of history is reached, Finish() runs the merge
// operator and hands the result to the sink.
//
// Range tombstones: a source that has them calls CoverUpTo() before offering; an
// entry with a smaller sequence number than the largest covering one counts as deleted.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_KEY_POINT_LOOKUP_H_
#define SKARN_CORE_KEY_POINT_LOOKUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/key/pin.h"
#include "core/plugin/merge_operator.h"

namespace skarn {

class PointLookup {
 public:
  enum class State : uint8_t {
    kSearching,  // Nothing seen yet.
    kMerging,    // Operands seen, no base yet.
    kFound,      // The sink has the value.
    kDeleted,
    kFailed,     // status() tells.
  };

  // Optional extras of a lookup; null members are not wanted.
  struct Extras {
    std::string* timestamp = nullptr;         // Of the version found.
    SequenceNumber* sequence = nullptr;       // Of the newest version seen, whatever it is.
    bool* is_blob_index = nullptr;            // Set; else a blob index is an error.
    std::vector<std::string>* operands = nullptr;  // Wanted instead of merging.
    bool raw_entity = false;                  // Give the encoded entity, not its default column.
  };

  // `user_key` is without timestamp. `read_timestamp` is empty without timestamps.
  // Everything passed must outlive the lookup.
  PointLookup(const KeyOrder& order, Slice user_key, SequenceNumber snapshot, Slice read_timestamp,
              const MergeOperator* merge_operator, ValueSink* sink);

  Slice user_key() const { return user_key_; }  // Without timestamp.
  // What to seek: user key plus read timestamp, and the tag of the snapshot.
  Slice seek_key() const { return seek_key_; }
  uint64_t seek_tag() const { return seek_tag_; }
  SequenceNumber snapshot() const { return snapshot_; }
  const KeyOrder& order() const { return order_; }
  // Hash of user_key() for filters and hash indexes, computed once (core/base/hash.h).
  uint64_t hash();

  // Records that a range tombstone with `sequence` (<= snapshot) covers the key.
  void CoverUpTo(SequenceNumber sequence, Slice timestamp = Slice());
  SequenceNumber covered_up_to() const { return covered_up_to_; }

  // Offers the next older version whose user key (without timestamp) equals
  // user_key() and that the snapshot may see. True when more are wanted.
  bool Offer(Slice user_key_with_timestamp, uint64_t tag, Slice value, const PinSource& source);

  // A source failed, or the value needs I/O that the read tier forbids.
  void Fail(Status status);
  // No source has more. Merges what was collected; afterwards state() is final:
  // kFound, kDeleted (nothing there) or kFailed.
  void Finish();

  bool done() const { return state_ >= State::kFound; }
  State state() const { return state_; }
  const Status& status() const { return status_; }
  Extras& extras() { return extras_; }

 private:
  void MergeInto(const Slice* base);

  const KeyOrder& order_;
  const Slice user_key_;
  Slice seek_key_;
  std::string seek_key_storage_;
  const uint64_t seek_tag_;
  const SequenceNumber snapshot_;
  const MergeOperator* const merge_operator_;
  ValueSink* const sink_;
  SequenceNumber covered_up_to_ = 0;
  uint64_t hash_ = 0;
  bool hashed_ = false;
  State state_ = State::kSearching;
  Status status_;
  Extras extras_;
  std::vector<std::string> operands_;  // Newest first.
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_POINT_LOOKUP_H_
