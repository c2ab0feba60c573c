#include "core/table/block.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/base/block_heap.h"

namespace skarn {

HeapBlock* HeapBlock::New(size_t capacity, bool large) {
  if (capacity > SIZE_MAX / 2) return nullptr;
  const size_t bytes = BytesFor(capacity);
  void* memory = large ? malloc(bytes) : BlockHeap::Allocate(bytes);
  if (memory == nullptr) return nullptr;
  auto* block = new (memory) HeapBlock;
  block->large_ = large;
  block->capacity_ = capacity;
  // What short copies may read past the end has a value, if one of no meaning.
  memset(block->data() + capacity, 0, kBlockPadding);
  return block;
}

size_t HeapBlock::memory_bytes() const {
  const EntryIndex* index = entries();
  return BytesFor(capacity_) - sizeof(cache_entry_) +
         (index == nullptr ? 0 : index->memory_bytes());
}

bool HeapBlock::SetEntries(EntryIndex* index) {
  EntryIndex* none = nullptr;
  // Release: who finds the index finds its content.
  if (entries_.compare_exchange_strong(none, index, std::memory_order_release,
                                       std::memory_order_relaxed)) {
    return true;
  }
  EntryIndex::Free(index);
  return false;
}

void HeapBlock::Unref() {
  if (refs_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  EntryIndex::Free(entries_.load(std::memory_order_relaxed));
  const size_t bytes = BytesFor(capacity_);
  const bool large = large_;
  this->~HeapBlock();
  large ? free(this) : BlockHeap::Free(this, bytes);
}

void BlockRef::ResetHeld() {
  switch (std::exchange(kind_, Kind::kNone)) {
    case Kind::kCached:
      cache_->Release(static_cast<Cache::Handle*>(owner_));
      break;
    case Kind::kHeap:
      static_cast<HeapBlock*>(owner_)->Unref();
      break;
    case Kind::kMapped:
    case Kind::kNone:
      break;
  }
}

void BlockRef::AcquirePin(Pin* pin) const {
  switch (kind_) {
    case Kind::kCached:
      cache_->Ref(static_cast<Cache::Handle*>(owner_));
      *pin = Pin(owner_, cache_, [](void* handle, void* cache) {
        static_cast<Cache*>(cache)->Release(static_cast<Cache::Handle*>(handle));
      });
      break;
    case Kind::kHeap:
      static_cast<HeapBlock*>(owner_)->Ref();
      *pin =
          Pin(owner_, nullptr, [](void* block, void*) { static_cast<HeapBlock*>(block)->Unref(); });
      break;
    case Kind::kMapped:
      static_cast<MappingOwner*>(owner_)->Ref();
      *pin = Pin(owner_, nullptr,
                 [](void* owner, void*) { static_cast<MappingOwner*>(owner)->Unref(); });
      break;
    case Kind::kNone:
      break;
  }
}

}  // namespace skarn
