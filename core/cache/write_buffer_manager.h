// WriteBufferManager bounds the memory of memtables over all databases that share it.
//
// Rules for when to flush and stall: docs/architecture.md, from observed behaviour.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_CACHE_WRITE_BUFFER_MANAGER_H_
#define SKARN_CORE_CACHE_WRITE_BUFFER_MANAGER_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "core/base/mutex.h"
#include "core/cache/cache.h"

namespace skarn {

class WriteBufferManager {
 public:
  // `buffer_size` 0: count only. `cache`: charge the memory there in dummy entries of 256 KiB.
  WriteBufferManager(size_t buffer_size, std::shared_ptr<Cache> cache, bool allow_stall);
  ~WriteBufferManager();

  bool enabled() const { return buffer_size() > 0; }
  bool cost_to_cache() const { return cache_ != nullptr; }
  size_t buffer_size() const { return buffer_size_.load(std::memory_order_relaxed); }
  size_t memory_usage() const { return used_.load(std::memory_order_relaxed); }
  size_t mutable_memory_usage() const { return active_.load(std::memory_order_relaxed); }
  size_t dummy_entries_in_cache_usage() const;
  void SetBufferSize(size_t bytes);
  void SetAllowStall(bool allow);

  // A memtable's arena took memory; the memtable became immutable; it was freed.
  void Reserve(size_t bytes);
  void ScheduleFree(size_t bytes);
  void Free(size_t bytes);

  // A writer should switch the oldest memtable.
  bool ShouldFlush() const;
  bool ShouldStall() const;
  // Waits while ShouldStall(); `keep_waiting` is asked after each wake.
  void WaitForRoom(bool (*keep_waiting)(void* state), void* state) SKARN_EXCLUDES(mu_);

 private:
  void ChargeCache(size_t bytes) SKARN_EXCLUDES(mu_);

  std::atomic<size_t> buffer_size_;
  std::atomic<size_t> used_{0};    // Written by arenas of any thread.
  std::atomic<size_t> active_{0};  // Likewise.
  std::atomic<bool> allow_stall_;
  const std::shared_ptr<Cache> cache_;  // Shared with the user's options.
  mutable Mutex mu_;                    // A leaf in the lock order.
  CondVar room_{&mu_};
  std::vector<Cache::Handle*> dummies_ SKARN_GUARDED_BY(mu_);
};

}  // namespace skarn

#endif  // SKARN_CORE_CACHE_WRITE_BUFFER_MANAGER_H_
