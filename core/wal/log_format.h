// The frame of log files: WALs and MANIFESTs.
//
// A file is a sequence of blocks of 32 KiB. A block holds physical records, which never
// cross its end; what a caller wrote as one record may be split over many of them.
//
//   offset  bytes  field
//   0       4      checksum    masked CRC-32C of the bytes from `type` to the payload's end
//   4       2      length      of the payload
//   6       1      type        LogRecordType
//   7       4      log number  low 32 bits; only in recyclable types
//   7 / 11  n      payload
//
// Numbers are little-endian. A block's last bytes are zeroes when no header fits.
// docs/formats/wal.md has the rest.

#ifndef SKARN_CORE_WAL_LOG_FORMAT_H_
#define SKARN_CORE_WAL_LOG_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <limits>

namespace skarn {

inline constexpr size_t kLogBlockSize = 32768;
inline constexpr size_t kLogHeaderSize = 4 + 2 + 1;
inline constexpr size_t kRecyclableLogHeaderSize = kLogHeaderSize + 4;
static_assert(kLogBlockSize - kLogHeaderSize <= std::numeric_limits<uint16_t>::max(),
              "a payload that fills a block must fit the length field");

// Stored on disk: never renumber, never reuse. From 10 on the low bit says "recyclable";
// readers skip types they do not know when bit 7 is set. 132 to 138 must never be
// written: some readers use these numbers for their own purposes.
enum class LogRecordType : uint8_t {
  kZero = 0,  // Space that was never written.
  kFull = 1,
  kFirst = 2,
  kMiddle = 3,
  kLast = 4,
  kRecyclableFull = 5,
  kRecyclableFirst = 6,
  kRecyclableMiddle = 7,
  kRecyclableLast = 8,
  kSetCompression = 9,  // Never with the recyclable header.
  kTimestampSizes = 10,
  kRecyclableTimestampSizes = 11,
  kPredecessor = 130,
  kRecyclablePredecessor = 131,
};
inline constexpr uint8_t kLogTypeSkippable = 0x80;

inline constexpr bool IsRecyclableLogType(uint8_t type) {
  return (type >= 5 && type <= 8) || type == 11 || type == 131;
}

// Payload of kTimestampSizes: entries of fixed32 column family id, fixed16 size.
inline constexpr size_t kTimestampSizeEntry = 4 + 2;
// Payload of kPredecessor: fixed64 log number, fixed64 size, fixed64 last sequence.
inline constexpr size_t kPredecessorSize = 3 * 8;

}  // namespace skarn

#endif  // SKARN_CORE_WAL_LOG_FORMAT_H_
