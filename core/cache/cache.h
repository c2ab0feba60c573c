// Cache holds objects (blocks, values, readers' parts) within a budget of bytes.
//
// A lookup that hits takes no lock and allocates nothing. What is found stays valid
// while its handle is held, evicted or not.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_CACHE_CACHE_H_
#define SKARN_CORE_CACHE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

// 128 bits that name an object: for blocks, the file's unique cache prefix and the offset.
struct CacheKey {
  uint64_t file = 0;
  uint64_t offset = 0;
  bool operator==(const CacheKey&) const = default;
};

class Cache {
 public:
  struct Handle;  // Opaque; points at the cache's own entry.
  enum class Priority : uint8_t { kHigh, kLow, kBottom };
  enum class Kind : uint8_t { kLru, kHyperClock };
  // What an entry is for; statistics and `rocksdb.block-cache-entry-stats` group by it.
  enum class Role : uint8_t {
    kDataBlock,
    kFilterBlock,
    kFilterMetaBlock,
    kIndexBlock,
    kOtherBlock,
    kWriteBuffer,
    kMisc,
    kCount,
  };
  using Deleter = void (*)(void* object);

  virtual ~Cache() = default;
  virtual Kind kind() const = 0;
  // Inserts and charges `charge` bytes. With `handle`, the entry is pinned and
  // *handle set; on an error the object is deleted (with `handle`: not stored, and
  // MemoryLimit is returned under a strict limit) and *handle is null. Without `handle`, a full
  // cache simply does not keep it. An entry with the key is replaced.
  virtual Status Insert(const CacheKey& key, void* object, Deleter deleter, size_t charge,
                        Role role, Priority priority, Handle** handle) = 0;
  // Pinned, or null.
  virtual Handle* Lookup(const CacheKey& key) = 0;
  virtual void* Value(Handle* handle) = 0;
  virtual size_t Charge(Handle* handle) = 0;
  virtual void Ref(Handle* handle) = 0;
  // `erase` also takes the entry out of the cache.
  virtual void Release(Handle* handle, bool erase = false) = 0;
  virtual void Erase(const CacheKey& key) = 0;

  virtual void SetCapacity(size_t capacity_bytes) = 0;
  virtual size_t capacity() const = 0;
  virtual void SetStrictLimit(bool strict) = 0;
  virtual bool strict_limit() const = 0;
  virtual size_t usage() const = 0;
  virtual size_t pinned_usage() const = 0;
  virtual size_t occupancy_count() const = 0;
  virtual size_t table_address_count() const = 0;
  virtual void EraseUnreferenced() = 0;
  // Lets go of the objects at process end without freeing them.
  virtual void DisownData() = 0;
  // Bytes and entries of a role.
  virtual void UsageOf(Role role, size_t* bytes, size_t* entries) const = 0;
  // A number no other caller of this process gets, for keys of things without a name.
  static uint64_t NewId();
};

struct LruCacheOptions {
  size_t capacity = 0;
  int num_shard_bits = -1;  // -1: by capacity.
  bool strict_capacity_limit = false;
  double high_pri_pool_ratio = 0.5;
  double low_pri_pool_ratio = 0.0;
};
std::shared_ptr<Cache> NewLruCache(const LruCacheOptions& options);

struct HyperClockCacheOptions {
  size_t capacity = 0;
  size_t estimated_entry_charge = 0;  // 0: grows as needed.
  int num_shard_bits = -1;
  bool strict_capacity_limit = false;
};
std::shared_ptr<Cache> NewHyperClockCache(const HyperClockCacheOptions& options);

}  // namespace skarn

#endif  // SKARN_CORE_CACHE_CACHE_H_
