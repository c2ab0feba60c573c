#include "core/table/mapped_budget.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "core/base/mutex.h"
#include "core/env/mapped_pages.h"

namespace skarn {

namespace {

// The pages are the page cache's, whether they are mapped or not: the limit is only there so that
// one process does not hold on to most of it, and is wide because a page that was let go costs a
// fault (reads through a small cache took 1.8 times as long with 32 MiB). Not less than a block
// cache has by default.
uint64_t DefaultLimitBytes() { return std::max<uint64_t>(MachineMemoryBytes() / 8, 32 << 20); }

struct Registry {
  // Any reader adds, whoever lets go subtracts.
  std::atomic<uint64_t> granules{0};
  std::atomic<uint64_t> limit{DefaultLimitBytes() / MappedBudget::kGranuleBytes};

  // A leaf in the lock order: nothing is locked under it. Pages are let go under it, so that
  // no file is closed meanwhile.
  Mutex mu;
  std::vector<MappedBudget::Member*> members SKARN_GUARDED_BY(mu);
  // Whose turn it is to let a window go.
  size_t member SKARN_GUARDED_BY(mu) = 0;
  size_t window SKARN_GUARDED_BY(mu) = 0;
};

Registry& GetRegistry() {
  static auto* const registry = new Registry;  // Never destroyed: threads may outlive statics.
  return *registry;
}

}  // namespace

void MappedBudget::Member::Join(Slice mapping) {
  mapping_ = mapping;
  windows_ = static_cast<size_t>(mapping.size() / kWindowBytes + 1);
  touched_.reset(new std::atomic<uint64_t>[windows_]());
  Registry& registry = GetRegistry();
  MutexLock lock(&registry.mu);
  registry.members.push_back(this);
}

void MappedBudget::Member::Leave() {
  Registry& registry = GetRegistry();
  uint64_t granules = 0;
  MutexLock lock(&registry.mu);
  registry.members.erase(std::find(registry.members.begin(), registry.members.end(), this));
  for (size_t i = 0; i < windows_; ++i) {
    granules += static_cast<uint64_t>(std::popcount(touched_[i].load(std::memory_order_relaxed)));
  }
  registry.granules.fetch_sub(granules, std::memory_order_relaxed);
}

uint64_t MappedBudget::Member::ReleaseWindow(size_t window, uint64_t mask) {
  // The bits go first: a reader that comes in between sets them again.
  const uint64_t let_go = touched_[window].fetch_and(~mask, std::memory_order_relaxed) & mask;
  if (let_go == 0) return 0;
  const auto first = static_cast<uint64_t>(std::countr_zero(let_go));
  const auto last = static_cast<uint64_t>(63 - std::countl_zero(let_go));
  const uint64_t begin = window * kWindowBytes + first * kGranuleBytes;
  const uint64_t end =
      std::min<uint64_t>(window * kWindowBytes + (last + 1) * kGranuleBytes, mapping_.size());
  if (begin < end) {
    ReleaseMappedPages(Slice(mapping_.data() + begin, static_cast<size_t>(end - begin)));
  }
  return static_cast<uint64_t>(std::popcount(let_go));
}

void MappedBudget::Member::ReleaseRange(uint64_t offset, uint64_t size) {
  if (touched_ == nullptr) return;
  uint64_t granule = offset / kGranuleBytes;
  const uint64_t end = std::min<uint64_t>((offset + size) / kGranuleBytes, windows_ * uint64_t{64});
  uint64_t released = 0;
  while (granule < end) {
    const uint64_t window = granule / 64;
    const uint64_t count = std::min(end, (window + 1) * 64) - granule;
    const uint64_t mask = (count == 64 ? ~uint64_t{0} : (uint64_t{1} << count) - 1)
                          << (granule % 64);
    released += ReleaseWindow(static_cast<size_t>(window), mask);
    granule += count;
  }
  GetRegistry().granules.fetch_sub(released, std::memory_order_relaxed);
}

void MappedBudget::Member::TouchSlow(uint64_t granule) {
  const uint64_t bit = uint64_t{1} << (granule % 64);
  if ((touched_[granule / 64].fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  Registry& registry = GetRegistry();
  const uint64_t limit = registry.limit.load(std::memory_order_relaxed);
  if (registry.granules.fetch_add(1, std::memory_order_relaxed) < limit) return;
  // Another thread that lets go already does enough.
  if (!registry.mu.TryLock()) return;
  // A sixteenth below the limit, so that not every touch comes here.
  const uint64_t wanted = limit - limit / 16;
  size_t passed = 0;
  while (registry.granules.load(std::memory_order_relaxed) > wanted &&
         passed <= registry.members.size()) {
    if (registry.member >= registry.members.size()) registry.member = 0;
    Member* const member = registry.members[registry.member];
    if (registry.window >= member->windows_) {
      registry.window = 0;
      ++registry.member;
      ++passed;
      continue;
    }
    const uint64_t released = member->ReleaseWindow(registry.window++, ~uint64_t{0});
    registry.granules.fetch_sub(released, std::memory_order_relaxed);
  }
  registry.mu.Unlock();
}

uint64_t MappedBudget::SetLimit(uint64_t bytes) {
  return GetRegistry().limit.exchange(bytes / kGranuleBytes, std::memory_order_relaxed) *
         kGranuleBytes;
}

uint64_t MappedBudget::ResidentBytes() {
  return GetRegistry().granules.load(std::memory_order_relaxed) * kGranuleBytes;
}

}  // namespace skarn
