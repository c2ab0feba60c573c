#include "core/key/merge_helper.h"

#include "core/key/wide_columns.h"

namespace skarn {

Status MissingMergeOperator() {
  return Status::InvalidArgument("merge_operator is not properly initialized.");
}

Status MergeFailed() {
  return Status(Status::Code::kCorruption, Status::Subcode::kMergeOperatorFailed);
}

Status PlainValueOf(EntryKind kind, Slice stored, Slice* value) {
  if (kind == EntryKind::kWideColumnEntity) return DefaultColumnOf(stored, value);
  *value = stored;
  if (kind == EntryKind::kValuePreferredSequence) {
    if (stored.size() < sizeof(uint64_t)) {
      return Status::Corruption("value with a preferred sequence number is too short");
    }
    value->RemoveSuffix(sizeof(uint64_t));
  }
  return Status::Ok();
}

Status MergeWithBase(const MergeOperator& merge_operator, Slice user_key, bool has_base,
                     EntryKind base_kind, Slice base, const std::vector<Slice>& operands,
                     EntryKind* result_kind, std::string* result) {
  *result_kind = EntryKind::kValue;
  result->clear();
  if (!has_base) {
    return merge_operator.FullMerge(user_key, nullptr, operands, result) ? Status::Ok()
                                                                         : MergeFailed();
  }
  if (base_kind == EntryKind::kBlobIndex) {
    return Status::NotSupported("a merge over a blob index needs its value");
  }
  Slice plain;
  if (Status s = PlainValueOf(base_kind, base, &plain); !s.ok()) return s;
  if (base_kind != EntryKind::kWideColumnEntity) {
    return merge_operator.FullMerge(user_key, &plain, operands, result) ? Status::Ok()
                                                                        : MergeFailed();
  }
  std::string merged;
  if (!merge_operator.FullMerge(user_key, &plain, operands, &merged)) return MergeFailed();
  *result_kind = EntryKind::kWideColumnEntity;
  return WithDefaultColumn(base, merged, result);
}

}  // namespace skarn
