// MappedBudget limits how much of the mapped table files is in this process's memory. Pages
// that were let go stay in the page cache and come back when they are read, for the price of
// a page fault; the process does not grow with the files it has read.
//
// Files are counted in granules: so many bytes come into memory at once when one of them is
// touched. When all files together have more than the limit, windows of granules are let go in
// turn, whoever touched them last.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_TABLE_MAPPED_BUDGET_H_
#define SKARN_CORE_TABLE_MAPPED_BUDGET_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/cpu.h"
#include "core/base/slice.h"

namespace skarn {

class MappedBudget {
 public:
  // The system maps this much around a page that is missing.
  static constexpr uint64_t kGranuleBytes = 64 << 10;
  // One word of the bitmap.
  static constexpr uint64_t kWindowBytes = 64 * kGranuleBytes;

  // A mapped file.
  class Member {
   public:
    Member(const Member&) = delete;
    Member& operator=(const Member&) = delete;

   protected:
    Member() = default;
    ~Member() = default;
    // `mapping` stays until Leave() has returned.
    void Join(Slice mapping);
    void Leave();

    // The range is about to be read. Writes nothing when it was read before.
    void Touch(uint64_t offset, uint64_t size) {
      const uint64_t first = offset / kGranuleBytes;
      const uint64_t last = (offset + size - 1) / kGranuleBytes;
      for (uint64_t granule = first; granule <= last; ++granule) {
        const uint64_t word = touched_[granule / 64].load(std::memory_order_relaxed);
        if (SKARN_UNLIKELY(((word >> (granule % 64)) & 1) == 0)) TouchSlow(granule);
      }
    }
    // Lets the granules that end inside the range go.
    void ReleaseRange(uint64_t offset, uint64_t size);

   private:
    friend class MappedBudget;
    [[gnu::cold]] void TouchSlow(uint64_t granule);
    // Lets go what `mask` names of the window, and returns how many granules that were.
    uint64_t ReleaseWindow(size_t window, uint64_t mask);

    Slice mapping_;
    // A bit a granule: set by readers, taken back by whoever lets it go. Relaxed: they count,
    // nothing depends on them.
    std::unique_ptr<std::atomic<uint64_t>[]> touched_;
    size_t windows_ = 0;
  };

  // For tests; the limit is otherwise fixed. Returns the one before.
  static uint64_t SetLimit(uint64_t bytes);
  // By what was touched and not let go.
  static uint64_t ResidentBytes();
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_MAPPED_BUDGET_H_
