#include "core/db/family_view.h"
#include "core/base/pooled.h"

#include <memory>
#include <utility>
#include <vector>

#include "core/base/epoch.h"
#include "core/db/db_impl.h"
#include "core/iterate/concatenating_cursor.h"
#include "core/iterate/merging_cursor.h"
#include "core/iterate/tombstone_source.h"
#include "core/key/clipped_tombstones.h"
#include "core/version/version.h"

namespace skarn {

namespace {

// What a view's cursor stands on. Released after the cursor.
struct ViewResources : public Pooled {
  SuperVersion* super_version = nullptr;  // Referenced.
  std::vector<Pin> tables;                // Of level 0.
  // When the caller's do not live long enough.
  std::unique_ptr<ReadOptions> read;
  bool purge_in_background = false;
};

void ReleaseView(void* object, void* context) {
  (void)context;
  auto* const resources = static_cast<ViewResources*>(object);
  SuperVersion* const super_version = resources->super_version;
  DbImpl* const db = super_version->family->db();
  const bool in_background = resources->purge_in_background;
  delete resources;
  if (!super_version->Unref()) return;
  db->DropSuperVersion(super_version, in_background);
}

// The files of one level, for a ConcatenatingCursor.
class LevelSequence final : public FileSequence, public Pooled {
 public:
  LevelSequence(const ReadOptions& read, Version* version, int level)
      : read_(read), version_(version), level_(level), files_(version->storage().level(level)) {}

  size_t size() const override { return files_.size(); }
  Slice smallest(size_t index) const override { return files_[index]->smallest; }
  Slice largest(size_t index) const override { return files_[index]->largest; }
  size_t Find(const KeyOrder& order, Slice user_key, uint64_t tag) const override {
    (void)order;
    return files_.Find(user_key, tag);
  }

  std::unique_ptr<InternalCursor> OpenCursor(size_t index) override {
    TableSource source;
    Status status = version_->OpenTable(read_, level_, files_[index], TableCaller::kUserIterator,
                                        /*compaction_readahead_bytes=*/0, &source);
    if (!status.ok()) return NewEmptyCursor(std::move(status));
    if (read_.pin_data) {
      pinned_.push_back(std::move(source.pin));
    } else {
      // The cursor of the file before may end after this one begins.
      before_ = std::move(current_);
      current_ = std::move(source.pin);
    }
    if (source.cursor == nullptr) return NewEmptyCursor();  // The caller's filter left it out.
    return std::move(source.cursor);
  }

  Status Tombstones(size_t index, std::shared_ptr<const FragmentedTombstones>* list) override {
    Result<TableHold> table = version_->table_cache()->Hold(
        files_[index], level_, read_.read_tier == ReadTier::kBlockCache);
    if (!table.ok()) return table.status();
    *list = (*table)->Tombstones();
    return Status::Ok();
  }

 private:
  const ReadOptions& read_;
  Version* const version_;
  const int level_;
  const LevelFiles& files_;
  Pin current_;
  Pin before_;
  std::vector<Pin> pinned_;
};

}  // namespace

Status OpenFamilyView(const ReadOptions& given, bool copy_options, SuperVersion* super_version,
                      SequenceNumber sequence, IteratorView* view) {
  auto* const resources = new ViewResources;
  resources->super_version = super_version;
  resources->purge_in_background = given.background_purge_on_iterator_cleanup;
  if (copy_options) resources->read = std::make_unique<ReadOptions>(given);
  const ReadOptions& read = copy_options ? *resources->read : given;
  view->pin = Pin(resources, nullptr, &ReleaseView);
  view->sequence = sequence;
  view->super_version = super_version->number;
  view->blobs = super_version->family->blobs();
  if (super_version->options->memtable_op_scan_flush_trigger != 0 &&
      !super_version->active->empty()) {
    view->memtable_from = super_version->active->first_sequence();
  }

  const KeyOrder& order = super_version->family->order();
  MergingCursorBuilder builder(order, sequence,
                               read.timestamp != nullptr ? *read.timestamp : Slice());
  const bool tombstones = !read.ignore_range_deletions;
  const auto add_memtable = [&](const MemTable* table) {
    // What is written from now on has larger numbers than the view shows.
    if (table->empty()) return;
    builder.Add(table->NewCursor(),
                ClippedTombstones(order, tombstones ? table->Tombstones(sequence) : nullptr));
  };
  add_memtable(super_version->active);
  for (const MemTable* table : super_version->immutables) add_memtable(table);

  if (read.read_tier != ReadTier::kMemtable) {
    Version* const version = super_version->current;
    const VersionStorage& storage = version->storage();
    for (FileMetadata* file : storage.level(0)) {
      TableSource source;
      Status status = version->OpenTable(read, 0, file, TableCaller::kUserIterator,
                                         /*compaction_readahead_bytes=*/0, &source);
      if (!status.ok()) {
        view->pin.Reset();
        return status;
      }
      resources->tables.push_back(std::move(source.pin));
      std::unique_ptr<InternalCursor> cursor =
          source.cursor != nullptr ? std::move(source.cursor) : NewEmptyCursor();
      if (SKARN_LIKELY(source.tombstones == nullptr || !tombstones)) {
        builder.Add(std::move(cursor));
      } else {
        builder.Add(std::move(cursor),
                    ClippedTombstones(order, source.tombstones, file->smallest, file->largest));
      }
    }
    for (int level = 1; level < storage.num_non_empty_levels(); ++level) {
      if (storage.level(level).empty()) continue;
      builder.AddLevel(std::make_unique<ConcatenatingCursor>(
                           order, std::make_unique<LevelSequence>(read, version, level),
                           read.iterate_lower_bound, read.iterate_upper_bound),
                       /*ignore_tombstones=*/!tombstones || version->HasNoTombstones(level));
    }
  }
  view->cursor = builder.Finish();
  return Status::Ok();
}

Status FamilyViewSource::Open(const ReadOptions& read, const Snapshot* snapshot,
                              IteratorView* view) {
  SuperVersion* const super_version = db_->AcquireSuperVersion(family_);
  if (super_version == nullptr) return Status::ShutdownInProgress();
  // After the super version, as in Get().
  const SequenceNumber sequence = snapshot != nullptr ? snapshot->sequence() : db_->visible();
  return OpenFamilyView(read, /*copy_options=*/false, super_version, sequence, view);
}

uint64_t FamilyViewSource::CurrentSuperVersion() const {
  EpochGuard guard;
  const SuperVersion* const super_version = family_->super_version();
  return super_version == nullptr ? 0 : super_version->number;
}

SequenceNumber FamilyViewSource::VisibleSequence() const { return db_->visible(); }

void FamilyViewSource::WantsFlush(uint64_t super_version) {
  db_->RequestSwitch(family_, super_version);
}

}  // namespace skarn
