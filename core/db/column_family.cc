#include "core/db/column_family.h"

#include <algorithm>
#include <cassert>

#include "core/base/epoch.h"
#include "core/db/db_impl.h"
#include "core/db/family_view.h"

namespace skarn {

ColumnFamily::ColumnFamily(DbImpl* db, ColumnFamilyVersions* versions, MemoryCharge* charge)
    : db_(db),
      versions_(versions),
      id_(versions->id()),
      name_(versions->name()),
      order_(versions->order()),
      merge_operator_(versions->options()->merge_operator),
      writes_disallowed_(versions->options()->disallow_memtable_writes),
      inplace_updates_(versions->options()->inplace_update_support),
      always_had_timestamps_(timestamp_size() > 0 &&
                             versions->options()->persist_user_defined_timestamps),
      charge_(charge) {
  versions_->Ref();
  picker_ = NewLevelPicker(versions->order());
  view_source_ = std::make_unique<FamilyViewSource>(db, this);
  level_stats.resize(static_cast<size_t>(versions->num_levels()));
}

ColumnFamily::~ColumnFamily() {
  assert(super_version_.load(std::memory_order_relaxed) == nullptr);
  if (active_ != nullptr) active_->Unref();
  versions_->Unref();
}

void ColumnFamily::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) db_->BuryFamily(this);
}

MemTable* ColumnFamily::NewMemTable(const ColumnFamilyOptions& options,
                                    SequenceNumber earliest_sequence) {
  MemTableOptions table;
  table.write_buffer_size = options.write_buffer_size;
  table.arena_block_size = options.arena_block_size;
  table.inplace_update_support = options.inplace_update_support;
  table.inplace_update_num_locks = static_cast<uint32_t>(options.inplace_update_num_locks);
  table.max_range_deletions = options.memtable_max_range_deletions;
  table.protection_bytes_per_key = options.memtable_protection_bytes_per_key;
  table.paranoid_memory_checks = options.paranoid_memory_checks;
  table.expected_entries = last_memtable_entries_.load(std::memory_order_relaxed);
  return new MemTable(order_, table, charge_, earliest_sequence,
                      next_memtable_id_.fetch_add(1, std::memory_order_relaxed));
}

void ColumnFamily::ReplaceActive(MemTable* table) {
  if (active_ != nullptr) {
    last_memtable_entries_.store(active_->entry_count(), std::memory_order_relaxed);
    active_->Unref();
  }
  active_ = table;
}

void ColumnFamily::SwitchActive(MemTable* table, uint64_t next_log_number) {
  last_memtable_entries_.store(active_->entry_count(), std::memory_order_relaxed);
  active_->MarkImmutable();
  immutables_.Add(active_, next_log_number,
                  active_prepare_log.exchange(0, std::memory_order_relaxed));
  active_ = table;
  wants_switch.store(false, std::memory_order_relaxed);
}

SuperVersion* ColumnFamily::InstallSuperVersion() {
  auto* const fresh = new SuperVersion;
  Ref();
  fresh->family = this;
  active_->Ref();
  fresh->active = active_;
  fresh->immutables = immutables_.Unflushed();
  for (MemTable* table : fresh->immutables) table->Ref();
  fresh->current = versions_->current();
  fresh->current->Ref();
  fresh->options = versions_->options();
  fresh->number = ++super_version_number_;
  fresh->full_history_ts_low = versions_->full_history_ts_low();
  limits_merges.store(options().max_successive_merges > 0, std::memory_order_relaxed);
  // Release: a reader that loads the pointer sees all of the above.
  return super_version_.exchange(fresh, std::memory_order_acq_rel);
}

SuperVersion* ColumnFamily::RemoveSuperVersion() {
  return super_version_.exchange(nullptr, std::memory_order_acq_rel);
}

size_t ColumnFamily::HistoryBytesMax() const {
  const ColumnFamilyOptions& now = options();
  if (now.max_write_buffer_size_to_maintain >= 0) {
    return static_cast<size_t>(now.max_write_buffer_size_to_maintain);
  }
  return static_cast<size_t>(std::max(now.max_write_buffer_number, 1)) * now.write_buffer_size;
}

FamilyTable::FamilyTable(std::vector<ColumnFamily*> families) : families_(std::move(families)) {
  std::sort(families_.begin(), families_.end(),
            [](const ColumnFamily* a, const ColumnFamily* b) { return a->id() < b->id(); });
  for (ColumnFamily* family : families_) {
    has_timestamps_ = has_timestamps_ || family->timestamp_size() > 0;
    if (family->id() >= kDenseMax) continue;
    dense_.resize(family->id() + 1, nullptr);
    dense_[family->id()] = family;
  }
}

ColumnFamily* FamilyTable::FindSparse(uint32_t id) const {
  const auto found = std::lower_bound(
      families_.begin(), families_.end(), id,
      [](const ColumnFamily* family, uint32_t wanted) { return family->id() < wanted; });
  return found != families_.end() && (*found)->id() == id ? *found : nullptr;
}

Status CheckTimestampFits(const ColumnFamily& family, const Slice* timestamp) {
  const size_t size = family.timestamp_size();
  if (timestamp == nullptr && size == 0) return Status::Ok();
  if (size == 0 || timestamp == nullptr) {
    return Status::InvalidArgument(Concat("cannot call this method on column family ",
                                          family.name(), " that ",
                                          size == 0 ? "does not enable" : "enables", " timestamp"));
  }
  if (timestamp->size() == size) return Status::Ok();
  return Status::InvalidArgument(
      Concat("Timestamp sizes mismatch: expect ", size, ", ", timestamp->size(), " given"));
}

}  // namespace skarn
