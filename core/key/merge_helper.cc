#include "core/key/merge_helper.h"

#include "core/key/wide_columns.h"
#include "core/metrics/perf_context.h"
#include "core/metrics/statistics.h"

namespace skarn {
namespace {

// The user's operator, with its time taken.
bool FullMerge(const MergeOperator& merge_operator, Slice user_key, const Slice* base,
               const std::vector<Slice>& operands, std::string* result,
               const MergeStatistics& counting) {
  Statistics* const statistics = counting.statistics;
  if (statistics != nullptr && counting.counts_operands) {
    statistics->Record(HistogramKind::kReadNumMergeOperands, operands.size());
  }
  PerfTimer timer(CurrentThreadContext(), PerfMetric::kMergeOperatorTimeNanos);
  const uint64_t start_ns = statistics != nullptr ? PerfNow() : 0;
  const bool merged = merge_operator.FullMerge(user_key, base, operands, result);
  if (statistics != nullptr) {
    statistics->Add(Ticker::kMergeOperationTimeNanos, PerfNow() - start_ns);
    if (!merged) statistics->Add(Ticker::kNumberMergeFailures);
  }
  return merged;
}

}  // namespace

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
                     EntryKind* result_kind, std::string* result,
                     const MergeStatistics& statistics) {
  *result_kind = EntryKind::kValue;
  result->clear();
  if (!has_base) {
    return FullMerge(merge_operator, user_key, nullptr, operands, result, statistics)
               ? Status::Ok()
               : MergeFailed();
  }
  if (base_kind == EntryKind::kBlobIndex) {
    return Status::NotSupported("a merge over a blob index needs its value");
  }
  Slice plain;
  if (Status s = PlainValueOf(base_kind, base, &plain); !s.ok()) return s;
  if (base_kind != EntryKind::kWideColumnEntity) {
    return FullMerge(merge_operator, user_key, &plain, operands, result, statistics)
               ? Status::Ok()
               : MergeFailed();
  }
  std::string merged;
  if (!FullMerge(merge_operator, user_key, &plain, operands, &merged, statistics)) {
    return MergeFailed();
  }
  *result_kind = EntryKind::kWideColumnEntity;
  return WithDefaultColumn(base, merged, result);
}

}  // namespace skarn
