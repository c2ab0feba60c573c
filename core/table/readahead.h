// Readahead is a cursor's view of its file: a buffer of bytes that lie ahead, filled with
// larger and larger reads while blocks are read one after the other.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_READAHEAD_H_
#define SKARN_CORE_TABLE_READAHEAD_H_

#include <cstdint>
#include <memory>

#include "core/base/slice.h"
#include "core/base/status.h"

namespace skarn {

class TableFile;
class TableRead;

class Readahead {
 public:
  struct Settings {
    size_t fixed_bytes = 0;       // Not 0: always this far, from the first read on.
    size_t initial_bytes = 8192;  // Else begin with this,
    size_t bytes_max = 262144;    // double up to this; 0: never,
    uint64_t reads_before = 2;    // after so many reads in sequence.
    // With a mapping: what was passed need not stay in this process's memory.
    bool releases_passed = false;
  };

  Readahead() = default;
  explicit Readahead(const Settings& settings)
      : settings_(settings), ahead_bytes_(settings.initial_bytes) {}

  // `*result` is the range, in the buffer; empty when it should be read alone.
  Status Read(TableRead* read, TableFile* file, uint64_t offset, size_t size, Slice* result);
  // A block of the sequence came from a cache: it counts, too.
  void Touch(uint64_t offset, size_t size) { (void)Advance(offset, size); }
  // For mapped files: asks the system for what a buffer would hold.
  void HintMapped(TableFile* file, uint64_t offset, size_t size);

  // Bytes that were read in another way; `bytes` must outlive the use.
  void Seed(uint64_t offset, Slice bytes) {
    start_ = offset;
    view_ = bytes;
  }

 private:
  // Notes an access and returns how many bytes to read from `offset`; 0: no more than asked.
  size_t Advance(uint64_t offset, size_t size);

  Settings settings_;
  uint64_t expected_ = UINT64_MAX;  // Where the next block of the sequence begins.
  uint64_t sequential_ = 0;         // Blocks in sequence so far.
  size_t ahead_bytes_ = 0;

  uint64_t start_ = 0;  // What view_ holds begins here.
  Slice view_;
  std::unique_ptr<char[]> buffer_;
  size_t capacity_ = 0;
  uint64_t hinted_ = 0;    // With a mapping: up to where was asked for,
  uint64_t released_ = 0;  // and up to where was let go.
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_READAHEAD_H_
