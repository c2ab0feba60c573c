// The enumerations that options use, with the numbers that files and the C API give them.
//
// CompressionType and ChecksumType belong to core/base, LogLevel and IoPriority to
// core/env; they are included here.
//
// The names in option strings and OPTIONS files are in option_text.h.
//
// Thread safety: plain values.

#ifndef SKARN_CORE_OPTIONS_OPTION_ENUMS_H_
#define SKARN_CORE_OPTIONS_OPTION_ENUMS_H_

#include <cstdint>

#include "core/base/checksum.h"
#include "core/base/codec.h"
#include "core/env/logger.h"
#include "core/env/rate_limiter.h"

namespace skarn {

enum class CompactionStyle : uint8_t { kLevel = 0, kUniversal = 1, kFIFO = 2, kNone = 3 };

enum class CompactionPri : uint8_t {
  kByCompensatedSize = 0,
  kOldestLargestSeqFirst = 1,
  kOldestSmallestSeqFirst = 2,
  kMinOverlappingRatio = 3,
  kRoundRobin = 4,
};

enum class CompactionStopStyle : uint8_t { kSimilarSize = 0, kTotalSize = 1 };

// Stored in MANIFEST records.
enum class Temperature : uint8_t {
  kUnknown = 0,
  kHot = 0x04,
  kWarm = 0x08,
  kCool = 0x0A,
  kCold = 0x0C,
  kIce = 0x10,
};

enum class WalRecoveryMode : uint8_t {
  kTolerateCorruptedTailRecords = 0,
  kAbsoluteConsistency = 1,
  kPointInTimeRecovery = 2,
  kSkipAnyCorruptedRecords = 3,
};

enum class CacheTier : uint8_t {
  kVolatileTier = 0,
  kVolatileCompressedTier = 1,
  kNonVolatileBlockTier = 2,
};

// The property rocksdb.block.based.table.index.type. Stored on disk.
enum class IndexType : uint8_t {
  kBinarySearch = 0,
  kHashSearch = 1,
  kTwoLevelIndexSearch = 2,
  kBinarySearchWithFirstKey = 3,
};

enum class DataBlockIndexType : uint8_t { kBinarySearch = 0, kBinaryAndHash = 1 };

enum class IndexBlockSearchType : uint8_t { kBinary = 0, kInterpolation = 1, kAuto = 2 };

enum class IndexShortening : uint8_t {
  kNoShortening = 0,
  kShortenSeparators = 1,
  kShortenSeparatorsAndSuccessor = 2,
};

enum class PrepopulateBlockCache : uint8_t {
  kDisable = 0,
  kFlushOnly = 1,
  kFlushAndCompaction = 2,
};

enum class PrepopulateBlobCache : uint8_t { kDisable = 0, kFlushOnly = 1 };

enum class PinningTier : uint8_t { kFallback = 0, kNone = 1, kFlushedAndSimilar = 2, kAll = 3 };

enum class PlainTableEncoding : uint8_t { kPlain = 0, kPrefix = 1 };

// What a read may touch.
enum class ReadTier : uint8_t {
  kReadAll = 0,     // Memtables, cache and files.
  kBlockCache = 1,  // Only what needs no I/O; else Incomplete.
  kPersisted = 2,   // Skips memtables whose data is in no WAL.
  kMemtable = 3,    // Memtables alone.
};

enum class BottommostLevelCompaction : uint8_t {
  kSkip = 0,
  kIfHaveCompactionFilter = 1,
  kForce = 2,
  kForceOptimized = 3,
};

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_ENUMS_H_
