#include "core/compaction/compaction_iterator.h"

#include <algorithm>
#include <deque>
#include <utility>

#include "core/compaction/range_deletions.h"
#include "core/key/key_bytes.h"
#include "core/key/merge_helper.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/merge_operator.h"

namespace skarn {
namespace {

// Between two looks at the cancel flags.
constexpr uint64_t kRecordsPerCancelCheck = 256;

bool IsDeletion(EntryKind kind) {
  return kind == EntryKind::kDeletion || kind == EntryKind::kSingleDeletion ||
         kind == EntryKind::kDeletionWithTimestamp;
}

}  // namespace

struct CompactionIterator::Rep {
  struct Pending {
    std::string user_key;
    uint64_t tag;
    std::string value;
  };

  Rep(CompactionIteratorOptions given, InternalCursor* cursor)
      : options(std::move(given)),
        order(*options.order),
        input(cursor),
        earliest_snapshot(options.snapshots.empty() ? kMaxSequenceNumber
                                                    : options.snapshots.front()),
        latest_snapshot(options.snapshots.empty() ? 0 : options.snapshots.back()),
        plain(options.snapshots.empty() && options.filter == nullptr &&
              options.range_deletions == nullptr && order.timestamp_size() == 0) {}

  // Which of the intervals between snapshots a sequence number falls into: versions of
  // one stripe look the same to every reader, so only the newest matters.
  size_t Stripe(SequenceNumber sequence) const {
    if (options.snapshots.empty()) return 0;
    return static_cast<size_t>(
        std::lower_bound(options.snapshots.begin(), options.snapshots.end(), sequence) -
        options.snapshots.begin());
  }

  Slice TimestampOf(Slice user_key) const {
    return Slice(user_key.end() - order.timestamp_size(), order.timestamp_size());
  }
  bool HistoryMayGo(Slice user_key) const {
    if (order.timestamp_size() == 0) return true;
    return !options.full_history_ts_low.empty() &&
           order.comparator()->CompareTimestamp(TimestampOf(user_key),
                                                options.full_history_ts_low) < 0;
  }

  // Whether `user_key` continues the versions of the current key. Different timestamps
  // are one key only where history may be trimmed.
  bool SameKey(Slice user_key) const {
    if (!has_key) return false;
    if (order.bytewise()) return SameBytes(user_key, key.slice());
    if (order.timestamp_size() == 0) return order.CompareUser(user_key, key.slice()) == 0;
    if (order.CompareUserWithoutTimestamp(user_key, key.slice()) != 0) return false;
    return order.CompareUser(user_key, key.slice()) == 0 ||
           (key_history_may_go && HistoryMayGo(user_key));
  }

  // With timestamps, what a reader of the kept history may still see is not covered.
  bool Covered(Slice user_key, uint64_t tag) const {
    return options.range_deletions != nullptr && HistoryMayGo(user_key) &&
           options.range_deletions->Covers(user_key, tag, options.full_history_ts_low);
  }

  bool NothingBelow(Slice user_key) const {
    if (options.allow_ingest_behind) return false;
    if (options.bottommost) return true;
    return options.below != nullptr && !options.below->MayExistBelow(user_key);
  }

  CompactionIteratorOptions options;
  const KeyOrder& order;
  InternalCursor* const input;
  const SequenceNumber earliest_snapshot;
  const SequenceNumber latest_snapshot;
  // No snapshot, filter, range deletion or timestamp: all versions but the newest go.
  const bool plain;

  KeyBuffer key;  // The current user key, with its timestamp.
  bool has_key = false;
  bool key_history_may_go = false;
  bool has_previous = false;      // A version of the current key was seen.
  size_t previous_stripe = 0;     // Its stripe.
  bool move_input_first = false;  // The entry given out is the input's current one.
  std::deque<Pending> pending;    // Entries made by merging, oldest last.
  Pending given;                  // Keeps a pending entry alive while it is given out.
  std::string filtered_value;
  std::string zeroed_key;
  uint64_t records_until_check = kRecordsPerCancelCheck;
};

CompactionIterator::CompactionIterator(CompactionIteratorOptions options, InternalCursor* input)
    : rep_(std::make_unique<Rep>(std::move(options), input)) {}

CompactionIterator::~CompactionIterator() = default;

void CompactionIterator::SeekToFirst() { Advance(); }

void CompactionIterator::Next() {
  if (rep_->move_input_first) {
    rep_->move_input_first = false;
    rep_->input->Next();
  }
  Advance();
}

void CompactionIterator::Advance() {
  Rep& rep = *rep_;
  InternalCursor* const input = rep.input;
  const CompactionIteratorOptions& options = rep.options;
  valid_ = false;
  if (!status_.ok()) return;

  // Gives out the entry at hand, with its sequence number zeroed where nobody needs it.
  const auto give = [&](Slice user_key, uint64_t tag, Slice value) {
    const EntryKind kind = TagKind(tag);
    if (options.bottommost && options.zero_sequences && !options.allow_ingest_behind &&
        kind != EntryKind::kMerge && !IsDeletion(kind) && TagSequence(tag) != 0 &&
        TagSequence(tag) <= rep.earliest_snapshot && rep.HistoryMayGo(user_key)) {
      tag = PackTag(0, kind);
      if (rep.order.timestamp_size() > 0) {
        rep.zeroed_key.assign(user_key.data(), user_key.size() - rep.order.timestamp_size());
        rep.zeroed_key.append(rep.order.timestamp_size(), '\0');
        user_key = rep.zeroed_key;
      }
    }
    user_key_ = user_key;
    tag_ = tag;
    value_ = value;
    valid_ = true;
  };
  const auto count_input = [&] {
    ++counts_.input_records;
    counts_.input_raw_key_bytes += input->user_key().size() + kTagSize;
    counts_.input_raw_value_bytes += input->value().size();
    if (IsDeletion(input->kind())) ++counts_.input_deletions;
  };

  for (;;) {
    if (!rep.pending.empty()) {
      rep.given = std::move(rep.pending.front());
      rep.pending.pop_front();
      give(rep.given.user_key, rep.given.tag, rep.given.value);
      return;
    }
    if (!input->valid()) {
      status_ = input->status();
      return;
    }
    if (--rep.records_until_check == 0) {
      rep.records_until_check = kRecordsPerCancelCheck;
      if (options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed)) {
        status_ = Status::ShutdownInProgress("Database shutdown");
        return;
      }
      if (options.pause_manual != nullptr &&
          options.pause_manual->load(std::memory_order_relaxed)) {
        status_ = Status(Status::Code::kIncomplete, Status::Subcode::kManualCompactionPaused);
        return;
      }
    }
    count_input();

    Slice user_key = input->user_key();
    uint64_t tag = input->tag();
    Slice value = input->value();
    if (!IsStoredKind(static_cast<uint8_t>(TagKind(tag)))) {
      ++counts_.corrupt_keys;
      status_ = Status::Corruption(Concat("compaction input has an unknown entry kind ",
                                          static_cast<int>(TagKind(tag)), " at sequence ",
                                          TagSequence(tag)));
      return;
    }

    const bool new_key = !rep.SameKey(user_key);
    if (SKARN_LIKELY(rep.plain && TagKind(tag) == EntryKind::kValue)) {
      // Most entries: a value that is the newest version of its key.
      if (!new_key && rep.has_previous) {
        ++counts_.dropped_hidden;
        input->Next();
        continue;
      }
      rep.key.Assign(user_key);
      rep.has_key = rep.key_history_may_go = rep.has_previous = true;
      rep.previous_stripe = 0;
      rep.move_input_first = true;
      give(user_key, tag, value);
      return;
    }
    if (new_key) {
      rep.key.Assign(user_key);
      rep.has_key = true;
      rep.key_history_may_go = rep.HistoryMayGo(user_key);
      rep.has_previous = false;
      const EntryKind kind = TagKind(tag);
      if (options.filter != nullptr &&
          (kind == EntryKind::kValue || kind == EntryKind::kWideColumnEntity)) {
        if (!options.filter->IgnoreSnapshots()) {
          status_ = Status::NotSupported(
              "CompactionFilter::IgnoreSnapshots() = false is not supported anymore.");
          return;
        }
        rep.filtered_value.clear();
        const auto decision = options.filter->Filter(
            options.start_level, rep.order.StripTimestamp(user_key), value, &rep.filtered_value);
        if (decision == CompactionFilter::Decision::kRemove) {
          tag = PackTag(TagSequence(tag), rep.order.timestamp_size() > 0
                                              ? EntryKind::kDeletionWithTimestamp
                                              : EntryKind::kDeletion);
          value = Slice();
          ++counts_.dropped_by_filter;
        } else if (decision == CompactionFilter::Decision::kChangeValue) {
          tag = PackTag(TagSequence(tag), EntryKind::kValue);
          value = rep.filtered_value;
        }
      }
    }

    const SequenceNumber sequence = TagSequence(tag);
    const size_t stripe = rep.Stripe(sequence);
    const bool hidden = rep.has_previous && rep.previous_stripe == stripe;
    rep.has_previous = true;
    rep.previous_stripe = stripe;
    if (hidden) {
      ++counts_.dropped_hidden;
      input->Next();
      continue;
    }
    const bool oldest_stripe = sequence <= rep.earliest_snapshot;

    switch (TagKind(tag)) {
      case EntryKind::kSingleDeletion: {
        // Look for the value it deletes. `user_key` lives in rep.key once the input moves.
        bool keep = true;
        for (;;) {
          input->Next();
          if (!input->valid() || !rep.SameKey(input->user_key())) {
            if (!input->valid() && !input->status().ok()) {
              status_ = input->status();
              return;
            }
            if (oldest_stripe && rep.NothingBelow(rep.key.slice())) {
              keep = false;
              ++counts_.dropped_obsolete_deletion;
            } else {
              ++counts_.single_delete_fallthrough;
            }
            break;
          }
          if (rep.Stripe(input->sequence()) != stripe) break;  // A snapshot needs the older one.
          count_input();
          const EntryKind below = input->kind();
          if (below == EntryKind::kSingleDeletion) {
            ++counts_.dropped_hidden;
            continue;
          }
          if (IsDeletion(below) && options.enforce_single_delete_contracts) {
            status_ = Status::Corruption(Concat(
                "Found SD and type: ", static_cast<int>(below),
                " on the same key, violating the contract of SingleDelete. Check your application "
                "to make sure the application does not mix SingleDelete and Delete for the same "
                "key. If you are using write-prepared/write-unprepared transactions, and use "
                "SingleDelete to delete certain keys, then make sure TransactionDBOptions::"
                "rollback_deletion_type_callback is configured properly. Mixing SD and DEL can "
                "lead to undefined behaviors"));
            return;
          }
          if (below != EntryKind::kValue && below != EntryKind::kWideColumnEntity &&
              below != EntryKind::kBlobIndex) {
            ++counts_.single_delete_mismatch;
          }
          if (sequence <= options.earliest_write_conflict_snapshot) {
            keep = false;  // Both go.
          } else {
            // A transaction may still check for conflicts with the value's sequence number.
            rep.pending.push_back({rep.key.slice().ToString(), input->tag(), std::string()});
          }
          input->Next();
          break;
        }
        if (!keep) continue;
        if (rep.Covered(rep.key.slice(), tag)) {
          ++counts_.dropped_range_deletion;
          continue;
        }
        rep.pending.push_front({rep.key.slice().ToString(), tag, std::string()});
        continue;
      }

      case EntryKind::kDeletion:
      case EntryKind::kDeletionWithTimestamp: {
        if (rep.key_history_may_go && oldest_stripe && rep.NothingBelow(rep.key.slice())) {
          ++counts_.dropped_obsolete_deletion;
          input->Next();
          continue;
        }
        if (rep.Covered(rep.key.slice(), tag)) {
          ++counts_.dropped_range_deletion;
          input->Next();
          continue;
        }
        if (options.bottommost && rep.key_history_may_go && !options.allow_ingest_behind) {
          // A snapshot sees it, but it matters only if an older snapshot sees something.
          for (;;) {
            input->Next();
            if (!input->valid() || !rep.SameKey(input->user_key())) {
              ++counts_.dropped_obsolete_deletion;
              break;
            }
            if (rep.Stripe(input->sequence()) != stripe) {
              rep.pending.push_back({rep.key.slice().ToString(), tag, std::string()});
              break;
            }
            count_input();
            ++counts_.dropped_hidden;
          }
          continue;
        }
        rep.move_input_first = true;
        give(user_key, tag, value);
        return;
      }

      case EntryKind::kMerge: {
        if (rep.Covered(rep.key.slice(), tag)) {
          ++counts_.dropped_range_deletion;
          input->Next();
          continue;
        }
        if (options.merge_operator == nullptr) {
          status_ = Status::InvalidArgument("merge_operator is not properly initialized.");
          return;
        }
        // Collect this stripe's operands down to a base.
        std::vector<Rep::Pending> operands;  // Newest first.
        bool has_base = false;  // `base` or nothing is certain to be below the operands.
        bool base_is_value = false;
        std::string base;
        uint64_t base_tag = 0;
        for (;;) {
          const EntryKind kind = input->kind();
          if (kind == EntryKind::kMerge && !rep.Covered(input->user_key(), input->tag())) {
            const bool drop =
                options.filter != nullptr && input->sequence() > rep.latest_snapshot &&
                options.filter->FilterMergeOperand(options.start_level,
                                                   rep.order.StripTimestamp(input->user_key()),
                                                   input->value());
            if (drop) {
              ++counts_.dropped_by_filter;
            } else {
              operands.push_back(
                  {input->user_key().ToString(), input->tag(), input->value().ToString()});
            }
          } else {
            has_base = true;
            base_is_value = (kind == EntryKind::kValue || kind == EntryKind::kWideColumnEntity ||
                             kind == EntryKind::kBlobIndex) &&
                            !rep.Covered(input->user_key(), input->tag());
            if (base_is_value) {
              base = input->value().ToString();
              base_tag = input->tag();
            }
            input->Next();
            break;
          }
          input->Next();
          if (!input->valid() || !rep.SameKey(input->user_key())) {
            // The whole history of the key was in the input, if nothing is below it.
            has_base = options.bottommost && !options.allow_ingest_behind;
            break;
          }
          if (rep.Stripe(input->sequence()) != stripe) break;
          count_input();
        }
        if (!input->valid() && !input->status().ok()) {
          status_ = input->status();
          return;
        }
        if (operands.empty()) {  // The filter took them all.
          if (base_is_value)
            rep.pending.push_back({rep.key.slice().ToString(), base_tag, std::move(base)});
          continue;
        }
        std::vector<Slice> oldest_first;
        oldest_first.reserve(operands.size());
        for (auto it = operands.rbegin(); it != operands.rend(); ++it) {
          oldest_first.emplace_back(it->value);
        }
        const Slice plain_key = rep.order.StripTimestamp(rep.key.slice());
        Rep::Pending merged;
        merged.user_key = operands.front().user_key;
        if (has_base) {
          EntryKind merged_kind = EntryKind::kValue;
          Status merge_status =
              MergeWithBase(*options.merge_operator, plain_key, base_is_value, TagKind(base_tag),
                            base, oldest_first, &merged_kind, &merged.value,
                            {options.statistics, /*counts_operands=*/false});
          if (!merge_status.ok()) {
            status_ = std::move(merge_status);
            return;
          }
          merged.tag = PackTag(TagSequence(operands.front().tag), merged_kind);
          rep.pending.push_back(std::move(merged));
          continue;
        }
        const size_t least = options.merge_operator->AllowSingleOperand() ? 1 : 2;
        if (operands.size() >= least &&
            options.merge_operator->PartialMerge(plain_key, oldest_first, &merged.value)) {
          merged.tag = operands.front().tag;
          rep.pending.push_back(std::move(merged));
        } else {
          for (auto& operand : operands) rep.pending.push_back(std::move(operand));
        }
        continue;
      }

      default:
        if (rep.Covered(user_key, tag)) {
          ++counts_.dropped_range_deletion;
          input->Next();
          continue;
        }
        rep.move_input_first = true;
        give(user_key, tag, value);
        return;
    }
  }
}

}  // namespace skarn
