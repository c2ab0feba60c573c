// The structures that options hold: their fields are the rows of nested_options.def.
//
// Thread safety: plain values.

#ifndef SKARN_CORE_OPTIONS_NESTED_OPTIONS_H_
#define SKARN_CORE_OPTIONS_NESTED_OPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/codec.h"
#include "core/options/option_enums.h"

namespace skarn {

// Declared beside the codecs that read it.
using CompressionOptions = CodecOptions;

#define SKARN_BEGIN_STRUCT(structure) struct structure {
#define SKARN_FIELD(structure, name, type, default_value, summary) type name = default_value;
#define SKARN_END_STRUCT(structure)                                     \
  friend bool operator==(const structure&, const structure&) = default; \
  }                                                                     \
  ;
#define SKARN_BEGIN_FOREIGN_STRUCT(structure) /* Its owner declares it. */
#define SKARN_FOREIGN_FIELD(structure, name, type, default_value, summary)
#include "core/options/nested_options.def"

// "kind" and the parameters of the data structure that memtables use.
struct MemtableFactory {
  enum class Kind : uint8_t { kSkipList, kVector, kHashSkipList, kHashLinkList };

  Kind kind = Kind::kSkipList;
  // Skip list: entries to look at around the last position before searching from the top.
  size_t skip_list_lookahead = 0;
  // Vector: entries to make room for at first.
  size_t vector_count = 0;
  // Both hashes: one bucket for each of these many prefixes.
  size_t bucket_count = 0;
  // Hash of skip lists.
  int32_t skip_list_height = 4;
  int32_t skip_list_branching_factor = 4;
  // Hash of linked lists: entries after which a bucket becomes a skip list.
  uint32_t threshold_use_skip_list = 256;
  size_t huge_page_tlb_size = 0;
  int32_t bucket_entries_logging_threshold = 4096;
  bool log_bucket_distribution_when_flushed = true;

  friend bool operator==(const MemtableFactory&, const MemtableFactory&) = default;

  // Only a skip list takes inserts of several threads; a vector collects them apart.
  bool supports_concurrent_insert() const {
    return kind == Kind::kSkipList || kind == Kind::kVector;
  }
  bool needs_prefix_extractor() const {
    return kind == Kind::kHashSkipList || kind == Kind::kHashLinkList;
  }
};

// A directory of table files and how many bytes go there before the next one is used.
struct DbPath {
  std::string path;
  uint64_t target_size = 0;

  friend bool operator==(const DbPath&, const DbPath&) = default;
};

// Compactions begin a new file wherever the first `fixed_prefix_length` bytes change.
struct SstPartitionerFactory {
  size_t fixed_prefix_length = 0;
};

// Places in the rows for what only callers of RocksDB's C++ interface can supply.
// Their text form is read and written, and nothing else is done with it.
struct FlushBlockPolicyFactory {
  friend bool operator==(FlushBlockPolicyFactory, FlushBlockPolicyFactory) = default;
};
struct UserDefinedIndexFactory {
  friend bool operator==(UserDefinedIndexFactory, UserDefinedIndexFactory) = default;
};
struct CompressionManager {};

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_NESTED_OPTIONS_H_
