// IndexBuilder makes the index of a table: one entry for each data block, of all four
// IndexTypes (docs/formats/sst.md, section "Index").
//
// Separators are kept until Finish(): only then is known whether keys need their tags,
// which is when two neighbouring blocks share a user key anywhere in the file.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_INDEX_BUILDER_H_
#define SKARN_CORE_TABLE_INDEX_BUILDER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"
#include "core/options/option_enums.h"
#include "core/table/block_builder.h"
#include "core/table/block_handle.h"
#include "core/table/block_sink.h"

namespace skarn {

class SliceTransform;

class IndexBuilder {
 public:
  struct Options {
    const KeyOrder* order = nullptr;
    IndexType type = IndexType::kBinarySearch;
    IndexShortening shortening = IndexShortening::kShortenSeparators;
    uint32_t restart_interval = 1;
    bool keep_tags = false;  // Keys have their tags in any case.
    bool delta_values = false;
    bool stripped_timestamps = false;  // Keys come without the comparator's timestamps.
    uint64_t partition_size = 4096;    // Two-level: bytes of a partition.
    int32_t partition_deviation = 10;
    double uniform_cv_threshold = -1;
    const SliceTransform* prefix_extractor = nullptr;  // Hash index: never null.
  };
  explicit IndexBuilder(const Options& options);

  // Hash index: a key goes into the current data block.
  void NoteKey(Slice user_key);

  // The current data block ends, with packed keys `first` and `last`. `next_user_key`
  // is the first of the next block, null after the last block. `handle` may still be a
  // guess, which SetHandle() corrects. Returns the entry's number.
  size_t AddBlock(Slice first, Slice last, const Slice* next_user_key, const BlockHandle& handle);
  // `after_gap`: something lies between the block and the one before it.
  void SetHandle(size_t entry, const BlockHandle& handle, bool after_gap);

  // Two-level, with filter partitions cut where index partitions are: the next block
  // begins a new partition, and whether AddBlock() has begun one since the last call.
  void RequestPartitionCut() { cut_requested_ = true; }
  bool TakePartitionCut();
  // The separator added last, without its tag, and the tag.
  Slice last_separator() const;
  uint64_t last_separator_tag() const { return entries_.back().tag; }

  // Size of the finished index, roughly.
  size_t EstimatedSize() const;

  struct Finished {
    BlockHandle handle;  // Of the index, or of its top.
    bool keys_have_tags = false;
    uint64_t size = 0;  // Bytes of all parts before compression.
    uint64_t partitions = 0;
    uint64_t top_level_size = 0;
    uint64_t uniform_blocks = 0;
    // Hash index: both blocks' content; written by the caller before the index.
    std::string prefixes;
    std::string prefix_metadata;
  };
  // Whether keys have tags, as known so far; final after the last AddBlock().
  bool keys_have_tags() const { return options_.keep_tags || split_user_key_; }
  // Hash index: what its two blocks hold. Call before Finish().
  void FinishPrefixes(Finished* finished);
  // Writes the blocks of the index.
  Status Finish(BlockSink* sink, Finished* finished);

 private:
  struct Entry {
    uint64_t key_at;  // In bytes_: the separator's user key, then the first key.
    uint32_t key_size;
    uint32_t first_size;
    uint64_t tag;
    BlockHandle handle;
    bool after_gap;
    bool begins_partition;
  };

  void FindSeparator(Slice last, const Slice* next_user_key);
  bool SameUserKey(Slice a, Slice b) const;
  BlockBuilder::Options BlockOptions() const;
  // Adds an entry to a block in the flavour given. `previous` is null for the first.
  void AppendEntry(BlockBuilder* block, bool with_tag, Slice user_key, uint64_t tag,
                   const BlockHandle& handle, const BlockHandle* previous, bool after_gap,
                   Slice first_key);
  Slice KeyOf(const Entry& entry) const {
    return Slice(bytes_.data() + entry.key_at, entry.key_size);
  }
  bool ShouldCutPartition(Slice last, const BlockHandle& handle) const;
  void FlushPrefix();

  const Options options_;
  const bool two_level_;
  const bool with_first_key_;
  std::string bytes_;
  std::vector<Entry> entries_;
  bool split_user_key_ = false;

  // The separator being made.
  std::string separator_;
  uint64_t separator_tag_ = 0;
  std::string scratch_;

  // Two-level: the partition so far, in both flavours, to decide where it ends.
  std::unique_ptr<BlockBuilder> open_with_tags_;
  std::unique_ptr<BlockBuilder> open_without_tags_;
  bool cut_requested_ = false;
  bool partition_cut_ = false;

  // Hash index: the run of blocks that hold the current prefix.
  std::string prefixes_;
  std::string prefix_metadata_;
  std::string open_prefix_;
  uint32_t open_prefix_first_ = 0;
  uint32_t open_prefix_blocks_ = 0;  // 0: none yet.
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_INDEX_BUILDER_H_
