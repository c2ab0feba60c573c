// ImmutableList holds the memtables of one column family that take no more writes:
// those waiting for a flush, those being flushed, and flushed ones kept as history for
// the conflict checks of transactions.
//
// Flushes of one column family never overlap and always take the oldest memtables
// first, so results reach the MANIFEST in the order of the writes, also after a failed
// flush was tried again.
//
// Thread safety: every call needs the db mutex.

#ifndef SKARN_CORE_DB_IMMUTABLE_LIST_H_
#define SKARN_CORE_DB_IMMUTABLE_LIST_H_

#include <cstdint>
#include <deque>
#include <vector>

#include "core/memtable/memtable.h"

namespace skarn {

class ImmutableList {
 public:
  struct Entry {
    MemTable* table = nullptr;  // Referenced by the list.
    // The log that was current when this memtable was switched: once it is flushed, the
    // column family needs no older one.
    uint64_t next_log_number = 0;
    // Oldest log with a prepared transaction that was committed into this memtable; 0 none.
    uint64_t prepare_log_number = 0;
    bool flushing = false;
  };

  ImmutableList() = default;
  ~ImmutableList();
  ImmutableList(const ImmutableList&) = delete;
  ImmutableList& operator=(const ImmutableList&) = delete;

  // Takes over the caller's reference. `table` is newer than all that are here.
  void Add(MemTable* table, uint64_t next_log_number, uint64_t prepare_log_number);

  // Unflushed memtables that are not part of a running flush.
  size_t waiting() const;
  // Unflushed memtables.
  size_t unflushed() const { return entries_.size(); }
  bool flush_running() const { return !entries_.empty() && entries_.front().flushing; }

  // Marks the oldest memtables with id <= `id_max`, at most `count_max`, as being flushed and gives
  // them, oldest first; none when a flush runs already.
  std::vector<MemTable*> PickForFlush(uint64_t id_max, size_t count_max = SIZE_MAX);
  // The running flush failed: its memtables wait again.
  void RollbackFlush();
  // The running flush is in the MANIFEST: its memtables leave, at most `history_bytes_max` of
  // them (with what is kept already) staying as history. `dropped` gets the references given up.
  void CommitFlush(size_t history_bytes_max, std::vector<MemTable*>* dropped);
  // The log number that the column family gets when the running flush commits.
  uint64_t FlushLogNumber() const;
  // The column family was dropped: nothing of it needs flushing.
  void DropAll(std::vector<MemTable*>* dropped);

  // Newest first.
  std::vector<MemTable*> Unflushed() const;
  // Oldest first.
  const std::deque<Entry>& entries() const { return entries_; }
  // Flushed ones kept, newest first.
  std::vector<MemTable*> History() const;
  void TrimHistory(size_t bytes_max, std::vector<MemTable*>* dropped);

  size_t unflushed_bytes() const;
  size_t history_bytes() const;
  // Oldest log that waiting or running memtables committed prepared data from, those of the
  // running flush left out when `without_running`; 0 none.
  uint64_t OldestPrepareLog(bool without_running) const;
  uint64_t newest_id() const { return entries_.empty() ? 0 : entries_.back().table->id(); }

  // Set when a flush is wanted whatever min_write_buffer_number_to_merge says.
  bool flush_requested = false;

 private:
  std::deque<Entry> entries_;      // Oldest first.
  std::deque<MemTable*> history_;  // Oldest first.
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_IMMUTABLE_LIST_H_
