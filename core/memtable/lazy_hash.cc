#include "core/memtable/lazy_hash.h"

#include <algorithm>
#include <vector>

#include "core/base/hash.h"

namespace skarn {
namespace {

// How many records are looked at ahead of being put in.
constexpr size_t kGroup = 32;

}  // namespace

LazyHash::LazyHash(const RecordStore& store, const WriteLanes& lanes, size_t check_size,
                   uint64_t expected_entries, VersionHash::Forecast forecast)
    : store_(store),
      lanes_(lanes),
      check_size_(check_size),
      expected_entries_(expected_entries),
      forecast_(forecast) {}

void LazyHash::PrefetchInsert(Slice user_key) const {
  if (SKARN_LIKELY(state_.load(std::memory_order_acquire) == kUnread)) return;
  hash_->PrefetchInsert(Hash64(user_key));
}

void LazyHash::Fill() {
  MutexLock lock(&mu_);
  if (state_.load(std::memory_order_relaxed) == kReady) return;
  hash_.emplace(store_, std::max(expected_entries_, lanes_.entries()), forecast_);
  // Release: who sees the state sees the table.
  state_.store(kFilling, std::memory_order_release);
  EpochDomain::HeavyFence();

  std::vector<RecordStore::Extent*> extents;
  store_.Extents(0, &extents);
  for (const RecordStore::Extent* extent : extents) {
    const char* from = extent->begin;
    // Acquire pairs with the lane's commit.
    const char* const committed = extent->committed.load(std::memory_order_acquire);
    while (from < committed) {
      RecordKey keys[kGroup];
      RecordRef refs[kGroup];
      uint64_t hashes[kGroup];
      size_t count = 0;
      for (; count < kGroup && from < committed; ++count) {
        keys[count] = ReadRecordKey(from);
        refs[count] = extent->RefOf(from);
        hashes[count] = Hash64(keys[count].user_key);
        hash_->PrefetchInsert(hashes[count]);
        from = RecordEnd(from, check_size_);
      }
      for (size_t i = 0; i < count; ++i) {
        // A writer that saw the new state may have been first with its own record. Without
        // memory the record is not found; nothing else can be done here.
        (void)hash_->Insert(hashes[i], keys[i].user_key, keys[i].tag, refs[i]);
      }
    }
  }
  state_.store(kReady, std::memory_order_release);
}

void LazyHash::FillInBackground() {
  chores_.Start([this](const std::atomic<bool>& stop) {
    if (!stop.load(std::memory_order_relaxed)) Fill();
  });
}

void LazyHash::AddLate(Slice user_key, uint64_t tag, RecordRef ref) {
  // Whether the walk came by before or after the commit is not known. After it, that shows.
  Fill();
  (void)hash_->Insert(Hash64(user_key), user_key, tag, ref);
}

}  // namespace skarn
