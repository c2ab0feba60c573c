// WriteBatch is an ordered list of changes that are applied together.
//
// Its bytes are the same everywhere: in memory, in the log, and in what C callers
// get and give. Drawn in core/batch/batch_format.h.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_BATCH_WRITE_BATCH_H_
#define SKARN_CORE_BATCH_WRITE_BATCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/key/internal_key.h"

namespace skarn {

class WriteBatch {
 public:
  // Receives the entries of a batch in order. Not overriding a method gives
  // InvalidArgument/NotSupported with RocksDB's text, which ends the iteration.
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual Status Put(uint32_t cf, Slice key, Slice value);
    virtual Status Delete(uint32_t cf, Slice key);
    virtual Status SingleDelete(uint32_t cf, Slice key);
    virtual Status DeleteRange(uint32_t cf, Slice begin, Slice end);
    virtual Status Merge(uint32_t cf, Slice key, Slice operand);
    virtual Status PutEntity(uint32_t cf, Slice key, Slice entity);
    virtual Status PutBlobIndex(uint32_t cf, Slice key, Slice index);
    virtual Status TimedPut(uint32_t cf, Slice key, Slice value, uint64_t write_time_s);
    virtual void LogData(Slice blob);
    virtual Status MarkNoop(bool empty_batch);
    virtual Status MarkBeginPrepare(uint8_t tag);
    virtual Status MarkEndPrepare(Slice xid);
    virtual Status MarkCommit(Slice xid);
    virtual Status MarkCommitWithTimestamp(Slice xid, Slice timestamp);
    virtual Status MarkRollback(Slice xid);
    // False stops the iteration without an error.
    virtual bool Continue() { return true; }
  };

  // `max_bytes` 0: no limit. `timestamp_size_of_default`: for keys of column family 0.
  explicit WriteBatch(size_t reserved_bytes = 0, size_t max_bytes = 0,
                      size_t protection_bytes_per_key = 0, size_t default_timestamp_size = 0);
  // Takes bytes as they are; errors appear when it is read or written.
  static WriteBatch FromBytes(Slice bytes);

  // Keys are with their timestamp; the caller checked sizes against the column family.
  // An error (key too large, over max_bytes) leaves the batch as it was.
  Status Put(uint32_t cf, Slice key, Slice value);
  Status Delete(uint32_t cf, Slice key);
  Status SingleDelete(uint32_t cf, Slice key);
  Status DeleteRange(uint32_t cf, Slice begin, Slice end);
  Status Merge(uint32_t cf, Slice key, Slice operand);
  // `entity`: encoded by core/key/wide_columns.h.
  Status PutEntity(uint32_t cf, Slice key, Slice entity);
  Status PutLogData(Slice blob);
  // `write_time_s` UINT64_MAX: a plain put.
  Status TimedPut(uint32_t cf, Slice key, Slice value, uint64_t write_time_s);
  Status PutBlobIndex(uint32_t cf, Slice key, Slice index);

  // Two-phase commit. A transaction's batch begins with a no-op, over which MarkEndPrepare()
  // writes `begin_tag` (batch_format.h) once the transaction is prepared.
  void MarkNoop();
  void MarkEndPrepare(Slice xid, uint8_t begin_tag);
  void MarkCommit(Slice xid);
  void MarkCommitWithTimestamp(Slice xid, Slice timestamp);
  void MarkRollback(Slice xid);
  // Only what was added before this call goes to the log; Clear() takes the mark away.
  void MarkWalEnd();
  // The bytes and the count of entries that go to the log.
  Slice wal_bytes() const {
    return Slice(bytes_.data(), wal_size_ == 0 ? bytes_.size() : wal_size_);
  }
  uint32_t wal_count() const { return wal_size_ == 0 ? count() : wal_count_; }

  // Key and value given in parts.
  Status PutParts(uint32_t cf, const Slice* key, size_t key_parts, const Slice* value,
                  size_t value_parts);
  Status MergeParts(uint32_t cf, const Slice* key, size_t key_parts, const Slice* value,
                    size_t value_parts);
  Status DeleteParts(uint32_t cf, const Slice* key, size_t key_parts);
  Status DeleteRangeParts(uint32_t cf, const Slice* begin, size_t begin_parts, const Slice* end,
                          size_t end_parts);
  // Writes `timestamp` over the last bytes of every key whose column family has that size.
  Status UpdateTimestamps(Slice timestamp, size_t (*timestamp_size_of)(void* state, uint32_t cf),
                          void* state);

  void Clear();
  void SetSavePoint();
  Status RollbackToSavePoint();
  Status PopSavePoint();
  Status Append(const WriteBatch& other);  // Adds the entries of `other`.

  Status Iterate(Handler* handler) const;

  uint32_t count() const;
  SequenceNumber sequence() const;
  void set_sequence(SequenceNumber sequence);
  const std::string& bytes() const { return bytes_; }
  size_t protection_bytes_per_key() const { return protection_bytes_per_key_; }
  size_t default_timestamp_size() const { return default_timestamp_size_; }
  bool empty() const { return bytes_.size() <= 12; }
  // Known, without looking at the bytes, to hold nothing but puts and deletions of the default
  // family, as this class wrote them.
  bool IsPlain() const;
  // Content flags; computed by a scan when the batch was made from bytes.
  bool HasPut() const;
  bool HasDelete() const;
  bool HasSingleDelete() const;
  bool HasMerge() const;
  bool HasDeleteRange() const;
  bool HasEntity() const;
  // Some key of a column family with timestamps has only a placeholder.
  bool needs_timestamps() const { return needs_timestamps_; }
  void set_needs_timestamps(bool value) { needs_timestamps_ = value; }

 private:
  struct SavePoint {
    size_t size;
    uint32_t count;
    uint32_t flags;
  };
  SavePoint Mark() const;
  void RollbackTo(const SavePoint& point);
  Status AddEntry(uint8_t tag, uint8_t tag_with_family, uint32_t flag, uint32_t cf,
                  const Slice* key, size_t key_parts, const Slice* value, size_t value_parts);
  void AddMarker(uint8_t tag, const Slice* body, size_t count);
  uint32_t Flags() const;

  std::string bytes_;
  std::vector<SavePoint> save_points_;
  size_t max_bytes_ = 0;
  size_t protection_bytes_per_key_ = 0;
  size_t default_timestamp_size_ = 0;
  mutable uint32_t flags_ = 0;  // Content flags; see write_batch.cc.
  size_t wal_size_ = 0;         // 0: all of the batch goes to the log.
  uint32_t wal_count_ = 0;
  bool needs_timestamps_ = false;
};

}  // namespace skarn

#endif  // SKARN_CORE_BATCH_WRITE_BATCH_H_
