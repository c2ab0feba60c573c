#include "core/table/filter_builder.h"

#include <cassert>
#include <utility>

#include "core/key/internal_key.h"
#include "core/table/block_builder.h"
#include "core/table/block_trailer.h"
#include "core/table/filter_format.h"

namespace skarn {

FilterBuilder::FilterBuilder(const Options& options)
    : options_(options),
      prefix_extractor_(options.prefix_extractor),
      whole_keys_(options.whole_keys),
      hash32_(options.recipe.uses_hash32()) {
  if (options.partitioned) {
    const uint64_t percent = options.partition_deviation > 0 && options.partition_deviation < 100
                                 ? static_cast<uint64_t>(100 - options.partition_deviation)
                                 : 100;
    const uint64_t size = (options.partition_size * percent + 99) / 100;
    keys_per_partition_ = FilterCapacity(options.recipe, size);
  }
}

void FilterBuilder::AddWithPrefix(Slice user_key) {
  const uint64_t prefix = Hash(prefix_extractor_->Transform(user_key));
  if (!whole_keys_) {
    AddHash(prefix);
  } else {
    // The prefix goes first, so that the last hash is always that of the last key.
    const uint64_t key = Hash(user_key);
    const bool any = !hashes_.empty();
    const uint64_t last_key = any ? hashes_.back() : 0;
    const bool same_prefix = has_last_prefix_ && prefix == last_prefix_hash_;
    const bool same_as_last_prefix = has_last_prefix_ && key == last_prefix_hash_;
    if (!same_prefix && prefix != key && !(any && prefix == last_key)) hashes_.push_back(prefix);
    if (!(any && key == last_key) && !same_as_last_prefix) hashes_.push_back(key);
  }
  last_prefix_hash_ = prefix;
  has_last_prefix_ = true;
}

Status FilterBuilder::MakePayload(std::string* payload) {
  *payload = BuildFilter(options_.recipe, hashes_);
  if (options_.verify) {
    const FilterProbe probe = FilterProbe::Parse(*payload);
    for (const uint64_t hash : hashes_) {
      if (!probe.MayMatch(hash)) {
        return Status::Corruption("Corrupted filter content: a key that was added does not match");
      }
    }
  }
  hash_count_ += hashes_.size();
  hashes_.clear();
  return Status::Ok();
}

void FilterBuilder::CutPartition(Slice separator, uint64_t tag, Slice next_user_key) {
  assert(options_.partitioned);
  // Seeking the next key's prefix may come to this partition.
  if (prefix_extractor_ != nullptr && prefix_extractor_->InDomain(next_user_key)) {
    const uint64_t prefix = Hash(prefix_extractor_->Transform(next_user_key));
    if (!has_last_prefix_ || prefix != last_prefix_hash_) AddHash(prefix);
  }
  Partition partition;
  partition.separator = separator.ToString();
  partition.tag = tag;
  Status s = MakePayload(&partition.payload);
  if (!s.ok() && status_.ok()) status_ = s;
  partition_bytes_ += partition.payload.size() + separator.size() + kBlockTrailerSize;
  partitions_.push_back(std::move(partition));
  // Seeking backwards from the next partition looks for the last prefix of this one.
  if (has_last_prefix_) hashes_.push_back(last_prefix_hash_);
}

Status FilterBuilder::Finish(Slice last_separator, uint64_t tag, const IndexFlavour& flavour,
                             BlockSink* sink, Finished* finished) {
  assert(!empty());
  if (!status_.ok()) return status_;
  if (!options_.partitioned) {
    std::string payload;
    Status s = MakePayload(&payload);
    if (!s.ok()) return s;
    finished->size = payload.size();
    return sink->Write(BlockRole::kFilter, payload, &finished->handle);
  }

  if (!hashes_.empty() || partitions_.empty()) {
    Partition last;
    last.separator = last_separator.ToString();
    last.tag = tag;
    Status s = MakePayload(&last.payload);
    if (!s.ok()) return s;
    partitions_.push_back(std::move(last));
  }
  BlockBuilder::Options index_options;
  index_options.restart_interval = flavour.restart_interval;
  index_options.delta_values = flavour.delta_values;
  BlockBuilder index(index_options);
  BlockHandle previous;
  for (const Partition& partition : partitions_) {
    BlockHandle handle;
    Status s = sink->Write(BlockRole::kFilterPartition, partition.payload, &handle);
    if (!s.ok()) return s;
    finished->size += partition.payload.size();

    std::string key = partition.separator;
    if (flavour.keys_have_tags) PutFixed64(&key, partition.tag);
    std::string full;
    handle.AppendTo(&full);
    if (flavour.delta_values) {
      std::string delta;
      const bool follows =
          !index.empty() && handle.offset == previous.offset + previous.size + kBlockTrailerSize;
      PutVarint64(&delta, ZigZag(static_cast<int64_t>(handle.size - previous.size)));
      index.AddIndexEntry(key, full, delta, /*whole_key=*/!follows);
    } else {
      index.Add(key, full);
    }
    previous = handle;
  }
  const Slice payload = index.Finish();
  finished->size += payload.size();
  return sink->Write(BlockRole::kFilterIndex, payload, &finished->handle);
}

}  // namespace skarn
