// Repair: makes a database that opens out of the tables and logs that can still be read.
//
// Every readable table goes to level 0; every log is replayed as far as its records
// can be read and becomes tables too. What cannot be used, and what was used up, is
// moved to the folder `lost`, never deleted. Nothing is promised about what overlapping
// versions mean beyond their sequence numbers, which decide as always.

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/epoch.h"
#include "core/batch/write_batch.h"
#include "core/compaction/flush_job.h"
#include "core/db/db.h"
#include "core/memtable/memtable.h"
#include "core/options/option_rules.h"
#include "core/options/options_file.h"
#include "core/table/table_reader.h"
#include "core/table/unique_id.h"
#include "core/version/file_names.h"
#include "core/version/table_cache.h"
#include "core/version/version_edit.h"
#include "core/version/version_set.h"
#include "core/wal/log_reader.h"
#include "core/wal/log_writer.h"

namespace skarn {
namespace {

constexpr uint64_t kManifestNumberOfNewDatabase = 3;

class Repairer {
 public:
  Repairer(const DbOptions& options, const ColumnFamilyOptions& cf_options, std::string path)
      : path_(std::move(path)),
        options_(std::make_shared<const DbOptions>(Sanitize(path_, options))),
        family_options_(
            std::make_shared<const ColumnFamilyOptions>(Sanitize(*options_, cf_options))),
        env_(options_->env),
        fs_(env_->file_system),
        budget_(-1) {}

  Status Run() {
    if (Status s = fs_->CreateDirIfMissing(path_); !s.ok()) return s;
    auto lock = fs_->LockFile(LockFileName(path_));
    if (!lock.ok()) return lock.status();
    Status status = RunLocked();
    Status unlocked = fs_->UnlockFile(std::move(lock.value()));
    return status.ok() ? unlocked : status;
  }

 private:
  struct Family {
    std::string name;
    std::unique_ptr<KeyOrder> order;
    std::unique_ptr<TableCache> tables;
    std::vector<FileMetadata> files;
    SequenceNumber last_sequence = 0;
  };

  Status RunLocked() {
    AddFamily(0, "default");
    if (Status s = FindFiles(); !s.ok()) return s;
    for (const auto& [number, place] : tables_) SalvageTable(number, place);
    for (const uint64_t number : logs_) {
      if (Status s = ConvertLog(number); !s.ok()) return s;
    }
    if (Status s = WriteManifest(); !s.ok()) return s;
    std::vector<NamedColumnFamilyOptions> families;
    for (const auto& [id, family] : families_) families.push_back({family.name, *family_options_});
    return WriteOptionsFile(fs_, path_, next_number_++, *options_, families);
  }

  void AddFamily(uint32_t id, const std::string& name) {
    Family& family = families_[id];
    if (family.order != nullptr) return;
    family.name = name;
    family.order = std::make_unique<KeyOrder>(family_options_->comparator);
    TableCache::Context context;
    context.order = family.order.get();
    context.db_options = options_;
    context.options = family_options_;
    context.directories = directories_;
    family.tables = std::make_unique<TableCache>(std::move(context), &budget_);
  }

  Status FindFiles() {
    bool any = false;
    const auto visit = [&](const std::string& directory, uint32_t path_id) -> Status {
      std::vector<std::string> names;
      if (Status s = fs_->GetChildren(directory, &names); !s.ok()) {
        return s.IsPathNotFound() ? Status::Ok() : s;
      }
      for (const std::string& name : names) {
        ParsedFileName parsed;
        if (!ParseFileName(name, &parsed)) continue;
        any = true;
        next_number_ = std::max(next_number_, parsed.number + 1);
        if (parsed.kind == FileKind::kManifest) MoveToLost(directory, name);
        if (parsed.kind == FileKind::kTable) tables_[parsed.number] = {directory, name, path_id};
        if (parsed.kind == FileKind::kWal) logs_.push_back(parsed.number);
      }
      return Status::Ok();
    };
    if (Status s = visit(path_, 0); !s.ok()) return s;
    for (size_t i = 0; i < directories_.size(); ++i) {
      if (directories_[i] == path_) continue;
      if (Status s = visit(directories_[i], static_cast<uint32_t>(i)); !s.ok()) return s;
    }
    if (WalDirectory() != path_) {
      if (Status s = visit(WalDirectory(), 0); !s.ok()) return s;
    }
    std::sort(logs_.begin(), logs_.end());
    logs_.erase(std::unique(logs_.begin(), logs_.end()), logs_.end());
    if (!any) return Status::Corruption(path_, "repair found no files");
    return Status::Ok();
  }

  std::string WalDirectory() const { return options_->wal_dir.empty() ? path_ : options_->wal_dir; }

  void MoveToLost(const std::string& directory, const std::string& name) {
    const std::string lost = directory + "/lost";
    (void)fs_->CreateDirIfMissing(lost).ok();
    const Status moved = fs_->RenameFile(directory + "/" + name, lost + "/" + name);
    Log(LogLevel::kInfo, options_->info_log.get(), "Moving %s/%s to lost: %s", directory.c_str(),
        name.c_str(), moved.ToString().c_str());
  }

  struct Place {
    std::string directory;
    std::string name;
    uint32_t path_id = 0;
  };

  void SalvageTable(uint64_t number, const Place& place) {
    FileMetadata file;
    const Status status = DescribeTable(number, place, &file);
    if (!status.ok()) {
      Log(LogLevel::kWarn, options_->info_log.get(), "Table #%llu: ignoring %s",
          static_cast<unsigned long long>(number), status.ToString().c_str());
      MoveToLost(place.directory, place.name);
    }
  }

  Status DescribeTable(uint64_t number, const Place& place, FileMetadata* file) {
    const std::string path = place.directory + "/" + place.name;
    const Result<uint64_t> size = fs_->FileSize(path);
    if (!size.ok()) return size.status();
    file->number = number;
    file->path_id = place.path_id;
    file->size_bytes = *size;
    auto opened = fs_->NewRandomAccessFile(path, FileOptions());
    if (!opened.ok()) return opened.status();
    const auto properties = ReadTableProperties(**opened, path, *size);
    if (!properties.ok()) return properties.status();
    const TableProperties& found = **properties;
    // Tables that do not tell belong to the default column family.
    const bool known = found.column_family_id != TableProperties().column_family_id;
    const uint32_t id = known ? static_cast<uint32_t>(found.column_family_id) : 0;
    AddFamily(id, known && !found.column_family_name.empty() ? found.column_family_name
                                                             : std::string("default"));
    Family& family = families_[id];
    auto reader = family.tables->OpenUnshared(*file, /*level=*/0);
    if (!reader.ok()) return reader.status();

    ReadOptions read;
    read.fill_cache = false;
    read.total_order_seek = true;
    auto cursor = reader.value()->NewCursor(read, TableCaller::kVerify, /*skip_filters=*/true);
    for (cursor->SeekToFirst(); cursor->valid(); cursor->Next()) {
      file->ExtendTo(*family.order, cursor->user_key(), cursor->tag());
    }
    if (!cursor->status().ok()) return cursor->status();
    if (const auto tombstones = reader.value()->Tombstones(); tombstones != nullptr) {
      for (const RangeTombstone& tombstone : tombstones->unfragmented()) {
        file->ExtendToRange(
            *family.order,
            PackKey(tombstone.start, PackTag(tombstone.sequence, EntryKind::kRangeDeletion)),
            PackKey(tombstone.end, FileRecord::kRangeEndTag), tombstone.sequence);
      }
    }
    if (file->smallest.empty()) return Status::Corruption(path, "table has no entries");
    file->oldest_ancestor_time = found.creation_time;
    file->file_creation_time = found.file_creation_time;
    if (const Result<UniqueId> unique = ComputeUniqueId(found); unique.ok()) {
      file->unique_id[0] = unique->words[0];
      file->unique_id[1] = unique->words[1];
    }
    family.last_sequence = std::max(family.last_sequence, file->largest_sequence);
    family.files.push_back(*file);
    return Status::Ok();
  }

  // Puts the entries of batches into one memtable per known column family.
  class Collector : public WriteBatch::Handler {
   public:
    explicit Collector(std::map<uint32_t, MemTable*>* tables) : tables_(tables) {}
    SequenceNumber sequence = 0;

    Status Put(uint32_t cf, Slice key, Slice value) override {
      return Add(cf, EntryKind::kValue, key, value);
    }
    Status Delete(uint32_t cf, Slice key) override {
      return Add(cf, EntryKind::kDeletion, key, Slice());
    }
    Status SingleDelete(uint32_t cf, Slice key) override {
      return Add(cf, EntryKind::kSingleDeletion, key, Slice());
    }
    Status DeleteRange(uint32_t cf, Slice begin, Slice end) override {
      return Add(cf, EntryKind::kRangeDeletion, begin, end);
    }
    Status Merge(uint32_t cf, Slice key, Slice operand) override {
      return Add(cf, EntryKind::kMerge, key, operand);
    }
    Status PutEntity(uint32_t cf, Slice key, Slice entity) override {
      return Add(cf, EntryKind::kWideColumnEntity, key, entity);
    }
    Status MarkNoop(bool) override { return Status::Ok(); }

   private:
    Status Add(uint32_t cf, EntryKind kind, Slice key, Slice value) {
      const SequenceNumber number = sequence++;
      const auto table = tables_->find(cf);
      if (table == tables_->end()) return Status::Ok();  // Of a family nobody knows.
      return table->second->Add(number, kind, key, value, /*concurrent=*/false);
    }
    std::map<uint32_t, MemTable*>* const tables_;
  };

  Status ConvertLog(uint64_t number) {
    const std::string path = WalFileName(WalDirectory(), number);
    std::map<uint32_t, MemTable*> tables;
    for (const auto& [id, family] : families_) {
      tables[id] = new MemTable(*family.order, MemTableOptions(), nullptr, 0, 1);
    }
    Status status = ReplayLog(path, number, &tables);
    for (auto& [id, table] : tables) {
      if (status.ok() && !table->empty()) status = FlushTable(id, table);
      table->Unref();
    }
    if (status.ok()) {
      MoveToLost(WalDirectory(), path.substr(path.rfind('/') + 1));
    }
    return status;
  }

  Status ReplayLog(const std::string& path, uint64_t number,
                   std::map<uint32_t, MemTable*>* tables) {
    auto file = fs_->NewSequentialFile(path, FileOptions());
    if (!file.ok()) return file.status();
    LogReader reader(std::move(file.value()), nullptr, number);
    Slice record;
    std::string scratch;
    Collector collector(tables);
    while (reader.ReadRecord(&record, &scratch, RecoveryMode::kSkipAnyCorrupted)) {
      const WriteBatch batch = WriteBatch::FromBytes(record);
      collector.sequence = batch.sequence();
      const Status status = batch.Iterate(&collector);
      if (!status.ok()) {
        Log(LogLevel::kWarn, options_->info_log.get(), "Log #%llu: ignoring %s",
            static_cast<unsigned long long>(number), status.ToString().c_str());
      }
    }
    return Status::Ok();
  }

  Status FlushTable(uint32_t id, MemTable* table) {
    Family& family = families_[id];
    table->MarkImmutable();
    JobContext context;
    context.db_options = options_.get();
    context.env = env_;
    context.db_path = path_;
    context.column_family_id = id;
    context.column_family_name = family.name;
    context.order = family.order.get();
    context.table_cache = family.tables.get();
    context.new_file_number = [this] { return next_number_++; };
    context.table_directory = [this](uint32_t path_id) {
      return DirectoryOfPath(directories_, path_id);
    };
    FlushResult result;
    const Status status =
        RunFlushJob(context, *family_options_, {table},
                    CompressionOfLevel(*family_options_, 0, 1, /*bottommost=*/false),
                    /*epoch_number=*/1, TableCreationReason::kRecovery, &result);
    if (status.ok() && result.has_file) {
      family.last_sequence = std::max(family.last_sequence, result.output.file.largest_sequence);
      family.files.push_back(result.output.file);
    }
    return status;
  }

  Status WriteManifest() {
    auto directory = fs_->NewDirectory(path_);
    if (!directory.ok()) return directory.status();
    Result<std::string> id = ReadIdentityFile(fs_, path_);
    const uint64_t number = std::max(next_number_++, kManifestNumberOfNewDatabase);
    next_number_ = std::max(next_number_, number + 1);
    const std::string path = ManifestFileName(path_, number);
    auto file = fs_->NewWritableFile(path, FileOptions());
    if (!file.ok()) return file.status();
    LogWriter log(std::make_unique<FileWriter>(std::move(file.value()), path, FileOptions(),
                                               FileWriter::Options()),
                  LogWriter::Options());
    const auto append = [&](const VersionEdit& edit) -> Status {
      std::string bytes;
      if (Status s = edit.EncodeTo(&bytes, family_options_->comparator->timestamp_size());
          !s.ok()) {
        return s;
      }
      return log.AddRecord(bytes);
    };

    VersionEdit head;
    if (id.ok() && !id->empty()) head.db_id = *id;
    head.log_number = 0;
    head.next_file_number = next_number_;
    head.max_column_family = families_.rbegin()->first;
    SequenceNumber last_sequence = 0;
    for (const auto& [family_id, family] : families_) {
      last_sequence = std::max(last_sequence, family.last_sequence);
    }
    head.last_sequence = last_sequence;
    if (Status s = append(head); !s.ok()) return s;

    for (auto& [family_id, family] : families_) {
      VersionEdit add;
      add.column_family = family_id;
      add.comparator = family_options_->comparator->Name();
      if (family_id != 0) add.column_family_add = family.name;
      if (Status s = append(add); !s.ok()) return s;
      // Oldest first: the order of level 0 is by epoch.
      std::sort(family.files.begin(), family.files.end(),
                [](const FileMetadata& a, const FileMetadata& b) {
                  return std::make_pair(a.largest_sequence, a.number) <
                         std::make_pair(b.largest_sequence, b.number);
                });
      VersionEdit files;
      files.column_family = family_id;
      files.log_number = 0;
      files.last_sequence = last_sequence;
      uint64_t epoch = 1;
      for (FileMetadata& table : family.files) {
        table.epoch_number = epoch++;
        files.AddFile(0, table);
      }
      if (Status s = append(files); !s.ok()) return s;
    }
    Status status = log.file()->Sync();
    if (status.ok()) status = log.Close();
    if (status.ok()) status = SetCurrentFile(fs_, path_, number, directory->get());
    return status;
  }

  const std::string path_;
  const std::shared_ptr<const DbOptions> options_;                   // Shared with table caches.
  const std::shared_ptr<const ColumnFamilyOptions> family_options_;  // Likewise.
  Env* const env_;
  FileSystem* const fs_;
  OpenTableBudget budget_;
  const std::vector<std::string> directories_ = TableDirectories();
  std::map<uint32_t, Family> families_;
  std::map<uint64_t, Place> tables_;
  std::vector<uint64_t> logs_;
  uint64_t next_number_ = 2;

  std::vector<std::string> TableDirectories() const {
    const auto& places =
        family_options_->cf_paths.empty() ? options_->db_paths : family_options_->cf_paths;
    std::vector<std::string> directories;
    for (const DbPath& place : places) directories.push_back(place.path);
    if (directories.empty()) directories.push_back(path_);
    return directories;
  }
};

}  // namespace

Status Db::Repair(const DbOptions& options, const ColumnFamilyOptions& cf_options,
                  const std::string& path) {
  return Repairer(options, cf_options, path).Run();
}

}  // namespace skarn
