#include "core/memtable/record_store.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <utility>

#include "core/base/arena.h"

namespace skarn {

RecordStore::RecordStore() : slot_capacity_(16) {
  slot_tables_.push_back(std::make_unique<char*[]>(slot_capacity_));
  slots_.store(slot_tables_.back().get(), std::memory_order_release);
}

RecordStore::~RecordStore() {
  chores_.Stop();
  for (const Chunk& chunk : chunks_) {
    if (chunk.pooled) {
      ChunkPool::Release(chunk.data, chunk.size);
    } else {
      free(chunk.data);
    }
  }
}

char* RecordStore::AddChunk(size_t size, bool pooled, RecordRef* first, bool* fresh) {
  const size_t slots = (size + kSlotBytes - 1) / kSlotBytes;
  if (slot_count_ + slots > kSlotsMax) return nullptr;
  char* data = pooled ? ChunkPool::Acquire(size, fresh) : static_cast<char*>(malloc(size));
  if (data == nullptr) return nullptr;

  if (slot_count_ + slots > slot_capacity_) {
    const size_t capacity = std::bit_ceil(slot_count_ + slots);
    auto table = std::make_unique<char*[]>(capacity);
    std::copy_n(slots_.load(std::memory_order_relaxed), slot_count_, table.get());
    slots_.store(table.get(), std::memory_order_release);
    slot_tables_.push_back(std::move(table));
    slot_capacity_ = capacity;
  }
  char** table = slots_.load(std::memory_order_relaxed);
  *first = static_cast<RecordRef>(slot_count_ << kSlotShift);
  for (size_t i = 0; i < slots; ++i) table[slot_count_ + i] = data + i * kSlotBytes;
  slot_count_ += slots;
  chunks_.push_back({data, size, pooled});
  reserved_.store(reserved_.load(std::memory_order_relaxed) + size, std::memory_order_relaxed);
  return data;
}

void RecordStore::WarmAhead() {
  // Up to the end of the extent after this one.
  const size_t stay = rest_size_ - std::min(rest_size_, kExtentMax);
  if (cold_size_ <= stay) return;
  char* const chunk_end = rest_ + rest_size_;
  WarmPages(&chores_, chunk_end - cold_size_, cold_size_ - stay);
  cold_size_ = stay;
}

bool RecordStore::Refill(Lane* lane, size_t size) {
  if (lane->spare != nullptr &&
      size <= static_cast<size_t>(lane->spare->limit - lane->spare_next)) {
    std::swap(lane->extent, lane->spare);
    std::swap(lane->next, lane->spare_next);
    lane->limit = lane->extent->limit;
    return true;
  }
  MutexLock lock(&mu_);
  // Reference 0 means none: the first record stands a unit into its chunk.
  const size_t skip = slot_count_ == 0 ? kRecordUnit : 0;
  const size_t reserved = reserved_.load(std::memory_order_relaxed);
  const size_t wanted =
      std::clamp(std::bit_floor(std::max<size_t>(reserved / 8, 1)), kExtentMin, kExtentMax);

  const size_t extent_size = std::max(wanted, size);
  char* data = nullptr;
  RecordRef first = 0;
  if (extent_size + skip > kSlotBytes) {
    data =
        AddChunk((extent_size + kSlotBytes - 1) / kSlotBytes * kSlotBytes, /*pooled=*/true, &first);
  } else if (reserved < kHeapMax) {
    data = AddChunk(extent_size + skip, /*pooled=*/false, &first);
  } else {
    if (rest_size_ < extent_size) {
      bool fresh = false;
      rest_ = AddChunk(kSlotBytes, /*pooled=*/true, &rest_ref_, &fresh);
      rest_size_ = rest_ == nullptr ? 0 : kSlotBytes;
      cold_size_ = fresh ? rest_size_ : 0;
    }
    if (rest_size_ >= extent_size) {
      data = rest_;
      first = rest_ref_;
      rest_ += extent_size;
      rest_size_ -= extent_size;
      rest_ref_ += static_cast<RecordRef>((extent_size + kRecordUnit - 1) / kRecordUnit);
      WarmAhead();
    }
  }
  if (data == nullptr) return false;

  extents_.emplace_back();
  Extent& extent = extents_.back();
  extent.begin = data + skip;
  extent.limit = data + skip + extent_size;
  extent.first = first + static_cast<RecordRef>(skip / kRecordUnit);
  extent.committed.store(extent.begin, std::memory_order_release);
  // What is left of the old extent is worth keeping when a large record made us leave it.
  if (Extent* left = lane->extent; left != nullptr) {
    if (lane->spare == nullptr ||
        lane->limit - lane->next > lane->spare->limit - lane->spare_next) {
      std::swap(left, lane->spare);
      lane->spare_next = lane->next;
    }
    if (left != nullptr) left->closed.store(true, std::memory_order_release);
  }
  lane->extent = &extent;
  lane->next = extent.begin;
  lane->limit = extent.limit;
  return true;
}

void RecordStore::Extents(size_t from, std::vector<Extent*>* extents) const {
  MutexLock lock(&mu_);
  for (size_t i = from; i < extents_.size(); ++i) {
    extents->push_back(const_cast<Extent*>(&extents_[i]));
  }
}

}  // namespace skarn
