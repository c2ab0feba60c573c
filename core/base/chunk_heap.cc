#include "core/base/chunk_heap.h"

#include <sys/mman.h>

#include <bit>
#include <cassert>

#include "core/base/cpu.h"

namespace skarn {
namespace {

void UseSmallPages(void* chunk) { (void)madvise(chunk, ChunkPool::kChunkBytes, MADV_NOHUGEPAGE); }
// A chunk with content is moved by the system in the background. Not MADV_COLLAPSE, which keeps
// the caller waiting for milliseconds.
void UseHugePages(void* chunk) { (void)madvise(chunk, ChunkPool::kChunkBytes, MADV_HUGEPAGE); }

}  // namespace

ChunkHeap::~ChunkHeap() {
  MutexLock lock(&mu_);
  while (chunks_ != nullptr) {
    Chunk* const next = chunks_->next;
    ChunkPool::Unmap(reinterpret_cast<char*>(chunks_), ChunkPool::kChunkBytes);
    chunks_ = next;
  }
}

size_t ChunkHeap::chunk_count() const {
  MutexLock lock(&mu_);
  return chunk_count_;
}

size_t ChunkHeap::empty_count() const {
  MutexLock lock(&mu_);
  return empty_count_;
}

inline void ChunkHeap::FindList(uint32_t size, uint32_t* level, uint32_t* list) {
  const uint32_t units = size / kAlignment;
  if (units < kLists) {
    *level = 0;
    *list = units;
    return;
  }
  const auto shift = static_cast<uint32_t>(std::bit_width(units)) - 1 - kListBits;
  *level = shift + 1;
  *list = (units >> shift) & (kLists - 1);
}

void ChunkHeap::Hang(Piece* piece) {
  empty_count_ += piece->size == kWholeBytes;
  uint32_t level = 0, list = 0;
  FindList(piece->size, &level, &list);
  piece->used = 0;
  piece->previous = nullptr;
  piece->next = pieces_[level][list];
  if (piece->next != nullptr) piece->next->previous = piece;
  pieces_[level][list] = piece;
  lists_[level] |= 1u << list;
  levels_ |= 1u << level;
}

void ChunkHeap::Unhang(Piece* piece) {
  empty_count_ -= piece->size == kWholeBytes;
  if (piece->next != nullptr) piece->next->previous = piece->previous;
  if (piece->previous != nullptr) {
    piece->previous->next = piece->next;
    return;
  }
  uint32_t level = 0, list = 0;
  FindList(piece->size, &level, &list);
  pieces_[level][list] = piece->next;
  if (piece->next != nullptr) return;
  lists_[level] &= ~(1u << list);
  if (lists_[level] == 0) levels_ &= ~(1u << level);
}

ChunkHeap::Piece* ChunkHeap::Take(uint32_t size) {
  uint32_t level = 0, list = 0;
  FindList(size, &level, &list);
  Piece* found = pieces_[level][list];
  for (int tries = 0; found != nullptr && found->size < size; ++tries) {
    found = tries < kTriesMax ? found->next : nullptr;
  }
  if (found == nullptr) {
    // All pieces of the lists above are large enough.
    uint32_t larger = list + 1 < kLists ? lists_[level] & (~0u << (list + 1)) : 0;
    if (larger == 0) {
      const uint32_t above = levels_ & (~0u << (level + 1));
      if (above == 0) return nullptr;
      level = static_cast<uint32_t>(std::countr_zero(above));
      larger = lists_[level];
    }
    found = pieces_[level][std::countr_zero(larger)];
  }
  Unhang(found);
  found->used = 1;
  const uint32_t rest = found->size - size;
  if (rest >= kPieceBytesMin) {
    found->size = size;
    Piece* const second = At(found, size);
    second->size_before = size;
    second->size = rest;
    At(second, rest)->size_before = rest;
    Hang(second);
  }
  return found;
}

void ChunkHeap::Add(Chunk* chunk) {
  chunk->heap = this;
  chunk->previous = nullptr;
  chunk->next = chunks_;
  if (chunks_ != nullptr) chunks_->previous = chunk;
  chunks_ = chunk;
  ++chunk_count_;
  auto* const first = PieceOf(reinterpret_cast<char*>(chunk) + 64);
  first->size_before = 0;
  first->size = kWholeBytes;
  Piece* const end = At(first, kWholeBytes);
  end->size_before = kWholeBytes;
  end->size = 0;
  end->used = 1;
  Hang(first);
}

void* ChunkHeap::Allocate(size_t bytes) {
  static_assert(sizeof(Chunk) + kHeaderBytes == 64 && kWholeBytes % kAlignment == 0);
  assert(bytes <= kBytesMax);
  const auto rounded =
      static_cast<uint32_t>((bytes + kHeaderBytes + kAlignment - 1) / kAlignment * kAlignment);
  const uint32_t size = rounded < kPieceBytesMin ? kPieceBytesMin : rounded;
  MutexLock lock(&mu_);
  Piece* found = Take(size);
  if (SKARN_UNLIKELY(found == nullptr)) {
    const bool first = chunk_count_ == 0;
    Chunk* const full = on_small_pages_;
    on_small_pages_ = nullptr;
    lock.Unlock();
    auto* const chunk = reinterpret_cast<Chunk*>(ChunkPool::Map(ChunkPool::kChunkBytes));
    if (chunk != nullptr) first ? UseSmallPages(chunk) : UseHugePages(chunk);
    // Should it have been given back meanwhile, this fails or does no harm.
    if (full != nullptr) UseHugePages(full);
    lock.Lock();
    if (chunk == nullptr) return nullptr;
    if (first) on_small_pages_ = chunk;
    Add(chunk);
    found = Take(size);
    // Others may have emptied the new chunk.
    if (SKARN_UNLIKELY(found == nullptr)) {
      lock.Unlock();
      return Allocate(bytes);
    }
  }
  return reinterpret_cast<char*>(found) + kHeaderBytes;
}

ChunkHeap::Chunk* ChunkHeap::Return(Piece* piece) {
  Piece* const next = At(piece, piece->size);
  if (next->used == 0) {
    Unhang(next);
    piece->size += next->size;
  }
  if (piece->size_before != 0) {
    Piece* const before = At(piece, -static_cast<ptrdiff_t>(piece->size_before));
    if (before->used == 0) {
      Unhang(before);
      before->size += piece->size;
      piece = before;
    }
  }
  At(piece, piece->size)->size_before = piece->size;
  if (SKARN_LIKELY(piece->size != kWholeBytes) || empty_count_ < kEmptyMax) {
    Hang(piece);
    return nullptr;
  }
  Chunk* const chunk = ChunkOf(piece);
  --chunk_count_;
  if (chunk->next != nullptr) chunk->next->previous = chunk->previous;
  if (chunk->previous != nullptr) {
    chunk->previous->next = chunk->next;
  } else {
    chunks_ = chunk->next;
  }
  return chunk;
}

void ChunkHeap::Free(void* memory) {
  ChunkHeap* const heap = ChunkOf(memory)->heap;
  Chunk* empty = nullptr;
  {
    MutexLock lock(&heap->mu_);
    empty = heap->Return(PieceOf(memory));
  }
  if (empty != nullptr) ChunkPool::Unmap(reinterpret_cast<char*>(empty), ChunkPool::kChunkBytes);
}

}  // namespace skarn
