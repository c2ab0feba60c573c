// IteratorModel: what an iterator must answer, from one scan made at the same moment.
//
// Both sides make the scan and must agree on it. Whoever then answers otherwise after some
// moves is wrong, whatever the other one says: so an error of the genuine library is told from
// one of the library under test.
//
// Thread safety: one thread at a time.

#ifndef SKARN_TESTS_DIFFERENTIAL_ITERATOR_MODEL_H_
#define SKARN_TESTS_DIFFERENTIAL_ITERATOR_MODEL_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "api.h"
#include "callbacks.h"

namespace differential {

class IteratorModel {
 public:
  struct Record {
    std::string key;
    std::string value;
    std::string timestamp;
  };

  // Scans the whole family as of `snapshot` (null: now) and `timestamp` (empty: none). After an
  // error nothing is known.
  void Scan(const Api& api, rocksdb_t* db, rocksdb_column_family_handle_t* handle, KeyOrder order,
            const rocksdb_snapshot_t* snapshot, const std::string& timestamp);
  // Only records from `lower` on, or below `upper`, are there; null: no such bound.
  void Restrict(const std::string* lower, const std::string* upper);

  bool is_known() const { return is_known_; }
  size_t size() const { return records_.size(); }
  uint64_t Hash() const;

  void SeekToFirst() { at_ = 0; }
  void SeekToLast() { at_ = records_.empty() ? 0 : records_.size() - 1; }
  void Seek(std::string_view target);
  void SeekForPrev(std::string_view target);
  // Precondition: current() is not null.
  void Next() { at_++; }
  void Prev() { at_ = at_ == 0 ? records_.size() : at_ - 1; }
  // Null at the end.
  const Record* current() const { return at_ < records_.size() ? &records_[at_] : nullptr; }

 private:
  size_t FirstNotBefore(std::string_view target) const;

  KeyOrder order_ = KeyOrder::kBytewise;
  std::vector<Record> records_;
  size_t at_ = 0;
  bool is_known_ = false;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_ITERATOR_MODEL_H_
