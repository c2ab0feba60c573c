// ShardedCache is the cache behind both constructors of cache.h: shards chosen by the
// key's hash, each with its share of the capacity (cache_shard.h).
//
// Readers inside an epoch may look at an object without pinning it (Peek()), so objects are
// deleted a little after they were let go.
//
// LRU and HyperClock differ in what they report as their own memory and in how many
// shards they have by default; they keep and drop entries alike.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_CACHE_SHARDED_CACHE_H_
#define SKARN_CORE_CACHE_SHARDED_CACHE_H_

#include <atomic>
#include <memory>

#include "core/base/epoch.h"
#include "core/base/hash.h"
#include "core/cache/cache.h"
#include "core/cache/cache_shard.h"

namespace skarn {

class ShardedCache final : public Cache {
 public:
  struct Settings {
    Kind kind = Kind::kLru;
    size_t capacity = 0;
    int shard_bits = 0;
    bool strict = false;
    double high_ratio = 0;
    double low_ratio = 0;
    size_t overhead = 0;        // Bytes counted for each entry besides its charge.
    size_t fixed_overhead = 0;  // Bytes counted for each shard.
    uint32_t address_count = 16;
  };
  explicit ShardedCache(const Settings& settings);

  Kind kind() const override { return kind_; }
  Status Insert(const CacheKey& key, void* object, Deleter deleter, size_t charge, Role role,
                Priority priority, Handle** handle) override;
  // The same with `place`, memory of the object in which the entry is made: sizeof(Handle) bytes
  // for a pointer's alignment. It is the cache's until `deleter` is called.
  Status InsertPlaced(const CacheKey& key, void* object, Deleter deleter, size_t charge, Role role,
                      Priority priority, Handle** handle, void* place);
  Handle* Lookup(const CacheKey& key) override;
  void* Value(Handle* handle) override { return handle->object; }
  size_t Charge(Handle* handle) override { return handle->charge.load(std::memory_order_relaxed); }
  void Ref(Handle* handle) override;
  void Release(Handle* handle, bool erase) override;
  void Erase(const CacheKey& key) override;

  void SetCapacity(size_t capacity_bytes) override;
  size_t capacity() const override { return capacity_.load(std::memory_order_relaxed); }
  void SetStrictLimit(bool strict) override;
  bool strict_limit() const override { return strict_.load(std::memory_order_relaxed); }
  size_t usage() const override;
  size_t pinned_usage() const override;
  size_t occupancy_count() const override;
  size_t table_address_count() const override;
  void EraseUnreferenced() override;
  void DisownData() override;
  void UsageOf(Role role, size_t* bytes, size_t* entries) const override;

  // Where to look for a key.
  struct Spot {
    CacheKey key;
    uint64_t hash = 0;
    const CacheShard* shard = nullptr;
  };
  Spot SpotOf(const CacheKey& key) const {
    const uint64_t hash = HashOf(key);
    return Spot{key, hash, &ShardOf(hash)};
  }
  // Hints that Peek() follows: what it reads first, then next. Within the epoch.
  static void Prefetch(const Spot& spot) { spot.shard->Prefetch(spot.hash); }
  static void PrefetchEntry(const Spot& spot) { spot.shard->PrefetchEntry(spot.hash); }
  static Handle* Peek(const Spot& spot) { return spot.shard->Peek(spot.key, spot.hash); }
  // Like Lookup() without a pin: what is found stays valid until the calling thread leaves its
  // epoch. Writes nothing that others read. Precondition: inside an epoch (core/base/epoch.h).
  Handle* Peek(const CacheKey& key) const {
    const uint64_t hash = HashOf(key);
    return ShardOf(hash).Peek(key, hash);
  }
  // A hint that Lookup(key) follows soon, in steps 0 to 2: each brings into the processor's cache
  // what the one before has found, without waiting for it; the last one so many bytes of the
  // object.
  void Approach(const CacheKey& key, int step, size_t bytes) const {
    EpochGuard guard;
    const uint64_t hash = HashOf(key);
    const CacheShard& shard = ShardOf(hash);
    if (step == 0) {
      shard.Prefetch(hash);
    } else if (step == 1) {
      shard.PrefetchEntry(hash);
    } else {
      shard.PrefetchObject(hash, bytes);
    }
  }
  // Pins what Peek() found, within the same epoch. False when it was taken out meanwhile.
  bool TryRef(Handle* handle) { return shards_[handle->shard].TryRef(handle); }
  // The object has grown or shrunk; for whoever found it by Lookup() or Peek().
  void Recharge(Handle* handle, size_t charge) { shards_[handle->shard].Recharge(handle, charge); }

 private:
  static uint64_t HashOf(const CacheKey& key) {
    // Both multiplicands are never zero in practice; a zero would only make collisions.
    return internal::Hash64Avalanche(internal::Hash64Fold(
        key.file ^ 0x9E3779B185EBCA87u, (key.offset + 0x165667B19E3779F9u) * 0xC2B2AE3D27D4EB4Fu));
  }
  CacheShard& ShardOf(uint64_t hash) const { return shards_[(hash >> 32) & shard_mask_]; }
  size_t ShareOf(size_t capacity) const { return (capacity + shard_mask_) / (shard_mask_ + 1); }

  const Kind kind_;
  const uint32_t shard_mask_;
  const std::unique_ptr<CacheShard[]> shards_;
  std::atomic<size_t> capacity_;
  std::atomic<bool> strict_;
};

}  // namespace skarn

#endif  // SKARN_CORE_CACHE_SHARDED_CACHE_H_
