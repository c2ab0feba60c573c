#include "core/db/write_stall.h"

#include <algorithm>

namespace skarn {

const char* StallCauseName(StallCause cause) {
  switch (cause) {
    case StallCause::kNone:
      return "none";
    case StallCause::kMemtableLimit:
      return "memtable-limit";
    case StallCause::kLevel0FileCount:
      return "l0-file-count-limit";
    case StallCause::kPendingCompactionBytes:
      return "pending-compaction-bytes";
    case StallCause::kWriteBufferManagerLimit:
      return "write-buffer-manager-limit";
  }
  return "none";
}

StallVerdict EvaluateStall(const StallInputs& inputs, const ColumnFamilyOptions& options) {
  const auto memtables = static_cast<int64_t>(inputs.unflushed_memtables);
  const bool compacts = !options.disable_auto_compactions;
  if (memtables >= options.max_write_buffer_number) {
    return {StallCondition::kStopped, StallCause::kMemtableLimit};
  }
  if (compacts && inputs.level0_count >= options.level0_stop_writes_trigger) {
    return {StallCondition::kStopped, StallCause::kLevel0FileCount};
  }
  if (compacts && options.hard_pending_compaction_bytes_limit > 0 &&
      inputs.pending_compaction_bytes >= options.hard_pending_compaction_bytes_limit) {
    return {StallCondition::kStopped, StallCause::kPendingCompactionBytes};
  }
  if (options.max_write_buffer_number > 3 && memtables >= options.max_write_buffer_number - 1 &&
      memtables - 1 >= options.min_write_buffer_number_to_merge) {
    return {StallCondition::kDelayed, StallCause::kMemtableLimit};
  }
  if (compacts && options.level0_slowdown_writes_trigger >= 0 &&
      inputs.level0_count >= options.level0_slowdown_writes_trigger) {
    return {StallCondition::kDelayed, StallCause::kLevel0FileCount};
  }
  if (compacts && options.soft_pending_compaction_bytes_limit > 0 &&
      inputs.pending_compaction_bytes >= options.soft_pending_compaction_bytes_limit) {
    return {StallCondition::kDelayed, StallCause::kPendingCompactionBytes};
  }
  return {};
}

WriteController::WriteController(uint64_t rate_max)
    : rate_(std::max<uint64_t>(rate_max, 1)), rate_max_(std::max<uint64_t>(rate_max, 1)) {}

void WriteController::Change(StallCondition from, StallCondition to) {
  if (from == to) return;
  if (from == StallCondition::kStopped) stops_.fetch_sub(1, std::memory_order_relaxed);
  if (from == StallCondition::kDelayed) delays_.fetch_sub(1, std::memory_order_relaxed);
  if (to == StallCondition::kStopped) stops_.fetch_add(1, std::memory_order_relaxed);
  if (to == StallCondition::kDelayed) delays_.fetch_add(1, std::memory_order_relaxed);
}

void WriteController::set_rate_max(uint64_t rate) {
  rate_max_ = std::max<uint64_t>(rate, 1);
  rate_.store(rate_max_, std::memory_order_relaxed);
}

void WriteController::AdaptRate(const Adaptation& adaptation) {
  uint64_t rate = rate_.load(std::memory_order_relaxed);
  if (adaptation.auto_compactions_disabled) {
    // Nobody works off the debt, so the delay would only ever grow.
    rate = rate_max_;
  } else if (adaptation.was_delayed && rate_max_ > kMinRate) {
    if (adaptation.was_stopped || adaptation.near_stop) {
      rate = std::max(kMinRate, rate * 6 / 10);
    } else if (adaptation.pending_bytes > 0 &&
               adaptation.pending_bytes_before <= adaptation.pending_bytes) {
      rate = std::max(kMinRate, rate * 8 / 10);
    } else if (adaptation.pending_bytes_before > adaptation.pending_bytes) {
      rate = std::min(rate_max_, rate * 5 / 4);
    }
  }
  rate_.store(std::max<uint64_t>(rate, 1), std::memory_order_relaxed);
}

void WriteController::RecoverRate() {
  const uint64_t rate = rate_.load(std::memory_order_relaxed);
  rate_.store(std::min(rate_max_, rate + rate * 4 / 10), std::memory_order_relaxed);
}

uint64_t WriteController::DelayFor(uint64_t bytes, uint64_t now_us) {
  static constexpr uint64_t kRefillUs = 1000;
  if (stopped() || !delayed()) return 0;
  const uint64_t rate = rate_.load(std::memory_order_relaxed);
  if (refilled_us_ == 0 || refilled_us_ > now_us + 1000000) refilled_us_ = now_us;
  if (now_us > refilled_us_) {
    const uint64_t elapsed = std::min<uint64_t>(now_us - refilled_us_, 1000000);
    if (elapsed >= kRefillUs) {
      credit_ = std::min(credit_ + elapsed * rate / 1000000, rate);
      refilled_us_ = now_us;
    }
  }
  if (credit_ >= bytes) {
    credit_ -= bytes;
    return 0;
  }
  const uint64_t deficit = bytes - credit_;
  credit_ = 0;
  const uint64_t wait_us = std::max<uint64_t>(kRefillUs, deficit * 1000000 / rate);
  // What the wait earns is spent: the next refill counts from its end.
  refilled_us_ = std::max(refilled_us_, now_us) + wait_us;
  return wait_us;
}

}  // namespace skarn
