// What fuzz targets share: a check that ends the program, and a reader that takes choices from
// the front of the input.

#ifndef SKARN_TESTS_FUZZ_FUZZ_H_
#define SKARN_TESTS_FUZZ_FUZZ_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/base/slice.h"

namespace skarn {

inline void Require(bool condition) {
  if (!condition) abort();
}

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : rest_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const { return rest_.empty(); }
  Slice rest() const { return rest_; }
  // 0 when there is no more.
  uint8_t Byte() {
    if (rest_.empty()) return 0;
    const auto byte = static_cast<uint8_t>(rest_[0]);
    rest_.RemovePrefix(1);
    return byte;
  }
  uint32_t Below(uint32_t limit) { return (Byte() | uint32_t{Byte()} << 8) % limit; }
  // At most `max` bytes; their number comes from the input.
  Slice Bytes(size_t max) {
    const size_t wanted = Byte() % (max + 1);
    const Slice bytes(rest_.data(), wanted < rest_.size() ? wanted : rest_.size());
    rest_.RemovePrefix(bytes.size());
    return bytes;
  }
  // The rest as pieces: two bytes of length, then so many bytes.
  std::vector<Slice> Pieces() {
    std::vector<Slice> pieces;
    while (rest_.size() > 2) {
      const size_t wanted = Byte() | size_t{Byte()} << 8;
      const Slice piece(rest_.data(), wanted < rest_.size() ? wanted : rest_.size());
      rest_.RemovePrefix(piece.size());
      pieces.push_back(piece);
    }
    return pieces;
  }

 private:
  Slice rest_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_FUZZ_FUZZ_H_
