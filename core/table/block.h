// Blocks in memory: where the bytes of a data block are, and what keeps them there.
//
// A HeapBlock is one allocation with a count: the block cache holds one count, and so
// does everybody who reads it uncached. A BlockRef is one reader's hold on a block: a
// cache entry, a count on a heap block, or bytes of a mapped file.
//
// Thread safety: HeapBlock: counts any thread, bytes immutable. BlockRef: one thread at
// a time.

#ifndef SKARN_CORE_TABLE_BLOCK_H_
#define SKARN_CORE_TABLE_BLOCK_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "core/base/cpu.h"
#include "core/base/slice.h"
#include "core/cache/cache_shard.h"
#include "core/key/pin.h"
#include "core/table/block_format.h"
#include "core/table/entry_index.h"

namespace skarn {

// Bytes readable after the end of every block, so that short copies need no care.
inline constexpr size_t kBlockPadding = 16;

class HeapBlock {
 public:
  // With room for `capacity` bytes and kBlockPadding more, and one count. Null when
  // memory is exhausted.
  static HeapBlock* Allocate(size_t capacity) { return New(capacity, /*large=*/false); }
  // The same for keys and values. A large block gains nothing from huge pages, and two of them
  // would waste much of each: it comes from malloc().
  static HeapBlock* AllocateData(size_t capacity) {
    return New(capacity, /*large=*/capacity > kDataBytesInHeap);
  }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  const char* data() const { return reinterpret_cast<const char*>(this + 1); }
  size_t size() const { return size_; }
  Slice bytes() const { return Slice(data(), size_); }
  // At most the capacity; before the block is shared.
  void set_size(size_t size) { size_ = size; }
  const BlockLayout& layout() const { return layout_; }
  // Finds the parts of a block of keys and values. False when it is damaged.
  bool ParseLayout() { return ParseBlockLayout(bytes(), &layout_); }
  // A checksum of the bytes as they were when they went into the cache; 0: none was taken.
  uint32_t check() const { return check_; }
  void set_check(uint32_t check) { check_ = check; }
  // With the index of entries, once it is there; without the cache's entry, which that counts.
  size_t memory_bytes() const;
  // Memory for the cache's entry of this block.
  void* cache_place() { return cache_entry_; }

  // The index of the block's entries; null until somebody set one.
  const EntryIndex* entries() const { return entries_.load(std::memory_order_acquire); }
  // Counts searches of the block while it has no index. True: this one should make it.
  bool NoteSearch() {
    const uint8_t searches = searches_.load(std::memory_order_relaxed);
    if (SKARN_LIKELY(searches > kSearchesBeforeIndex)) return false;
    searches_.store(static_cast<uint8_t>(searches + 1), std::memory_order_relaxed);
    return searches == kSearchesBeforeIndex;
  }
  // False, and `index` is freed, when there is one already.
  bool SetEntries(EntryIndex* index);

  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref();
  // For the cache, which owns one count.
  static void Delete(void* object) { static_cast<HeapBlock*>(object)->Unref(); }

 private:
  static constexpr size_t kDataBytesInHeap = 640 << 10;

  HeapBlock() = default;
  static HeapBlock* New(size_t capacity, bool large);
  static size_t BytesFor(size_t capacity) { return sizeof(HeapBlock) + capacity + kBlockPadding; }

  // An index pays when the block is searched again and again.
  static constexpr uint8_t kSearchesBeforeIndex = 1;

  // The cache's, which is next to what a lookup reads after it.
  alignas(Cache::Handle) unsigned char cache_entry_[sizeof(Cache::Handle)];
  std::atomic<EntryIndex*> entries_{nullptr};  // Set once, by any reader.
  size_t size_ = 0;
  std::atomic<uint32_t> refs_{1};
  std::atomic<uint8_t> searches_{0};  // Relaxed: about how many is enough.
  bool large_ = false;                // Of malloc().
  uint32_t check_ = 0;
  size_t capacity_ = 0;
  BlockLayout layout_;
};

// Something that mapped bytes live in: counted, so that pins outlive the table's reader.
class MappingOwner {
 public:
  void Ref() { refs_.fetch_add(1, std::memory_order_relaxed); }
  void Unref() {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 protected:
  MappingOwner() = default;
  virtual ~MappingOwner() = default;

 private:
  std::atomic<uint32_t> refs_{1};
};

class BlockRef {
 public:
  BlockRef() = default;
  BlockRef(BlockRef&& other) noexcept { *this = std::move(other); }
  BlockRef& operator=(BlockRef&& other) noexcept {
    if (this == &other) return *this;
    Reset();
    data_ = other.data_;
    size_ = other.size_;
    layout_ = other.layout_;
    owner_ = other.owner_;
    cache_ = other.cache_;
    kind_ = std::exchange(other.kind_, Kind::kNone);
    return *this;
  }
  ~BlockRef() { Reset(); }

  // Takes over the pin of `handle`, whose object is a HeapBlock.
  void SetCached(Cache* cache, Cache::Handle* handle, const HeapBlock* block) {
    Set(block->data(), block->size(), block->layout(), handle, Kind::kCached);
    cache_ = cache;
  }
  // Takes over one count.
  void SetHeap(HeapBlock* block) {
    Set(block->data(), block->size(), block->layout(), block, Kind::kHeap);
  }
  // Bytes of a mapping; `owner` is counted only when somebody asks for a pin.
  void SetMapped(Slice bytes, const BlockLayout& layout, MappingOwner* owner) {
    Set(bytes.data(), bytes.size(), layout, owner, Kind::kMapped);
  }
  void Reset() {
    if (kind_ != Kind::kNone) ResetHeld();
  }

  bool held() const { return kind_ != Kind::kNone; }
  bool mapped() const { return kind_ == Kind::kMapped; }
  // Gives up the count on a heap block; null, and nothing changed, for other kinds.
  HeapBlock* TakeHeap() {
    if (kind_ != Kind::kHeap) return nullptr;
    kind_ = Kind::kNone;
    return static_cast<HeapBlock*>(owner_);
  }
  // The block behind a cached or uncached hold; null for mapped bytes.
  HeapBlock* heap() const {
    if (kind_ != Kind::kCached && kind_ != Kind::kHeap) return nullptr;
    return reinterpret_cast<HeapBlock*>(const_cast<char*>(data_)) - 1;
  }
  // The cache's entry, when that is what is held.
  Cache::Handle* cache_handle() const {
    return kind_ == Kind::kCached ? static_cast<Cache::Handle*>(owner_) : nullptr;
  }
  const char* data() const { return data_; }
  size_t size() const { return size_; }
  Slice bytes() const { return Slice(data_, size_); }
  const BlockLayout& layout() const { return layout_; }

  // A further hold on the block's memory. Precondition: held().
  void AcquirePin(Pin* pin) const;
  // For sinks: AcquirePin() of this object, which must outlive the source.
  PinSource pin_source() const {
    PinSource source;
    source.acquire = [](const PinSource& self, Pin* pin) {
      static_cast<const BlockRef*>(self.object)->AcquirePin(pin);
      return true;
    };
    source.object = const_cast<BlockRef*>(this);
    return source;
  }

 private:
  enum class Kind : uint8_t { kNone, kCached, kHeap, kMapped };
  void Set(const char* data, size_t size, const BlockLayout& layout, void* owner, Kind kind) {
    Reset();
    data_ = data;
    size_ = size;
    layout_ = layout;
    owner_ = owner;
    kind_ = kind;
  }
  void ResetHeld();

  const char* data_ = nullptr;
  size_t size_ = 0;
  BlockLayout layout_;
  void* owner_ = nullptr;   // Cache::Handle, HeapBlock or MappingOwner, by kind_.
  Cache* cache_ = nullptr;  // With kCached.
  Kind kind_ = Kind::kNone;
};

// A hold on an object of type T that is in the cache, owned, or borrowed from something
// that outlives this.
template <typename T>
class ObjectRef {
 public:
  ObjectRef() = default;
  ObjectRef(ObjectRef&& other) noexcept { *this = std::move(other); }
  ObjectRef& operator=(ObjectRef&& other) noexcept {
    if (this == &other) return *this;
    Reset();
    object_ = std::exchange(other.object_, nullptr);
    cache_ = other.cache_;
    handle_ = std::exchange(other.handle_, nullptr);
    owned_ = std::exchange(other.owned_, false);
    return *this;
  }
  ~ObjectRef() { Reset(); }

  void SetCached(Cache* cache, Cache::Handle* handle) {
    Reset();
    cache_ = cache;
    handle_ = handle;
    object_ = static_cast<T*>(cache->Value(handle));
  }
  void SetOwned(T* object) {
    Reset();
    object_ = object;
    owned_ = true;
  }
  void SetBorrowed(T* object) {
    Reset();
    object_ = object;
  }
  void Reset() {
    if (handle_ != nullptr) {
      cache_->Release(std::exchange(handle_, nullptr));
    } else if (owned_) {
      delete object_;
    }
    owned_ = false;
    object_ = nullptr;
  }

  T* get() const { return object_; }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  T* object_ = nullptr;
  Cache* cache_ = nullptr;
  Cache::Handle* handle_ = nullptr;
  bool owned_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_H_
