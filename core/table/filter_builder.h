// FilterBuilder makes the filter of a table from its keys: one full filter, or
// partitions with an index over them (docs/formats/sst.md, section "Filters").
//
// A partition ends either where an index partition ends (coupled) or where the filter
// is full (decoupled). For prefix seeks each partition also holds the prefix of the key
// before its first and of the key after its last.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_FILTER_BUILDER_H_
#define SKARN_CORE_TABLE_FILTER_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/large_memory.h"
#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/plugin/slice_transform.h"
#include "core/table/block_handle.h"
#include "core/table/block_sink.h"
#include "core/table/filter_bits.h"

namespace skarn {

class FilterBuilder {
 public:
  struct Options {
    FilterRecipe recipe;  // Kind is not kNone.
    bool whole_keys = true;
    const SliceTransform* prefix_extractor = nullptr;  // Null: no prefixes.
    bool partitioned = false;
    bool decoupled = false;
    uint64_t partition_size = 4096;
    int32_t partition_deviation = 10;
    // Probe every finished filter for all its keys.
    bool verify = false;
  };
  explicit FilterBuilder(const Options& options);

  // Adds a key, without its timestamp, after all smaller ones.
  void Add(Slice user_key) {
    if (prefix_extractor_ != nullptr && prefix_extractor_->InDomain(user_key)) {
      AddWithPrefix(user_key);
      return;
    }
    if (whole_keys_) AddHash(Hash(user_key));
    has_last_prefix_ = false;
  }

  // Partitioned: whether the partition holds as many keys as it is meant to.
  bool partition_is_full() const { return hashes_.size() >= keys_per_partition_; }
  // Partitioned: ends the partition. (`separator`, `tag`) is at or above all its keys and
  // below the next key, which is `next_user_key`, without its timestamp.
  void CutPartition(Slice separator, uint64_t tag, Slice next_user_key);

  // Whether anything was added.
  bool empty() const { return hash_count_ == 0 && hashes_.empty(); }
  uint64_t hash_count() const { return hash_count_ + hashes_.size(); }
  // Size of the filter if it were finished now, roughly.
  size_t EstimatedSize() const {
    return partition_bytes_ + hashes_.size() * options_.recipe.millibits / 8000;
  }

  struct IndexFlavour {
    bool keys_have_tags = false;
    bool delta_values = false;
    uint32_t restart_interval = 1;
  };
  struct Finished {
    BlockHandle handle;  // Of the filter, or of the index of its partitions.
    uint64_t size = 0;   // Bytes of all parts.
  };
  // Writes the filter. (`last_separator`, `tag`) is at or above all keys; only used when
  // partitioned. Precondition: !empty().
  // Errors: those of the sink, and Corruption when `verify` finds a key missing.
  Status Finish(Slice last_separator, uint64_t tag, const IndexFlavour& flavour, BlockSink* sink,
                Finished* finished);

 private:
  struct Partition {
    std::string separator;
    uint64_t tag;
    std::string payload;
  };

  uint64_t Hash(Slice key) const { return hash32_ ? BloomHash(key) : Hash64(key); }
  void AddHash(uint64_t hash) {
    if (hashes_.empty() || hashes_.back() != hash) hashes_.push_back(hash);
  }
  void AddWithPrefix(Slice user_key);
  Status MakePayload(std::string* payload);

  const Options options_;
  const SliceTransform* const prefix_extractor_;
  const bool whole_keys_;
  const bool hash32_;
  size_t keys_per_partition_ = SIZE_MAX;

  LargeVector<uint64_t> hashes_;   // Of the current partition; the last is that of a key.
  uint64_t hash_count_ = 0;        // Of finished partitions.
  uint64_t last_prefix_hash_ = 0;  // Of the last key, when it had a prefix.
  bool has_last_prefix_ = false;
  std::vector<Partition> partitions_;
  size_t partition_bytes_ = 0;
  Status status_;  // The first failed verification.
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FILTER_BUILDER_H_
