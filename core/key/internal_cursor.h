// InternalCursor walks the versions of keys in internal-key order: a memtable's, a
// table's, a level's, or the merge of many.
//
// The current entry is in fields of the base, so reading it costs a load; only
// moving is virtual. A cursor is not valid before the first seek, after the end in
// either direction, and after an error, which status() then tells.
//
// Lifetime of the current entry: user_key() and value() stay valid until the cursor
// moves or is destroyed; longer only when KeyPinned() / ValuePinned() say so.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_KEY_INTERNAL_CURSOR_H_
#define SKARN_CORE_KEY_INTERNAL_CURSOR_H_

#include <cstdint>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/key/pin.h"

namespace skarn {

class InternalCursor {
 public:
  InternalCursor() = default;
  InternalCursor(const InternalCursor&) = delete;
  InternalCursor& operator=(const InternalCursor&) = delete;
  virtual ~InternalCursor() = default;

  bool valid() const { return valid_; }
  // Preconditions for all below: valid().
  Slice user_key() const { return user_key_; }
  uint64_t tag() const { return tag_; }
  SequenceNumber sequence() const { return TagSequence(tag_); }
  EntryKind kind() const { return TagKind(tag_); }
  // Precondition: PrepareValue() returned true at this entry.
  Slice value() const { return value_; }

  // Reads what value() needs when the entry's key came from an index alone. False on
  // an error, which makes the cursor invalid.
  virtual bool PrepareValue() { return true; }
  // True spares the call: value() is ready. A cursor whose values always are says so once.
  bool value_ready() const { return value_ready_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // To the first entry at or after (user_key, tag).
  virtual void Seek(Slice user_key, uint64_t tag) = 0;
  // Seek() in parts, for callers with many cursors: each part asks memory for what the next one
  // reads, so that all cursors wait together. Every part must follow, 0 first, and nothing else
  // happen to the cursor meanwhile. By default the last one is Seek().
  static constexpr int kSeekParts = 5;
  virtual void SeekPart(int part, Slice user_key, uint64_t tag) {
    if (part == kSeekParts - 1) Seek(user_key, tag);
  }
  // To the last entry at or before (user_key, tag).
  virtual void SeekForPrev(Slice user_key, uint64_t tag) = 0;
  virtual void Next() = 0;
  virtual void Prev() = 0;

  virtual Status status() const = 0;

  // Whether the bytes live as long as the cursor (and beyond, once DonatePins()).
  virtual bool KeyPinned() const { return false; }
  virtual bool ValuePinned() const { return false; }
  // From now on keep what is pinned until `pins` releases it, which must be after
  // the last use of any pinned slice. nullptr stops it.
  virtual void SetPinList(PinList* pins) { (void)pins; }
  // A pin on the current value's memory. False when the value must be copied.
  virtual bool PinValue(Pin* pin) {
    (void)pin;
    return false;
  }

  // Whether entries up to the end of the current block are known to be below the
  // upper bound, so the caller need not compare; false means compare.
  virtual bool KnownBelowUpperBound() const { return false; }
  // True when the cursor stopped because of the upper bound, not for lack of data.
  virtual bool StoppedAtUpperBound() const { return false; }

 protected:
  bool valid_ = false;
  bool value_ready_ = false;
  uint64_t tag_ = 0;
  Slice user_key_;
  Slice value_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_INTERNAL_CURSOR_H_
