// UserIterator makes user entries out of internal ones: the newest version of each key
// that the view may see, merged, without what is deleted.
//
// Forward, the cursor stands on the entry that is shown (beyond it after a merge).
// Backward, versions of a key come oldest first, so all of them are passed before the
// answer is known: the cursor stands before the key, and key and value are kept here. In a
// single table it is known without that, as a rule: the entry before has another key.
//
// Where nothing but one block of one table is involved, a step is that of the block's cursor
// and what is above it is told later.
//
// With iter_start_ts every timestamp of a key is an entry of its own, deletions too.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_ITERATE_USER_ITERATOR_H_
#define SKARN_CORE_ITERATE_USER_ITERATOR_H_

#include <string>
#include <vector>

#include "core/base/pooled.h"
#include "core/iterate/concatenating_cursor.h"
#include "core/iterate/db_iterator.h"
#include "core/key/key_bytes.h"
#include "core/metrics/perf_context.h"
#include "core/table/table_cursor.h"

namespace skarn {

class UserIterator final : public DbIterator, public Pooled {
 public:
  // `view` may be empty with an error in `status`.
  UserIterator(DbIteratorSetup setup, IteratorView view, Status status);
  // Opens the view itself.
  explicit UserIterator(DbIteratorSetup setup);
  ~UserIterator() override;

  void SeekToFirst() override;
  void SeekToLast() override;
  void Seek(Slice target) override;
  void SeekForPrev(Slice target) override;
  void Next() override;
  void Prev() override;
  Status status() const override;
  Status Refresh(const Snapshot* snapshot) override;
  Status GetProperty(Slice name, std::string* value) const override;

 private:
  // What a step counted, added to statistics when the iterator goes.
  struct Counts {
    uint64_t next = 0, next_found = 0;
    uint64_t prev = 0, prev_found = 0;
    uint64_t bytes = 0, skipped = 0;
  };

  void TakeView(IteratorView view, Status status);
  void Prepare();
  // Before each seek: forgets failures, renews the view where that is wanted. False when
  // there is nothing to seek in.
  bool StartSeek();
  void EndSeek();
  // For seeks to a key, whose time statistics may want.
  void TimeSeek() {
    if (SKARN_UNLIKELY(setup_.statistics != nullptr) && setup_.statistics->WantsTimers()) {
      seek_started_ns_ = PerfNow();
    }
  }
  bool RefuseInTailing(const char* operation);

  // Forward: from the cursor's entry on, to the first user entry. `skipping`: entries of
  // saved_key_ are passed over.
  bool ShowUsual(const InternalCursor& from, bool skipping);
  void FindForward(bool skipping);
  void NextSlow();
  void PrevSlow();
  static void CountNext(ThreadContext* context, uint64_t passed);
  // After a move forward that showed the cursor's entry: how the next steps may be made.
  void BeginSteps();
  // Ends the use of step_, next_block_ and prev_block_.
  void SyncCursor() {
    if ((next_block_ != nullptr) | (prev_block_ != nullptr)) {
      table_->Resume();
    } else if (step_ == nullptr) {
      return;
    }
    ForgetSteps();
    if (level_ != nullptr) level_->Resume();
  }
  void ForgetSteps() {
    step_ = nullptr;
    next_block_ = nullptr;
    prev_block_ = nullptr;
  }
  // When the cursor is that of one table or level, its entry is a usual one, and that before it
  // is known to be of another key: makes prev_block_.
  bool BeginBlockPrev();
  bool UsualTag(uint64_t tag) const {
    return TagKind(tag) == EntryKind::kValue && TagSequence(tag) <= sequence_;
  }
  void ShowBlock(const DataBlockCursor& block) {
    key_ = block.user_key();
    value_ = block.value();
    counts_.bytes += key_.size() + value_.size();
  }
  void FindForwardSlow(bool skipping);
  void ShowCurrent(Slice user_key, uint64_t tag, EntryKind kind);
  void MergeForward();
  void SeekPastSavedKey();
  // Backward: from the cursor's entry on.
  void FindBackward();
  void FindBackwardSlow();
  void FinishBackward();
  // Works out saved_key_'s value; *found tells whether it has one. False on a failure.
  // With `oldest`, that version's value is in saved_value_ and the cursor has left it.
  bool EvaluateSavedKey(bool* found, bool oldest = false);
  bool EvaluateBySeek(bool* found);
  // A seek led back to what was passed over: it would go on for ever.
  void FailOutOfOrder();
  // Whether the value of the cursor's entry outlives the cursor's move; large ones are made to,
  // up to the next call.
  bool ValueLasts();
  void NotePinnedKey();
  // A step passed `count` hidden entries of the active memtable.
  void NoteHidden(uint64_t count);
  // The steps since the last seek are over.
  void EndWindow();
  // Moves the cursor before all of saved_key_. False on a failure.
  bool StepBeforeSavedKey();

  // Merges operands_ (oldest first) over a base and makes the result the value.
  bool Merge(Slice plain_key, bool has_base, EntryKind base_kind, Slice base);
  // Makes `stored`, of the given kind, the value; `lasting` when it outlives the cursor's move.
  bool SetValue(Slice full_key, EntryKind kind, Slice stored, bool lasting);
  void SetKey(Slice full_key, uint64_t tag);

  Slice Plain(Slice full_key) const { return order_.StripTimestamp(full_key); }
  int CompareForSkip(Slice a, Slice b) const {
    return every_version_ ? order_.CompareUser(a, b) : order_.CompareUserWithoutTimestamp(a, b);
  }
  bool Visible(Slice full_key, uint64_t tag) const;
  bool InPrefix(Slice plain) const;
  void SetPrefix(Slice plain);
  // Counts an internal key looked at; true when the limit is passed and the iterator failed.
  bool TooManySkipped(bool count = true);
  // Ends an operation's count of internal keys; all but the one shown were skipped.
  void NoteSkipped() {
    if (SKARN_LIKELY(keys_examined_ == 0)) return;
    counts_.skipped += keys_examined_ - (valid_ ? 1 : 0);
    keys_examined_ = 0;
  }
  void Fail(Status status) {
    valid_ = false;
    status_ = std::move(status);
  }
  // The end, or the failure of the cursor.
  void End() {
    valid_ = false;
    if (Status s = cursor_->status(); !s.ok()) status_ = std::move(s);
  }
  // A key to seek: `plain` with a timestamp of its own, or all bits of it `fill`.
  Slice SeekKey(Slice plain, Slice timestamp);
  Slice SeekKey(Slice plain, char fill);

  DbIteratorSetup setup_;
  const KeyOrder& order_;
  const size_t timestamp_size_;
  const Slice* lower_bound_ = nullptr;
  const Slice* upper_bound_ = nullptr;
  // No prefixes, timestamps, limits or pins, and equal keys have equal bytes: steps have a
  // short way.
  bool simple_ = false;
  bool simple_forward_ = false;         // And an upper bound, if any, has a useful prefix.
  uint64_t upper_prefix_ = UINT64_MAX;  // Keys with a smaller one are below the bound.
  bool every_version_ = false;          // iter_start_ts.
  bool prefix_limited_ = false;
  std::string read_timestamp_;
  std::string start_timestamp_;

  IteratorView view_;
  InternalCursor* cursor_ = nullptr;      // view_'s.
  ConcatenatingCursor* level_ = nullptr;  // The same, when it is that of one level,
  TableCursor* root_table_ = nullptr;     // or of one table.
  // What Next() steps, while the iterator is simple and shows the cursor's entry: cursor_ or
  // the cursor inside level_, which then needs a Resume(). Else null.
  InternalCursor* step_ = nullptr;
  // The same in another way: the block that both Next() and the entry shown are in, with the
  // cursor of its table. Then step_ is null.
  DataBlockCursor* next_block_ = nullptr;
  // Backward: that block when Prev() is in it. The cursor stands on the entry shown then, not
  // before its key.
  DataBlockCursor* prev_block_ = nullptr;
  TableCursor* table_ = nullptr;
  SequenceNumber sequence_ = 0;
  Status status_;
  PinList pins_;
  Pin value_pin_;  // Backward: of a large value that is shown.

  bool forward_ = true;
  bool beyond_ = false;         // Forward only: the cursor has left the shown key (after a merge).
  bool at_begin_ = false;       // Backwards only: EvaluateSavedKey() took the first key there is.
  uint64_t keys_examined_ = 0;  // Of this operation.
  // The full key of the entry shown when the cursor is not on it, or to be skipped.
  KeyBuffer saved_key_;
  uint64_t shown_tag_ = 0;
  std::string saved_value_;
  std::string packed_key_;  // With iter_start_ts.
  std::string seek_key_;
  std::string prefix_;
  bool prefix_known_ = false;
  bool key_pinned_ = false;
  Slice pinned_key_;  // Backward, when it is.
  bool value_pinned_ = false;
  std::vector<std::string> operands_;
  Counts counts_;
  uint64_t memtable_tag_ = UINT64_MAX;  // Of the first entry there that hidden ones are counted of.
  uint64_t hidden_in_window_ = 0;       // Since the last seek,
  uint64_t window_began_ = 0;           // when so many steps had been made.
  uint64_t seek_started_ns_ = 0;        // 0: not timed.
};

}  // namespace skarn

#endif  // SKARN_CORE_ITERATE_USER_ITERATOR_H_
