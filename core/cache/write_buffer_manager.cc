#include "core/cache/write_buffer_manager.h"

#include <utility>

namespace skarn {
namespace {

constexpr size_t kDummyBytes = size_t{256} << 10;
// A waiter looks again at least this often, so that a closing database is noticed.
constexpr uint64_t kWaitStep_us = 100000;

}  // namespace

WriteBufferManager::WriteBufferManager(size_t buffer_size, std::shared_ptr<Cache> cache,
                                       bool allow_stall)
    : buffer_size_(buffer_size), allow_stall_(allow_stall), cache_(std::move(cache)) {}

WriteBufferManager::~WriteBufferManager() {
  MutexLock lock(&mu_);
  for (Cache::Handle* handle : dummies_) cache_->Release(handle, /*erase=*/true);
}

size_t WriteBufferManager::dummy_entries_in_cache_usage() const {
  if (cache_ == nullptr) return 0;
  MutexLock lock(&mu_);
  return dummies_.size() * kDummyBytes;
}

void WriteBufferManager::SetBufferSize(size_t bytes) {
  buffer_size_.store(bytes, std::memory_order_relaxed);
  MutexLock lock(&mu_);
  room_.SignalAll();
}

void WriteBufferManager::SetAllowStall(bool allow) {
  allow_stall_.store(allow, std::memory_order_relaxed);
  MutexLock lock(&mu_);
  room_.SignalAll();
}

void WriteBufferManager::Reserve(size_t bytes) {
  active_.fetch_add(bytes, std::memory_order_relaxed);
  const size_t used = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  if (cache_ != nullptr) ChargeCache(used);
}

void WriteBufferManager::ScheduleFree(size_t bytes) {
  active_.fetch_sub(bytes, std::memory_order_relaxed);
}

void WriteBufferManager::Free(size_t bytes) {
  const size_t used = used_.fetch_sub(bytes, std::memory_order_relaxed) - bytes;
  if (cache_ != nullptr) ChargeCache(used);
  if (allow_stall_.load(std::memory_order_relaxed)) {
    MutexLock lock(&mu_);
    room_.SignalAll();
  }
}

void WriteBufferManager::ChargeCache(size_t bytes) {
  MutexLock lock(&mu_);
  // Entries are inserted under the mutex: the cache runs no user code for them, and its
  // own mutex is a leaf below this one.
  while (dummies_.size() * kDummyBytes < bytes) {
    Cache::Handle* handle = nullptr;
    const Status status = cache_->Insert(CacheKey{Cache::NewId(), 0}, nullptr, nullptr, kDummyBytes,
                                         Cache::Role::kWriteBuffer, Cache::Priority::kLow, &handle);
    // A cache with a strict limit may be full: then this much stays uncharged.
    if (!status.ok()) return;
    dummies_.push_back(handle);
  }
  // Memory given back is about to be taken again: let go only of what is well above.
  if (bytes >= dummies_.size() * kDummyBytes / 4 * 3) return;
  while (!dummies_.empty() && (dummies_.size() - 1) * kDummyBytes >= bytes) {
    cache_->Release(dummies_.back(), /*erase=*/true);
    dummies_.pop_back();
  }
}

bool WriteBufferManager::ShouldFlush() const {
  const size_t limit = buffer_size();
  if (limit == 0) return false;
  const size_t active = mutable_memory_usage();
  return active > limit / 8 * 7 || (memory_usage() >= limit && active >= limit / 2);
}

bool WriteBufferManager::ShouldStall() const {
  return allow_stall_.load(std::memory_order_relaxed) && enabled() &&
         memory_usage() >= buffer_size();
}

void WriteBufferManager::WaitForRoom(bool (*keep_waiting)(void* state), void* state) {
  MutexLock lock(&mu_);
  while (ShouldStall() && keep_waiting(state)) room_.WaitFor(kWaitStep_us);
}

}  // namespace skarn
