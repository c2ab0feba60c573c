// LazyHash is the hash table of a memtable, made when it is wanted.
//
// Until someone looks a key up, records are only appended: a memtable that is filled and
// flushed unread never pays for the table. The first lookup puts all records there in bulk,
// with their cache misses overlapping, and from then on writers add theirs as they come. When
// very many records have gathered unread, a background thread does it, so that no lookup
// waits for long.
//
// How nobody is missed: a writer commits its record, passes a light fence and looks at the
// state; who fills sets the state, passes a heavy fence and walks what is committed. One of
// the two sees the other (core/base/epoch.h).
//
// Thread safety: any number of writers and readers at once.

#ifndef SKARN_CORE_MEMTABLE_LAZY_HASH_H_
#define SKARN_CORE_MEMTABLE_LAZY_HASH_H_

#include <atomic>
#include <cstdint>
#include <optional>

#include "core/base/epoch.h"
#include "core/base/mutex.h"
#include "core/memtable/memory_chores.h"
#include "core/memtable/record_store.h"
#include "core/memtable/version_hash.h"
#include "core/memtable/write_lanes.h"

namespace skarn {

class LazyHash {
 public:
  // `store` and `lanes` outlive this object. `check_size` is that of the checksum behind each
  // record; the rest as for VersionHash.
  LazyHash(const RecordStore& store, const WriteLanes& lanes, size_t check_size,
           uint64_t expected_entries, VersionHash::Forecast forecast);
  ~LazyHash() { chores_.Stop(); }

  // The table with every record committed before the call.
  const VersionHash& ForReading() { return *Ready(); }

  // For a writer before it commits its record: the table to add it to, null when it may stay
  // out. Then `Committed()` is next.
  VersionHash* ForWriting() {
    return SKARN_LIKELY(state_.load(std::memory_order_acquire) == kUnread) ? nullptr : &*hash_;
  }
  // After the commit of a record that was not added. `entries`: how many its lane has.
  void Committed(Slice user_key, uint64_t tag, RecordRef ref, uint64_t entries) {
    EpochDomain::LightFence();
    if (SKARN_UNLIKELY(state_.load(std::memory_order_acquire) != kUnread)) {
      AddLate(user_key, tag, ref);
    } else if (SKARN_UNLIKELY(entries == kUnreadMax)) {
      FillInBackground();
    }
  }
  // Asks for what adding the key will look at.
  void PrefetchInsert(Slice user_key) const;

 private:
  // A million records are put in in some 30 ms.
  static constexpr uint64_t kUnreadMax = 1 << 20;

  enum State : uint32_t { kUnread, kFilling, kReady };

  VersionHash* Ready() {
    if (SKARN_UNLIKELY(state_.load(std::memory_order_acquire) != kReady)) Fill();
    return &*hash_;
  }
  void Fill() SKARN_EXCLUDES(mu_);
  void FillInBackground();
  void AddLate(Slice user_key, uint64_t tag, RecordRef ref);

  const RecordStore& store_;
  const WriteLanes& lanes_;
  const size_t check_size_;
  const uint64_t expected_entries_;
  const VersionHash::Forecast forecast_;

  std::atomic<uint32_t> state_{kUnread};  // Written under mu_.
  Mutex mu_;                              // Above RecordStore's in the lock order.
  std::optional<VersionHash> hash_;       // Made before the state is kFilling, under mu_.
  MemoryChores chores_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_LAZY_HASH_H_
