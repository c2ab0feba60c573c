// DbIterator is the iterator that users see: keys and their values at one moment of a
// column family, merged, without what is deleted.
//
// The current entry is in fields at the head of the object, so the C functions that
// read it are a few loads; only moves are virtual. Transactions derive iterators of
// their own from it.
//
// valid() false with an ok status is the end; with another it is a failure. A seek
// clears a failure.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_ITERATE_DB_ITERATOR_H_
#define SKARN_CORE_ITERATE_DB_ITERATOR_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/blob_fetcher.h"
#include "core/key/internal_cursor.h"
#include "core/key/internal_key.h"
#include "core/key/pin.h"
#include "core/key/snapshot.h"
#include "core/metrics/statistics.h"
#include "core/options/options.h"
#include "core/plugin/merge_operator.h"
#include "core/plugin/slice_transform.h"

namespace skarn {

class DbIterator {
 public:
  DbIterator() = default;
  DbIterator(const DbIterator&) = delete;
  DbIterator& operator=(const DbIterator&) = delete;
  virtual ~DbIterator() = default;

  bool valid() const { return valid_; }
  // Preconditions: valid(). Live until the iterator moves, longer with pin_data.
  // The key is without its timestamp; with iter_start_ts it is a packed internal key.
  Slice key() const { return key_; }
  Slice value() const { return value_; }
  Slice timestamp() const { return timestamp_; }

  virtual void SeekToFirst() = 0;
  virtual void SeekToLast() = 0;
  // Targets are without timestamps.
  virtual void Seek(Slice target) = 0;
  virtual void SeekForPrev(Slice target) = 0;
  // Preconditions: valid().
  virtual void Next() = 0;
  virtual void Prev() = 0;

  virtual Status status() const = 0;
  // Moves to what is visible now, or to `snapshot`. The iterator is not valid afterwards.
  virtual Status Refresh(const Snapshot* snapshot = nullptr);
  virtual Status GetProperty(Slice name, std::string* value) const;
  // With allow_unprepared_value: makes value() ready; false on an error.
  virtual bool PrepareValue() { return true; }

 protected:
  bool valid_ = false;
  Slice key_;
  Slice value_;
  Slice timestamp_;
};

// What a column family looks like at one moment, for an iterator.
struct IteratorView {
  IteratorView() = default;
  IteratorView(IteratorView&&) = default;
  IteratorView& operator=(IteratorView&& other) noexcept {
    cursor.reset();  // What it reads is still pinned.
    pin = std::move(other.pin);
    cursor = std::move(other.cursor);
    sequence = other.sequence;
    super_version = other.super_version;
    blobs = other.blobs;
    memtable_from = other.memtable_from;
    return *this;
  }

  Pin pin;  // Keeps everything below alive; released after the cursor.
  std::unique_ptr<InternalCursor> cursor;
  SequenceNumber sequence = 0;  // The newest to show.
  uint64_t super_version = 0;   // Its number.
  const BlobFetcher* blobs = nullptr;
  // Entries from this number on lie in the active memtable.
  SequenceNumber memtable_from = kMaxSequenceNumber;
};

// Gives views; the db room is behind it. Must outlive its iterators.
class IteratorViewSource {
 public:
  virtual ~IteratorViewSource() = default;
  // The newest state, at `snapshot` or (null) at what is visible now. `read` outlives the
  // view's cursor, and has the bounds that the cursor may use.
  virtual Status Open(const ReadOptions& read, const Snapshot* snapshot, IteratorView* view) = 0;
  virtual uint64_t CurrentSuperVersion() const = 0;
  virtual SequenceNumber VisibleSequence() const = 0;
  // The active memtable of that super version hides so much that it should be flushed.
  virtual void WantsFlush(uint64_t super_version) { (void)super_version; }
};

struct DbIteratorSetup {
  const KeyOrder* order = nullptr;  // Outlives the iterator, as all pointers here do.
  ReadOptions read;                 // `snapshot` etc.; what it points at outlives the iterator.
  const MergeOperator* merge_operator = nullptr;
  std::shared_ptr<const SliceTransform> prefix_extractor;  // Shared with the column family.
  uint64_t max_sequential_skip = 8;                        // max_sequential_skip_in_iterations.
  // Hidden entries of the active memtable: in one step, and on average of the steps between two
  // seeks that pass at least as many; then the source is told. 0: never.
  uint32_t scan_flush_trigger = 0;
  uint32_t scan_flush_average = 0;
  Statistics* statistics = nullptr;
  // Null: Refresh() is refused and tailing sees no new data.
  IteratorViewSource* source = nullptr;
};

// Never null: an error to open the view is in the iterator's status. Opens the view
// through setup.source.
std::unique_ptr<DbIterator> NewDbIterator(DbIteratorSetup setup);
// The same over a view that exists already. NOTE: the cursor in it must not use read
// options or bounds that end before the iterator.
std::unique_ptr<DbIterator> NewDbIterator(DbIteratorSetup setup, IteratorView view);
// Never valid, with this status.
std::unique_ptr<DbIterator> NewErrorIterator(Status status);

}  // namespace skarn

#endif  // SKARN_CORE_ITERATE_DB_ITERATOR_H_
