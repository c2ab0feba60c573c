#include "callbacks.h"

#include <cstdlib>
#include <cstring>

namespace differential {
namespace {

void Nothing(void*) {}

std::string_view View(const char* data, size_t size) { return {data, size}; }

char* Copy(const std::string& bytes, size_t* size) {
  char* copy = static_cast<char*>(malloc(bytes.size() + 1));
  memcpy(copy, bytes.data(), bytes.size());
  *size = bytes.size();
  return copy;
}

int CompareReverse(void*, const char* a, size_t alen, const char* b, size_t blen) {
  return View(b, blen).compare(View(a, alen));
}

int CompareLengthFirst(void*, const char* a, size_t alen, const char* b, size_t blen) {
  if (alen != blen) return alen < blen ? -1 : 1;
  return memcmp(a, b, alen);
}

uint64_t DecodeTimestamp(const char* bytes) {
  uint64_t value;
  memcpy(&value, bytes, sizeof(value));
  return value;
}

int CompareTimestamps(void*, const char* a, size_t, const char* b, size_t) {
  const uint64_t left = DecodeTimestamp(a);
  const uint64_t right = DecodeTimestamp(b);
  return left < right ? -1 : left > right ? 1 : 0;
}

int CompareWithoutTimestamp(void*, const char* a, size_t alen, unsigned char a_has_ts,
                            const char* b, size_t blen, unsigned char b_has_ts) {
  return View(a, alen - (a_has_ts ? kTimestampSize : 0))
      .compare(View(b, blen - (b_has_ts ? kTimestampSize : 0)));
}

// Newer timestamps sort first.
int CompareTimestamped(void* state, const char* a, size_t alen, const char* b, size_t blen) {
  const int order = CompareWithoutTimestamp(state, a, alen, 1, b, blen, 1);
  if (order != 0) return order;
  return -CompareTimestamps(state, a + alen - kTimestampSize, kTimestampSize,
                            b + blen - kTimestampSize, kTimestampSize);
}

const char* ReverseName(void*) { return "differential.reverse"; }
const char* LengthFirstName(void*) { return "differential.length_first"; }
const char* TimestampedName(void*) { return "differential.timestamped"; }

// Joins everything with commas. Fails when an operand says so.
char* AppendFull(void*, const char*, size_t, const char* existing, size_t existing_size,
                 const char* const* operands, const size_t* sizes, int count,
                 unsigned char* success, size_t* new_size) {
  std::string result;
  if (existing != nullptr) result.assign(existing, existing_size);
  for (int i = 0; i < count; i++) {
    const std::string_view operand = View(operands[i], sizes[i]);
    if (operand.find(kFailMark) != std::string_view::npos) {
      *success = 0;
      *new_size = 0;
      return nullptr;
    }
    if (existing != nullptr || i > 0) result += ',';
    result += operand;
  }
  *success = 1;
  return Copy(result, new_size);
}

char* AppendPartial(void*, const char*, size_t, const char* const* operands, const size_t* sizes,
                    int count, unsigned char* success, size_t* new_size) {
  std::string result;
  for (int i = 0; i < count; i++) {
    if (i > 0) result += ',';
    result += View(operands[i], sizes[i]);
  }
  *success = 1;
  return Copy(result, new_size);
}

void FreeValue(void*, const char* value, size_t) { free(const_cast<char*>(value)); }
const char* AppendName(void*) { return "differential.append"; }

unsigned char DropMarked(void*, int, const char*, size_t, const char* value, size_t size,
                         char** new_value, size_t* new_size, unsigned char* changed) {
  *new_value = nullptr;
  *new_size = 0;
  *changed = 0;
  return View(value, size).starts_with(kFilterMark) ? 1 : 0;
}

unsigned char ChangeMarked(void*, int, const char*, size_t, const char* value, size_t size,
                           char** new_value, size_t* new_size, unsigned char* changed) {
  static char replacement[] = "changed by the filter";
  *changed = View(value, size).starts_with(kFilterMark) ? 1 : 0;
  *new_value = replacement;
  *new_size = sizeof(replacement) - 1;
  return 0;
}

const char* DropMarkedName(void*) { return "differential.drop_marked"; }
const char* ChangeMarkedName(void*) { return "differential.change_marked"; }
const char* FactoryName(void*) { return "differential.filter_factory"; }

rocksdb_compactionfilter_t* CreateFromFactory(void* state, rocksdb_compactionfiltercontext_t*) {
  const Api* api = static_cast<const Api*>(state);
  return api->rocksdb_compactionfilter_create(nullptr, Nothing, DropMarked, DropMarkedName);
}

// The first two bytes of keys that have as many and do not begin with 'z'.
unsigned char CustomInDomain(void*, const char* key, size_t size) {
  return size >= 2 && key[0] != 'z';
}
unsigned char CustomInRange(void*, const char*, size_t size) { return size == 2; }
char* CustomTransform(void*, const char* key, size_t, size_t* size) {
  *size = 2;
  return const_cast<char*>(key);
}
const char* CustomName(void*) { return "differential.two_bytes"; }

}  // namespace

rocksdb_comparator_t* NewComparator(const Api& api, KeyOrder order) {
  switch (order) {
    case KeyOrder::kBytewise:
      return nullptr;
    case KeyOrder::kReverse:
      return api.rocksdb_comparator_create(nullptr, Nothing, CompareReverse, ReverseName);
    case KeyOrder::kLengthFirst:
      return api.rocksdb_comparator_create(nullptr, Nothing, CompareLengthFirst, LengthFirstName);
    case KeyOrder::kTimestamped:
      return api.rocksdb_comparator_with_ts_create(nullptr, Nothing, CompareTimestamped,
                                                   CompareTimestamps, CompareWithoutTimestamp,
                                                   TimestampedName, kTimestampSize);
  }
  return nullptr;
}

rocksdb_mergeoperator_t* NewMergeOperator(const Api& api, MergeKind kind) {
  if (kind != MergeKind::kAppend) return nullptr;
  return api.rocksdb_mergeoperator_create(nullptr, Nothing, AppendFull, AppendPartial, FreeValue,
                                          AppendName);
}

rocksdb_compactionfilter_t* NewFilter(const Api& api, FilterKind kind) {
  if (kind == FilterKind::kDropMarked)
    return api.rocksdb_compactionfilter_create(nullptr, Nothing, DropMarked, DropMarkedName);
  if (kind == FilterKind::kChangeMarked)
    return api.rocksdb_compactionfilter_create(nullptr, Nothing, ChangeMarked, ChangeMarkedName);
  return nullptr;
}

rocksdb_compactionfilterfactory_t* NewFilterFactory(const Api& api, FilterKind kind) {
  if (kind != FilterKind::kFactory) return nullptr;
  return api.rocksdb_compactionfilterfactory_create(const_cast<Api*>(&api), Nothing,
                                                    CreateFromFactory, FactoryName);
}

rocksdb_slicetransform_t* NewPrefix(const Api& api, PrefixKind kind) {
  if (kind == PrefixKind::kFixed)
    return api.rocksdb_slicetransform_create_fixed_prefix(kFixedPrefixSize);
  if (kind == PrefixKind::kCustom)
    return api.NewSliceTransform(CustomTransform, CustomInDomain, CustomInRange, CustomName);
  return nullptr;
}

bool PrefixOf(PrefixKind kind, std::string_view key, std::string* prefix) {
  if (kind == PrefixKind::kFixed && key.size() >= kFixedPrefixSize) {
    prefix->assign(key.substr(0, kFixedPrefixSize));
    return true;
  }
  if (kind == PrefixKind::kCustom && CustomInDomain(nullptr, key.data(), key.size()) != 0) {
    prefix->assign(key.substr(0, 2));
    return true;
  }
  return false;
}

int CompareKeys(KeyOrder order, std::string_view left, std::string_view right) {
  switch (order) {
    case KeyOrder::kReverse:
      return CompareReverse(nullptr, left.data(), left.size(), right.data(), right.size());
    case KeyOrder::kLengthFirst:
      return CompareLengthFirst(nullptr, left.data(), left.size(), right.data(), right.size());
    default:
      return left.compare(right);
  }
}

std::string EncodeTimestamp(uint64_t timestamp) {
  std::string bytes(sizeof(timestamp), '\0');
  memcpy(bytes.data(), &timestamp, sizeof(timestamp));
  return bytes;
}

}  // namespace differential
