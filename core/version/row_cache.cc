#include "core/version/row_cache.h"

#include <memory>
#include <string>

#include "core/base/hash.h"
#include "core/metrics/statistics.h"

namespace skarn {
namespace {

struct Row {
  std::string user_key;
  uint64_t view = 0;  // 0: the whole file; else one more than the snapshot's number.
  SequenceNumber sequence = 0;
  bool deleted = false;
  std::string value;

  size_t charge() const { return sizeof(Row) + user_key.capacity() + value.capacity(); }
  static void Delete(void* row) { delete static_cast<Row*>(row); }
};

// Takes the value of a row on its way into the cache.
struct RowSink : ValueSink {
  explicit RowSink(std::string* to) : value(to) {
    take = [](ValueSink* self, Slice found, const PinSource&) {
      static_cast<RowSink*>(self)->value->assign(found.data(), found.size());
    };
  }
  std::string* const value;
};

void OfferRow(Cache* cache, Cache::Handle* handle, PointLookup* lookup) {
  const Row& row = *static_cast<const Row*>(cache->Value(handle));
  PinSource source;
  source.object = handle;
  source.context = cache;
  source.acquire = [](const PinSource& self, Pin* pin) {
    auto* const owner = static_cast<Cache*>(self.context);
    owner->Ref(static_cast<Cache::Handle*>(self.object));
    *pin = Pin(self.object, owner, [](void* held, void* of) {
      static_cast<Cache*>(of)->Release(static_cast<Cache::Handle*>(held));
    });
    return true;
  };
  const EntryKind kind = row.deleted ? EntryKind::kDeletion : EntryKind::kValue;
  lookup->Offer(lookup->user_key(), PackTag(row.sequence, kind), row.value, source);
}

}  // namespace

void RowCache::Get(const ReadOptions& read, const FileRecord& file, TableReader* reader,
                   PointLookup* lookup, bool skip_filters) const {
  const PointLookup::Extras& extras = lookup->extras();
  if (lookup->order().timestamp_size() != 0 || extras.TouchesValues() ||
      extras.is_blob_index != nullptr || extras.blobs != nullptr) {
    return reader->Get(read, lookup, skip_filters);
  }
  const uint64_t view = lookup->snapshot() >= file.largest_sequence ? 0 : lookup->snapshot() + 1;
  const uint64_t place[3] = {id_, file.number, view};
  const CacheKey key{Xxh3(reinterpret_cast<const char*>(place), sizeof(place)), lookup->hash()};
  if (Cache::Handle* const handle = cache_->Lookup(key)) {
    const Row& row = *static_cast<const Row*>(cache_->Value(handle));
    const bool same = row.view == view && Slice(row.user_key) == lookup->user_key();
    if (same) OfferRow(cache_, handle, lookup);
    cache_->Release(handle);
    if (same) {
      CountTicker(statistics_, Ticker::kRowCacheHit);
      return;
    }
  }
  CountTicker(statistics_, Ticker::kRowCacheMiss);

  // A lookup of its own, which knows nothing of newer files, so that the row serves any other.
  auto row = std::make_unique<Row>();
  RowSink sink(&row->value);
  PointLookup alone(lookup->order(), lookup->user_key(), lookup->snapshot(), Slice(),
                    /*merge_operator=*/nullptr, &sink);
  alone.extras().sequence = &row->sequence;
  reader->Get(read, &alone, skip_filters);
  if (alone.state() == PointLookup::State::kSearching) return;  // Not in this file.
  if (alone.state() != PointLookup::State::kFound &&
      alone.state() != PointLookup::State::kDeleted) {
    return reader->Get(read, lookup, skip_filters);
  }
  row->user_key = lookup->user_key().ToString();
  row->view = view;
  row->deleted = alone.state() == PointLookup::State::kDeleted;
  const size_t charge = row->charge();
  Cache::Handle* handle = nullptr;
  const Status inserted = cache_->Insert(key, row.release(), &Row::Delete, charge,
                                         Cache::Role::kMisc, Cache::Priority::kLow, &handle);
  if (!inserted.ok() || handle == nullptr) return reader->Get(read, lookup, skip_filters);
  OfferRow(cache_, handle, lookup);
  cache_->Release(handle);
}

}  // namespace skarn
