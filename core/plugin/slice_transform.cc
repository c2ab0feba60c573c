#include "core/plugin/slice_transform.h"

#include <algorithm>
#include <utility>

namespace skarn {

namespace {

// The first `length` bytes; shorter keys have no prefix.
class FixedPrefix final : public SliceTransform {
 public:
  explicit FixedPrefix(size_t length)
      : length_(length), name_("rocksdb.FixedPrefix." + std::to_string(length)) {}

  const std::string& Name() const override { return name_; }
  Slice Transform(Slice key) const override { return Slice(key.data(), length_); }
  bool InDomain(Slice key) const override { return key.size() >= length_; }
  size_t FixedLength() const override { return length_; }

 private:
  const size_t length_;
  const std::string name_;
};

// The first `length` bytes, or the whole of a shorter key.
class CappedPrefix final : public SliceTransform {
 public:
  explicit CappedPrefix(size_t length)
      : length_(length), name_("rocksdb.CappedPrefix." + std::to_string(length)) {}

  const std::string& Name() const override { return name_; }
  Slice Transform(Slice key) const override {
    return Slice(key.data(), std::min(key.size(), length_));
  }
  bool InDomain(Slice) const override { return true; }

 private:
  const size_t length_;
  const std::string name_;
};

// The whole key.
class Noop final : public SliceTransform {
 public:
  const std::string& Name() const override { return name_; }
  Slice Transform(Slice key) const override { return key; }
  bool InDomain(Slice) const override { return true; }

 private:
  const std::string name_ = "rocksdb.Noop";
};

}  // namespace

std::shared_ptr<const SliceTransform> NewFixedPrefixTransform(size_t length) {
  return std::make_shared<FixedPrefix>(length);
}

std::shared_ptr<const SliceTransform> NewCappedPrefixTransform(size_t length) {
  return std::make_shared<CappedPrefix>(length);
}

std::shared_ptr<const SliceTransform> NewNoopTransform() { return std::make_shared<Noop>(); }

}  // namespace skarn
