// Keys are mostly 8 to 32 bytes long: comparing and keeping such few bytes without a
// call.
//
// Thread safety: pure functions; KeyBuffer one thread at a time.

#ifndef SKARN_CORE_KEY_KEY_BYTES_H_
#define SKARN_CORE_KEY_KEY_BYTES_H_

#include <cstdint>
#include <cstring>
#include <memory>

#include "core/base/coding.h"
#include "core/base/cpu.h"
#include "core/base/slice.h"

namespace skarn {

// Whether two runs of `size` bytes are the same.
inline bool SameBytes(const char* a, const char* b, size_t size) {
  if (SKARN_LIKELY(size - 8 <= 8)) {
    // Two words that may overlap. Keys differ at the end more often than at the start.
    return DecodeFixed64(a + size - 8) == DecodeFixed64(b + size - 8) &&
           DecodeFixed64(a) == DecodeFixed64(b);
  }
  return memcmp(a, b, size) == 0;
}
inline bool SameBytes(Slice a, Slice b) {
  return a.size() == b.size() && SameBytes(a.data(), b.data(), a.size());
}

// Copies `size` bytes.
inline void CopyKeyBytes(char* to, const char* from, size_t size) {
  if (SKARN_LIKELY(size - 8 <= 8)) {
    const uint64_t head = DecodeFixed64(from);
    const uint64_t tail = DecodeFixed64(from + size - 8);
    EncodeFixed64(to, head);
    EncodeFixed64(to + size - 8, tail);
  } else if (size - 17 <= 15) {
    memcpy(to, from, 16);
    char tail[16];
    memcpy(tail, from + size - 16, 16);
    memcpy(to + size - 16, tail, 16);
  } else if (size != 0) {
    memcpy(to, from, size);
  }
}

// A key of one's own.
class KeyBuffer {
 public:
  KeyBuffer() = default;
  KeyBuffer(const KeyBuffer&) = delete;
  KeyBuffer& operator=(const KeyBuffer&) = delete;

  Slice slice() const { return Slice(data_, size_); }
  bool empty() const { return size_ == 0; }
  void Clear() { size_ = 0; }
  // `key` must not point into this buffer.
  void Assign(Slice key) {
    if (SKARN_UNLIKELY(key.size() > capacity_)) Grow(key.size());
    size_ = key.size();
    CopyKeyBytes(data_, key.data(), size_);
  }

 private:
  [[gnu::noinline]] void Grow(size_t size) {
    capacity_ = size * 2;
    heap_ = std::make_unique<char[]>(capacity_);
    data_ = heap_.get();
  }

  static constexpr size_t kInline = 64;
  char* data_ = inline_;
  size_t size_ = 0;
  size_t capacity_ = kInline;
  char inline_[kInline];
  std::unique_ptr<char[]> heap_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_KEY_BYTES_H_
