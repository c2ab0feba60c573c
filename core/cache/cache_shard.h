// CacheShard is one part of a cache: a hash table that readers search without a lock,
// and the lists that say what to drop first.
//
// How it works. The table is an array of 64-byte buckets; a bucket holds seven words,
// each a pointer to an entry with 16 bits of its hash above it, and a link to an
// overflow bucket. A reader searches inside an epoch and pins what it finds by counting
// in the entry's state word; it writes nothing else but, now and then, the "used" mark.
// Whatever changes the table holds the mutex. Entries with their objects, and old tables,
// are freed through EpochDomain, so a reader may also look without a pin.
//
// What is dropped first: entries wait in three lists, those of bottom, low and high
// priority, oldest first. The shard drops from the oldest end of the lowest list that
// has something. An entry used since it was last looked at goes to the highest list that
// has a share of the capacity instead. When a list outgrows its share, its oldest entries
// move one list down. Pinned entries are set aside until they are released.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_CACHE_CACHE_SHARD_H_
#define SKARN_CORE_CACHE_CACHE_SHARD_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "core/base/block_heap.h"
#include "core/base/mutex.h"
#include "core/cache/cache.h"

namespace skarn {

// An entry. What is not atomic is fixed once a reader can find it, or guarded by the
// shard's mutex.
struct Cache::Handle : public InBlockHeap {
  // What lookups read comes first.
  CacheKey key;
  void* object = nullptr;
  // See CacheShard::State. Written by everybody who pins, releases or removes.
  std::atomic<uint32_t> state{0};
  std::atomic<uint8_t> used{0};  // Set by readers, cleared by eviction; only a hint.
  bool placed = false;           // In memory of the object.
  Role role = Role::kMisc;
  Priority priority = Priority::kLow;
  // What the caller said; `overhead` comes on top. Changed under the mutex, while the entry is
  // in the table.
  std::atomic<size_t> charge{0};
  Deleter deleter = nullptr;
  uint32_t shard = 0;
  uint8_t list = 0;  // Index into lists_, or kNoList. Guarded by the mutex.
  uint64_t hash = 0;
  // In a list (guarded by the mutex), or in the chain of entries to free.
  Handle* next = nullptr;
  Handle* previous = nullptr;
};

class alignas(128) CacheShard {
 public:
  using Handle = Cache::Handle;

  CacheShard() = default;
  ~CacheShard();
  CacheShard(const CacheShard&) = delete;
  CacheShard& operator=(const CacheShard&) = delete;

  // Once, before use. `overhead` is counted for each entry on top of its charge,
  // `fixed_overhead` always.
  void Init(uint32_t index, size_t capacity, bool strict, double high_ratio, double low_ratio,
            size_t overhead, size_t fixed_overhead, uint32_t address_count_min);

  Status Insert(const CacheKey& key, uint64_t hash, void* object, Cache::Deleter deleter,
                size_t charge, Cache::Role role, Cache::Priority priority, Handle** handle,
                void* place) SKARN_EXCLUDES(mu_);
  Handle* Lookup(const CacheKey& key, uint64_t hash);
  // See Cache. Both within an epoch of the caller's.
  Handle* Peek(const CacheKey& key, uint64_t hash) const;
  bool TryRef(Handle* handle) SKARN_EXCLUDES(mu_);
  void Recharge(Handle* handle, size_t charge) SKARN_EXCLUDES(mu_);
  // Hints that Peek() follows, the second some time after the first. Within an epoch.
  void Prefetch(uint64_t hash) const {
    const Table* table = table_.load(std::memory_order_acquire);
    __builtin_prefetch(&table->buckets[hash & table->mask]);
  }
  void PrefetchEntry(uint64_t hash) const {
    const Table* table = table_.load(std::memory_order_acquire);
    const Bucket& bucket = table->buckets[hash & table->mask];
    for (const std::atomic<uint64_t>& slot : bucket.slots) {
      const uint64_t word = slot.load(std::memory_order_relaxed);
      if (word >> 48 != Tag(hash)) continue;
      __builtin_prefetch(Entry(word));
      __builtin_prefetch(reinterpret_cast<const char*>(Entry(word)) + 64);
      return;
    }
  }
  // And then so many bytes of the object.
  void PrefetchObject(uint64_t hash, size_t bytes) const {
    const Table* table = table_.load(std::memory_order_acquire);
    const Bucket& bucket = table->buckets[hash & table->mask];
    for (const std::atomic<uint64_t>& slot : bucket.slots) {
      // Pairs with the release in Place(): the entry is complete.
      const uint64_t word = slot.load(std::memory_order_acquire);
      if (word >> 48 != Tag(hash) || word == 0) continue;
      const char* const object = static_cast<const char*>(Entry(word)->object);
      for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch(object + at);
      return;
    }
  }
  void Ref(Handle* handle);
  void Release(Handle* handle, bool erase) SKARN_EXCLUDES(mu_);
  void Erase(const CacheKey& key, uint64_t hash) SKARN_EXCLUDES(mu_);
  void EraseUnreferenced() SKARN_EXCLUDES(mu_);

  void SetCapacity(size_t capacity) SKARN_EXCLUDES(mu_);
  void SetStrict(bool strict) { strict_.store(strict, std::memory_order_relaxed); }
  void Disown() { disowned_.store(true, std::memory_order_relaxed); }

  size_t usage() const { return usage_.load(std::memory_order_relaxed) + fixed_overhead_; }
  size_t pinned_usage() const SKARN_EXCLUDES(mu_);
  size_t occupancy() const { return count_.load(std::memory_order_relaxed); }
  size_t address_count() const { return address_count_.load(std::memory_order_relaxed); }
  void AddUsageOf(Cache::Role role, size_t* bytes, size_t* entries) const;

 private:
  // The state word: a count of pins and three marks.
  //   kInTable  a reader may find the entry; whoever clears it has unlinked the entry
  //   kParked   the entry is in no list because it was pinned when eviction met it
  //   kFreed    somebody has taken on to free it; readers that come late undo their pin
  enum State : uint32_t {
    kInTable = 1u << 31,
    kParked = 1u << 30,
    kFreed = 1u << 29,
    kPins = kFreed - 1,
  };
  static constexpr size_t kLists = 3;  // By Cache::Priority.
  static constexpr uint8_t kNoList = 0xff;
  // Entries that get a second chance in one search for room; then "used" is ignored.
  static constexpr int kSecondChancesMax = 256;

  static constexpr size_t kSlots = 7;
  struct alignas(64) Bucket {
    static void* operator new(size_t size) {
      return InBlockHeap::OrThrow(BlockHeap::AllocateLines(size));
    }
    static void operator delete(void* memory, size_t size) { BlockHeap::FreeLines(memory, size); }
    std::atomic<uint64_t> slots[kSlots] = {};  // Written under the mutex.
    std::atomic<Bucket*> overflow{nullptr};    // Likewise; never taken away.
  };
  struct Table {
    explicit Table(size_t bucket_count);
    ~Table();
    const size_t mask;
    Bucket* const buckets;  // Allocated by itself.
  };
  // A list with its head in `ends`: ends.next is the oldest.
  struct List {
    Handle ends;
    size_t bytes = 0;
    size_t share = SIZE_MAX;  // Bytes it may hold before its oldest move down.
  };

  static uint64_t Tag(uint64_t hash) { return hash >> 48; }
  static uint64_t Word(Handle* entry) {
    return (Tag(entry->hash) << 48) | reinterpret_cast<uintptr_t>(entry);
  }
  static Handle* Entry(uint64_t word) {
    return reinterpret_cast<Handle*>(word & ((uint64_t{1} << 48) - 1));
  }
  size_t Total(const Handle* entry) const {
    return entry->charge.load(std::memory_order_relaxed) + overhead_;
  }

  // The slot that holds an entry with the key, or null.
  std::atomic<uint64_t>* FindSlot(const CacheKey& key, uint64_t hash) SKARN_REQUIRES(mu_);
  void Place(Table* table, Handle* entry) SKARN_REQUIRES(mu_);
  // The table that was replaced, or null. The caller retires it without the mutex: a drain may
  // delete objects that release pins of this shard.
  [[nodiscard]] Table* GrowIfFull() SKARN_REQUIRES(mu_);
  // Takes an entry out of table and list. It goes to `*garbage` unless it is pinned.
  void Unlink(std::atomic<uint64_t>* slot, Handle** garbage) SKARN_REQUIRES(mu_);
  void EvictFor(size_t bytes, Handle** garbage) SKARN_REQUIRES(mu_);
  // Takes out an entry that is in a list and whose state the caller set to kFreed.
  void Drop(Handle* entry, Handle** garbage) SKARN_REQUIRES(mu_);
  void Link(Handle* entry, bool hit) SKARN_REQUIRES(mu_);
  void Unlist(Handle* entry) SKARN_REQUIRES(mu_);
  void Rebalance() SKARN_REQUIRES(mu_);
  // After the pin count fell to zero.
  void ReleasedLast(Handle* entry, uint32_t old_state) SKARN_EXCLUDES(mu_);
  void Uncount(const Handle* entry);
  // Retires the entries of a chain with their objects, which readers may be looking at.
  // Called without the mutex: deleters may be slow.
  void FreeAll(Handle* garbage) SKARN_EXCLUDES(mu_);
  static void Delete(Handle* entry, bool with_object);

  std::atomic<Table*> table_{nullptr};  // Written under the mutex; old ones are retired.
  std::atomic<size_t> capacity_{0};
  std::atomic<bool> strict_{false};
  uint32_t index_ = 0;
  size_t overhead_ = 0;
  size_t fixed_overhead_ = 0;
  double high_ratio_ = 0;
  double low_ratio_ = 0;
  std::atomic<bool> disowned_{false};

  // A leaf in the lock order. On a line apart from what every lookup reads.
  alignas(128) mutable Mutex mu_;
  List lists_[kLists] SKARN_GUARDED_BY(mu_);
  // Written under the mutex or by the last release of an unlinked entry.
  std::atomic<size_t> usage_{0};
  std::atomic<size_t> role_bytes_[static_cast<size_t>(Cache::Role::kCount)] = {};
  std::atomic<size_t> role_entries_[static_cast<size_t>(Cache::Role::kCount)] = {};
  std::atomic<size_t> count_{0};          // Entries in the table. Written under the mutex.
  std::atomic<size_t> address_count_{0};  // What is reported as the table's size. Likewise.
};

}  // namespace skarn

#endif  // SKARN_CORE_CACHE_CACHE_SHARD_H_
