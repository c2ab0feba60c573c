#include "iterator_model.h"

#include <algorithm>

#include "random.h"

namespace differential {

void IteratorModel::Scan(const Api& api, rocksdb_t* db, rocksdb_column_family_handle_t* handle,
                         KeyOrder order, const rocksdb_snapshot_t* snapshot,
                         const std::string& timestamp) {
  order_ = order;
  rocksdb_readoptions_t* read = api.rocksdb_readoptions_create();
  api.rocksdb_readoptions_set_total_order_seek(read, 1);
  api.rocksdb_readoptions_set_snapshot(read, snapshot);
  if (!timestamp.empty())
    api.rocksdb_readoptions_set_timestamp(read, timestamp.data(), timestamp.size());
  rocksdb_iterator_t* it = api.rocksdb_create_iterator_cf(db, read, handle);
  for (api.rocksdb_iter_seek_to_first(it); api.rocksdb_iter_valid(it); api.rocksdb_iter_next(it)) {
    Record record;
    size_t size = 0;
    const char* bytes = api.rocksdb_iter_key(it, &size);
    record.key.assign(bytes, size);
    bytes = api.rocksdb_iter_value(it, &size);
    record.value.assign(bytes, size);
    if (!timestamp.empty()) {
      bytes = api.rocksdb_iter_timestamp(it, &size);
      record.timestamp.assign(bytes, size);
    }
    records_.push_back(std::move(record));
  }
  char* error = nullptr;
  api.rocksdb_iter_get_error(it, &error);
  is_known_ = error == nullptr;
  api.rocksdb_free(error);
  api.rocksdb_iter_destroy(it);
  api.rocksdb_readoptions_destroy(read);
  at_ = records_.size();
}

void IteratorModel::Restrict(const std::string* lower, const std::string* upper) {
  std::erase_if(records_, [&](const Record& record) {
    return (lower != nullptr && CompareKeys(order_, record.key, *lower) < 0) ||
           (upper != nullptr && CompareKeys(order_, record.key, *upper) >= 0);
  });
  at_ = records_.size();
}

uint64_t IteratorModel::Hash() const {
  uint64_t hash = records_.size();
  for (const Record& record : records_) {
    hash = Rng::Hash(record.key, hash);
    hash = Rng::Hash(record.value, hash);
    hash = Rng::Hash(record.timestamp, hash);
  }
  return hash;
}

size_t IteratorModel::FirstNotBefore(std::string_view target) const {
  const auto found = std::partition_point(
      records_.begin(), records_.end(),
      [&](const Record& record) { return CompareKeys(order_, record.key, target) < 0; });
  return static_cast<size_t>(found - records_.begin());
}

void IteratorModel::Seek(std::string_view target) { at_ = FirstNotBefore(target); }

void IteratorModel::SeekForPrev(std::string_view target) {
  at_ = FirstNotBefore(target);
  if (at_ < records_.size() && records_[at_].key == target) return;
  Prev();
}

}  // namespace differential
