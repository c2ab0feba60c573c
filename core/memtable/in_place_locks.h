// InPlaceLocks guard the values of a memtable that overwrites them in place: readers
// copy a value, and writers change it, under the lock of its key.
//
// Thread safety: any thread. Nothing is called under a lock, so they nest in nothing.

#ifndef SKARN_CORE_MEMTABLE_IN_PLACE_LOCKS_H_
#define SKARN_CORE_MEMTABLE_IN_PLACE_LOCKS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/hash.h"
#include "core/memtable/record.h"
#include "core/memtable/spin_wait.h"

namespace skarn {

class InPlaceLocks {
 public:
  explicit InPlaceLocks(uint32_t count)
      : count_(count == 0 ? 1 : count), locks_(std::make_unique<std::atomic<bool>[]>(count_)) {}

  // Copies the value whose size stands at `rest`.
  void Read(Slice user_key, const char* rest, std::string* value) const {
    std::atomic<bool>* lock = Acquire(user_key);
    const Slice stored = ReadRecordValue(rest);
    value->assign(stored.data(), stored.size());
    lock->store(false, std::memory_order_release);
  }
  // Overwrites it with a value that is not longer; false when it is longer.
  bool Write(Slice user_key, const char* rest, Slice value) const {
    std::atomic<bool>* lock = Acquire(user_key);
    const bool fits = value.size() <= ReadRecordValue(rest).size();
    if (fits) {
      char* to = EncodeVarint32(const_cast<char*>(rest), static_cast<uint32_t>(value.size()));
      if (!value.empty()) memcpy(to, value.data(), value.size());
    }
    lock->store(false, std::memory_order_release);
    return fits;
  }

 private:
  std::atomic<bool>* Acquire(Slice user_key) const {
    std::atomic<bool>* lock = &locks_[FastRange64(Hash64(user_key), count_)];
    SpinWait spin;
    // Acquire pairs with the release of the last holder.
    while (lock->exchange(true, std::memory_order_acquire)) spin.Pause();
    return lock;
  }

  const uint32_t count_;
  const std::unique_ptr<std::atomic<bool>[]> locks_;
};

}  // namespace skarn

#endif  // SKARN_CORE_MEMTABLE_IN_PLACE_LOCKS_H_
