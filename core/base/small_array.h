// SmallArray is an array whose size is known when it is made: in place up to kInline
// elements, from the heap beyond.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_BASE_SMALL_ARRAY_H_
#define SKARN_CORE_BASE_SMALL_ARRAY_H_

#include <cstddef>
#include <memory>
#include <new>

#include "core/base/cpu.h"

namespace skarn {

template <typename T, size_t kInline>
class SmallArray {
 public:
  // Elements are default-constructed.
  explicit SmallArray(size_t size) : size_(size) {
    if (SKARN_UNLIKELY(size > kInline)) {
      heap_.reset(new T[size]);
      data_ = heap_.get();
    } else {
      data_ = reinterpret_cast<T*>(inline_);
      for (size_t i = 0; i < size; ++i) new (data_ + i) T;
    }
  }
  ~SmallArray() {
    if (heap_ != nullptr) return;
    for (size_t i = 0; i < size_; ++i) data_[i].~T();
  }
  SmallArray(const SmallArray&) = delete;
  SmallArray& operator=(const SmallArray&) = delete;

  size_t size() const { return size_; }
  T* data() { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  const size_t size_;
  T* data_;
  std::unique_ptr<T[]> heap_;
  alignas(T) unsigned char inline_[kInline * sizeof(T)];
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_SMALL_ARRAY_H_
