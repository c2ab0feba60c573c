// CheckedCursor is a memtable's cursor for those who distrust their memory: it verifies
// the checksum of each entry it shows, that a move went in the direction it should, and
// that a search ended where it was to.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_MEMTABLE_CHECKED_CURSOR_H_
#define SKARN_CORE_MEMTABLE_CHECKED_CURSOR_H_

#include <memory>

#include "core/key/internal_cursor.h"
#include "core/memtable/record_check.h"

namespace skarn {

class CheckedCursor final : public InternalCursor {
 public:
  // `check` is null when records have no checksums. What is given must outlive the cursor.
  CheckedCursor(const KeyOrder& order, std::unique_ptr<InternalCursor> inner,
                const RecordCheck* check, bool check_order);

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice user_key, uint64_t tag) override;
  void SeekForPrev(Slice user_key, uint64_t tag) override;
  void Next() override;
  void Prev() override;
  Status status() const override { return status_; }
  bool KeyPinned() const override { return inner_->KeyPinned(); }
  bool ValuePinned() const override { return inner_->ValuePinned(); }
  bool PinValue(Pin* pin) override { return inner_->PinValue(pin); }

 private:
  // Shows the inner cursor's entry. It must not be before (`sign` 1) or after (-1) the key;
  // with `strictly`, nor at it. 0: it may be anywhere.
  void Land(int sign, Slice user_key, uint64_t tag, bool strictly);

  const KeyOrder& order_;
  const std::unique_ptr<InternalCursor> inner_;
  const RecordCheck* const check_;
  const bool check_order_;
  Status status_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_CHECKED_CURSOR_H_
