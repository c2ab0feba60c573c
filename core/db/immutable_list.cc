#include "core/db/immutable_list.h"

#include <algorithm>
#include <cassert>

namespace skarn {

ImmutableList::~ImmutableList() {
  for (Entry& entry : entries_) entry.table->Unref();
  for (MemTable* table : history_) table->Unref();
}

void ImmutableList::Add(MemTable* table, uint64_t next_log_number, uint64_t prepare_log_number) {
  entries_.push_back({table, next_log_number, prepare_log_number, /*flushing=*/false});
}

size_t ImmutableList::waiting() const {
  size_t count = 0;
  for (const Entry& entry : entries_) count += entry.flushing ? 0 : 1;
  return count;
}

std::vector<MemTable*> ImmutableList::PickForFlush(uint64_t id_max, size_t count_max) {
  std::vector<MemTable*> picked;
  if (flush_running()) return picked;
  for (Entry& entry : entries_) {
    if (entry.table->id() > id_max || picked.size() == count_max) break;
    entry.flushing = true;
    picked.push_back(entry.table);
  }
  if (picked.size() == entries_.size()) flush_requested = false;
  return picked;
}

void ImmutableList::RollbackFlush() {
  for (Entry& entry : entries_) entry.flushing = false;
  flush_requested = !entries_.empty();
}

uint64_t ImmutableList::FlushLogNumber() const {
  uint64_t number = 0;
  for (const Entry& entry : entries_) {
    if (entry.flushing) number = std::max(number, entry.next_log_number);
  }
  return number;
}

void ImmutableList::CommitFlush(size_t history_bytes_max, std::vector<MemTable*>* dropped) {
  while (!entries_.empty() && entries_.front().flushing) {
    history_.push_back(entries_.front().table);
    entries_.pop_front();
  }
  TrimHistory(history_bytes_max, dropped);
}

void ImmutableList::DropAll(std::vector<MemTable*>* dropped) {
  for (Entry& entry : entries_) dropped->push_back(entry.table);
  entries_.clear();
  TrimHistory(0, dropped);
  flush_requested = false;
}

std::vector<MemTable*> ImmutableList::Unflushed() const {
  std::vector<MemTable*> tables;
  tables.reserve(entries_.size());
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    tables.push_back(entry->table);
  }
  return tables;
}

std::vector<MemTable*> ImmutableList::History() const {
  return std::vector<MemTable*>(history_.rbegin(), history_.rend());
}

void ImmutableList::TrimHistory(size_t bytes_max, std::vector<MemTable*>* dropped) {
  size_t bytes = history_bytes();
  while (!history_.empty() && (bytes > bytes_max || bytes_max == 0)) {
    bytes -= history_.front()->memory_bytes();
    dropped->push_back(history_.front());
    history_.pop_front();
  }
}

size_t ImmutableList::unflushed_bytes() const {
  size_t bytes = 0;
  for (const Entry& entry : entries_) bytes += entry.table->memory_bytes();
  return bytes;
}

size_t ImmutableList::history_bytes() const {
  size_t bytes = 0;
  for (const MemTable* table : history_) bytes += table->memory_bytes();
  return bytes;
}

uint64_t ImmutableList::OldestPrepareLog(bool without_running) const {
  uint64_t oldest = 0;
  for (const Entry& entry : entries_) {
    if (without_running && entry.flushing) continue;
    const uint64_t number = entry.prepare_log_number;
    if (number != 0 && (oldest == 0 || number < oldest)) oldest = number;
  }
  return oldest;
}

}  // namespace skarn
