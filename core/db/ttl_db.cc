#include "core/db/ttl_db.h"

#include <utility>

#include "core/base/coding.h"
#include "core/db/forwarding_db.h"
#include "core/plugin/compaction_filter.h"
#include "core/plugin/merge_operator.h"

namespace skarn {
namespace {

constexpr size_t kTimeSize = sizeof(int32_t);
// No entry is older than the first release that wrote such times.
constexpr int32_t kEarliestTime = 1368146402;

std::string WithTime(Slice value, Clock* clock) {
  std::string stored;
  stored.reserve(value.size() + kTimeSize);
  stored.append(value.data(), value.size());
  PutFixed32(&stored, static_cast<uint32_t>(clock->NowSeconds()));
  return stored;
}

Status CheckTime(Slice stored) {
  if (stored.size() < kTimeSize) {
    return Status::Corruption("Error: value's length less than timestamp's\n");
  }
  if (static_cast<int32_t>(DecodeFixed32(stored.end() - kTimeSize)) < kEarliestTime) {
    return Status::Corruption("Error: Timestamp < ttl feature release time!\n");
  }
  return Status::Ok();
}

Slice WithoutTime(Slice stored) {
  return stored.size() < kTimeSize ? stored : Slice(stored.data(), stored.size() - kTimeSize);
}

bool IsExpired(Slice stored, int32_t ttl, Clock* clock) {
  if (ttl <= 0 || stored.size() < kTimeSize) return false;
  const int64_t written = static_cast<int32_t>(DecodeFixed32(stored.end() - kTimeSize));
  return written + ttl < static_cast<int64_t>(clock->NowSeconds());
}

// Drops what has expired; asks the user's own filter about the rest.
class TtlFilter final : public CompactionFilter {
 public:
  TtlFilter(int32_t ttl, Clock* clock, const CompactionFilter* user,
            std::unique_ptr<CompactionFilter> owned)
      : ttl_(ttl), clock_(clock), user_(user), owned_(std::move(owned)) {}

  const char* Name() const override { return "Delete By TTL"; }

  Decision Filter(int level, Slice key, Slice value, std::string* new_value) const override {
    if (IsExpired(value, ttl_, clock_)) return Decision::kRemove;
    if (user_ == nullptr || value.size() < kTimeSize) return Decision::kKeep;
    const Decision decision = user_->Filter(level, key, WithoutTime(value), new_value);
    if (decision == Decision::kChangeValue) {
      new_value->append(value.end() - kTimeSize, kTimeSize);
    }
    return decision;
  }

 private:
  const int32_t ttl_;
  Clock* const clock_;
  const CompactionFilter* const user_;
  const std::unique_ptr<CompactionFilter> owned_;
};

class TtlFilterFactory final : public CompactionFilterFactory {
 public:
  TtlFilterFactory(int32_t ttl, Clock* clock, const CompactionFilter* user,
                   std::shared_ptr<CompactionFilterFactory> user_factory)
      : ttl_(ttl), clock_(clock), user_(user), user_factory_(std::move(user_factory)) {}

  const char* Name() const override { return "TtlCompactionFilterFactory"; }

  std::unique_ptr<CompactionFilter> Create(const CompactionFilter::Context& context) override {
    std::unique_ptr<CompactionFilter> owned;
    const CompactionFilter* user = user_;
    if (user == nullptr && user_factory_ != nullptr) {
      owned = user_factory_->Create(context);
      user = owned.get();
    }
    return std::make_unique<TtlFilter>(ttl_, clock_, user, std::move(owned));
  }

 private:
  const int32_t ttl_;
  Clock* const clock_;
  const CompactionFilter* const user_;
  const std::shared_ptr<CompactionFilterFactory> user_factory_;  // Shared with the options.
};

// Merges without the times, and gives the result the time of now.
class TtlMergeOperator final : public MergeOperator {
 public:
  TtlMergeOperator(std::shared_ptr<MergeOperator> user, Clock* clock)
      : user_(std::move(user)), clock_(clock) {}

  const char* Name() const override { return "Merge By TTL"; }

  bool FullMerge(Slice key, const Slice* existing, const std::vector<Slice>& operands,
                 std::string* result) const override {
    if (existing != nullptr && existing->size() < kTimeSize) return false;
    std::vector<Slice> plain;
    if (!Strip(operands, &plain)) return false;
    const Slice base = existing != nullptr ? WithoutTime(*existing) : Slice();
    if (!user_->FullMerge(key, existing != nullptr ? &base : nullptr, plain, result)) return false;
    PutFixed32(result, static_cast<uint32_t>(clock_->NowSeconds()));
    return true;
  }

  bool PartialMerge(Slice key, const std::vector<Slice>& operands,
                    std::string* result) const override {
    std::vector<Slice> plain;
    if (!Strip(operands, &plain) || !user_->PartialMerge(key, plain, result)) return false;
    PutFixed32(result, static_cast<uint32_t>(clock_->NowSeconds()));
    return true;
  }

  bool AllowSingleOperand() const override { return user_->AllowSingleOperand(); }

 private:
  static bool Strip(const std::vector<Slice>& operands, std::vector<Slice>* plain) {
    plain->reserve(operands.size());
    for (const Slice operand : operands) {
      if (operand.size() < kTimeSize) return false;
      plain->push_back(WithoutTime(operand));
    }
    return true;
  }

  const std::shared_ptr<MergeOperator> user_;  // Shared with the options.
  Clock* const clock_;
};

ColumnFamilyOptions WithTtl(ColumnFamilyOptions options, int32_t ttl, Clock* clock) {
  options.compaction_filter_factory = std::make_shared<TtlFilterFactory>(
      ttl, clock, options.compaction_filter, options.compaction_filter_factory);
  options.compaction_filter = nullptr;
  if (options.merge_operator != nullptr) {
    options.merge_operator = std::make_shared<TtlMergeOperator>(options.merge_operator, clock);
  }
  return options;
}

// Passes a value on without its time.
struct StrippingSink : public ValueSink {
  explicit StrippingSink(ValueSink* to) : target(to) {
    take = [](ValueSink* self, Slice value, const PinSource& source) {
      auto* sink = static_cast<StrippingSink*>(self);
      sink->status = CheckTime(value);
      if (sink->status.ok()) sink->target->take(sink->target, WithoutTime(value), source);
    };
  }
  ValueSink* target;
  Status status;
};

class TtlIterator final : public DbIterator {
 public:
  explicit TtlIterator(std::unique_ptr<DbIterator> inner) : inner_(std::move(inner)) {}

  void SeekToFirst() override {
    Move([this] { inner_->SeekToFirst(); });
  }
  void SeekToLast() override {
    Move([this] { inner_->SeekToLast(); });
  }
  void Seek(Slice target) override {
    Move([&] { inner_->Seek(target); });
  }
  void SeekForPrev(Slice target) override {
    Move([&] { inner_->SeekForPrev(target); });
  }
  void Next() override {
    Move([this] { inner_->Next(); });
  }
  void Prev() override {
    Move([this] { inner_->Prev(); });
  }
  Status status() const override { return inner_->status(); }
  Status Refresh(const Snapshot* snapshot) override {
    valid_ = false;
    return inner_->Refresh(snapshot);
  }
  Status GetProperty(Slice name, std::string* value) const override {
    return inner_->GetProperty(name, value);
  }

 private:
  template <typename Step>
  void Move(Step step) {
    step();
    valid_ = inner_->valid();
    if (!valid_) return;
    key_ = inner_->key();
    value_ = WithoutTime(inner_->value());
    timestamp_ = inner_->timestamp();
  }

  const std::unique_ptr<DbIterator> inner_;
};

// Copies a batch, giving every value its time.
class Stamper final : public WriteBatch::Handler {
 public:
  Stamper(WriteBatch* to, Clock* clock) : to_(to), clock_(clock) {}

  Status Put(uint32_t cf, Slice key, Slice value) override {
    return to_->Put(cf, key, WithTime(value, clock_));
  }
  Status Merge(uint32_t cf, Slice key, Slice operand) override {
    return to_->Merge(cf, key, WithTime(operand, clock_));
  }
  Status Delete(uint32_t cf, Slice key) override { return to_->Delete(cf, key); }
  Status SingleDelete(uint32_t cf, Slice key) override { return to_->SingleDelete(cf, key); }
  Status DeleteRange(uint32_t cf, Slice begin, Slice end) override {
    return to_->DeleteRange(cf, begin, end);
  }
  void LogData(Slice blob) override { (void)to_->PutLogData(blob).ok(); }

 private:
  WriteBatch* const to_;
  Clock* const clock_;
};

class TtlDb final : public ForwardingDb {
 public:
  using ForwardingDb::ForwardingDb;

  Result<std::unique_ptr<ColumnFamilyHandle>> CreateColumnFamily(const ColumnFamilyOptions& options,
                                                                 const std::string& name) override {
    return CreateWithTtl(options, name, /*ttl=*/0);
  }
  Result<std::unique_ptr<ColumnFamilyHandle>> CreateWithTtl(const ColumnFamilyOptions& options,
                                                            const std::string& name, int32_t ttl) {
    return inner()->CreateColumnFamily(WithTtl(options, ttl, clock()), name);
  }

  Status Put(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
             Slice value) override {
    return inner()->Put(options, family, key, timestamp, WithTime(value, clock()));
  }
  Status Merge(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
               Slice operand) override {
    return inner()->Merge(options, family, key, timestamp, WithTime(operand, clock()));
  }
  Status Write(const WriteOptions& options, WriteBatch* batch) override {
    WriteBatch stamped;
    Stamper stamper(&stamped, clock());
    if (Status s = batch->Iterate(&stamper); !s.ok()) return s;
    return inner()->Write(options, &stamped);
  }
  Status Get(const ReadOptions& options, ColumnFamilyHandle* family, Slice key, ValueSink* sink,
             std::string* found_timestamp) override {
    StrippingSink stripping(sink);
    Status status = inner()->Get(options, family, key, &stripping, found_timestamp);
    return status.ok() ? stripping.status : status;
  }
  void MultiGet(const ReadOptions& options, size_t count, ColumnFamilyHandle* const* families,
                const Slice* keys, ValueSink* const* sinks, std::string* found_timestamps,
                Status* statuses, bool sorted_input) override {
    std::vector<StrippingSink> stripping;
    std::vector<ValueSink*> pointers(count);
    stripping.reserve(count);
    for (size_t i = 0; i < count; ++i) pointers[i] = &stripping.emplace_back(sinks[i]);
    inner()->MultiGet(options, count, families, keys, pointers.data(), found_timestamps, statuses,
                      sorted_input);
    for (size_t i = 0; i < count; ++i) {
      if (statuses[i].ok()) statuses[i] = stripping[i].status;
    }
  }
  bool KeyMayExist(const ReadOptions& options, ColumnFamilyHandle* family, Slice key,
                   ValueSink* sink, std::string* found_timestamp, bool* value_found) override {
    StrippingSink stripping(sink);
    const bool may_exist =
        inner()->KeyMayExist(options, family, key, &stripping, found_timestamp, value_found);
    if (value_found != nullptr && *value_found) *value_found = stripping.status.ok();
    return may_exist;
  }
  std::unique_ptr<DbIterator> NewIterator(const ReadOptions& options,
                                          ColumnFamilyHandle* family) override {
    return std::make_unique<TtlIterator>(inner()->NewIterator(options, family));
  }
  Status NewIterators(const ReadOptions& options, const std::vector<ColumnFamilyHandle*>& families,
                      std::vector<std::unique_ptr<DbIterator>>* iterators) override {
    Status status = inner()->NewIterators(options, families, iterators);
    for (auto& iterator : *iterators) {
      iterator = std::make_unique<TtlIterator>(std::move(iterator));
    }
    return status;
  }

 private:
  Clock* clock() const { return inner()->env()->clock; }
};

}  // namespace

Result<std::unique_ptr<Db>> OpenTtlDb(Db::OpenRequest request, std::vector<int32_t> ttls,
                                      std::vector<std::unique_ptr<ColumnFamilyHandle>>* handles) {
  if (ttls.size() != request.column_families.size()) {
    return Status::InvalidArgument("ttls size has to be the same as number of column families");
  }
  Clock* const clock = request.options.env->clock;
  for (size_t i = 0; i < ttls.size(); ++i) {
    ColumnFamilyOptions& options = request.column_families[i].options;
    options = WithTtl(std::move(options), ttls[i], clock);
  }
  auto opened = Db::Open(std::move(request), handles);
  if (!opened.ok()) return opened.status();
  return std::unique_ptr<Db>(std::make_unique<TtlDb>(std::move(opened.value())));
}

Result<std::unique_ptr<ColumnFamilyHandle>> CreateTtlColumnFamily(
    Db* db, const ColumnFamilyOptions& options, const std::string& name, int32_t ttl) {
  auto* ttl_db = dynamic_cast<TtlDb*>(db);
  if (ttl_db == nullptr) {
    return Status::InvalidArgument("the database was not opened with a time to live");
  }
  return ttl_db->CreateWithTtl(options, name, ttl);
}

}  // namespace skarn
