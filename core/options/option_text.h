// The text form of each type that an option can have.
//
// PrintValue() appends the text that OPTIONS files hold. ParseValue() reads it, and
// the other spellings that option strings allow; `name` is for error messages. What a
// structure's text leaves out keeps the value it had. On an error `*value` may have
// changed in part: callers parse into a copy.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_OPTIONS_OPTION_TEXT_H_
#define SKARN_CORE_OPTIONS_OPTION_TEXT_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/options/option_string.h"
#include "core/options/options.h"

namespace skarn {

// `\`, `#`, `:`, CR and LF get a backslash, so that they survive in an OPTIONS file.
std::string EscapeOptionText(Slice text);
std::string UnescapeOptionText(Slice text);
// Without white space at both ends.
Slice TrimOptionText(Slice text);

// `{a=1;b=2}` or `Name` as an object's id and its options. An id may be absent.
struct ObjectText {
  std::string id;
  std::map<std::string, std::string> options;
};
Status SplitObjectText(Slice text, ObjectText* object);

// An enumerator and its name. Tables end with a null name.
template <typename Enum>
struct EnumName {
  Enum value;
  const char* name;
};

#define SKARN_ENUM_TEXT(Enum)                    \
  const char* NameOf(Enum value);                \
  void PrintValue(Enum value, std::string* out); \
  Status ParseValue(const OptionReading& reading, Slice name, Slice text, Enum* value);
SKARN_ENUM_TEXT(CompressionType)
SKARN_ENUM_TEXT(ChecksumType)
SKARN_ENUM_TEXT(CompactionStyle)
SKARN_ENUM_TEXT(CompactionPri)
SKARN_ENUM_TEXT(CompactionStopStyle)
SKARN_ENUM_TEXT(Temperature)
SKARN_ENUM_TEXT(WalRecoveryMode)
SKARN_ENUM_TEXT(LogLevel)
SKARN_ENUM_TEXT(CacheTier)
SKARN_ENUM_TEXT(IndexType)
SKARN_ENUM_TEXT(DataBlockIndexType)
SKARN_ENUM_TEXT(IndexBlockSearchType)
SKARN_ENUM_TEXT(IndexShortening)
SKARN_ENUM_TEXT(PrepopulateBlockCache)
SKARN_ENUM_TEXT(PrepopulateBlobCache)
SKARN_ENUM_TEXT(PinningTier)
SKARN_ENUM_TEXT(PlainTableEncoding)
#undef SKARN_ENUM_TEXT

#define SKARN_VALUE_TEXT(Type)                          \
  void PrintValue(const Type& value, std::string* out); \
  Status ParseValue(const OptionReading& reading, Slice name, Slice text, Type* value);
SKARN_VALUE_TEXT(bool)
SKARN_VALUE_TEXT(int32_t)
SKARN_VALUE_TEXT(int64_t)
SKARN_VALUE_TEXT(uint8_t)
SKARN_VALUE_TEXT(uint32_t)
SKARN_VALUE_TEXT(uint64_t)
SKARN_VALUE_TEXT(double)
SKARN_VALUE_TEXT(std::string)
SKARN_VALUE_TEXT(std::vector<int32_t>)
SKARN_VALUE_TEXT(std::vector<CompressionType>)
SKARN_VALUE_TEXT(std::vector<FileTemperatureAge>)
// Structures.
SKARN_VALUE_TEXT(CompressionOptions)
SKARN_VALUE_TEXT(UniversalCompactionOptions)
SKARN_VALUE_TEXT(FifoCompactionOptions)
SKARN_VALUE_TEXT(FileTemperatureAge)
SKARN_VALUE_TEXT(MetadataCacheOptions)
SKARN_VALUE_TEXT(PlainTableOptions)
SKARN_VALUE_TEXT(CuckooTableOptions)
// Objects.
SKARN_VALUE_TEXT(MemtableFactory)
SKARN_VALUE_TEXT(TableFactory)
SKARN_VALUE_TEXT(FlushBlockPolicyFactory)
SKARN_VALUE_TEXT(UserDefinedIndexFactory)
SKARN_VALUE_TEXT(std::shared_ptr<CompressionManager>)
SKARN_VALUE_TEXT(std::shared_ptr<const FilterPolicy>)
SKARN_VALUE_TEXT(std::shared_ptr<const SliceTransform>)
SKARN_VALUE_TEXT(std::shared_ptr<const SstPartitionerFactory>)
SKARN_VALUE_TEXT(std::shared_ptr<MergeOperator>)
SKARN_VALUE_TEXT(std::shared_ptr<CompactionFilterFactory>)
SKARN_VALUE_TEXT(std::shared_ptr<FileChecksumGenFactory>)
#undef SKARN_VALUE_TEXT

void PrintValue(const Comparator* value, std::string* out);
Status ParseValue(const OptionReading& reading, Slice name, Slice text, const Comparator** value);
void PrintValue(const CompactionFilter* value, std::string* out);
Status ParseValue(const OptionReading& reading, Slice name, Slice text,
                  const CompactionFilter** value);
void PrintValue(WalFilter* value, std::string* out);
Status ParseValue(const OptionReading& reading, Slice name, Slice text, WalFilter** value);

// The fields of structures, for dumps: name and text of each.
std::vector<std::pair<std::string, std::string>> FieldsOf(const CompressionOptions& value);
std::vector<std::pair<std::string, std::string>> FieldsOf(const UniversalCompactionOptions& value);
std::vector<std::pair<std::string, std::string>> FieldsOf(const FifoCompactionOptions& value);
std::vector<std::pair<std::string, std::string>> FieldsOf(const MetadataCacheOptions& value);
std::vector<std::pair<std::string, std::string>> FieldsOf(const PlainTableOptions& value);
std::vector<std::pair<std::string, std::string>> FieldsOf(const CuckooTableOptions& value);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_TEXT_H_
