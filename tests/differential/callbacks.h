// The comparators, merge operators, compaction filters and slice transforms that the differential
// test hands to both libraries: plain C functions, the same for both sides.
//
// Thread safety: the functions keep no state and may be called from any thread.

#ifndef SKARN_TESTS_DIFFERENTIAL_CALLBACKS_H_
#define SKARN_TESTS_DIFFERENTIAL_CALLBACKS_H_

#include <string>
#include <string_view>

#include "api.h"

namespace differential {

enum class KeyOrder { kBytewise, kReverse, kLengthFirst, kTimestamped };
enum class MergeKind { kNone, kAppend, kAdd };
enum class FilterKind { kNone, kDropMarked, kChangeMarked, kFactory };
enum class PrefixKind { kNone, kFixed, kCustom };

inline constexpr size_t kTimestampSize = 8;
inline constexpr size_t kFixedPrefixSize = 3;

// Each returns null for the kind that is the library's default or is set by a call of its own.
rocksdb_comparator_t* NewComparator(const Api& api, KeyOrder order);
rocksdb_mergeoperator_t* NewMergeOperator(const Api& api, MergeKind kind);
rocksdb_compactionfilter_t* NewFilter(const Api& api, FilterKind kind);
rocksdb_compactionfilterfactory_t* NewFilterFactory(const Api& api, FilterKind kind);
rocksdb_slicetransform_t* NewPrefix(const Api& api, PrefixKind kind);

// The prefix of `key`, and whether it has one.
bool PrefixOf(PrefixKind kind, std::string_view key, std::string* prefix);

// <0, 0, >0 as the comparator of `order` answers for two keys without timestamps.
int CompareKeys(KeyOrder order, std::string_view left, std::string_view right);

// 8 bytes, little-endian.
std::string EncodeTimestamp(uint64_t timestamp);

// A merge operand that holds this makes the append operator fail.
inline constexpr char kFailMark[] = "!FAIL!";
// A value that begins with this is what the compaction filters act on.
inline constexpr char kFilterMark[] = "~";

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_CALLBACKS_H_
