#include "core/table/block_builder.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/base/hash.h"
#include "core/key/internal_key.h"

namespace skarn {

void BlockBuffer::Grow(size_t more) {
  const size_t need = size_ + more + kPadding;
  const size_t capacity = std::max(need, capacity_ * 2);
  std::unique_ptr<char[]> data(new char[capacity]);
  if (size_ != 0) memcpy(data.get(), data_.get(), size_);
  data_ = std::move(data);
  capacity_ = capacity;
}

BlockBuilder::BlockBuilder(const Options& options)
    : options_(options), fixed_bytes_(options.separated ? 8 : 4) {
  assert(options.restart_interval >= 1);
  buffer_.Reserve(options.expected_bytes + options.expected_bytes / 4);
  GrowKeys(256);
  if (options.hash_index && options.hash_util_ratio > 0) {
    buckets_per_entry_ = 1.0 / options.hash_util_ratio;
  }
  Reset();
}

void BlockBuilder::GrowKeys(size_t size) {
  const size_t capacity = std::max(size, key_capacity_ * 2) + BlockBuffer::kPadding;
  std::unique_ptr<char[]> keys(new char[2 * capacity]);
  if (last_key_size_ != 0) memcpy(keys.get(), last_key_, last_key_size_);
  keys_ = std::move(keys);
  last_key_ = keys_.get();
  next_key_ = keys_.get() + capacity;
  key_capacity_ = capacity - BlockBuffer::kPadding;
}

void BlockBuilder::Reset() {
  buffer_.Clear();
  values_.Clear();
  restarts_.clear();
  restarts_.push_back(0);
  run_count_ = 0;
  entry_count_ = 0;
  hashes_.clear();
  bucket_count_ = 0;
  hash_valid_ = buckets_per_entry_ > 0;
  uniform_ = false;
}

char* BlockBuilder::BeginEntry(Slice key, size_t value_size, bool whole_key, size_t* shared_out) {
  size_t shared = 0;
  bool at_restart = entry_count_ == 0;
  if (at_restart) {
    // restarts_ has it already; last_key_ is of another block.
  } else if (run_count_ >= options_.restart_interval) {
    restarts_.push_back(static_cast<uint32_t>(buffer_.size()));
    run_count_ = 0;
    at_restart = true;
  } else if (options_.delta_keys && !whole_key) {
    shared = CommonPrefix(last_key_, key.data(), std::min(last_key_size_, key.size()));
  }
  const size_t fresh = key.size() - shared;
  const size_t inline_value = options_.separated ? 0 : value_size;
  char* at = buffer_.Reserve(4 * kMaxVarint32Size + fresh + inline_value + kBlockTrailerSize);

  if (SKARN_LIKELY((shared | fresh | value_size) < 0x80 && !options_.delta_values)) {
    at[0] = static_cast<char>(shared);
    at[1] = static_cast<char>(fresh);
    at[2] = static_cast<char>(value_size);
    at += 3;
  } else {
    at = EncodeVarint32(at, static_cast<uint32_t>(shared));
    at = EncodeVarint32(at, static_cast<uint32_t>(fresh));
    if (!options_.delta_values) at = EncodeVarint32(at, static_cast<uint32_t>(value_size));
  }
  if (options_.separated && at_restart) {
    at = EncodeVarint32(at, static_cast<uint32_t>(values_.size()));
  }
  if (fresh != 0) memcpy(at, key.data() + shared, fresh);
  ++run_count_;
  ++entry_count_;
  *shared_out = shared;
  return at + fresh;
}

void BlockBuilder::Add(Slice key, Slice value) {
  assert(!options_.delta_values);
  size_t shared = 0;
  char* at = BeginEntry(key, value.size(), /*whole_key=*/false, &shared);
  if (options_.separated) {
    buffer_.AdvanceTo(at);
    values_.Append(value.data(), value.size());
  } else {
    if (!value.empty()) memcpy(at, value.data(), value.size());
    buffer_.AdvanceTo(at + value.size());
  }
  // `key` may be next_key_, where Add() of an internal key packs it.
  if (key.data() == next_key_) {
    std::swap(last_key_, next_key_);
  } else {
    if (SKARN_UNLIKELY(key.size() > key_capacity_)) GrowKeys(key.size());
    if (key.size() > shared) memcpy(last_key_ + shared, key.data() + shared, key.size() - shared);
  }
  last_key_size_ = key.size();
}

void BlockBuilder::Add(Slice user_key, uint64_t tag, Slice value) {
  const size_t size = user_key.size() + kTagSize;
  if (SKARN_UNLIKELY(size > key_capacity_)) GrowKeys(size);
  if (!user_key.empty()) memcpy(next_key_, user_key.data(), user_key.size());
  EncodeFixed64(next_key_ + user_key.size(), tag);
  Add(Slice(next_key_, size), value);
  if (hash_valid_) NoteHash(user_key);
}

void BlockBuilder::AddIndexEntry(Slice key, Slice full, Slice delta, bool whole_key) {
  assert(options_.delta_values && !options_.separated);
  size_t shared = 0;
  char* at = BeginEntry(key, std::max(full.size(), delta.size()), whole_key, &shared);
  const Slice value = shared == 0 ? full : delta;
  memcpy(at, value.data(), value.size());
  buffer_.AdvanceTo(at + value.size());
  if (SKARN_UNLIKELY(key.size() > key_capacity_)) GrowKeys(key.size());
  if (key.size() > shared) memcpy(last_key_ + shared, key.data() + shared, key.size() - shared);
  last_key_size_ = key.size();
}

void BlockBuilder::NoteHash(Slice user_key) {
  const size_t restart = restarts_.size() - 1;
  if (restart > kHashRestartIndexMax) {
    hash_valid_ = false;
    return;
  }
  bucket_count_ += buckets_per_entry_;
  hashes_.push_back({SliceHash(user_key), static_cast<uint8_t>(restart)});
}

void BlockBuilder::AppendHashIndex() {
  const auto truncated = static_cast<uint32_t>(bucket_count_);
  const uint32_t buckets = (truncated & 0xffff) | 1;
  char* table = buffer_.Reserve(buckets + sizeof(uint16_t));
  memset(table, kHashBucketEmpty, buckets);
  for (const HashedEntry& entry : hashes_) {
    char& bucket = table[entry.hash % buckets];
    const auto held = static_cast<uint8_t>(bucket);
    if (held == kHashBucketEmpty) {
      bucket = static_cast<char>(entry.restart);
    } else if (held != entry.restart) {
      bucket = static_cast<char>(kHashBucketCollision);
    }
  }
  EncodeFixed16(table + buckets, static_cast<uint16_t>(buckets));
  buffer_.Advance(buckets + sizeof(uint16_t));
}

// The gaps between neighbouring restart keys, as numbers taken after the prefix that all
// of them share, have a coefficient of variation below the threshold.
bool BlockBuilder::MeasureUniform() const {
  if (options_.uniform_cv_threshold < 0 || restarts_.size() < 3) return false;
  const auto restart_key = [this](size_t index) {
    EntryHead head;
    const char* limit = buffer_.data() + buffer_.size();
    const char* key = DecodeEntryHead(buffer_.data() + restarts_[index], limit,
                                      options_.delta_values, options_.separated,
                                      /*at_restart=*/true, &head);
    return key == nullptr ? Slice() : Slice(key, head.fresh);
  };
  const Slice first = restart_key(0);
  const Slice last = restart_key(restarts_.size() - 1);
  const size_t skip =
      CommonPrefix(first.data(), last.data(), std::min(first.size(), last.size()));
  double sum = 0;
  double squares = 0;
  uint64_t before = KeyPrefix(first, std::min(skip, first.size()));
  for (size_t i = 1; i < restarts_.size(); ++i) {
    const Slice key = restart_key(i);
    const uint64_t here = KeyPrefix(key, std::min(skip, key.size()));
    if (here < before) return false;
    const auto gap = static_cast<double>(here - before);
    sum += gap;
    squares += gap * gap;
    before = here;
  }
  const auto count = static_cast<double>(restarts_.size() - 1);
  const double mean = sum / count;
  if (mean <= 0) return false;
  const double variance = std::max(0.0, squares / count - mean * mean);
  return std::sqrt(variance) / mean < options_.uniform_cv_threshold;
}

Slice BlockBuilder::Finish() {
  // The estimate before anything is appended is what decides about the hash index.
  const bool with_hash = hash_valid_ && EstimatedSize() <= kHashIndexBlockSizeMax;
  uniform_ = MeasureUniform();
  uint32_t packed = static_cast<uint32_t>(restarts_.size());
  assert(packed <= kRestartCountMask);

  const size_t keys_size = buffer_.size();
  if (options_.separated) {
    buffer_.Append(values_.data(), values_.size());
    packed |= kSeparatedBit;
  }
  buffer_.Append(reinterpret_cast<const char*>(restarts_.data()), 4 * restarts_.size());
  if (with_hash) {
    AppendHashIndex();
    packed |= kHashIndexBit;
  }
  if (uniform_) packed |= kUniformBit;
  char* at = buffer_.Reserve(8 + kBlockTrailerSize);
  if (options_.separated) {
    EncodeFixed32(at, static_cast<uint32_t>(keys_size));
    at += 4;
  }
  EncodeFixed32(at, packed);
  buffer_.AdvanceTo(at + 4);
  return buffer_.slice();
}

}  // namespace skarn
