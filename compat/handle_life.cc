#include "compat/handle_life.h"

#include <memory>
#include <string>
#include <unordered_map>

#include "core/cache/sharded_cache.h"
#include "core/plugin/comparator.h"

namespace {

using namespace skarn;

// Stands for a database that cannot be used.
class MisusedDatabase final : public Db {
 public:
  Status Close() override { return MisusedStatus(); }
  ColumnFamilyHandle* default_family() const override { return MisusedFamily(); }
  Result<std::unique_ptr<ColumnFamilyHandle>> CreateColumnFamily(const ColumnFamilyOptions&,
                                                                 const std::string&) override {
    return MisusedStatus();
  }
  Status DropColumnFamily(ColumnFamilyHandle*) override { return MisusedStatus(); }
  Status Put(const WriteOptions&, ColumnFamilyHandle*, Slice, Slice, Slice) override {
    return MisusedStatus();
  }
  Status Delete(const WriteOptions&, ColumnFamilyHandle*, Slice, Slice) override {
    return MisusedStatus();
  }
  Status SingleDelete(const WriteOptions&, ColumnFamilyHandle*, Slice, Slice) override {
    return MisusedStatus();
  }
  Status DeleteRange(const WriteOptions&, ColumnFamilyHandle*, Slice, Slice, Slice) override {
    return MisusedStatus();
  }
  Status Merge(const WriteOptions&, ColumnFamilyHandle*, Slice, Slice, Slice) override {
    return MisusedStatus();
  }
  Status Write(const WriteOptions&, WriteBatch*) override { return MisusedStatus(); }
  Status Get(const ReadOptions&, ColumnFamilyHandle*, Slice, ValueSink*, std::string*) override {
    return MisusedStatus();
  }
  void MultiGet(const ReadOptions&, size_t count, ColumnFamilyHandle* const*, const Slice*,
                ValueSink* const*, std::string*, Status* statuses, bool) override {
    for (size_t i = 0; i < count; ++i) statuses[i] = MisusedStatus();
  }
  bool KeyMayExist(const ReadOptions&, ColumnFamilyHandle*, Slice, ValueSink*, std::string*,
                   bool* value_found) override {
    if (value_found != nullptr) *value_found = false;
    return false;
  }
  std::unique_ptr<DbIterator> NewIterator(const ReadOptions&, ColumnFamilyHandle*) override {
    return NewErrorIterator(MisusedStatus());
  }
  Status NewIterators(const ReadOptions&, const std::vector<ColumnFamilyHandle*>&,
                      std::vector<std::unique_ptr<DbIterator>>*) override {
    return MisusedStatus();
  }
  const Snapshot* GetSnapshot() override { return nullptr; }
  void ReleaseSnapshot(const Snapshot*) override {}
  SequenceNumber LatestSequence() const override { return 0; }
  bool GetProperty(ColumnFamilyHandle*, Slice, std::string*) override { return false; }
  bool GetIntProperty(ColumnFamilyHandle*, Slice, uint64_t*) override { return false; }
  bool GetAggregatedIntProperty(Slice, uint64_t*) override { return false; }
  Status ApproximateSizes(ColumnFamilyHandle*, bool, bool, double, const KeyRange*, size_t,
                          uint64_t*) override {
    return MisusedStatus();
  }
  void GetColumnFamilyMetadata(ColumnFamilyHandle*, ColumnFamilyMetadata*) override {}
  void GetLiveTables(std::vector<LiveTable>*) override {}
  Status IngestExternalFiles(ColumnFamilyHandle*, const std::vector<std::string>&,
                             const IngestOptions&) override {
    return MisusedStatus();
  }
  void GetMemoryUsage(uint64_t* memtables_total, uint64_t* memtables_unflushed,
                      uint64_t* table_readers) override {
    *memtables_total = *memtables_unflushed = *table_readers = 0;
  }
  Status Flush(const FlushOptions&, const std::vector<ColumnFamilyHandle*>&) override {
    return MisusedStatus();
  }
  Status FlushWal(bool) override { return MisusedStatus(); }
  Status SyncWal() override { return MisusedStatus(); }
  Status CompactRange(const CompactRangeOptions&, ColumnFamilyHandle*, const Slice*,
                      const Slice*) override {
    return MisusedStatus();
  }
  Status SuggestCompactRange(ColumnFamilyHandle*, const Slice*, const Slice*) override {
    return MisusedStatus();
  }
  Status WaitForCompact(const WaitForCompactOptions&) override { return MisusedStatus(); }
  Status PauseBackgroundWork() override { return MisusedStatus(); }
  Status ContinueBackgroundWork() override { return MisusedStatus(); }
  void DisableManualCompaction() override {}
  void EnableManualCompaction() override {}
  void CancelAllBackgroundWork(bool) override {}
  Status EnableAutoCompaction(const std::vector<ColumnFamilyHandle*>&) override {
    return MisusedStatus();
  }
  Status DisableFileDeletions() override { return MisusedStatus(); }
  Status EnableFileDeletions() override { return MisusedStatus(); }
  Status GetLiveFiles(uint64_t, LiveFiles*) override { return MisusedStatus(); }
  Status DeleteFile(const std::string&) override { return MisusedStatus(); }
  Status DeleteFilesInRanges(ColumnFamilyHandle*, const Slice* const*, const Slice* const*, size_t,
                             bool) override {
    return MisusedStatus();
  }
  Status Resume() override { return MisusedStatus(); }
  Status SetOptions(ColumnFamilyHandle*,
                    const std::unordered_map<std::string, std::string>&) override {
    return MisusedStatus();
  }
  Status SetDbOptions(const std::unordered_map<std::string, std::string>&) override {
    return MisusedStatus();
  }
  DbOptions GetDbOptions() const override { return DbOptions(); }
  ColumnFamilyOptions GetColumnFamilyOptions(ColumnFamilyHandle*) const override {
    return ColumnFamilyOptions();
  }
  Result<std::string> GetDbIdentity() const override { return MisusedStatus(); }
  Status GetUpdatesSince(SequenceNumber, std::unique_ptr<WalIterator>*) override {
    return MisusedStatus();
  }
  Status IncreaseFullHistoryTimestampLow(ColumnFamilyHandle*, Slice) override {
    return MisusedStatus();
  }
  Result<std::string> GetFullHistoryTimestampLow(ColumnFamilyHandle*) override {
    return MisusedStatus();
  }
  Status TryCatchUpWithPrimary() override { return MisusedStatus(); }
  Status VerifyChecksums(const ReadOptions&) override { return MisusedStatus(); }
  const std::string& path() const override { return path_; }
  Env* env() const override { return DefaultEnv(); }

 private:
  const std::string path_;
};

class MisusedColumnFamily final : public ColumnFamilyHandle {
 public:
  uint32_t id() const override { return UINT32_MAX; }
  const std::string& name() const override { return name_; }
  const Comparator* comparator() const override { return BytewiseComparator(); }

 private:
  const std::string name_;
};

MisusedColumnFamily misused_family;

}  // namespace

Status MisusedStatus() {
  return Status::InvalidArgument(
      "The handle is null, was destroyed, or belongs to another database.");
}
Db* MisusedDb() {
  static MisusedDatabase* const db = new MisusedDatabase;
  return db;
}
DbIterator* MisusedIterator() {
  static DbIterator* const iterator = NewErrorIterator(MisusedStatus()).release();
  return iterator;
}
ColumnFamilyHandle* MisusedFamily() { return &misused_family; }
Cache* MisusedCache() {
  static const auto* const cache = new std::shared_ptr<Cache>(NewLruCache(LruCacheOptions()));
  return cache->get();
}
