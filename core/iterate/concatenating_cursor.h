// ConcatenatingCursor walks the files of one level, which do not overlap, as one
// cursor. A file is opened when the cursor comes to it, and closed when it leaves.
//
// It is also the level's TombstoneSource: for a key it asks the file whose boundaries
// hold the key, which is mostly the one it stands in.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_ITERATE_CONCATENATING_CURSOR_H_
#define SKARN_CORE_ITERATE_CONCATENATING_CURSOR_H_

#include <cstddef>
#include <memory>

#include "core/base/pooled.h"
#include "core/iterate/tombstone_source.h"
#include "core/key/internal_cursor.h"
#include "core/key/internal_key.h"
#include "core/key/range_tombstone.h"
#include "core/table/table_cursor.h"

namespace skarn {

// The files, ascending. The version and table rooms are behind it.
class FileSequence {
 public:
  virtual ~FileSequence() = default;
  virtual size_t size() const = 0;
  // Boundaries: packed internal keys, valid as long as the sequence.
  virtual Slice smallest(size_t index) const = 0;
  virtual Slice largest(size_t index) const = 0;
  // The first file whose largest key is at or after (user_key, tag); size() if none.
  // The default searches by largest().
  virtual size_t Find(const KeyOrder& order, Slice user_key, uint64_t tag) const;
  // Never null: an error is in the cursor's status.
  virtual std::unique_ptr<InternalCursor> OpenCursor(size_t index) = 0;
  // The file's range tombstones as stored; null when it has none.
  virtual Status Tombstones(size_t index, std::shared_ptr<const FragmentedTombstones>* list) {
    (void)index;
    list->reset();
    return Status::Ok();
  }
};

class ConcatenatingCursor final : public InternalCursor, public TombstoneSource, public Pooled {
 public:
  // `lower_bound` and `upper_bound` (user keys without timestamp; null: none) save opening
  // files beyond them; entries are not checked against them. Both, and `order`, must
  // outlive the cursor.
  ConcatenatingCursor(const KeyOrder& order, std::unique_ptr<FileSequence> files,
                      const Slice* lower_bound = nullptr, const Slice* upper_bound = nullptr);
  ~ConcatenatingCursor() override;

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice user_key, uint64_t tag) override;
  void SeekPart(int part, Slice user_key, uint64_t tag) override;
  void SeekForPrev(Slice user_key, uint64_t tag) override;
  void Next() override;
  void Prev() override;
  bool PrepareValue() override;
  // The cursor of the current file. While it stays valid, its Next() and its entry stand for
  // this one's; Resume() must follow before anything but a seek is asked of this one.
  // Precondition: valid().
  InternalCursor* file_cursor() const { return cursor_.get(); }
  // The same when it is a table's; else null.
  TableCursor* table_cursor() const { return table_; }
  void Resume() { SkipEmptyForward(); }
  Status status() const override;
  bool KeyPinned() const override;
  bool ValuePinned() const override;
  void SetPinList(PinList* pins) override;
  bool PinValue(Pin* pin) override;
  bool KnownBelowUpperBound() const override;
  bool StoppedAtUpperBound() const override { return stopped_at_upper_bound_; }

  Status Find(Slice user_key, TombstoneSpan* span) override;

 private:
  static constexpr size_t kNoFile = static_cast<size_t>(-1);

  // Makes file `index` the current one; false when that is beyond the end.
  bool Open(size_t index);
  void Close();
  // Opens the file that a seek goes to; false when there is none.
  bool SeekFile(Slice user_key, uint64_t tag);
  // Moves on until an entry or the end is reached.
  void SkipEmptyForward();
  void SkipEmptyBackward();
  // Takes over the current entry of the file's cursor.
  void Copy();
  bool BeyondUpperBound(size_t index) const;
  bool BeyondLowerBound(size_t index) const;

  const KeyOrder& order_;
  const std::unique_ptr<FileSequence> files_;
  const Slice* const lower_bound_;
  const Slice* const upper_bound_;
  size_t index_ = kNoFile;
  std::unique_ptr<InternalCursor> cursor_;  // Of file index_.
  TableCursor* table_ = nullptr;            // The same, when it is one.
  PinList* pins_ = nullptr;
  bool stopped_at_upper_bound_ = false;
  bool seek_goes_on_ = false;  // Between parts of a seek.

  // The file last asked for tombstones.
  size_t tombstone_index_ = kNoFile;
  std::unique_ptr<ClippedTombstones> tombstones_;
};

}  // namespace skarn

#endif  // SKARN_CORE_ITERATE_CONCATENATING_CURSOR_H_
