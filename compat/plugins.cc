// Code that callers supply: comparators, merge operators, compaction filters, prefixes and
// filter policies (c/plugins.h).

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

namespace {

using skarn::FilterPolicy;
using skarn::Slice;

// A caller's state, and what frees it.
class CallerState {
 public:
  CallerState(void* state, void (*destructor)(void*)) : state_(state), destructor_(destructor) {}
  ~CallerState() {
    if (destructor_ != nullptr) destructor_(state_);
  }
  CallerState(const CallerState&) = delete;
  CallerState& operator=(const CallerState&) = delete;
  void* get() const { return state_; }

 private:
  void* const state_;
  void (*const destructor_)(void*);
};

using NameFunction = const char* (*)(void*);
using CompareFunction = int (*)(void*, const char*, size_t, const char*, size_t);
using CompareWithoutTimestampFunction = int (*)(void*, const char*, size_t, unsigned char,
                                                const char*, size_t, unsigned char);

class CallerComparator : public rocksdb_comparator_t {
 public:
  CallerComparator(void* state, void (*destructor)(void*), CompareFunction compare,
                   CompareFunction compare_timestamp,
                   CompareWithoutTimestampFunction compare_without_timestamp, NameFunction name,
                   size_t timestamp_size)
      : rocksdb_comparator_t(Kind::kUser, timestamp_size),
        state_(state, destructor),
        compare_(compare),
        compare_timestamp_(compare_timestamp),
        compare_without_timestamp_(compare_without_timestamp),
        name_(name) {}

  const char* Name() const override { return name_(state_.get()); }
  int Compare(Slice a, Slice b) const override {
    return compare_(state_.get(), a.data(), a.size(), b.data(), b.size());
  }
  int CompareWithoutTimestamp(Slice a, bool a_has_timestamp, Slice b,
                              bool b_has_timestamp) const override {
    if (compare_without_timestamp_ == nullptr) return Compare(a, b);
    return compare_without_timestamp_(state_.get(), a.data(), a.size(), a_has_timestamp, b.data(),
                                      b.size(), b_has_timestamp);
  }
  int CompareTimestamp(Slice a, Slice b) const override {
    if (compare_timestamp_ == nullptr) return 0;
    return compare_timestamp_(state_.get(), a.data(), a.size(), b.data(), b.size());
  }
  // Nothing is known about the order that would allow shorter keys.
  void FindShortestSeparator(std::string*, Slice) const override {}
  void FindShortSuccessor(std::string*) const override {}

 private:
  const CallerState state_;
  const CompareFunction compare_;
  const CompareFunction compare_timestamp_;
  const CompareWithoutTimestampFunction compare_without_timestamp_;
  const NameFunction name_;
};

using FullMergeFunction = char* (*)(void*, const char*, size_t, const char*, size_t,
                                    const char* const*, const size_t*, int, unsigned char*,
                                    size_t*);
using PartialMergeFunction = char* (*)(void*, const char*, size_t, const char* const*,
                                       const size_t*, int, unsigned char*, size_t*);
using DeleteValueFunction = void (*)(void*, const char*, size_t);

class CallerMergeOperator : public rocksdb_mergeoperator_t {
 public:
  CallerMergeOperator(void* state, void (*destructor)(void*), FullMergeFunction full_merge,
                      PartialMergeFunction partial_merge, DeleteValueFunction delete_value,
                      NameFunction name)
      : state_(state, destructor),
        full_merge_(full_merge),
        partial_merge_(partial_merge),
        delete_value_(delete_value),
        name_(name) {}

  const char* Name() const override { return name_(state_.get()); }

  bool FullMerge(Slice key, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    const Arrays arrays(operands);
    unsigned char success = 0;
    size_t size = 0;
    char* merged = full_merge_(
        state_.get(), key.data(), key.size(), existing == nullptr ? nullptr : existing->data(),
        existing == nullptr ? 0 : existing->size(), arrays.data.data(), arrays.sizes.data(),
        static_cast<int>(operands.size()), &success, &size);
    return Take(merged, size, success, result);
  }

  bool PartialMerge(Slice key, const std::vector<Slice>& operands,
                    std::string* result) const override {
    if (partial_merge_ == nullptr) return false;
    const Arrays arrays(operands);
    unsigned char success = 0;
    size_t size = 0;
    char* merged =
        partial_merge_(state_.get(), key.data(), key.size(), arrays.data.data(),
                       arrays.sizes.data(), static_cast<int>(operands.size()), &success, &size);
    return Take(merged, size, success, result);
  }

 private:
  struct Arrays {
    explicit Arrays(const std::vector<Slice>& operands) {
      for (const Slice operand : operands) {
        data.push_back(operand.data());
        sizes.push_back(operand.size());
      }
    }
    std::vector<const char*> data;
    std::vector<size_t> sizes;
  };

  // Copies what a callback returned, and gives it back.
  bool Take(char* merged, size_t size, unsigned char success, std::string* result) const {
    if (merged != nullptr) {
      if (success != 0) result->assign(merged, size);
      if (delete_value_ != nullptr) {
        delete_value_(state_.get(), merged, size);
      } else {
        free(merged);
      }
    } else if (success != 0) {
      result->clear();
    }
    return success != 0;
  }

  const CallerState state_;
  const FullMergeFunction full_merge_;
  const PartialMergeFunction partial_merge_;
  const DeleteValueFunction delete_value_;
  const NameFunction name_;
};

using FilterFunction = unsigned char (*)(void*, int, const char*, size_t, const char*, size_t,
                                         char**, size_t*, unsigned char*);

class CallerCompactionFilter : public rocksdb_compactionfilter_t {
 public:
  CallerCompactionFilter(void* state, void (*destructor)(void*), FilterFunction filter,
                         NameFunction name)
      : state_(state, destructor), filter_(filter), name_(name) {}

  const char* Name() const override { return name_(state_.get()); }
  Decision Filter(int level, Slice key, Slice value, std::string* new_value) const override {
    char* changed_value = nullptr;
    size_t changed_size = 0;
    unsigned char changed = 0;
    const unsigned char remove = filter_(state_.get(), level, key.data(), key.size(), value.data(),
                                         value.size(), &changed_value, &changed_size, &changed);
    if (remove != 0) return Decision::kRemove;
    if (changed == 0) return Decision::kKeep;
    new_value->assign(changed_value == nullptr ? "" : changed_value,
                      changed_value == nullptr ? 0 : changed_size);
    return Decision::kChangeValue;
  }
  bool IgnoreSnapshots() const override { return ignore_snapshots_; }
  void set_ignore_snapshots(bool value) { ignore_snapshots_ = value; }

 private:
  const CallerState state_;
  const FilterFunction filter_;
  const NameFunction name_;
  bool ignore_snapshots_ = true;  // Set before the filter is used.
};

using CreateFilterFunction = rocksdb_compactionfilter_t* (*)(void*,
                                                             rocksdb_compactionfiltercontext_t*);

class CallerCompactionFilterFactory : public rocksdb_compactionfilterfactory_t {
 public:
  CallerCompactionFilterFactory(void* state, void (*destructor)(void*), CreateFilterFunction create,
                                NameFunction name)
      : state_(state, destructor), create_(create), name_(name) {}

  const char* Name() const override { return name_(state_.get()); }
  std::unique_ptr<skarn::CompactionFilter> Create(
      const skarn::CompactionFilter::Context& context) override {
    rocksdb_compactionfiltercontext_t handle{context};
    return std::unique_ptr<skarn::CompactionFilter>(create_(state_.get(), &handle));
  }

 private:
  const CallerState state_;
  const CreateFilterFunction create_;
  const NameFunction name_;
};

using TransformFunction = char* (*)(void*, const char*, size_t, size_t*);
using InDomainFunction = unsigned char (*)(void*, const char*, size_t);

class CallerSliceTransform : public skarn::SliceTransform {
 public:
  CallerSliceTransform(void* state, void (*destructor)(void*), TransformFunction transform,
                       InDomainFunction in_domain, NameFunction name)
      : state_(state, destructor),
        transform_(transform),
        in_domain_(in_domain),
        name_(name == nullptr ? "" : TextOf(name(state))) {}

  const std::string& Name() const override { return name_; }
  Slice Transform(Slice key) const override {
    size_t size = 0;
    const char* prefix = transform_(state_.get(), key.data(), key.size(), &size);
    return prefix == nullptr ? Slice() : Slice(prefix, size);
  }
  bool InDomain(Slice key) const override {
    return transform_ != nullptr &&
           (in_domain_ == nullptr || in_domain_(state_.get(), key.data(), key.size()) != 0);
  }

 private:
  const CallerState state_;
  const TransformFunction transform_;
  const InDomainFunction in_domain_;
  const std::string name_;
};

rocksdb_filterpolicy_t* NewPolicy(FilterPolicy::Kind kind, double bits_per_key,
                                  int bloom_before_level) {
  FilterPolicy policy;
  policy.kind = kind;
  policy.bits_per_key = bits_per_key;
  policy.bloom_before_level = bloom_before_level;
  return new rocksdb_filterpolicy_t{std::make_shared<const FilterPolicy>(policy)};
}

}  // namespace

extern "C" {

rocksdb_comparator_t* rocksdb_comparator_create(void* state, void (*destructor)(void*),
                                                int (*compare)(void*, const char* a, size_t alen,
                                                               const char* b, size_t blen),
                                                const char* (*name)(void*)) {
  return new CallerComparator(state, destructor, compare, nullptr, nullptr, name,
                              /*timestamp_size=*/0);
}
rocksdb_comparator_t* rocksdb_comparator_with_ts_create(
    void* state, void (*destructor)(void*),
    int (*compare)(void*, const char* a, size_t alen, const char* b, size_t blen),
    int (*compare_ts)(void*, const char* a_ts, size_t a_tslen, const char* b_ts, size_t b_tslen),
    int (*compare_without_ts)(void*, const char* a, size_t alen, unsigned char a_has_ts,
                              const char* b, size_t blen, unsigned char b_has_ts),
    const char* (*name)(void*), size_t timestamp_size) {
  return new CallerComparator(state, destructor, compare, compare_ts, compare_without_ts, name,
                              timestamp_size);
}
void rocksdb_comparator_destroy(rocksdb_comparator_t* comparator) { RetireObject(comparator); }

rocksdb_mergeoperator_t* rocksdb_mergeoperator_create(
    void* state, void (*destructor)(void*),
    char* (*full_merge)(void*, const char* key, size_t key_length, const char* existing_value,
                        size_t existing_value_length, const char* const* operands_list,
                        const size_t* operands_list_length, int num_operands,
                        unsigned char* success, size_t* new_value_length),
    char* (*partial_merge)(void*, const char* key, size_t key_length,
                           const char* const* operands_list, const size_t* operands_list_length,
                           int num_operands, unsigned char* success, size_t* new_value_length),
    void (*delete_value)(void*, const char* value, size_t value_length),
    const char* (*name)(void*)) {
  return new CallerMergeOperator(state, destructor, full_merge, partial_merge, delete_value, name);
}
void rocksdb_mergeoperator_destroy(rocksdb_mergeoperator_t* merge_operator) {
  DestroyObject(merge_operator);
}

rocksdb_compactionfilter_t* rocksdb_compactionfilter_create(
    void* state, void (*destructor)(void*),
    unsigned char (*filter)(void*, int level, const char* key, size_t key_length,
                            const char* existing_value, size_t value_length, char** new_value,
                            size_t* new_value_length, unsigned char* value_changed),
    const char* (*name)(void*)) {
  return new CallerCompactionFilter(state, destructor, filter, name);
}
void rocksdb_compactionfilter_set_ignore_snapshots(rocksdb_compactionfilter_t* filter,
                                                   unsigned char value) {
  if (filter == nullptr) return;
  static_cast<CallerCompactionFilter*>(filter)->set_ignore_snapshots(value != 0);
}
void rocksdb_compactionfilter_destroy(rocksdb_compactionfilter_t* filter) { RetireObject(filter); }

rocksdb_compactionfilterfactory_t* rocksdb_compactionfilterfactory_create(
    void* state, void (*destructor)(void*),
    rocksdb_compactionfilter_t* (*create_compaction_filter)(
        void*, rocksdb_compactionfiltercontext_t* context),
    const char* (*name)(void*)) {
  return new CallerCompactionFilterFactory(state, destructor, create_compaction_filter, name);
}
void rocksdb_compactionfilterfactory_destroy(rocksdb_compactionfilterfactory_t* factory) {
  DestroyObject(factory);
}
unsigned char rocksdb_compactionfiltercontext_is_full_compaction(
    rocksdb_compactionfiltercontext_t* context) {
  return context != nullptr && context->rep.is_full_compaction;
}
unsigned char rocksdb_compactionfiltercontext_is_manual_compaction(
    rocksdb_compactionfiltercontext_t* context) {
  return context != nullptr && context->rep.is_manual_compaction;
}

rocksdb_slicetransform_t* rocksdb_slicetransform_create(
    void* state, void (*destructor)(void*),
    char* (*transform)(void*, const char* key, size_t length, size_t* dst_length),
    unsigned char (*in_domain)(void*, const char* key, size_t length), const char* (*name)(void*)) {
  return new rocksdb_slicetransform_t{
      std::make_shared<const CallerSliceTransform>(state, destructor, transform, in_domain, name)};
}
rocksdb_slicetransform_t* rocksdb_slicetransform_create_fixed_prefix(size_t prefix_length) {
  return new rocksdb_slicetransform_t{skarn::NewFixedPrefixTransform(prefix_length)};
}
rocksdb_slicetransform_t* rocksdb_slicetransform_create_noop() {
  return new rocksdb_slicetransform_t{skarn::NewNoopTransform()};
}
void rocksdb_slicetransform_destroy(rocksdb_slicetransform_t* transform) { Retire(transform); }

rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_bloom(double bits_per_key) {
  return NewPolicy(FilterPolicy::Kind::kBloom, bits_per_key, 0);
}
rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_bloom_full(double bits_per_key) {
  return NewPolicy(FilterPolicy::Kind::kBloom, bits_per_key, 0);
}
rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_ribbon(double bloom_equivalent_bits_per_key) {
  return NewPolicy(FilterPolicy::Kind::kRibbon, bloom_equivalent_bits_per_key,
                   /*bloom_before_level=*/-1);
}
rocksdb_filterpolicy_t* rocksdb_filterpolicy_create_ribbon_hybrid(
    double bloom_equivalent_bits_per_key, int bloom_before_level) {
  return NewPolicy(FilterPolicy::Kind::kRibbon, bloom_equivalent_bits_per_key, bloom_before_level);
}
void rocksdb_filterpolicy_destroy(rocksdb_filterpolicy_t* policy) { Retire(policy); }

}  // extern "C"
