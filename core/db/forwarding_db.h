// ForwardingDb passes every call on to another Db. What adds to a database (time to
// live, transactions) derives from it and overrides what it changes.
//
// Thread safety: as Db.

#ifndef SKARN_CORE_DB_FORWARDING_DB_H_
#define SKARN_CORE_DB_FORWARDING_DB_H_

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/db/db.h"
#include "core/iterate/db_iterator.h"

namespace skarn {

class ForwardingDb : public Db {
 public:
  explicit ForwardingDb(std::unique_ptr<Db> inner) : inner_(std::move(inner)) {}

  Status Close() override { return inner_->Close(); }
  ColumnFamilyHandle* default_family() const override { return inner_->default_family(); }
  Result<std::unique_ptr<ColumnFamilyHandle>> CreateColumnFamily(const ColumnFamilyOptions& options,
                                                                 const std::string& name) override {
    return inner_->CreateColumnFamily(options, name);
  }
  Status DropColumnFamily(ColumnFamilyHandle* family) override {
    return inner_->DropColumnFamily(family);
  }
  Status Put(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
             Slice value) override {
    return inner_->Put(options, family, key, timestamp, value);
  }
  Status Delete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                Slice timestamp) override {
    return inner_->Delete(options, family, key, timestamp);
  }
  Status SingleDelete(const WriteOptions& options, ColumnFamilyHandle* family, Slice key,
                      Slice timestamp) override {
    return inner_->SingleDelete(options, family, key, timestamp);
  }
  Status DeleteRange(const WriteOptions& options, ColumnFamilyHandle* family, Slice begin,
                     Slice end, Slice timestamp) override {
    return inner_->DeleteRange(options, family, begin, end, timestamp);
  }
  Status Merge(const WriteOptions& options, ColumnFamilyHandle* family, Slice key, Slice timestamp,
               Slice operand) override {
    return inner_->Merge(options, family, key, timestamp, operand);
  }
  Status Write(const WriteOptions& options, WriteBatch* batch) override {
    return inner_->Write(options, batch);
  }
  Status Get(const ReadOptions& options, ColumnFamilyHandle* family, Slice key, ValueSink* sink,
             std::string* found_timestamp) override {
    return inner_->Get(options, family, key, sink, found_timestamp);
  }
  void MultiGet(const ReadOptions& options, size_t count, ColumnFamilyHandle* const* families,
                const Slice* keys, ValueSink* const* sinks, std::string* found_timestamps,
                Status* statuses, bool sorted_input) override {
    inner_->MultiGet(options, count, families, keys, sinks, found_timestamps, statuses,
                     sorted_input);
  }
  bool KeyMayExist(const ReadOptions& options, ColumnFamilyHandle* family, Slice key,
                   ValueSink* sink, std::string* found_timestamp, bool* value_found) override {
    return inner_->KeyMayExist(options, family, key, sink, found_timestamp, value_found);
  }
  std::unique_ptr<DbIterator> NewIterator(const ReadOptions& options,
                                          ColumnFamilyHandle* family) override {
    return inner_->NewIterator(options, family);
  }
  Status NewIterators(const ReadOptions& options, const std::vector<ColumnFamilyHandle*>& families,
                      std::vector<std::unique_ptr<DbIterator>>* iterators) override {
    return inner_->NewIterators(options, families, iterators);
  }
  const Snapshot* GetSnapshot() override { return inner_->GetSnapshot(); }
  void ReleaseSnapshot(const Snapshot* snapshot) override { inner_->ReleaseSnapshot(snapshot); }
  SequenceNumber LatestSequence() const override { return inner_->LatestSequence(); }
  bool GetProperty(ColumnFamilyHandle* family, Slice name, std::string* value) override {
    return inner_->GetProperty(family, name, value);
  }
  bool GetIntProperty(ColumnFamilyHandle* family, Slice name, uint64_t* value) override {
    return inner_->GetIntProperty(family, name, value);
  }
  bool GetAggregatedIntProperty(Slice name, uint64_t* value) override {
    return inner_->GetAggregatedIntProperty(name, value);
  }
  Status ApproximateSizes(ColumnFamilyHandle* family, bool include_memtables, bool include_files,
                          double files_size_error_margin, const KeyRange* ranges, size_t count,
                          uint64_t* sizes) override {
    return inner_->ApproximateSizes(family, include_memtables, include_files,
                                    files_size_error_margin, ranges, count, sizes);
  }
  void GetColumnFamilyMetadata(ColumnFamilyHandle* family,
                               ColumnFamilyMetadata* metadata) override {
    inner_->GetColumnFamilyMetadata(family, metadata);
  }
  void GetLiveTables(std::vector<LiveTable>* tables) override { inner_->GetLiveTables(tables); }
  void GetMemoryUsage(uint64_t* memtables_total, uint64_t* memtables_unflushed,
                      uint64_t* table_readers) override {
    inner_->GetMemoryUsage(memtables_total, memtables_unflushed, table_readers);
  }
  Status Flush(const FlushOptions& options,
               const std::vector<ColumnFamilyHandle*>& families) override {
    return inner_->Flush(options, families);
  }
  Status IngestExternalFiles(ColumnFamilyHandle* family, const std::vector<std::string>& paths,
                             const IngestOptions& options) override {
    return inner_->IngestExternalFiles(family, paths, options);
  }
  Status FlushWal(bool sync) override { return inner_->FlushWal(sync); }
  Status SyncWal() override { return inner_->SyncWal(); }
  Status CompactRange(const CompactRangeOptions& options, ColumnFamilyHandle* family,
                      const Slice* begin, const Slice* end) override {
    return inner_->CompactRange(options, family, begin, end);
  }
  Status SuggestCompactRange(ColumnFamilyHandle* family, const Slice* begin,
                             const Slice* end) override {
    return inner_->SuggestCompactRange(family, begin, end);
  }
  Status WaitForCompact(const WaitForCompactOptions& options) override {
    return inner_->WaitForCompact(options);
  }
  Status PauseBackgroundWork() override { return inner_->PauseBackgroundWork(); }
  Status ContinueBackgroundWork() override { return inner_->ContinueBackgroundWork(); }
  void DisableManualCompaction() override { inner_->DisableManualCompaction(); }
  void EnableManualCompaction() override { inner_->EnableManualCompaction(); }
  void CancelAllBackgroundWork(bool wait) override { inner_->CancelAllBackgroundWork(wait); }
  Status EnableAutoCompaction(const std::vector<ColumnFamilyHandle*>& families) override {
    return inner_->EnableAutoCompaction(families);
  }
  Status DisableFileDeletions() override { return inner_->DisableFileDeletions(); }
  Status EnableFileDeletions() override { return inner_->EnableFileDeletions(); }
  Status GetLiveFiles(uint64_t log_size_for_flush, LiveFiles* files) override {
    return inner_->GetLiveFiles(log_size_for_flush, files);
  }
  Status DeleteFile(const std::string& name) override { return inner_->DeleteFile(name); }
  Status DeleteFilesInRanges(ColumnFamilyHandle* family, const Slice* const* starts,
                             const Slice* const* limits, size_t count, bool include_end) override {
    return inner_->DeleteFilesInRanges(family, starts, limits, count, include_end);
  }
  Status Resume() override { return inner_->Resume(); }
  Status SetOptions(ColumnFamilyHandle* family,
                    const std::unordered_map<std::string, std::string>& changes) override {
    return inner_->SetOptions(family, changes);
  }
  Status SetDbOptions(const std::unordered_map<std::string, std::string>& changes) override {
    return inner_->SetDbOptions(changes);
  }
  DbOptions GetDbOptions() const override { return inner_->GetDbOptions(); }
  ColumnFamilyOptions GetColumnFamilyOptions(ColumnFamilyHandle* family) const override {
    return inner_->GetColumnFamilyOptions(family);
  }
  Result<std::string> GetDbIdentity() const override { return inner_->GetDbIdentity(); }
  Status GetUpdatesSince(SequenceNumber sequence, std::unique_ptr<WalIterator>* iterator) override {
    return inner_->GetUpdatesSince(sequence, iterator);
  }
  Status IncreaseFullHistoryTimestampLow(ColumnFamilyHandle* family, Slice timestamp) override {
    return inner_->IncreaseFullHistoryTimestampLow(family, timestamp);
  }
  Result<std::string> GetFullHistoryTimestampLow(ColumnFamilyHandle* family) override {
    return inner_->GetFullHistoryTimestampLow(family);
  }
  Status TryCatchUpWithPrimary() override { return inner_->TryCatchUpWithPrimary(); }
  Status VerifyChecksums(const ReadOptions& options) override {
    return inner_->VerifyChecksums(options);
  }
  const std::string& path() const override { return inner_->path(); }
  Env* env() const override { return inner_->env(); }

 protected:
  Db* inner() const { return inner_.get(); }

 private:
  const std::unique_ptr<Db> inner_;
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_FORWARDING_DB_H_
