// ChunkHeap hands out pieces of chunks of 2 MiB and joins what comes back.
//
// How it works. A chunk is a row of pieces, each with a header of 8 bytes that tells its own size
// and that of the piece before it. Free pieces hang in lists by size: 32 lists for each power of
// two, and a bit for each list that has something, so both ways take constant time. Neighbours
// that are free become one piece. Of chunks that are one free piece a few are kept, because the
// next one would have to be cleared first, and the others given back.
//
// The first chunk starts on small pages, since many processes never need a second one. When it is
// full, the system may move it to huge ones in the background.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_BASE_CHUNK_HEAP_H_
#define SKARN_CORE_BASE_CHUNK_HEAP_H_

#include <cstddef>
#include <cstdint>

#include "core/base/arena.h"
#include "core/base/mutex.h"

namespace skarn {

class ChunkHeap {
 public:
  static constexpr size_t kBytesMax = ChunkPool::kChunkBytes - 4096;
  static constexpr size_t kAlignment = 16;
  // So many chunks stay when nothing is in them.
  static constexpr size_t kEmptyMax = 4;

  ChunkHeap() = default;
  // Gives the chunks back, whatever is still in use.
  ~ChunkHeap();
  ChunkHeap(const ChunkHeap&) = delete;
  ChunkHeap& operator=(const ChunkHeap&) = delete;

  // At a multiple of kAlignment, and until Free(). Null when memory is exhausted.
  // Precondition: size <= kBytesMax.
  void* Allocate(size_t size) SKARN_EXCLUDES(mu_);
  // Gives back what Allocate() of any heap returned.
  static void Free(void* memory);

  size_t chunk_count() const SKARN_EXCLUDES(mu_);
  size_t empty_count() const SKARN_EXCLUDES(mu_);

 private:
  // What precedes every piece's memory. `size` counts the header; all sizes are multiples of 16.
  struct Piece {
    uint32_t size_before;  // 0 for the first of a chunk.
    uint32_t size : 31;    // 0 for the one that ends the chunk.
    uint32_t used : 1;
    // In the memory of free pieces:
    Piece* next;
    Piece* previous;
  };
  static constexpr size_t kHeaderBytes = 8;
  static constexpr uint32_t kPieceBytesMin = 32;
  struct Chunk {
    ChunkHeap* heap;
    Chunk* next;
    Chunk* previous;
    char unused[64 - kHeaderBytes - 3 * sizeof(void*)];
  };
  static constexpr uint32_t kWholeBytes =
      static_cast<uint32_t>(ChunkPool::kChunkBytes - sizeof(Chunk) - kHeaderBytes);

  // Lists: `kLists` for sizes below kLists * 16, then as many for each power of two.
  static constexpr uint32_t kListBits = 5;
  static constexpr uint32_t kLists = 1u << kListBits;
  static constexpr uint32_t kLevels = 13;
  // Pieces of a list that may be too small that are looked at before larger ones are taken.
  static constexpr int kTriesMax = 8;

  static Piece* PieceOf(void* memory) {
    return reinterpret_cast<Piece*>(static_cast<char*>(memory) - kHeaderBytes);
  }
  static Piece* At(Piece* piece, ptrdiff_t bytes) {
    return reinterpret_cast<Piece*>(reinterpret_cast<char*>(piece) + bytes);
  }
  static Chunk* ChunkOf(void* memory) {
    return reinterpret_cast<Chunk*>(reinterpret_cast<uintptr_t>(memory) &
                                    ~uintptr_t{ChunkPool::kChunkBytes - 1});
  }
  static void FindList(uint32_t size, uint32_t* level, uint32_t* list);

  Piece* Take(uint32_t size) SKARN_REQUIRES(mu_);
  void Hang(Piece* piece) SKARN_REQUIRES(mu_);
  void Unhang(Piece* piece) SKARN_REQUIRES(mu_);
  void Add(Chunk* chunk) SKARN_REQUIRES(mu_);
  // The chunk, when it was the last piece of it, for the caller to give back.
  [[nodiscard]] Chunk* Return(Piece* piece) SKARN_REQUIRES(mu_);

  // A leaf in the lock order.
  mutable Mutex mu_;
  Chunk* chunks_ SKARN_GUARDED_BY(mu_) = nullptr;
  size_t chunk_count_ SKARN_GUARDED_BY(mu_) = 0;
  size_t empty_count_ SKARN_GUARDED_BY(mu_) = 0;  // Pieces in the lists that are a whole chunk.
  Chunk* on_small_pages_ SKARN_GUARDED_BY(mu_) = nullptr;
  uint32_t levels_ SKARN_GUARDED_BY(mu_) = 0;  // Bit n: level n has a list with something.
  uint32_t lists_[kLevels] SKARN_GUARDED_BY(mu_) = {};
  Piece* pieces_[kLevels][kLists] SKARN_GUARDED_BY(mu_) = {};
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_CHUNK_HEAP_H_
