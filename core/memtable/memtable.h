// MemTable holds the newest writes of a column family in memory.
//
// Records live in an arena, never moved and never freed before the whole. A hash
// table, made at the first lookup, finds the newest version of a key; ordering is made when
// someone iterates or flushes (docs/architecture.md). With a comparator that calls different bytes
// equal the hash table is off and the order is kept from the start.
//
// Range tombstones are apart.
//
// Thread safety: any number of readers beside writers. Add() from many threads at
// once only with `concurrent`. Reference counted: Ref()/Unref(), because readers on
// other threads keep it past the flush.

#ifndef SKARN_CORE_MEMTABLE_MEMTABLE_H_
#define SKARN_CORE_MEMTABLE_MEMTABLE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/key/internal_cursor.h"
#include "core/key/internal_key.h"
#include "core/key/point_lookup.h"
#include "core/key/range_tombstone.h"

namespace skarn {

// Told about arena memory; the write buffer manager is behind it.
class MemoryCharge {
 public:
  virtual ~MemoryCharge() = default;
  virtual void Reserve(size_t bytes) = 0;
  virtual void BecameImmutable(size_t bytes) = 0;
  virtual void Free(size_t bytes) = 0;
};

struct MemTableOptions {
  size_t write_buffer_size = 64 << 20;
  size_t arena_block_size = 0;  // 0: write_buffer_size / 8, as RocksDB computes it, at most 1 MiB.
  bool inplace_update_support = false;
  uint32_t inplace_update_num_locks = 10000;
  uint32_t max_range_deletions = 0;
  // Bytes of checksum behind each record, verified when it is read: 0, 1, 2, 4 or 8. Not with
  // in-place updates.
  uint32_t protection_bytes_per_key = 0;
  bool paranoid_memory_checks = false;  // Cursors verify the order of what they pass.
  // Entries of the memtable before this one, to size the hash table; 0 unknown.
  uint64_t expected_entries = 0;
};

struct RecordKey;  // core/memtable/record.h

class MemTable {
 public:
  // `charge` may be null. `earliest_sequence`: nothing older will be added.
  MemTable(const KeyOrder& order, const MemTableOptions& options, MemoryCharge* charge,
           SequenceNumber earliest_sequence, uint64_t id);

  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();

  // Adds a version. `user_key` carries its timestamp where the comparator has them.
  // Range deletions: key is the start, value the end.
  // TryAgain when (user_key, sequence) is there already: after ExpectRepeats() always, else only
  // as far as somebody has looked something up. Writers of new sequence numbers need not care.
  Status Add(SequenceNumber sequence, EntryKind kind, Slice user_key, Slice value, bool concurrent);
  // From now on Add() looks for what is there already.
  void ExpectRepeats();
  // A hint that the key will be added soon: what that has to look at is brought near.
  void PrefetchAdd(Slice user_key) const;
  // Whether such a hint is worth its while.
  bool WantsPrefetch() const;

  // Keys of the next three are with their timestamp, except NewestSequence()'s.

  // In-place update (inplace_update_support): overwrites the newest version when it is a value
  // at least as long; returns false when a new version must be added instead.
  bool UpdateInPlace(Slice user_key, Slice value);

  // Offers this memtable's versions of the key to `lookup`, with `tombstones` also those.
  void Get(PointLookup* lookup, bool tombstones = true) const;
  // The same for many keys, overlapping their cache misses.
  void MultiGet(PointLookup* const* lookups, size_t count, bool tombstones = true) const;
  // How many merge operands are at the head of the key (max_successive_merges).
  size_t CountSuccessiveMerges(Slice user_key, SequenceNumber snapshot) const;
  // The newest sequence number of the key, for conflict checks; false when it is not here.
  bool NewestSequence(Slice user_key, SequenceNumber* sequence) const;

  // Sees entries added before and after the call. The memtable must outlive it.
  std::unique_ptr<InternalCursor> NewCursor() const;
  // Sorted for one pass, without building the order for readers; immutable memtables only.
  std::unique_ptr<InternalCursor> NewFlushCursor() const;
  // Null when there are none that `snapshot` may see; shared with iterators that use it.
  std::shared_ptr<const FragmentedTombstones> Tombstones(SequenceNumber snapshot) const;

  // No more Add() will come. Called by the thread that switches memtables.
  void MarkImmutable();

  // True once it is full by the rules of write_buffer_size or has too many range deletions.
  // A cheap check after each write.
  bool ShouldFlush() const { return (notices() & kFull) != 0; }
  // What a writer should know after each write: it is full, or nearly and filling on.
  enum Notice : uint32_t { kFull = 1, kNearlyFull = 2 };
  uint32_t notices() const { return notices_.load(std::memory_order_relaxed); }
  // It comes again when more was written.
  void ForgetNearlyFull() { notices_.fetch_and(~uint32_t{kNearlyFull}, std::memory_order_relaxed); }
  // Of the bytes that make it full, in 1/1024.
  uint32_t fullness() const;

  uint64_t id() const { return id_; }
  // False from the first write on, before anybody is shown what it wrote.
  bool empty() const { return !written_.load(std::memory_order_acquire); }
  uint64_t entry_count() const;     // Range deletions included.
  uint64_t deletion_count() const;  // All kinds of deletions.
  uint64_t range_deletion_count() const;
  uint64_t data_bytes() const;  // Keys and values.
  size_t memory_bytes() const;  // Arena, hash table and order.
  SequenceNumber first_sequence() const;
  SequenceNumber earliest_sequence() const { return earliest_sequence_; }
  SequenceNumber largest_sequence() const;
  // Estimated entries and bytes between two user keys.
  void ApproximateRange(Slice start, Slice limit, uint64_t* entries, uint64_t* bytes) const;
  // Seconds since 1970 of the first write; UINT64_MAX when none.
  uint64_t oldest_write_s() const;

 private:
  ~MemTable();
  struct Rep;
  [[gnu::noinline]] void NoteFilling();
  Status AddTombstone(SequenceNumber sequence, Slice start, Slice end);
  void GetOrdered(PointLookup* lookup) const;
  // Adds what the options want verified.
  std::unique_ptr<InternalCursor> Checked(std::unique_ptr<InternalCursor> cursor) const;
  // Offers a record; false when the lookup wants no more.
  bool OfferRecord(PointLookup* lookup, const char* record) const;
  bool OfferKey(PointLookup* lookup, const RecordKey& key) const;

  std::unique_ptr<Rep> rep_;
  const uint64_t id_;
  const SequenceNumber earliest_sequence_;
  std::atomic<int> references_{1};
  std::atomic<uint32_t> notices_{0};  // Written by adding threads.
  std::atomic<bool> written_{false};  // Likewise.
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_MEMTABLE_H_
