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
// Sources are asked newest first, so once a source that covers the key was asked, older
// ones can be left out: settled() tells. Files of one level that share the key are one
// source: all of them must be asked before.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_KEY_POINT_LOOKUP_H_
#define SKARN_CORE_KEY_POINT_LOOKUP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cpu.h"
#include "core/base/hash.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/blob_fetcher.h"
#include "core/key/internal_key.h"
#include "core/key/pin.h"
#include "core/plugin/merge_operator.h"

namespace skarn {

class Statistics;

class PointLookup {
 public:
  enum class State : uint8_t {
    kSearching,  // Nothing seen yet.
    kMerging,    // Operands seen, no base yet.
    kFound,      // The sink has the value.
    kDeleted,
    kFailed,  // status() tells.
  };

  // Optional extras of a lookup; null members are not wanted.
  struct Extras {
    std::string* timestamp = nullptr;    // Of the version found.
    SequenceNumber* sequence = nullptr;  // Of the newest version seen, whatever it is.
    bool* is_blob_index = nullptr;  // Set to true when the sink got a blob index, not its value.
    const BlobFetcher* blobs = nullptr;  // Else this reads the value; with neither it is an error.
    // Wanted instead of merging, oldest first, a base value included; the sink is not called.
    std::vector<std::string>* operands = nullptr;
    // Give the encoded entity, not its default column. A plain value is given as an entity
    // with the default column only.
    bool raw_entity = false;
    Statistics* statistics = nullptr;  // Counts merges.

    bool TouchesValues() const {
      return timestamp != nullptr || sequence != nullptr || operands != nullptr || raw_entity;
    }
  };

  // `user_key` is without timestamp. `read_timestamp` is empty without timestamps.
  // `merge_operator` may be null. Everything passed must outlive the lookup.
  PointLookup(const KeyOrder& order, Slice user_key, SequenceNumber snapshot, Slice read_timestamp,
              const MergeOperator* merge_operator, ValueSink* sink)
      : order_(order),
        user_key_(user_key),
        seek_key_(user_key),
        seek_tag_(SeekTag(snapshot)),
        snapshot_(snapshot),
        merge_operator_(merge_operator),
        sink_(sink),
        has_timestamps_(order.timestamp_size() != 0) {
    if (SKARN_UNLIKELY(has_timestamps_)) AddTimestamp(read_timestamp);
  }
  PointLookup(const PointLookup&) = delete;
  PointLookup& operator=(const PointLookup&) = delete;

  // Where the answer came from, for statistics: a level of files, or one of these.
  static constexpr int kFromMemtable = -1;
  static constexpr int kFromNowhere = -2;  // No source decided: the history had ended.
  int found_in() const { return found_in_; }
  // Files of `level` are asked from now on.
  void EnterLevel(int level) { found_in_ = level; }
  // Of the value that the sink got.
  uint64_t value_bytes() const { return value_bytes_; }
  size_t operand_count() const { return operands_.size(); }

  Slice user_key() const { return user_key_; }  // Without timestamp.
  // What to seek: user key plus read timestamp, and the tag of the snapshot.
  Slice seek_key() const { return seek_key_; }
  uint64_t seek_tag() const { return seek_tag_; }
  SequenceNumber snapshot() const { return snapshot_; }
  const KeyOrder& order() const { return order_; }
  // Hash of user_key() for filters and hash indexes, computed once (core/base/hash.h).
  uint64_t hash() {
    if (!hashed_) {
      hash_ = Hash64(user_key_);
      hashed_ = true;
    }
    return hash_;
  }
  // Timestamps newer than this are not seen; empty without timestamps.
  Slice read_timestamp() const { return order_.TimestampOf(seek_key_); }

  // Records that a range tombstone with `sequence` (<= snapshot) covers the key.
  // `timestamp` is the tombstone's and must outlive the lookup.
  void CoverUpTo(SequenceNumber sequence, Slice timestamp = Slice()) {
    if (sequence <= covered_up_to_) return;
    covered_up_to_ = sequence;
    covering_timestamp_ = timestamp;
  }
  SequenceNumber covered_up_to() const { return covered_up_to_; }

  // Offers the next older version whose user key (without timestamp) equals
  // user_key(); what the snapshot or the read timestamp hides is passed over. True when
  // more are wanted.
  bool Offer(Slice user_key_with_timestamp, uint64_t tag, Slice value, const PinSource& source) {
    const SequenceNumber sequence = TagSequence(tag);
    if (SKARN_LIKELY(TagKind(tag) == EntryKind::kValue && state_ == State::kSearching &&
                     sequence <= snapshot_ && sequence >= covered_up_to_ && !has_timestamps_ &&
                     !extras_.TouchesValues())) {
      state_ = State::kFound;
      value_bytes_ = value.size();
      sink_->take(sink_, value, source);
      return false;
    }
    return OfferSlow(user_key_with_timestamp, tag, value, source);
  }

  // A source failed, or the value needs I/O that the read tier forbids.
  void Fail(Status status);
  // No source has more. Merges what was collected; afterwards state() is final:
  // kFound, kDeleted (nothing there) or kFailed.
  void Finish();

  bool done() const { return state_ >= State::kFound; }
  // Whether nothing in sources older than those asked so far can matter; Finish() is next.
  bool settled() const { return done() || covered_up_to_ != 0; }
  State state() const { return state_; }
  const Status& status() const { return status_; }
  Extras& extras() { return extras_; }

 private:
  void AddTimestamp(Slice read_timestamp);
  bool OfferSlow(Slice user_key_with_timestamp, uint64_t tag, Slice value, const PinSource& source);
  void MergeInto(bool has_base, EntryKind base_kind, Slice base);
  void FoundPlain(Slice value, const PinSource& source);
  void Deleted(Slice timestamp);
  void Give(Slice value, const PinSource& source) {
    value_bytes_ = value.size();
    sink_->take(sink_, value, source);
  }
  // Reads the value a blob index stands for. False: the lookup failed.
  bool FetchBlob(Slice user_key_with_timestamp, Slice index, std::string* value);

  const KeyOrder& order_;
  const Slice user_key_;
  Slice seek_key_;
  std::string seek_key_storage_;
  const uint64_t seek_tag_;
  const SequenceNumber snapshot_;
  const MergeOperator* const merge_operator_;
  ValueSink* const sink_;
  SequenceNumber covered_up_to_ = 0;
  Slice covering_timestamp_;
  uint64_t hash_ = 0;
  bool hashed_ = false;
  const bool has_timestamps_;
  State state_ = State::kSearching;
  int found_in_ = kFromMemtable;
  uint64_t value_bytes_ = 0;
  Status status_;
  Extras extras_;
  std::vector<std::string> operands_;  // Newest first.
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_POINT_LOOKUP_H_
