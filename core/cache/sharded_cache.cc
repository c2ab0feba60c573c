#include "core/cache/sharded_cache.h"

#include <algorithm>
#include <bit>

#include "core/base/hash.h"

namespace skarn {
namespace {

constexpr int kShardBitsMax = 20;
// What RocksDB counts for an entry of its LRU cache with a key of 16 bytes, and for a
// slot of its HyperClock cache; `rocksdb.block-cache-usage` is compared between the two.
constexpr size_t kLruEntryOverhead = 88;
constexpr size_t kClockSlotOverhead = 64;
constexpr double kClockLoadFactor = 0.7;

// As many shards as have `shard_bytes_min` bytes each, up to 64.
int DefaultShardBits(size_t capacity, size_t shard_bytes_min) {
  const size_t count = capacity / shard_bytes_min;
  return count == 0 ? 0 : std::min(6, static_cast<int>(std::bit_width(count)) - 1);
}

}  // namespace

ShardedCache::ShardedCache(const Settings& settings)
    : kind_(settings.kind),
      shard_mask_((uint32_t{1} << settings.shard_bits) - 1),
      shards_(new CacheShard[size_t{shard_mask_} + 1]),
      capacity_(settings.capacity),
      strict_(settings.strict) {
  for (uint32_t i = 0; i <= shard_mask_; ++i) {
    shards_[i].Init(i, ShareOf(settings.capacity), settings.strict, settings.high_ratio,
                    settings.low_ratio, settings.overhead, settings.fixed_overhead,
                    settings.address_count);
  }
}

Status ShardedCache::Insert(const CacheKey& key, void* object, Deleter deleter, size_t charge,
                            Role role, Priority priority, Handle** handle) {
  const uint64_t hash = HashOf(key);
  return ShardOf(hash).Insert(key, hash, object, deleter, charge, role, priority, handle, nullptr);
}

Status ShardedCache::InsertPlaced(const CacheKey& key, void* object, Deleter deleter, size_t charge,
                                  Role role, Priority priority, Handle** handle, void* place) {
  const uint64_t hash = HashOf(key);
  return ShardOf(hash).Insert(key, hash, object, deleter, charge, role, priority, handle, place);
}

Cache::Handle* ShardedCache::Lookup(const CacheKey& key) {
  const uint64_t hash = HashOf(key);
  return ShardOf(hash).Lookup(key, hash);
}

void ShardedCache::Ref(Handle* handle) { shards_[handle->shard].Ref(handle); }

void ShardedCache::Release(Handle* handle, bool erase) {
  shards_[handle->shard].Release(handle, erase);
}

void ShardedCache::Erase(const CacheKey& key) {
  const uint64_t hash = HashOf(key);
  ShardOf(hash).Erase(key, hash);
}

void ShardedCache::SetCapacity(size_t capacity_bytes) {
  capacity_.store(capacity_bytes, std::memory_order_relaxed);
  for (uint32_t i = 0; i <= shard_mask_; ++i) shards_[i].SetCapacity(ShareOf(capacity_bytes));
}

void ShardedCache::SetStrictLimit(bool strict) {
  strict_.store(strict, std::memory_order_relaxed);
  for (uint32_t i = 0; i <= shard_mask_; ++i) shards_[i].SetStrict(strict);
}

size_t ShardedCache::usage() const {
  size_t sum = 0;
  for (uint32_t i = 0; i <= shard_mask_; ++i) sum += shards_[i].usage();
  return sum;
}

size_t ShardedCache::pinned_usage() const {
  size_t sum = 0;
  for (uint32_t i = 0; i <= shard_mask_; ++i) sum += shards_[i].pinned_usage();
  return sum;
}

size_t ShardedCache::occupancy_count() const {
  size_t sum = 0;
  for (uint32_t i = 0; i <= shard_mask_; ++i) sum += shards_[i].occupancy();
  return sum;
}

size_t ShardedCache::table_address_count() const {
  size_t sum = 0;
  for (uint32_t i = 0; i <= shard_mask_; ++i) sum += shards_[i].address_count();
  return sum;
}

void ShardedCache::EraseUnreferenced() {
  for (uint32_t i = 0; i <= shard_mask_; ++i) shards_[i].EraseUnreferenced();
}

void ShardedCache::DisownData() {
  for (uint32_t i = 0; i <= shard_mask_; ++i) shards_[i].Disown();
}

void ShardedCache::UsageOf(Role role, size_t* bytes, size_t* entries) const {
  *bytes = 0;
  *entries = 0;
  for (uint32_t i = 0; i <= shard_mask_; ++i) shards_[i].AddUsageOf(role, bytes, entries);
}

uint64_t Cache::NewId() {
  static std::atomic<uint64_t> next{1};
  return next.fetch_add(1, std::memory_order_relaxed);
}

std::shared_ptr<Cache> NewLruCache(const LruCacheOptions& options) {
  // Impossible settings give no cache, as the same call of RocksDB does.
  const double high = options.high_pri_pool_ratio;
  const double low = options.low_pri_pool_ratio;
  if (options.num_shard_bits >= kShardBitsMax) return nullptr;
  if (!(high >= 0 && high <= 1) || !(low >= 0 && low <= 1) || low + high > 1) return nullptr;
  ShardedCache::Settings settings;
  settings.kind = Cache::Kind::kLru;
  settings.capacity = options.capacity;
  settings.shard_bits = options.num_shard_bits >= 0
                            ? options.num_shard_bits
                            : DefaultShardBits(options.capacity, size_t{512} << 10);
  settings.strict = options.strict_capacity_limit;
  settings.high_ratio = high;
  settings.low_ratio = low;
  settings.overhead = kLruEntryOverhead;
  return std::make_shared<ShardedCache>(settings);
}

std::shared_ptr<Cache> NewHyperClockCache(const HyperClockCacheOptions& options) {
  if (options.num_shard_bits >= kShardBitsMax) return nullptr;
  ShardedCache::Settings settings;
  settings.kind = Cache::Kind::kHyperClock;
  settings.capacity = options.capacity;
  settings.shard_bits = options.num_shard_bits >= 0
                            ? options.num_shard_bits
                            : DefaultShardBits(options.capacity, size_t{32} << 20);
  settings.strict = options.strict_capacity_limit;
  // Half for what is used again: the clock's resistance to scans.
  settings.high_ratio = 0.5;
  if (options.estimated_entry_charge == 0) {
    settings.overhead = kClockSlotOverhead;
    settings.address_count = 64;
  } else {
    // A table of fixed size, whose slots are counted used or not.
    const size_t share = std::max<size_t>(1, options.capacity >> settings.shard_bits);
    const double entry_bytes =
        static_cast<double>(options.estimated_entry_charge) * kClockLoadFactor + kClockSlotOverhead;
    const auto entries =
        std::max<size_t>(1, static_cast<size_t>(static_cast<double>(share) / entry_bytes));
    const size_t slots = std::bit_floor(2 * entries - 1);
    settings.address_count = static_cast<uint32_t>(std::min<size_t>(slots, size_t{1} << 30));
    settings.fixed_overhead = slots * kClockSlotOverhead;
  }
  return std::make_shared<ShardedCache>(settings);
}

}  // namespace skarn
