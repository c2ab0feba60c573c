#include "core/plugin/builtin_merge_operators.h"

#include "core/base/coding.h"
#include "core/base/status.h"

namespace skarn {
namespace {

// An operator for which any two operands make one, in either form of merging.
class PairwiseOperator : public MergeOperator {
 public:
  bool FullMerge(Slice, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    return MergeAll(existing, operands, result);
  }
  bool PartialMerge(Slice, const std::vector<Slice>& operands, std::string* result) const override {
    return MergeAll(nullptr, operands, result);
  }

 protected:
  // Puts what `older` and `newer` make together into *older.
  virtual void Combine(std::string* older, Slice newer) const = 0;
  // The value of a key that only has `operand`.
  virtual void Begin(Slice operand, std::string* value) const {
    value->assign(operand.data(), operand.size());
  }

 private:
  bool MergeAll(const Slice* existing, const std::vector<Slice>& operands,
                std::string* result) const {
    result->clear();
    bool begun = existing != nullptr;
    if (begun) Begin(*existing, result);
    for (const Slice operand : operands) {
      if (begun) {
        Combine(result, operand);
      } else {
        Begin(operand, result);
        begun = true;
      }
    }
    return true;
  }
};

class UInt64AddOperator : public PairwiseOperator {
 public:
  const char* Name() const override { return "UInt64AddOperator"; }

 protected:
  void Combine(std::string* older, Slice newer) const override {
    const uint64_t sum = Number(*older) + Number(newer);
    older->clear();
    PutFixed64(older, sum);
  }
  void Begin(Slice operand, std::string* value) const override {
    value->clear();
    PutFixed64(value, Number(operand));
  }

 private:
  // Bytes that are no number count as 0.
  static uint64_t Number(Slice bytes) {
    return bytes.size() == sizeof(uint64_t) ? DecodeFixed64(bytes.data()) : 0;
  }
};

class PutOperator : public PairwiseOperator {
 public:
  const char* Name() const override { return "PutOperator"; }
  bool AllowSingleOperand() const override { return true; }

 protected:
  void Combine(std::string* older, Slice newer) const override {
    older->assign(newer.data(), newer.size());
  }
};

class MaxOperator : public PairwiseOperator {
 public:
  const char* Name() const override { return "MaxOperator"; }

 protected:
  void Combine(std::string* older, Slice newer) const override {
    if (Slice(*older).Compare(newer) < 0) older->assign(newer.data(), newer.size());
  }
};

class BytesXorOperator : public PairwiseOperator {
 public:
  const char* Name() const override { return "BytesXOR"; }

 protected:
  void Combine(std::string* older, Slice newer) const override {
    if (older->size() < newer.size()) older->resize(newer.size());
    for (size_t i = 0; i < newer.size(); i++) (*older)[i] ^= newer[i];
  }
};

class StringAppendOperator : public PairwiseOperator {
 public:
  explicit StringAppendOperator(std::string delimiter) : delimiter_(std::move(delimiter)) {}
  const char* Name() const override { return "StringAppendOperator"; }
  const std::string& delimiter() const { return delimiter_; }

 protected:
  void Combine(std::string* older, Slice newer) const override {
    older->append(delimiter_).append(newer.data(), newer.size());
  }

 private:
  const std::string delimiter_;
};

}  // namespace

std::shared_ptr<MergeOperator> NewUInt64AddOperator() {
  return std::make_shared<UInt64AddOperator>();
}

std::shared_ptr<MergeOperator> NewMergeOperator(const std::string& id,
                                                const std::map<std::string, std::string>& options) {
  if (id == "UInt64AddOperator" || id == "uint64add") return NewUInt64AddOperator();
  if (id == "PutOperator" || id == "put" || id == "put_v1") return std::make_shared<PutOperator>();
  if (id == "MaxOperator" || id == "max") return std::make_shared<MaxOperator>();
  if (id == "BytesXOR" || id == "bytesxor") return std::make_shared<BytesXorOperator>();
  if (id == "StringAppendOperator" || id == "stringappend" || id == "StringAppendTESTOperator" ||
      id == "stringappendtest") {
    std::string delimiter = ",";
    for (const char* key : {"delim", "delimiter"}) {
      if (const auto found = options.find(key); found != options.end()) delimiter = found->second;
    }
    return std::make_shared<StringAppendOperator>(std::move(delimiter));
  }
  return nullptr;
}

std::string TextOf(const MergeOperator& merge_operator) {
  const auto* append = dynamic_cast<const StringAppendOperator*>(&merge_operator);
  if (append == nullptr) return merge_operator.Name();
  return Concat("{id=", append->Name(), ";delimiter=", append->delimiter(), ";}");
}

}  // namespace skarn
