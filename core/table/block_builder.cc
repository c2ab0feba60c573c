#include "core/table/block_builder.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "core/base/hash.h"
#include "core/key/internal_key.h"

namespace skarn {

namespace {

// Copies without a call when there is little to copy. Reads and writes nothing outside.
inline void CopyShort(char* to, const char* from, size_t size) {
  if (SKARN_UNLIKELY(size > 32)) {
    memcpy(to, from, size);
  } else if (size >= 16) {
    memcpy(to, from, 16);
    memcpy(to + size - 16, from + size - 16, 16);
  } else if (size >= 8) {
    memcpy(to, from, 8);
    memcpy(to + size - 8, from + size - 8, 8);
  } else if (size >= 4) {
    memcpy(to, from, 4);
    memcpy(to + size - 4, from + size - 4, 4);
  } else {
    for (size_t i = 0; i < size; ++i) to[i] = from[i];
  }
}

}  // namespace

void BlockBuffer::Grow(size_t more) {
  const size_t need = size_ + more + kPadding;
  const size_t capacity = std::max(need, capacity_ * 2);
  LargeBytes data = MakeLargeBytes(capacity);
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
  const size_t capacity = std::max(size, key_capacity_ * 2);
  std::unique_ptr<char[]> key(new char[capacity + BlockBuffer::kPadding]);
  if (last_key_size_ != 0) memcpy(key.get(), last_key_.get(), last_key_size_);
  last_key_ = std::move(key);
  packed_.reset(new char[capacity + BlockBuffer::kPadding]);
  key_capacity_ = capacity;
}

void BlockBuilder::Reset() {
  buffer_.Clear();
  values_.Clear();
  restarts_.clear();
  restarts_.push_back(0);
  estimate_ = fixed_bytes_ + 4;
  run_count_ = 0;
  entry_count_ = 0;
  hashes_.clear();
  bucket_count_ = 0;
  hash_valid_ = buckets_per_entry_ > 0;
  uniform_ = false;
}

size_t BlockBuilder::TakeKey(Slice key) {
  if (SKARN_UNLIKELY(key.size() > key_capacity_)) GrowKeys(key.size());
  const size_t shared =
      CommonPrefix(last_key_.get(), key.data(), std::min(last_key_size_, key.size()));
  if (key.size() > shared) {
    memcpy(last_key_.get() + shared, key.data() + shared, key.size() - shared);
  }
  last_key_size_ = key.size();
  return shared;
}

inline char* BlockBuilder::BeginEntry(size_t shared, size_t value_size, size_t* fresh_out) {
  bool at_restart = false;
  if (SKARN_UNLIKELY(entry_count_ == 0)) {
    at_restart = true;  // restarts_ has it already; the key before is of another block.
    shared = 0;
  } else if (SKARN_UNLIKELY(run_count_ >= options_.restart_interval)) {
    restarts_.push_back(static_cast<uint32_t>(buffer_.size()));
    estimate_ += 4;
    run_count_ = 0;
    at_restart = true;
    shared = 0;
  }
  const size_t fresh = last_key_size_ - shared;
  char* at = buffer_.Reserve(4 * kMaxVarint32Size + fresh + value_size + kBlockTrailerSize);
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
  ++run_count_;
  ++entry_count_;
  *fresh_out = fresh;
  return at;
}

inline void BlockBuilder::AppendEntry(size_t shared, Slice value) {
  const size_t before = buffer_.size();
  size_t fresh = 0;
  char* at = BeginEntry(options_.delta_keys ? shared : 0, value.size(), &fresh);
  // Both the key and the buffer have bytes to spare, so whole words are copied.
  const char* from = last_key_.get() + (last_key_size_ - fresh);
  for (size_t i = 0; i < fresh; i += 16) memcpy(at + i, from + i, 16);
  at += fresh;
  if (SKARN_UNLIKELY(options_.separated)) {
    buffer_.AdvanceTo(at);
    values_.Append(value.data(), value.size());
    estimate_ += value.size();
  } else {
    if (!value.empty()) memcpy(at, value.data(), value.size());
    buffer_.AdvanceTo(at + value.size());
  }
  estimate_ += buffer_.size() - before;
}

void BlockBuilder::Add(Slice key, Slice value) {
  assert(!options_.delta_values);
  AppendEntry(TakeKey(key), value);
}

void BlockBuilder::Add(Slice user_key, uint64_t tag, Slice value, size_t shared) {
  assert(!options_.delta_values);
  const size_t size = user_key.size() + kTagSize;
  if (SKARN_UNLIKELY(size > key_capacity_)) GrowKeys(size);
  if (SKARN_LIKELY(shared != kUnknownShared)) {
    assert(shared < user_key.size() && shared + kTagSize < last_key_size_);
    CopyShort(last_key_.get() + shared, user_key.data() + shared, user_key.size() - shared);
    EncodeFixed64(last_key_.get() + user_key.size(), tag);
    last_key_size_ = size;
  } else {
    // The tag may share bytes with what stands there in the key before.
    if (!user_key.empty()) memcpy(packed_.get(), user_key.data(), user_key.size());
    EncodeFixed64(packed_.get() + user_key.size(), tag);
    shared = TakeKey(Slice(packed_.get(), size));
  }
  AppendEntry(shared, value);
  if (hash_valid_) NoteHash(user_key);
}

void BlockBuilder::AddIndexEntry(Slice key, Slice full, Slice delta, bool whole_key) {
  assert(options_.delta_values && !options_.separated);
  const size_t before = buffer_.size();
  const size_t common = TakeKey(key);
  size_t fresh = 0;
  char* at = BeginEntry(whole_key ? 0 : common, std::max(full.size(), delta.size()), &fresh);
  const size_t shared = key.size() - fresh;
  memcpy(at, key.data() + shared, fresh);
  const Slice value = shared == 0 ? full : delta;
  memcpy(at + fresh, value.data(), value.size());
  buffer_.AdvanceTo(at + fresh + value.size());
  estimate_ += buffer_.size() - before;
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
  const size_t skip = CommonPrefix(first.data(), last.data(), std::min(first.size(), last.size()));
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
