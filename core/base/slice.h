// Slice is a borrowed run of bytes: a pointer and a length, owning nothing.
//
// It stays valid only as long as the memory it points at. Bytes compare as
// unsigned characters, a proper prefix first.
//
// Thread safety: a plain value.

#ifndef SKARN_CORE_BASE_SLICE_H_
#define SKARN_CORE_BASE_SLICE_H_

#include <cassert>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace skarn {

class Slice {
 public:
  constexpr Slice() = default;
  constexpr Slice(const char* data, size_t size) : data_(data), size_(size) {}
  Slice(const std::string& text) : data_(text.data()), size_(text.size()) {}          // NOLINT
  constexpr Slice(std::string_view text) : data_(text.data()), size_(text.size()) {}  // NOLINT
  constexpr Slice(const char* text)                                                   // NOLINT
      : data_(text), size_(std::char_traits<char>::length(text)) {}

  constexpr const char* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const char* begin() const { return data_; }
  constexpr const char* end() const { return data_ + size_; }

  char operator[](size_t index) const {
    assert(index < size_);
    return data_[index];
  }

  void RemovePrefix(size_t count) {
    assert(count <= size_);
    data_ += count;
    size_ -= count;
  }
  void RemoveSuffix(size_t count) {
    assert(count <= size_);
    size_ -= count;
  }

  bool StartsWith(Slice prefix) const {
    return size_ >= prefix.size_ && memcmp(data_, prefix.data_, prefix.size_) == 0;
  }
  bool EndsWith(Slice suffix) const {
    return size_ >= suffix.size_ &&
           memcmp(data_ + size_ - suffix.size_, suffix.data_, suffix.size_) == 0;
  }

  // Negative, zero or positive as this slice sorts before, with or after `other`.
  int Compare(Slice other) const {
    const size_t common = size_ < other.size_ ? size_ : other.size_;
    const int order = common == 0 ? 0 : memcmp(data_, other.data_, common);
    if (order != 0) return order;
    return size_ < other.size_ ? -1 : (size_ > other.size_ ? 1 : 0);
  }

  std::string ToString() const { return std::string(data_, size_); }
  // Upper-case hexadecimal digits, two a byte.
  std::string ToHex() const;
  constexpr std::string_view view() const { return std::string_view(data_, size_); }

 private:
  const char* data_ = "";
  size_t size_ = 0;
};

inline bool operator==(Slice a, Slice b) {
  return a.size() == b.size() && (a.size() == 0 || memcmp(a.data(), b.data(), a.size()) == 0);
}
inline bool operator!=(Slice a, Slice b) { return !(a == b); }
inline bool operator<(Slice a, Slice b) { return a.Compare(b) < 0; }

}  // namespace skarn

#endif  // SKARN_CORE_BASE_SLICE_H_
