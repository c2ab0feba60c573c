#include "core/key/point_lookup.h"

#include <utility>

#include "core/key/merge_helper.h"
#include "core/key/wide_columns.h"

namespace skarn {
namespace {

// For values that live only during the call of the sink.
constexpr PinSource kNoPin;

}  // namespace

void PointLookup::AddTimestamp(Slice read_timestamp) {
  const size_t timestamp_size = order_.timestamp_size();
  seek_key_storage_.reserve(user_key_.size() + timestamp_size);
  seek_key_storage_.assign(user_key_.data(), user_key_.size());
  if (read_timestamp.size() == timestamp_size) {
    seek_key_storage_.append(read_timestamp.data(), timestamp_size);
  } else {
    // No limit: the largest timestamp of the built-in comparators.
    seek_key_storage_.append(timestamp_size, '\xff');
  }
  seek_key_ = seek_key_storage_;
}

bool PointLookup::OfferSlow(Slice user_key_with_timestamp, uint64_t tag, Slice value,
                            const PinSource& source) {
  if (done()) return false;
  const SequenceNumber sequence = TagSequence(tag);
  if (sequence > snapshot_) return true;
  Slice timestamp;
  if (order_.timestamp_size() != 0) {
    timestamp = order_.TimestampOf(user_key_with_timestamp);
    if (order_.comparator()->CompareTimestamp(timestamp, read_timestamp()) > 0) return true;
  }
  if (extras_.sequence != nullptr && state_ == State::kSearching) {
    *extras_.sequence = sequence > covered_up_to_ ? sequence : covered_up_to_;
  }
  if (sequence < covered_up_to_) {
    Deleted(covering_timestamp_);
    return false;
  }

  const EntryKind kind = TagKind(tag);
  switch (kind) {
    case EntryKind::kMerge:
      if (merge_operator_ == nullptr && extras_.operands == nullptr) {
        Fail(MissingMergeOperator());
        return false;
      }
      if (state_ == State::kSearching && extras_.timestamp != nullptr) {
        extras_.timestamp->assign(timestamp.data(), timestamp.size());
      }
      state_ = State::kMerging;
      operands_.emplace_back(value.data(), value.size());
      return true;

    case EntryKind::kValue:
    case EntryKind::kValuePreferredSequence:
    case EntryKind::kWideColumnEntity: {
      if (state_ == State::kMerging) {
        MergeInto(/*has_base=*/true, kind, value);
        return false;
      }
      if (extras_.timestamp != nullptr) {
        extras_.timestamp->assign(timestamp.data(), timestamp.size());
      }
      if (kind == EntryKind::kWideColumnEntity && extras_.raw_entity) {
        state_ = State::kFound;
        Give(value, source);
        return false;
      }
      Slice plain = value;
      if (kind != EntryKind::kValue) {
        if (Status s = PlainValueOf(kind, value, &plain); !s.ok()) {
          Fail(std::move(s));
          return false;
        }
      }
      FoundPlain(plain, source);
      return false;
    }

    case EntryKind::kBlobIndex: {
      if (state_ == State::kSearching && extras_.timestamp != nullptr) {
        extras_.timestamp->assign(timestamp.data(), timestamp.size());
      }
      if (state_ == State::kSearching && extras_.is_blob_index != nullptr) {
        *extras_.is_blob_index = true;
        state_ = State::kFound;
        Give(value, source);
        return false;
      }
      std::string blob;
      if (!FetchBlob(user_key_with_timestamp, value, &blob)) return false;
      if (state_ == State::kMerging) {
        MergeInto(/*has_base=*/true, EntryKind::kValue, blob);
      } else {
        FoundPlain(blob, kNoPin);
      }
      return false;
    }

    case EntryKind::kDeletion:
    case EntryKind::kSingleDeletion:
    case EntryKind::kDeletionWithTimestamp:
    case EntryKind::kRangeDeletion:
      Deleted(timestamp);
      return false;

    default:
      Fail(Status::Corruption(Concat("Unknown value type ", static_cast<int>(kind), " at sequence ",
                                     TagSequence(tag))));
      return false;
  }
}

void PointLookup::FoundPlain(Slice value, const PinSource& source) {
  state_ = State::kFound;
  if (extras_.operands != nullptr) {
    extras_.operands->assign(1, value.ToString());
  } else if (extras_.raw_entity) {
    std::string entity;
    if (Status s = EncodeWideColumns({{kDefaultColumnName, value}}, &entity); !s.ok()) {
      Fail(std::move(s));
      return;
    }
    Give(entity, kNoPin);
  } else {
    Give(value, source);
  }
}

void PointLookup::Deleted(Slice timestamp) {
  if (state_ == State::kMerging) {
    MergeInto(/*has_base=*/false, EntryKind::kValue, Slice());
    return;
  }
  if (extras_.timestamp != nullptr) {
    extras_.timestamp->assign(timestamp.data(), timestamp.size());
  }
  state_ = State::kDeleted;
}

bool PointLookup::FetchBlob(Slice user_key_with_timestamp, Slice index, std::string* value) {
  if (extras_.blobs == nullptr) {
    Fail(Status::NotSupported("Encounter unexpected blob index."));
    return false;
  }
  if (Status s = extras_.blobs->Fetch(user_key_with_timestamp, index, value); !s.ok()) {
    Fail(std::move(s));
    return false;
  }
  return true;
}

void PointLookup::MergeInto(bool has_base, EntryKind base_kind, Slice base) {
  if (extras_.operands != nullptr) {
    extras_.operands->clear();
    if (has_base) {
      Slice plain;
      if (Status s = PlainValueOf(base_kind, base, &plain); !s.ok()) {
        Fail(std::move(s));
        return;
      }
      extras_.operands->push_back(plain.ToString());
    }
    for (auto it = operands_.rbegin(); it != operands_.rend(); ++it) {
      extras_.operands->push_back(std::move(*it));
    }
    state_ = State::kFound;
    return;
  }

  std::vector<Slice> oldest_first;
  oldest_first.reserve(operands_.size());
  for (auto it = operands_.rbegin(); it != operands_.rend(); ++it) oldest_first.emplace_back(*it);
  EntryKind kind = EntryKind::kValue;
  std::string result;
  if (Status s = MergeWithBase(*merge_operator_, user_key_, has_base, base_kind, base, oldest_first,
                               &kind, &result, {extras_.statistics, /*counts_operands=*/true});
      !s.ok()) {
    Fail(std::move(s));
    return;
  }
  if (kind == EntryKind::kWideColumnEntity) {
    if (extras_.raw_entity) {
      state_ = State::kFound;
      Give(result, kNoPin);
      return;
    }
    Slice plain;
    if (Status s = DefaultColumnOf(result, &plain); !s.ok()) {
      Fail(std::move(s));
      return;
    }
    FoundPlain(plain, kNoPin);
    return;
  }
  FoundPlain(result, kNoPin);
}

void PointLookup::Fail(Status status) {
  status_ = std::move(status);
  state_ = State::kFailed;
}

void PointLookup::Finish() {
  found_in_ = kFromNowhere;
  if (state_ == State::kMerging) {
    MergeInto(/*has_base=*/false, EntryKind::kValue, Slice());
  } else if (state_ == State::kSearching) {
    if (extras_.sequence != nullptr && covered_up_to_ != 0) *extras_.sequence = covered_up_to_;
    Deleted(covering_timestamp_);
  }
}

}  // namespace skarn
