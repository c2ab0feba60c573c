// FilterReader asks a table's filter about keys and prefixes. Whatever goes wrong, such
// as a filter that cannot be read now, the answer is "maybe".
//
// Thread safety: any thread, once it is set up.

#ifndef SKARN_CORE_TABLE_FILTER_READER_H_
#define SKARN_CORE_TABLE_FILTER_READER_H_

#include <cstdint>
#include <vector>

#include "core/table/block_loader.h"
#include "core/table/filter_block.h"
#include "core/table/index_block.h"

namespace skarn {

class FilterReader {
 public:
  enum class Kind : uint8_t { kNone, kFull, kPartitioned };

  // Set up by the table as it is opened.
  struct Setup {
    BlockLoader* loader = nullptr;
    const KeyOrder* order = nullptr;
    Kind kind = Kind::kNone;
    BlockHandle handle;
    IndexFlavour flavour;  // Of the index of partitions.
    bool cached = false;   // What is not held here goes through the block cache.
  };
  void Init(const Setup& setup) { setup_ = setup; }
  // Loads the filter, or the index of its partitions, and with `partitions` those too.
  // They stay in memory when `hold` is set; else they are only brought into the cache.
  Status Load(TableRead* read, bool hold, bool partitions, Readahead* readahead);

  bool exists() const { return setup_.kind != Kind::kNone; }
  bool partitioned() const { return setup_.kind == Kind::kPartitioned; }

  // False: `item`, a user key without timestamp or a prefix of one, is not in the file.
  // `hash` is Hash64(item). (user_key, tag) is where the search goes; it decides which
  // partition to ask.
  bool MayMatch(TableRead* read, Slice item, uint64_t hash, Slice user_key, uint64_t tag) const;
  // Starts loading what MayMatch() reads for a key, when that is in memory.
  void Prefetch(uint64_t hash) const {
    if (full_ && !full_->probe().uses_hash32()) full_->probe().Prefetch(hash);
  }

  // Whether HeldMayMatch() may be called: the whole filter is in memory and takes Hash64().
  bool held_by_hash64() const { return full_ && !full_->probe().uses_hash32(); }
  bool HeldMayMatch(uint64_t hash) const { return full_->probe().MayMatch(hash); }

  // The index of partitions, for checks; null in `*block` without one.
  Status LoadTop(TableRead* read, ObjectRef<const IndexBlock>* block,
                 Readahead* readahead = nullptr) const;

  size_t memory_bytes() const { return memory_bytes_; }
  const Setup& setup() const { return setup_; }

 private:
  Setup setup_;
  ObjectRef<const FilterBlock> full_;
  ObjectRef<const IndexBlock> top_;
  std::vector<ObjectRef<const FilterBlock>> partitions_;
  size_t memory_bytes_ = 0;  // Of what is held outside the cache.
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_FILTER_READER_H_
