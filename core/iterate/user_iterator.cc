#include "core/iterate/user_iterator.h"

#include <algorithm>
#include <typeinfo>
#include <utility>

#include "core/key/merge_helper.h"
#include "core/metrics/perf_context.h"

namespace skarn {
namespace {

bool IsDeletion(EntryKind kind) {
  return kind == EntryKind::kDeletion || kind == EntryKind::kSingleDeletion ||
         kind == EntryKind::kDeletionWithTimestamp;
}

// Larger values are not copied where they last anyhow,
constexpr size_t kCopyMax = 256;
// and pinned from this size on, where they can be made to last.
constexpr size_t kPinMin = 1024;

Status UnknownKind(EntryKind kind) {
  return Status::Corruption(Concat("Unknown value type ", static_cast<int>(kind)));
}

}  // namespace

UserIterator::UserIterator(DbIteratorSetup setup, IteratorView view, Status status)
    : setup_(std::move(setup)), order_(*setup_.order), timestamp_size_(order_.timestamp_size()) {
  Prepare();
  TakeView(std::move(view), std::move(status));
}

UserIterator::UserIterator(DbIteratorSetup setup)
    : setup_(std::move(setup)), order_(*setup_.order), timestamp_size_(order_.timestamp_size()) {
  Prepare();
  IteratorView view;
  Status s = setup_.source->Open(setup_.read, setup_.read.snapshot, &view);
  TakeView(std::move(view), std::move(s));
}

void UserIterator::Prepare() {
  const ReadOptions& read = setup_.read;
  lower_bound_ = read.iterate_lower_bound;
  upper_bound_ = read.iterate_upper_bound;
  prefix_limited_ = read.prefix_same_as_start && setup_.prefix_extractor != nullptr;
  if (timestamp_size_ != 0) {
    if (read.timestamp != nullptr) {
      read_timestamp_ = read.timestamp->ToString();
    } else {
      read_timestamp_.assign(timestamp_size_, '\xff');
    }
    if (read.iter_start_ts != nullptr) {
      every_version_ = true;
      start_timestamp_ = read.iter_start_ts->ToString();
    }
  }
  simple_ = !prefix_limited_ && timestamp_size_ == 0 && read.max_skippable_internal_keys == 0 &&
            !read.pin_data && order_.comparator()->EqualMeansSameBytes();
  simple_forward_ = simple_ && (upper_bound_ == nullptr || order_.bytewise());
  if (upper_bound_ != nullptr) upper_prefix_ = KeyPrefix(*upper_bound_, 0);
  CountTicker(setup_.statistics, Ticker::kNumIteratorCreated);
}

void UserIterator::TakeView(IteratorView view, Status status) {
  valid_ = false;
  ForgetSteps();
  value_pin_.Reset();
  view_ = std::move(view);
  status_ = std::move(status);
  if (view_.cursor == nullptr) {
    if (status_.ok()) status_ = Status::InvalidArgument("iterator has no cursor");
    cursor_ = nullptr;
    level_ = nullptr;
    root_table_ = nullptr;
    return;
  }
  cursor_ = view_.cursor.get();
  const InternalCursor& root = *cursor_;
  level_ = typeid(root) == typeid(ConcatenatingCursor) ? static_cast<ConcatenatingCursor*>(cursor_)
                                                       : nullptr;
  root_table_ = AsTableCursor(cursor_);
  sequence_ = view_.sequence;
  memtable_tag_ = UINT64_MAX;
  if (SKARN_UNLIKELY(setup_.scan_flush_trigger != 0) && !setup_.read.tailing &&
      view_.memtable_from != kMaxSequenceNumber) {
    memtable_tag_ = PackTag(view_.memtable_from, EntryKind::kDeletion);
  }
  if (setup_.read.pin_data) cursor_->SetPinList(&pins_);
}

void UserIterator::NoteHidden(uint64_t count) {
  hidden_in_window_ += count;
  if (count < setup_.scan_flush_trigger) return;
  memtable_tag_ = UINT64_MAX;  // Once is enough.
  setup_.source->WantsFlush(view_.super_version);
}

void UserIterator::EndWindow() {
  if (memtable_tag_ != UINT64_MAX && setup_.scan_flush_average != 0 &&
      hidden_in_window_ >= setup_.scan_flush_trigger &&
      hidden_in_window_ >= (counts_.next - window_began_ + 1) * setup_.scan_flush_average) {
    memtable_tag_ = UINT64_MAX;
    setup_.source->WantsFlush(view_.super_version);
  }
  hidden_in_window_ = 0;
  window_began_ = counts_.next;
}

UserIterator::~UserIterator() {
  NoteSkipped();
  EndWindow();
  value_pin_.Reset();
  view_ = IteratorView();
  pins_.ReleaseAll();
  Statistics* statistics = setup_.statistics;
  ThreadContext* context = CurrentThreadContext();
  PerfAdd(context, PerfMetric::kIterReadBytes, counts_.bytes);
  if (statistics != nullptr) {
    statistics->Add(context, Ticker::kNumberDbNext, counts_.next);
    statistics->Add(context, Ticker::kNumberDbNextFound, counts_.next_found);
    statistics->Add(context, Ticker::kNumberDbPrev, counts_.prev);
    statistics->Add(context, Ticker::kNumberDbPrevFound, counts_.prev_found);
    statistics->Add(context, Ticker::kDbIterBytesRead, counts_.bytes);
    statistics->Add(context, Ticker::kNumberIterSkip, counts_.skipped);
    statistics->Add(context, Ticker::kNumIteratorDeleted, 1);
  }
}

Status UserIterator::status() const { return status_; }

Status UserIterator::Refresh(const Snapshot* snapshot) {
  if (setup_.source == nullptr) {
    return Status::NotSupported("Creating renew iterator is not allowed.");
  }
  setup_.read.snapshot = snapshot;
  valid_ = false;
  IteratorView view;
  Status s = setup_.source->Open(setup_.read, snapshot, &view);
  pins_.ReleaseAll();
  TakeView(std::move(view), s);
  return s;
}

Status UserIterator::GetProperty(Slice name, std::string* value) const {
  if (name == Slice("rocksdb.iterator.super-version-number")) {
    *value = std::to_string(view_.super_version);
    return Status::Ok();
  }
  const bool key_pinned = name == Slice("rocksdb.iterator.is-key-pinned");
  const bool value_pinned = name == Slice("rocksdb.iterator.is-value-pinned");
  if (key_pinned || value_pinned) {
    if (!valid_) {
      *value = "Iterator is not valid.";
    } else {
      const bool pinned = setup_.read.pin_data && (key_pinned ? key_pinned_ : value_pinned_);
      value->assign(1, pinned ? '1' : '0');
    }
    return Status::Ok();
  }
  if (name == Slice("rocksdb.iterator.internal-key")) {
    *value = (valid_ ? key_ : saved_key_.slice()).ToString();
    return Status::Ok();
  }
  if (name == Slice("rocksdb.iterator.write-time")) {
    value->clear();
    PutFixed64(value, UINT64_MAX);  // Not known.
    return Status::Ok();
  }
  return DbIterator::GetProperty(name, value);
}

Slice UserIterator::SeekKey(Slice plain, Slice timestamp) {
  if (timestamp_size_ == 0) return plain;
  seek_key_.assign(plain.data(), plain.size());
  seek_key_.append(timestamp.data(), timestamp.size());
  return seek_key_;
}

Slice UserIterator::SeekKey(Slice plain, char fill) {
  if (timestamp_size_ == 0) return plain;
  seek_key_.assign(plain.data(), plain.size());
  seek_key_.append(timestamp_size_, fill);
  return seek_key_;
}

bool UserIterator::Visible(Slice full_key, uint64_t tag) const {
  if (TagSequence(tag) > sequence_) return false;
  if (timestamp_size_ == 0) return true;
  const Comparator* comparator = order_.comparator();
  const Slice timestamp = order_.TimestampOf(full_key);
  if (comparator->CompareTimestamp(timestamp, read_timestamp_) > 0) return false;
  return !every_version_ || comparator->CompareTimestamp(timestamp, start_timestamp_) >= 0;
}

void UserIterator::SetPrefix(Slice plain) {
  if (!prefix_limited_) return;
  prefix_known_ = setup_.prefix_extractor->InDomain(plain);
  if (!prefix_known_) return;
  const Slice prefix = setup_.prefix_extractor->Transform(plain);
  prefix_.assign(prefix.data(), prefix.size());
}

bool UserIterator::InPrefix(Slice plain) const {
  if (!prefix_known_) return true;
  return setup_.prefix_extractor->InDomain(plain) &&
         setup_.prefix_extractor->Transform(plain) == Slice(prefix_);
}

bool UserIterator::TooManySkipped(bool count) {
  const uint64_t most = setup_.read.max_skippable_internal_keys;
  if (SKARN_UNLIKELY(most > 0 && keys_examined_ > most)) {
    Fail(Status::Incomplete("Too many internal keys skipped."));
    return true;
  }
  if (count) ++keys_examined_;
  return false;
}

bool UserIterator::RefuseInTailing(const char* operation) {
  if (!setup_.read.tailing) return false;
  Fail(Status::NotSupported(operation));
  return true;
}

bool UserIterator::StartSeek() {
  NoteSkipped();
  if (SKARN_UNLIKELY(hidden_in_window_ != 0)) EndWindow();
  window_began_ = counts_.next;
  valid_ = false;
  ForgetSteps();
  value_pin_.Reset();
  saved_key_.Clear();
  prefix_known_ = false;
  beyond_ = false;
  seek_started_ns_ = 0;
  const ReadOptions& read = setup_.read;
  if (setup_.source != nullptr &&
      SKARN_UNLIKELY(read.tailing || read.auto_refresh_iterator_with_snapshot)) {
    const bool files_changed = setup_.source->CurrentSuperVersion() != view_.super_version;
    const bool data_changed = read.tailing && setup_.source->VisibleSequence() != view_.sequence;
    if (files_changed || data_changed) {
      if (read.tailing || read.snapshot != nullptr) (void)Refresh(read.snapshot);
    }
  }
  if (cursor_ == nullptr) return false;  // status_ says why.
  status_ = Status::Ok();
  CountTicker(setup_.statistics, Ticker::kNumberDbSeek);
  PerfAdd(CurrentThreadContext(), PerfMetric::kIterSeekCount);
  return true;
}

void UserIterator::EndSeek() {
  if (SKARN_UNLIKELY(seek_started_ns_ != 0)) {
    setup_.statistics->Record(HistogramKind::kDbSeekMicros, (PerfNow() - seek_started_ns_) / 1000);
    seek_started_ns_ = 0;
  }
  if (!valid_) return;
  const uint64_t bytes = key_.size() + value_.size();
  PerfAdd(CurrentThreadContext(), PerfMetric::kIterReadBytes, bytes);
  if (setup_.statistics == nullptr) return;
  setup_.statistics->Add(Ticker::kNumberDbSeekFound);
  setup_.statistics->Add(Ticker::kDbIterBytesRead, bytes);
}

inline void UserIterator::CountNext(ThreadContext* context, uint64_t passed) {
  ++context->perf_counters[static_cast<size_t>(PerfMetric::kIterNextCount)];
  context->perf_counters[static_cast<size_t>(PerfMetric::kInternalKeySkippedCount)] += passed;
}

// Shows the entry of `from` when it is the usual case: a visible value, and of another key
// than the one to skip.
[[gnu::always_inline]] inline bool UserIterator::ShowUsual(const InternalCursor& from,
                                                           bool skipping) {
  if (SKARN_UNLIKELY(!from.valid())) return false;
  const uint64_t tag = from.tag();
  const Slice user_key = from.user_key();
  if (upper_bound_ != nullptr) {
    const uint64_t prefix = KeyPrefix(user_key, 0);
    if (prefix >= upper_prefix_ && (prefix > upper_prefix_ || user_key.Compare(*upper_bound_) >= 0))
      return false;
  }
  if (SKARN_UNLIKELY(TagKind(tag) != EntryKind::kValue || TagSequence(tag) > sequence_ ||
                     !from.value_ready() ||
                     (skipping && SameBytes(user_key, saved_key_.slice())))) {
    return false;
  }
  key_ = user_key;
  value_ = from.value();
  shown_tag_ = tag;
  valid_ = true;
  return true;
}

[[gnu::always_inline]] inline void UserIterator::FindForward(bool skipping) {
  if (SKARN_LIKELY(simple_forward_) && ShowUsual(*cursor_, skipping)) return;
  FindForwardSlow(skipping);
}

void UserIterator::SeekToFirst() {
  if (lower_bound_ != nullptr) {
    Seek(*lower_bound_);
    if (valid_) SetPrefix(every_version_ ? Plain(PackedUserKey(key_)) : key_);
    return;
  }
  if (!StartSeek()) return;
  forward_ = true;
  cursor_->SeekToFirst();
  FindForward(/*skipping=*/false);
  if (valid_) SetPrefix(every_version_ ? Plain(PackedUserKey(key_)) : key_);
  EndSeek();
  BeginSteps();
}

void UserIterator::Seek(Slice target) {
  if (!StartSeek()) return;
  TimeSeek();
  forward_ = true;
  if (lower_bound_ != nullptr && order_.CompareStripped(target, *lower_bound_) < 0) {
    target = *lower_bound_;
  }
  if (upper_bound_ != nullptr && order_.CompareStripped(target, *upper_bound_) >= 0) return;
  SetPrefix(target);
  cursor_->Seek(SeekKey(target, read_timestamp_), SeekTag(sequence_));
  FindForward(/*skipping=*/false);
  EndSeek();
  BeginSteps();
  // Mostly steps follow.
  if (next_block_ != nullptr) next_block_->PrefetchAhead();
}

void UserIterator::SeekToLast() {
  // With an upper bound the last key is sought from there.
  if (RefuseInTailing(upper_bound_ != nullptr ? "ForwardIterator::SeekForPrev()"
                                              : "ForwardIterator::SeekToLast()")) {
    return;
  }
  if (!StartSeek()) return;
  forward_ = false;
  if (upper_bound_ != nullptr) {
    // The last entry before all of the bound's own versions.
    cursor_->SeekForPrev(SeekKey(*upper_bound_, '\xff'), kMaxTag);
  } else {
    cursor_->SeekToLast();
  }
  FindBackward();
  if (valid_) SetPrefix(every_version_ ? Plain(PackedUserKey(key_)) : key_);
  EndSeek();
}

void UserIterator::SeekForPrev(Slice target) {
  if (RefuseInTailing("ForwardIterator::SeekForPrev()")) return;
  if (!StartSeek()) return;
  TimeSeek();
  forward_ = false;
  if (lower_bound_ != nullptr && order_.CompareStripped(target, *lower_bound_) < 0) return;
  SetPrefix(target);
  if (upper_bound_ != nullptr && order_.CompareStripped(target, *upper_bound_) >= 0) {
    cursor_->SeekForPrev(SeekKey(*upper_bound_, '\xff'), kMaxTag);
  } else if (every_version_) {
    cursor_->SeekForPrev(SeekKey(target, start_timestamp_), PackTag(0, kKindForSeekForPrev));
  } else {
    cursor_->SeekForPrev(SeekKey(target, '\0'), PackTag(0, kKindForSeekForPrev));
  }
  FindBackward();
  EndSeek();
}

void UserIterator::BeginSteps() {
  if (!valid_ || !simple_forward_ || beyond_ || setup_.read.tailing) return;
  NoteSkipped();
  table_ = level_ == nullptr ? root_table_ : level_->table_cursor();
  next_block_ = table_ == nullptr ? nullptr : table_->LendBlock();
  if (next_block_ == nullptr) step_ = level_ == nullptr ? cursor_ : level_->file_cursor();
}

void UserIterator::Next() {
  ThreadContext* const context = CurrentThreadContext();
  ++counts_.next;
  if (SKARN_LIKELY(next_block_ != nullptr)) {
    if (SKARN_LIKELY(PerfCounts(context))) CountNext(context, /*passed=*/1);
    if (SKARN_LIKELY(next_block_->NextOtherKey())) {
      if (SKARN_LIKELY(UsualTag(next_block_->tag()))) {
        ++counts_.next_found;
        return ShowBlock(*next_block_);
      }
      SyncCursor();
      FindForwardSlow(/*skipping=*/false);
    } else {
      SyncCursor();
      NextSlow();
    }
  } else {
    NoteSkipped();
    if (SKARN_UNLIKELY(prev_block_ != nullptr)) {
      SyncCursor();
      forward_ = true;
    }
    // The entry left behind counts as passed over.
    if (SKARN_LIKELY(PerfCounts(context))) CountNext(context, forward_ && !beyond_ ? 1 : 0);
    if (SKARN_LIKELY(step_ != nullptr)) {
      // The entry shown is the cursor's, and the iterator is simple.
      saved_key_.Assign(key_);
      step_->Next();
      if (SKARN_LIKELY(ShowUsual(*step_, /*skipping=*/true))) {
        ++counts_.next_found;
        counts_.bytes += key_.size() + value_.size();
        return;
      }
      SyncCursor();
      FindForwardSlow(/*skipping=*/true);
    } else {
      NextSlow();
    }
  }
  if (!valid_) return;
  ++counts_.next_found;
  counts_.bytes += key_.size() + value_.size();
  BeginSteps();
}

void UserIterator::NextSlow() {
  if (SKARN_UNLIKELY(setup_.read.tailing) && setup_.source != nullptr &&
      setup_.source->VisibleSequence() != view_.sequence) {
    // What was written meanwhile belongs to the tail: find the place again among it.
    const std::string place = key_.ToString();
    Seek(place);
    if (!valid_ || order_.CompareStripped(key_, place) != 0) return;
  }
  NoteSkipped();
  if (SKARN_LIKELY(forward_)) {
    if (SKARN_LIKELY(!beyond_)) {
      const Slice full_key = cursor_->user_key();
      saved_key_.Assign(full_key);
      cursor_->Next();
    }
  } else {
    forward_ = true;
    // The cursor stands before saved_key_.
    if (cursor_->valid()) {
      cursor_->Next();
    } else if (every_version_) {
      cursor_->Seek(saved_key_.slice(), kMaxTag);
    } else {
      cursor_->Seek(SeekKey(Plain(saved_key_.slice()), '\xff'), kMaxTag);
    }
    // Its next entry may lie before saved_key_ too: parts of the cursor that had ended at the
    // lower bound come back with what they had left out.
    beyond_ = false;
    FindForwardSlow(/*skipping=*/true);
    return;
  }
  beyond_ = false;
  FindForward(/*skipping=*/true);
}

void UserIterator::Prev() {
  if (SKARN_LIKELY(prev_block_ != nullptr && prev_block_->PrevOtherKey())) {
    ThreadContext* const context = CurrentThreadContext();
    ++counts_.prev;
    PerfAdd(context, PerfMetric::kIterPrevCount);
    if (SKARN_LIKELY(UsualTag(prev_block_->tag()) &&
                     (lower_bound_ == nullptr ||
                      order_.CompareStripped(prev_block_->user_key(), *lower_bound_) >= 0))) {
      PerfAdd(context, PerfMetric::kInternalKeySkippedCount);
      ++counts_.prev_found;
      return ShowBlock(*prev_block_);
    }
    SyncCursor();
    FindBackwardSlow();
  } else {
    PrevSlow();
  }
  if (valid_) {
    ++counts_.prev_found;
    counts_.bytes += key_.size() + value_.size();
  }
}

void UserIterator::PrevSlow() {
  if (RefuseInTailing("ForwardIterator::Prev")) return;
  const bool stands_on_key = forward_ || prev_block_ != nullptr;
  SyncCursor();
  NoteSkipped();
  PerfAdd(CurrentThreadContext(), PerfMetric::kIterPrevCount);
  ++counts_.prev;
  if (stands_on_key) {
    forward_ = false;
    if (!beyond_) {
      const Slice full_key = cursor_->user_key();
      saved_key_.Assign(full_key);
    }
    beyond_ = false;
    if (!StepBeforeSavedKey()) return;
  }
  FindBackward();
}

void UserIterator::SetKey(Slice full_key, uint64_t tag) {
  shown_tag_ = tag;
  if (SKARN_LIKELY(timestamp_size_ == 0)) {
    key_ = full_key;
    return;
  }
  timestamp_ = order_.TimestampOf(full_key);
  if (!every_version_) {
    key_ = Plain(full_key);
    return;
  }
  packed_key_ = PackKey(full_key, tag);
  key_ = packed_key_;
}

bool UserIterator::SetValue(Slice full_key, EntryKind kind, Slice stored, bool lasting) {
  Slice plain = stored;
  switch (kind) {
    case EntryKind::kValue:
      break;
    case EntryKind::kWideColumnEntity:
    case EntryKind::kValuePreferredSequence:
      if (Status s = PlainValueOf(kind, stored, &plain); !s.ok()) {
        Fail(std::move(s));
        return false;
      }
      break;
    case EntryKind::kBlobIndex: {
      if (view_.blobs == nullptr) {
        Fail(Status::NotSupported("Encounter unexpected blob index."));
        return false;
      }
      std::string blob;
      if (Status s = view_.blobs->Fetch(full_key, stored, &blob); !s.ok()) {
        Fail(std::move(s));
        return false;
      }
      saved_value_ = std::move(blob);
      value_ = saved_value_;
      value_pinned_ = false;
      return true;
    }
    default:
      Fail(UnknownKind(kind));
      return false;
  }
  value_pinned_ = lasting;
  const bool copied = stored.data() == saved_value_.data();
  if (!lasting && !forward_ && !copied) {
    saved_value_.assign(plain.data(), plain.size());
    plain = saved_value_;
  }
  value_ = plain;
  return true;
}

void UserIterator::ShowCurrent(Slice user_key, uint64_t tag, EntryKind kind) {
  if (SKARN_UNLIKELY(!cursor_->PrepareValue())) {
    End();
    return;
  }
  key_pinned_ = setup_.read.pin_data && cursor_->KeyPinned();
  if (SKARN_UNLIKELY(IsDeletion(kind))) {  // With iter_start_ts.
    value_ = Slice();
    value_pinned_ = false;
  } else if (!SetValue(user_key, kind, cursor_->value(), cursor_->ValuePinned())) {
    return;
  }
  SetKey(user_key, tag);
  valid_ = true;
}

void UserIterator::SeekPastSavedKey() {
  // After its last version.
  if (every_version_) {
    cursor_->Seek(saved_key_.slice(), PackTag(0, EntryKind::kDeletion));
  } else {
    cursor_->Seek(SeekKey(Plain(saved_key_.slice()), '\0'), PackTag(0, EntryKind::kDeletion));
  }
}

void UserIterator::FindForwardSlow(bool skipping) {
  valid_ = false;
  uint64_t skipped = 0;
  bool seeked = false;            // For this saved key.
  bool has_saved_key = skipping;  // Any bytes, none too, are a key.
  uint64_t passed = 0, deletions = 0, too_new = 0, hidden = 0;
  bool shown = false;
  while (cursor_->valid()) {
    const Slice user_key = cursor_->user_key();
    const Slice plain = Plain(user_key);
    if (upper_bound_ != nullptr && !cursor_->KnownBelowUpperBound() &&
        order_.CompareStripped(plain, *upper_bound_) >= 0) {
      break;
    }
    if (SKARN_UNLIKELY(prefix_limited_) && !InPrefix(plain)) break;
    if (TooManySkipped()) break;

    const uint64_t tag = cursor_->tag();
    if (SKARN_LIKELY(Visible(user_key, tag))) {
      if (skipping && CompareForSkip(user_key, saved_key_.slice()) <= 0) {
        ++skipped;
        ++passed;
        hidden += tag >= memtable_tag_ ? 1 : 0;
      } else {
        const EntryKind kind = TagKind(tag);
        if (SKARN_LIKELY(!IsDeletion(kind)) || every_version_) {
          if (SKARN_UNLIKELY(kind == EntryKind::kMerge)) {
            saved_key_.Assign(user_key);
            MergeForward();
          } else {
            ShowCurrent(user_key, tag, kind);
          }
          shown = true;
          break;
        }
        // All older versions of the key are hidden.
        saved_key_.Assign(user_key);
        has_saved_key = true;
        skipping = true;
        seeked = false;
        skipped = 0;
        ++deletions;
        hidden += tag >= memtable_tag_ ? 1 : 0;
      }
    } else {
      ++too_new;
      // Versions this reader may not see: their number matters, since one seek passes them.
      if (has_saved_key && CompareForSkip(user_key, saved_key_.slice()) <= 0) {
        ++skipped;
      } else {
        saved_key_.Assign(user_key);
        has_saved_key = true;
        skipping = false;
        seeked = false;
        skipped = 0;
      }
    }

    if (skipped > setup_.max_sequential_skip && !seeked) {
      skipped = 0;
      seeked = true;
      if (skipping) {
        SeekPastSavedKey();
      } else {
        // To the newest version that may be seen.
        cursor_->Seek(every_version_ ? saved_key_.slice()
                                     : SeekKey(Plain(saved_key_.slice()), read_timestamp_),
                      SeekTag(sequence_));
      }
      CountTicker(setup_.statistics, Ticker::kNumberReseeksIteration);
      if (SKARN_UNLIKELY(cursor_->valid() &&
                         CompareForSkip(cursor_->user_key(), saved_key_.slice()) < 0)) {
        FailOutOfOrder();
        break;
      }
    } else {
      cursor_->Next();
    }
  }
  if (!shown && status_.ok()) End();
  if (SKARN_UNLIKELY(hidden != 0)) NoteHidden(hidden);
  if ((passed | deletions | too_new) != 0) {
    ThreadContext* context = CurrentThreadContext();
    PerfAdd(context, PerfMetric::kInternalKeySkippedCount, passed);
    PerfAdd(context, PerfMetric::kInternalDeleteSkippedCount, deletions);
    PerfAdd(context, PerfMetric::kInternalRecentSkippedCount, too_new);
  }
}

bool UserIterator::Merge(Slice plain_key, bool has_base, EntryKind base_kind, Slice base) {
  if (setup_.merge_operator == nullptr) {
    Fail(Status::InvalidArgument("merge_operator_ must be set."));
    return false;
  }
  std::vector<Slice> oldest_first(operands_.begin(), operands_.end());
  std::string blob;
  if (has_base && base_kind == EntryKind::kBlobIndex) {
    if (view_.blobs == nullptr) {
      Fail(Status::NotSupported("Encounter unexpected blob index."));
      return false;
    }
    if (Status s = view_.blobs->Fetch(saved_key_.slice(), base, &blob); !s.ok()) {
      Fail(std::move(s));
      return false;
    }
    base = blob;
    base_kind = EntryKind::kValue;
  }
  EntryKind kind = EntryKind::kValue;
  std::string result;
  if (Status s =
          MergeWithBase(*setup_.merge_operator, plain_key, has_base, base_kind, base, oldest_first,
                        &kind, &result, {setup_.statistics, /*counts_operands=*/true});
      !s.ok()) {
    Fail(std::move(s));
    return false;
  }
  // Forward, the first operand is the entry that is shown.
  PerfAdd(CurrentThreadContext(), PerfMetric::kInternalMergeCount,
          operands_.size() - (forward_ ? 1 : 0));
  Slice plain;
  if (Status s = PlainValueOf(kind, result, &plain); !s.ok()) {
    Fail(std::move(s));
    return false;
  }
  saved_value_.assign(plain.data(), plain.size());
  value_ = saved_value_;
  value_pinned_ = false;
  return true;
}

// From the newest operand of saved_key_.slice() down to a base or the end of its history.
void UserIterator::MergeForward() {
  const uint64_t tag = cursor_->tag();
  operands_.clear();  // Newest first, while collecting.
  bool has_base = false;
  EntryKind base_kind = EntryKind::kValue;
  std::string base;
  beyond_ = true;
  for (;;) {
    if (!cursor_->PrepareValue()) {
      End();
      return;
    }
    const EntryKind kind = cursor_->kind();
    const Slice value = cursor_->value();
    if (kind == EntryKind::kMerge) {
      operands_.emplace_back(value.data(), value.size());
    } else {
      has_base = !IsDeletion(kind);
      if (has_base) {
        base_kind = kind;
        base.assign(value.data(), value.size());
      }
      break;
    }
    do {
      cursor_->Next();
    } while (timestamp_size_ != 0 && cursor_->valid() && cursor_->sequence() > sequence_ &&
             CompareForSkip(cursor_->user_key(), saved_key_.slice()) == 0);
    if (!cursor_->valid()) {
      if (Status s = cursor_->status(); !s.ok()) {
        Fail(std::move(s));
        return;
      }
      break;
    }
    if (CompareForSkip(cursor_->user_key(), saved_key_.slice()) != 0) break;
  }
  std::reverse(operands_.begin(), operands_.end());
  if (!Merge(Plain(saved_key_.slice()), has_base, base_kind, base)) return;
  key_pinned_ = false;
  SetKey(saved_key_.slice(), tag);
  valid_ = true;
}

bool UserIterator::BeginBlockPrev() {
  table_ = level_ == nullptr ? root_table_ : level_->table_cursor();
  DataBlockCursor* const block = table_ == nullptr ? nullptr : table_->LendBlock();
  if (block == nullptr) return false;
  prev_block_ = block;
  if (block->HasOtherKeyBefore()) return true;
  // Its slices may have moved.
  SyncCursor();
  return false;
}

inline void UserIterator::FindBackward() {
  // The usual case: the entry is a visible value, and the one before is of another key.
  if (simple_ && (level_ != nullptr || root_table_ != nullptr) && cursor_->valid()) {
    if (UsualTag(cursor_->tag()) &&
        (lower_bound_ == nullptr ||
         order_.CompareStripped(cursor_->user_key(), *lower_bound_) >= 0) &&
        BeginBlockPrev()) {
      PerfAdd(CurrentThreadContext(), PerfMetric::kInternalKeySkippedCount);
      key_ = prev_block_->user_key();
      value_ = prev_block_->value();
      valid_ = true;
      return;
    }
  }
  if (SKARN_LIKELY(simple_ && cursor_->valid())) {
    const uint64_t tag = cursor_->tag();
    const Slice user_key = cursor_->user_key();
    if (SKARN_LIKELY(
            TagKind(tag) == EntryKind::kValue && TagSequence(tag) <= sequence_ &&
            cursor_->value_ready() &&
            (lower_bound_ == nullptr || order_.CompareStripped(user_key, *lower_bound_) >= 0))) {
      saved_key_.Assign(user_key);
      value_ = cursor_->value();
      if (value_.size() <= kCopyMax || !ValueLasts()) {
        saved_value_.assign(value_.data(), value_.size());
        value_ = saved_value_;
      }
      shown_tag_ = tag;
      cursor_->Prev();
      PerfAdd(CurrentThreadContext(), PerfMetric::kInternalKeySkippedCount);
      if (SKARN_LIKELY(cursor_->valid() && !SameBytes(cursor_->user_key(), saved_key_.slice()))) {
        key_ = saved_key_.slice();
        valid_ = true;
        return;
      }
      FinishBackward();
      return;
    }
  }
  FindBackwardSlow();
}

void UserIterator::FailOutOfOrder() {
  Fail(Status::Corruption(Concat("keys out of order around ", saved_key_.slice().ToHex())));
}

// After the oldest version of saved_key_ was taken, and the cursor moved.
void UserIterator::FinishBackward() {
  valid_ = false;
  ++keys_examined_;
  bool found = false;
  if (!EvaluateSavedKey(&found, /*oldest=*/true)) return;
  if (cursor_->valid() && !StepBeforeSavedKey()) return;
  if (!found) {
    FindBackwardSlow();
    return;
  }
  SetKey(saved_key_.slice(), shown_tag_);
  valid_ = true;
}

void UserIterator::FindBackwardSlow() {
  valid_ = false;
  while (cursor_->valid()) {
    const Slice user_key = cursor_->user_key();
    const Slice plain = Plain(user_key);
    if (lower_bound_ != nullptr && order_.CompareStripped(plain, *lower_bound_) < 0) return;
    if (SKARN_UNLIKELY(prefix_limited_) && !InPrefix(plain)) return;
    saved_key_.Assign(user_key);
    bool found = false;
    at_begin_ = false;
    if (!EvaluateSavedKey(&found)) return;
    if (!at_begin_ && !StepBeforeSavedKey()) return;
    if (found) {
      // With the newest timestamp of the key, by now.
      SetKey(key_pinned_ ? pinned_key_ : saved_key_.slice(), shown_tag_);
      valid_ = true;
      return;
    }
    if (TooManySkipped(/*count=*/false)) return;
  }
  if (status_.ok()) End();
}

bool UserIterator::ValueLasts() {
  if (cursor_->ValuePinned()) return true;
  return cursor_->value().size() >= kPinMin && !setup_.read.pin_data &&
         cursor_->PinValue(&value_pin_);
}

void UserIterator::NotePinnedKey() {
  key_pinned_ = setup_.read.pin_data && cursor_->KeyPinned();
  if (key_pinned_) pinned_key_ = cursor_->user_key();
}

bool UserIterator::EvaluateSavedKey(bool* found, bool oldest) {
  *found = false;
  operands_.clear();
  EntryKind kind = EntryKind::kDeletion;  // Of the newest version that is no operand.
  bool any = false;
  Slice stored;
  bool lasting = false;
  std::string newest_key;  // With timestamps: of the version that is shown.
  uint64_t versions = 0, deletions = 0;
  if (oldest) {
    kind = EntryKind::kValue;
    any = true;
    stored = value_;
    lasting = value_.data() != saved_value_.data();
    versions = 1;
  }
  while (cursor_->valid() && CompareForSkip(cursor_->user_key(), saved_key_.slice()) == 0) {
    if (TooManySkipped()) return false;
    if (!Visible(cursor_->user_key(), cursor_->tag())) {
      // All that come now are newer still; only timestamps may be in another order.
      if (timestamp_size_ == 0) break;
      cursor_->Prev();
      continue;
    }
    if (versions >= setup_.max_sequential_skip && !every_version_) return EvaluateBySeek(found);
    if (!cursor_->PrepareValue()) {
      End();
      return false;
    }
    const EntryKind here = cursor_->kind();
    any = true;
    shown_tag_ = cursor_->tag();
    if (IsDeletion(here)) ++deletions;
    NotePinnedKey();
    if (timestamp_size_ != 0) {
      newest_key.assign(cursor_->user_key().data(), cursor_->user_key().size());
    }
    if (here == EntryKind::kMerge) {
      operands_.emplace_back(cursor_->value().data(), cursor_->value().size());
    } else {
      operands_.clear();
      kind = here;
      if (!IsDeletion(here)) {
        lasting = ValueLasts();
        stored = cursor_->value();
        if (!lasting) {
          saved_value_.assign(stored.data(), stored.size());
          stored = saved_value_;
        }
      }
    }
    ++versions;
    cursor_->Prev();
  }
  ThreadContext* const context = CurrentThreadContext();
  PerfAdd(context, PerfMetric::kInternalKeySkippedCount, versions - (oldest ? 1 : 0));
  PerfAdd(context, PerfMetric::kInternalDeleteSkippedCount, deletions);
  if (!cursor_->valid()) {
    if (Status s = cursor_->status(); !s.ok()) {
      Fail(std::move(s));
      return false;
    }
    at_begin_ = true;
  }
  if (!any) return true;
  if (timestamp_size_ != 0) saved_key_.Assign(newest_key);
  if (!operands_.empty()) {
    const std::string base = stored.ToString();
    *found = true;
    return Merge(Plain(saved_key_.slice()), !IsDeletion(kind), kind, base);
  }
  if (IsDeletion(kind)) {
    *found = every_version_;
    value_ = Slice();
    return true;
  }
  *found = true;
  return SetValue(saved_key_.slice(), kind, stored, lasting);
}

// When a key has many versions: forward from the newest that may be seen.
bool UserIterator::EvaluateBySeek(bool* found) {
  CountTicker(setup_.statistics, Ticker::kNumberReseeksIteration);
  const std::string plain = Plain(saved_key_.slice()).ToString();
  cursor_->Seek(SeekKey(plain, read_timestamp_), SeekTag(sequence_));
  while (cursor_->valid() && CompareForSkip(cursor_->user_key(), saved_key_.slice()) == 0 &&
         !Visible(cursor_->user_key(), cursor_->tag())) {
    cursor_->Next();
  }
  if (!cursor_->valid()) {
    if (Status s = cursor_->status(); !s.ok()) {
      Fail(std::move(s));
      return false;
    }
    return true;
  }
  if (CompareForSkip(cursor_->user_key(), saved_key_.slice()) != 0) return true;
  saved_key_.Assign(cursor_->user_key());
  shown_tag_ = cursor_->tag();
  NotePinnedKey();
  const EntryKind kind = cursor_->kind();
  if (IsDeletion(kind)) return true;
  if (kind == EntryKind::kMerge) {
    const bool pinned = key_pinned_;
    MergeForward();
    key_pinned_ = pinned;
    beyond_ = false;
    if (!valid_) return false;
    valid_ = false;
    *found = true;
    return true;
  }
  if (!cursor_->PrepareValue()) {
    End();
    return false;
  }
  *found = true;
  return SetValue(saved_key_.slice(), kind, cursor_->value(), ValueLasts());
}

bool UserIterator::StepBeforeSavedKey() {
  uint64_t skipped = 0;
  const auto seek_before = [&] {
    if (every_version_) {
      cursor_->SeekForPrev(saved_key_.slice(), kMaxTag);
    } else {
      cursor_->SeekForPrev(SeekKey(Plain(saved_key_.slice()), '\xff'), kMaxTag);
    }
  };
  if (!cursor_->valid()) {
    if (Status s = cursor_->status(); !s.ok()) {
      Fail(std::move(s));
      return false;
    }
    seek_before();
  }
  while (cursor_->valid() && CompareForSkip(cursor_->user_key(), saved_key_.slice()) >= 0) {
    if (TooManySkipped()) return false;
    if (skipped >= setup_.max_sequential_skip) {
      skipped = 0;
      seek_before();
      CountTicker(setup_.statistics, Ticker::kNumberReseeksIteration);
      // What was passed over may not come again.
      if (SKARN_UNLIKELY(cursor_->valid() &&
                         CompareForSkip(cursor_->user_key(), saved_key_.slice()) >= 0)) {
        FailOutOfOrder();
        return false;
      }
      continue;
    }
    ++skipped;
    cursor_->Prev();
  }
  if (!cursor_->valid()) {
    if (Status s = cursor_->status(); !s.ok()) {
      Fail(std::move(s));
      return false;
    }
  }
  return true;
}

}  // namespace skarn
