// FileWalk takes a whole table file apart, front to back and strictly, sharing with the
// reading half of the engine only the pure formats: what builders wrote is checked
// against the format, not against a reader.

#ifndef SKARN_TESTS_UNIT_TABLE_BUILDER_FILE_WALK_H_
#define SKARN_TESTS_UNIT_TABLE_BUILDER_FILE_WALK_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/codec.h"
#include "core/env/file_writer.h"
#include "core/table/block_trailer.h"
#include "core/table/block_walk.h"
#include "core/table/filter_format.h"
#include "core/table/footer.h"
#include "core/table/meta_block_names.h"
#include "core/table/properties_block.h"
#include "core/table/table_properties.h"

namespace skarn {

// A file in memory whose bytes stay after it is closed.
class StringFile : public WritableFile {
 public:
  explicit StringFile(std::string* bytes) : bytes_(bytes) {}
  Status Append(Slice data) override {
    bytes_->append(data.data(), data.size());
    return Status::Ok();
  }
  Status Truncate(uint64_t size) override {
    bytes_->resize(size);
    return Status::Ok();
  }
  Status Close() override { return Status::Ok(); }
  Status Flush() override { return Status::Ok(); }
  Status Sync() override { return Status::Ok(); }
  uint64_t Size() override { return bytes_->size(); }

 private:
  std::string* const bytes_;
};

struct FileWalk {
  using Entry = std::pair<std::string, std::string>;  // Packed key, value.
  struct Index {
    std::string separator;
    BlockHandle handle;
    std::string first_key;
  };

  Footer footer;
  TableProperties properties;
  std::map<std::string, BlockHandle> metas;
  std::vector<Entry> entries;
  std::vector<Entry> tombstones;
  std::vector<Index> index;        // Of data blocks.
  std::vector<size_t> block_ends;  // Number of entries up to the end of each data block.
  std::vector<Index> filter_index;
  std::map<uint64_t, std::string> filters;  // Payloads by offset.
  std::string dictionary;
  std::string hash_prefixes;
  std::string hash_metadata;
  std::map<int, int> data_block_types;  // Type byte to count.
  size_t hash_indexed_blocks = 0;
  size_t separated_blocks = 0;
  size_t index_payload_bytes = 0;
  std::string error;  // Empty: all is well.

  explicit FileWalk(const std::string& bytes) : file_(bytes) { Run(); }

  // What a point lookup would be told by the filter.
  bool MayMatch(const std::string& user_key, const std::string& packed_or_user) const {
    if (filter_index.empty()) {
      if (filters.empty()) return true;
      const FilterProbe probe = FilterProbe::Parse(filters.begin()->second);
      return probe.MayMatch(probe.Hash(user_key));
    }
    size_t i = 0;
    while (i + 1 < filter_index.size() && Below(filter_index[i].separator, packed_or_user)) ++i;
    const FilterProbe probe = FilterProbe::Parse(filters.at(filter_index[i].handle.offset));
    return probe.MayMatch(probe.Hash(user_key));
  }

  // Bytewise order of index keys in this file's flavour.
  bool Below(const std::string& separator, const std::string& target) const {
    if (properties.index_key_is_user_key != 0) return separator < target;
    const std::string a = separator.substr(0, separator.size() - 8);
    const std::string b = target.substr(0, target.size() - 8);
    if (a != b) return a < b;
    return DecodeFixed64(separator.data() + a.size()) > DecodeFixed64(target.data() + b.size());
  }

 private:
  bool Fail(const std::string& what) {
    if (error.empty()) error = what;
    return false;
  }

  // The payload at `handle`, decompressed.
  bool Read(const BlockHandle& handle, bool is_data, std::string* payload,
            int* type_out = nullptr) {
    if (!handle.FitsIn(footer.offset, kBlockTrailerSize)) return Fail("handle outside the file");
    Status s = VerifyBlockTrailer(footer.checksum, file_.data() + handle.offset, handle.size,
                                  footer.base_context_checksum, handle.offset, "file");
    if (!s.ok()) return Fail(s.ToString());
    const int type = static_cast<uint8_t>(file_[handle.offset + handle.size]);
    if (type_out != nullptr) *type_out = type;
    const Slice stored(file_.data() + handle.offset, handle.size);
    if (type == 0) {
      *payload = stored.ToString();
      return true;
    }
    if (!compression_.Allows(static_cast<uint8_t>(type)) || compression_.none) {
      return Fail("block type that the properties do not list");
    }
    std::unique_ptr<DecompressionDictionary> dict;
    if (is_data && !dictionary.empty())
      dict = std::make_unique<DecompressionDictionary>(dictionary);
    Result<CodecBuffer> raw =
        Uncompress(static_cast<CompressionType>(type), footer.format_version, dict.get(), stored);
    if (!raw.ok()) return Fail(raw.status().ToString());
    *payload = raw->slice().ToString();
    return true;
  }

  bool ReadIndexBlock(const BlockHandle& handle, bool first_keys, std::vector<Index>* out) {
    std::string payload;
    if (!Read(handle, false, &payload)) return false;
    index_payload_bytes += payload.size();
    BlockWalk::Options options;
    options.is_index = true;
    options.delta_values = properties.index_value_is_delta_encoded != 0;
    options.has_first_key = first_keys;
    BlockWalk walk(payload, options);
    while (walk.Next()) {
      out->push_back({walk.key().ToString(), walk.index_value().handle,
                      walk.index_value().first_internal_key.ToString()});
    }
    return !walk.damaged() || Fail(walk.damage());
  }

  bool Run() {
    Result<Footer> result = DecodeFooter(
        Slice(file_.data() + file_.size() - std::min<size_t>(file_.size(), kFooterSizeMax),
              std::min<size_t>(file_.size(), kFooterSizeMax)),
        file_.size(), "file");
    if (!result.ok()) return Fail(result.status().ToString());
    footer = *result;

    std::string payload;
    if (!Read(footer.metaindex, false, &payload)) return false;
    BlockWalk meta(payload);
    std::string last_name;
    while (meta.Next()) {
      Slice value = meta.value();
      BlockHandle handle;
      if (!handle.DecodeFrom(&value) || !value.empty()) return Fail("bad metaindex value");
      if (!last_name.empty() && last_name >= meta.key().ToString()) return Fail("meta order");
      last_name = meta.key().ToString();
      metas[last_name] = handle;
    }
    if (meta.damaged()) return Fail(meta.damage());

    if (metas.count(kPropertiesBlockName) == 0) return Fail("no properties");
    const BlockHandle properties_handle = metas[kPropertiesBlockName];
    if (!Read(properties_handle, false, &payload)) return false;
    Status s = ParseProperties(payload, properties_handle.offset, "file", &properties);
    if (!s.ok()) return Fail(s.ToString());
    s = ParseCompressionProperty(properties.compression_name, footer.format_version, "file",
                                 &compression_);
    if (!s.ok()) return Fail(s.ToString());

    if (metas.count(kCompressionDictBlockName) != 0 &&
        !Read(metas[kCompressionDictBlockName], false, &dictionary)) {
      return false;
    }
    if (metas.count(kHashIndexPrefixesBlockName) != 0 &&
        (!Read(metas[kHashIndexPrefixesBlockName], false, &hash_prefixes) ||
         !Read(metas[kHashIndexMetadataBlockName], false, &hash_metadata))) {
      return false;
    }
    if (metas.count(kRangeDelBlockName) != 0) {
      if (!Read(metas[kRangeDelBlockName], false, &payload)) return false;
      BlockWalk walk(payload);
      while (walk.Next()) tombstones.emplace_back(walk.key().ToString(), walk.value().ToString());
      if (walk.damaged()) return Fail(walk.damage());
    }

    BlockHandle root = footer.index;
    if (!HasIndexHandleInFooter(footer.format_version)) {
      if (metas.count(kIndexBlockName) == 0) return Fail("no index");
      root = metas[kIndexBlockName];
    }
    const uint32_t type = DecodeFixed32(properties.user_collected[kIndexTypeProperty].data());
    std::vector<Index> top;
    if (type == 2) {
      if (!ReadIndexBlock(root, false, &top)) return false;
      for (const Index& part : top) {
        const size_t before = index.size();
        if (!ReadIndexBlock(part.handle, false, &index)) return false;
        if (index.size() == before) return Fail("empty index partition");
        if (index.back().separator != part.separator) return Fail("top level separator");
      }
      if (top.size() != properties.index_partitions) return Fail("partition count");
    } else if (!ReadIndexBlock(root, type == 3, &index)) {
      return false;
    }
    if (!ReadFilters() || !ReadData()) return false;
    return CheckProperties();
  }

  bool ReadFilters() {
    std::string payload;
    if (metas.count(kFullFilterBlockName) != 0) {
      if (!Read(metas[kFullFilterBlockName], false, &payload)) return false;
      filters[metas[kFullFilterBlockName].offset] = payload;
      filter_bytes_ = payload.size();
    }
    if (metas.count(kPartitionedFilterBlockName) != 0) {
      const size_t index_bytes = index_payload_bytes;
      if (!ReadIndexBlock(metas[kPartitionedFilterBlockName], false, &filter_index)) return false;
      filter_bytes_ = index_payload_bytes - index_bytes;
      index_payload_bytes = index_bytes;
      for (const Index& part : filter_index) {
        if (!Read(part.handle, false, &payload)) return false;
        filters[part.handle.offset] = payload;
        filter_bytes_ += payload.size();
      }
    }
    return true;
  }

  bool ReadData() {
    uint64_t expected_offset = 0;
    for (const Index& entry : index) {
      if (entry.handle.offset < expected_offset) return Fail("data blocks overlap");
      for (uint64_t i = expected_offset; i < entry.handle.offset; ++i) {
        if (file_[i] != 0) return Fail("padding is not zero");
      }
      expected_offset = entry.handle.offset + entry.handle.size + kBlockTrailerSize;
      std::string payload;
      int type = 0;
      if (!Read(entry.handle, true, &payload, &type)) return false;
      ++data_block_types[type];
      BlockWalk walk(payload);
      if (walk.layout().bucket_count != 0) ++hash_indexed_blocks;
      if (walk.layout().separated) ++separated_blocks;
      const size_t before = entries.size();
      while (walk.Next()) entries.emplace_back(walk.key().ToString(), walk.value().ToString());
      if (walk.damaged()) return Fail(walk.damage());
      if (entries.size() == before) return Fail("empty data block");
      if (!entry.first_key.empty() && entry.first_key != entries[before].first) {
        return Fail("first key");
      }
      block_ends.push_back(entries.size());
    }
    return true;
  }

  bool CheckProperties() {
    const TableProperties& p = properties;
    if (p.num_entries != entries.size() + tombstones.size()) return Fail("num_entries");
    if (p.num_range_deletions != tombstones.size()) return Fail("num_range_deletions");
    if (p.num_data_blocks != index.size()) return Fail("num_data_blocks");
    if (p.filter_size != filter_bytes_) return Fail("filter_size");
    const size_t prefixes = hash_prefixes.size() + hash_metadata.size();
    if (p.index_size != index_payload_bytes + prefixes + 5) return Fail("index_size");
    uint64_t keys = 0;
    uint64_t values = 0;
    for (const auto* list : {&entries, &tombstones}) {
      for (const Entry& entry : *list) {
        keys += entry.first.size();
        values += entry.second.size();
      }
    }
    if (p.raw_key_size != keys || p.raw_value_size != values) return Fail("raw sizes");
    if (p.tail_start_offset != 0 && p.tail_start_offset != p.data_size) return Fail("tail start");
    return true;
  }

  const std::string& file_;
  CompressionProperty compression_;
  size_t filter_bytes_ = 0;
};

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_TABLE_BUILDER_FILE_WALK_H_
