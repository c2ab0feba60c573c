#include "core/options/option_text.h"

namespace skarn {
namespace {

template <typename Enum>
const char* FindName(const EnumName<Enum>* names, Enum value) {
  for (; names->name != nullptr; names++) {
    if (names->value == value) return names->name;
  }
  return nullptr;
}

template <typename Enum>
bool FindValue(const EnumName<Enum>* names, Slice text, Enum* value) {
  for (; names->name != nullptr; names++) {
    if (text != Slice(names->name)) continue;
    *value = names->value;
    return true;
  }
  return false;
}

template <typename Enum>
void PrintEnum(const EnumName<Enum>* names, Enum value, std::string* out) {
  const char* name = FindName(names, value);
  // A number that has no name came from a caller; files show it as it is.
  out->append(name != nullptr ? name : std::to_string(static_cast<int>(value)));
}

}  // namespace

// Two families of enumerations differ in how a wrong name is reported.
#define SKARN_DEFINE_ENUM(Enum, table, message)                                   \
  const char* NameOf(Enum value) { return FindName(table, value); }               \
  void PrintValue(Enum value, std::string* out) { PrintEnum(table, value, out); } \
  Status ParseValue(const OptionReading&, Slice name, Slice text, Enum* value) {  \
    if (FindValue(table, text, value)) return Status::Ok();                       \
    return Status::InvalidArgument(message, name);                                \
  }
#define SKARN_BASIC_ENUM(Enum, table) SKARN_DEFINE_ENUM(Enum, table, "Error parsing:")
#define SKARN_MAPPED_ENUM(Enum, table) SKARN_DEFINE_ENUM(Enum, table, "No mapping for enum ")

namespace {

constexpr EnumName<CompressionType> kCompressionTypes[] = {
    {CompressionType::kNone, "kNoCompression"},
    {CompressionType::kSnappy, "kSnappyCompression"},
    {CompressionType::kZlib, "kZlibCompression"},
    {CompressionType::kBZip2, "kBZip2Compression"},
    {CompressionType::kLz4, "kLZ4Compression"},
    {CompressionType::kLz4hc, "kLZ4HCCompression"},
    {CompressionType::kXpress, "kXpressCompression"},
    {CompressionType::kZstd, "kZSTD"},
    {CompressionType::kZstdNotFinal, "kZSTDNotFinalCompression"},
    {CompressionType::kDisable, "kDisableCompressionOption"},
    {CompressionType::kNone, nullptr}};

constexpr EnumName<ChecksumType> kChecksumTypes[] = {
    {ChecksumType::kNone, "kNoChecksum"}, {ChecksumType::kCrc32c, "kCRC32c"},
    {ChecksumType::kXxHash, "kxxHash"},   {ChecksumType::kXxHash64, "kxxHash64"},
    {ChecksumType::kXxh3, "kXXH3"},       {ChecksumType::kNone, nullptr}};

constexpr EnumName<CompactionStyle> kCompactionStyles[] = {
    {CompactionStyle::kLevel, "kCompactionStyleLevel"},
    {CompactionStyle::kUniversal, "kCompactionStyleUniversal"},
    {CompactionStyle::kFIFO, "kCompactionStyleFIFO"},
    {CompactionStyle::kNone, "kCompactionStyleNone"},
    {CompactionStyle::kNone, nullptr}};

constexpr EnumName<CompactionPri> kCompactionPris[] = {
    {CompactionPri::kByCompensatedSize, "kByCompensatedSize"},
    {CompactionPri::kOldestLargestSeqFirst, "kOldestLargestSeqFirst"},
    {CompactionPri::kOldestSmallestSeqFirst, "kOldestSmallestSeqFirst"},
    {CompactionPri::kMinOverlappingRatio, "kMinOverlappingRatio"},
    {CompactionPri::kRoundRobin, "kRoundRobin"},
    {CompactionPri::kRoundRobin, nullptr}};

constexpr EnumName<CompactionStopStyle> kStopStyles[] = {
    {CompactionStopStyle::kSimilarSize, "kCompactionStopStyleSimilarSize"},
    {CompactionStopStyle::kTotalSize, "kCompactionStopStyleTotalSize"},
    {CompactionStopStyle::kTotalSize, nullptr}};

constexpr EnumName<Temperature> kTemperatures[] = {
    {Temperature::kUnknown, "kUnknown"}, {Temperature::kHot, "kHot"},
    {Temperature::kWarm, "kWarm"},       {Temperature::kCool, "kCool"},
    {Temperature::kCold, "kCold"},       {Temperature::kIce, "kIce"},
    {Temperature::kUnknown, nullptr}};

constexpr EnumName<WalRecoveryMode> kWalRecoveryModes[] = {
    {WalRecoveryMode::kTolerateCorruptedTailRecords, "kTolerateCorruptedTailRecords"},
    {WalRecoveryMode::kAbsoluteConsistency, "kAbsoluteConsistency"},
    {WalRecoveryMode::kPointInTimeRecovery, "kPointInTimeRecovery"},
    {WalRecoveryMode::kSkipAnyCorruptedRecords, "kSkipAnyCorruptedRecords"},
    {WalRecoveryMode::kSkipAnyCorruptedRecords, nullptr}};

constexpr EnumName<LogLevel> kLogLevels[] = {
    {LogLevel::kDebug, "DEBUG_LEVEL"}, {LogLevel::kInfo, "INFO_LEVEL"},
    {LogLevel::kWarn, "WARN_LEVEL"},   {LogLevel::kError, "ERROR_LEVEL"},
    {LogLevel::kFatal, "FATAL_LEVEL"}, {LogLevel::kHeader, "HEADER_LEVEL"},
    {LogLevel::kHeader, nullptr}};

constexpr EnumName<CacheTier> kCacheTiers[] = {
    {CacheTier::kVolatileTier, "kVolatileTier"},
    {CacheTier::kVolatileCompressedTier, "kVolatileCompressedTier"},
    {CacheTier::kNonVolatileBlockTier, "kNonVolatileBlockTier"},
    {CacheTier::kVolatileTier, nullptr}};

constexpr EnumName<IndexType> kIndexTypes[] = {
    {IndexType::kBinarySearch, "kBinarySearch"},
    {IndexType::kHashSearch, "kHashSearch"},
    {IndexType::kTwoLevelIndexSearch, "kTwoLevelIndexSearch"},
    {IndexType::kBinarySearchWithFirstKey, "kBinarySearchWithFirstKey"},
    {IndexType::kBinarySearch, nullptr}};

constexpr EnumName<DataBlockIndexType> kDataBlockIndexTypes[] = {
    {DataBlockIndexType::kBinarySearch, "kDataBlockBinarySearch"},
    {DataBlockIndexType::kBinaryAndHash, "kDataBlockBinaryAndHash"},
    {DataBlockIndexType::kBinarySearch, nullptr}};

constexpr EnumName<IndexBlockSearchType> kIndexBlockSearchTypes[] = {
    {IndexBlockSearchType::kBinary, "kBinary"},
    {IndexBlockSearchType::kInterpolation, "kInterpolation"},
    {IndexBlockSearchType::kAuto, "kAuto"},
    {IndexBlockSearchType::kBinary, nullptr}};

constexpr EnumName<IndexShortening> kIndexShortenings[] = {
    {IndexShortening::kNoShortening, "kNoShortening"},
    {IndexShortening::kShortenSeparators, "kShortenSeparators"},
    {IndexShortening::kShortenSeparatorsAndSuccessor, "kShortenSeparatorsAndSuccessor"},
    {IndexShortening::kNoShortening, nullptr}};

constexpr EnumName<PrepopulateBlockCache> kPrepopulateBlockCaches[] = {
    {PrepopulateBlockCache::kDisable, "kDisable"},
    {PrepopulateBlockCache::kFlushOnly, "kFlushOnly"},
    {PrepopulateBlockCache::kFlushAndCompaction, "kFlushAndCompaction"},
    {PrepopulateBlockCache::kDisable, nullptr}};

constexpr EnumName<PrepopulateBlobCache> kPrepopulateBlobCaches[] = {
    {PrepopulateBlobCache::kDisable, "kDisable"},
    {PrepopulateBlobCache::kFlushOnly, "kFlushOnly"},
    {PrepopulateBlobCache::kDisable, nullptr}};

constexpr EnumName<PinningTier> kPinningTiers[] = {
    {PinningTier::kFallback, "kFallback"},
    {PinningTier::kNone, "kNone"},
    {PinningTier::kFlushedAndSimilar, "kFlushedAndSimilar"},
    {PinningTier::kAll, "kAll"},
    {PinningTier::kAll, nullptr}};

constexpr EnumName<PlainTableEncoding> kPlainTableEncodings[] = {
    {PlainTableEncoding::kPlain, "kPlain"},
    {PlainTableEncoding::kPrefix, "kPrefix"},
    {PlainTableEncoding::kPlain, nullptr}};

}  // namespace

SKARN_BASIC_ENUM(CompressionType, kCompressionTypes)
SKARN_BASIC_ENUM(ChecksumType, kChecksumTypes)
SKARN_BASIC_ENUM(CompactionStyle, kCompactionStyles)
SKARN_BASIC_ENUM(CompactionPri, kCompactionPris)
SKARN_BASIC_ENUM(CompactionStopStyle, kStopStyles)
SKARN_BASIC_ENUM(Temperature, kTemperatures)
SKARN_BASIC_ENUM(PlainTableEncoding, kPlainTableEncodings)
SKARN_MAPPED_ENUM(WalRecoveryMode, kWalRecoveryModes)
SKARN_MAPPED_ENUM(LogLevel, kLogLevels)
SKARN_MAPPED_ENUM(CacheTier, kCacheTiers)
SKARN_MAPPED_ENUM(IndexType, kIndexTypes)
SKARN_MAPPED_ENUM(DataBlockIndexType, kDataBlockIndexTypes)
SKARN_MAPPED_ENUM(IndexBlockSearchType, kIndexBlockSearchTypes)
SKARN_MAPPED_ENUM(IndexShortening, kIndexShortenings)
SKARN_MAPPED_ENUM(PrepopulateBlockCache, kPrepopulateBlockCaches)
SKARN_MAPPED_ENUM(PrepopulateBlobCache, kPrepopulateBlobCaches)
SKARN_MAPPED_ENUM(PinningTier, kPinningTiers)

}  // namespace skarn
