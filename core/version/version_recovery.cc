// How VersionSet comes to its first state: a new database, the replay of a MANIFEST, and
// following the MANIFEST of another process.

#include <algorithm>
#include <atomic>
#include <cassert>
#include <set>
#include <utility>

#include "core/base/cpu.h"
#include "core/base/epoch.h"
#include "core/base/helper_thread.h"
#include "core/version/manifest_replay.h"
#include "core/version/version_set.h"

namespace skarn {
namespace {

// What comparator names end with when they order timestamps too.
constexpr const char* kTimestampSuffix = ".u64ts";

bool DifferByTimestampsOnly(const std::string& a, const std::string& b) {
  return a == b + kTimestampSuffix || b == a + kTimestampSuffix;
}

const FamilySpec* FindSpec(const std::vector<FamilySpec>& specs, const std::string& name) {
  for (const FamilySpec& spec : specs) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

// Opens the families that a request names.
class RequestedFamilies : public ManifestReplay::Opener {
 public:
  explicit RequestedFamilies(const std::vector<FamilySpec>& specs) : specs_(specs) {}

  bool Open(ManifestReplay::Family* family) override {
    const FamilySpec* spec = FindSpec(specs_, family->name);
    if (spec == nullptr) return false;
    orders_.push_back(std::make_unique<KeyOrder>(spec->options->comparator));
    family->order = orders_.back().get();
    family->builder =
        std::make_unique<VersionBuilder>(family->order, spec->options->num_levels, nullptr);
    return true;
  }

  Status Check(const ManifestReplay::Family& family, const VersionEdit& edit) override {
    if (!edit.comparator) return Status::Ok();
    const ColumnFamilyOptions& options = *FindSpec(specs_, family.name)->options;
    const std::string configured = options.comparator->Name();
    if (configured == *edit.comparator) return Status::Ok();
    // Timestamps that are not stored may come and go.
    if (!options.persist_user_defined_timestamps &&
        DifferByTimestampsOnly(configured, *edit.comparator)) {
      return Status::Ok();
    }
    return Status::InvalidArgument(configured,
                                   Concat("does not match existing comparator ", *edit.comparator));
  }

 private:
  const std::vector<FamilySpec>& specs_;
  std::vector<std::unique_ptr<KeyOrder>> orders_;
};

class NameCollector : public ManifestReplay::Opener {
 public:
  bool Open(ManifestReplay::Family*) override { return false; }
  Status Check(const ManifestReplay::Family&, const VersionEdit&) override { return Status::Ok(); }
};

}  // namespace

Status VersionSet::CreateNew(const DbOptions& options, const std::string& db_path,
                             const std::string& db_id, Directory* directory) {
  constexpr uint64_t kFirstManifest = 1;
  VersionEdit edit;
  if (options.write_dbid_to_manifest) edit.db_id = db_id;
  edit.log_number = 0;
  edit.next_file_number = kFirstManifest + 1;
  edit.last_sequence = 0;
  std::string bytes;
  Status s = edit.EncodeTo(&bytes);
  if (!s.ok()) return s;

  FileSystem* fs = options.env->file_system;
  const std::string path = ManifestFileName(db_path, kFirstManifest);
  FileOptions file_options;
  file_options.use_fsync = options.use_fsync;
  file_options.close_on_exec = options.is_fd_close_on_exec;
  auto file = fs->NewWritableFile(path, file_options);
  if (!file.ok()) return file.status();
  {
    auto writer =
        std::make_unique<FileWriter>(std::move(*file), path, file_options, FileWriter::Options());
    LogWriter log(std::move(writer), LogWriter::Options());
    s = log.AddRecord(bytes);
    if (s.ok()) s = log.file()->Sync();
    if (s.ok()) s = log.Close();
  }
  if (s.ok()) s = SetCurrentFile(fs, db_path, kFirstManifest, directory);
  if (!s.ok()) (void)fs->DeleteFile(path);
  return s;
}

Result<std::vector<std::string>> VersionSet::ListColumnFamilies(FileSystem* fs,
                                                                const std::string& db_path) {
  std::string path;
  uint64_t number = 0;
  Status s = ReadCurrentFile(fs, db_path, &path, &number);
  if (!s.ok()) return s;
  NameCollector names;
  ManifestReplay replay(&names);
  s = replay.Read(fs, path);
  if (!s.ok()) return s;
  s = replay.CheckComplete();
  if (!s.ok()) return NameManifest(s, path);
  std::vector<std::string> families;
  for (const auto& [id, name] : replay.closed_families()) families.push_back(name);
  return families;
}

Status VersionSet::Recover(const RecoverRequest& request, std::vector<std::string>* missing) {
  uint64_t number = 0;
  std::string path;
  Status s = ReadCurrentFile(file_system(), db_path_, &path, &number);
  if (!s.ok()) return s;
  recover_request_ = request;
  RequestedFamilies opener(recover_request_.families);
  ManifestReplay replay(&opener);
  s = replay.Read(file_system(), path);
  if (!s.ok()) return s;
  s = replay.CheckComplete();
  if (!s.ok()) return NameManifest(s, path);
  return Adopt(request, path, number, &replay, missing);
}

Status VersionSet::Adopt(const RecoverRequest& request, const std::string& path, uint64_t number,
                         ManifestReplay* replay, std::vector<std::string>* missing) {
  if (!request.read_only && !replay->closed_families().empty()) {
    std::string names;
    for (const auto& [id, name] : replay->closed_families()) {
      names.append(names.empty() ? "" : ", ").append(name);
    }
    return Status::InvalidArgument("Column families not opened", names);
  }
  std::vector<std::string> absent;
  for (const FamilySpec& spec : request.families) {
    const auto& families = replay->families();
    const bool found = std::any_of(families.begin(), families.end(), [&spec](const auto& family) {
      return family.second.name == spec.name;
    });
    if (!found && !spec.optional) absent.push_back(spec.name);
  }
  if (missing != nullptr) {
    *missing = absent;
  } else if (!absent.empty()) {
    return Status::InvalidArgument("Column family not found", absent.front());
  }

  // Everything below only builds; nothing of it is installed when a part fails.
  std::vector<std::pair<ColumnFamilyVersions*, Version*>> built;
  Status s;
  for (uint32_t id : replay->creation_order()) {
    const auto found = replay->mutable_families()->find(id);
    if (found == replay->mutable_families()->end()) continue;
    ManifestReplay::Family& recovered = found->second;
    const FamilySpec* spec = FindSpec(request.families, recovered.name);
    ColumnFamilyVersions* family = NewFamily(id, *spec);
    Version* version = NewVersion(family, *spec->options);
    built.emplace_back(family, version);
    family->log_number_ = recovered.log_number;
    family->full_history_ts_low_ = recovered.full_history_ts_low;
    const bool reserve = family->next_epoch_number_ > 1;
    family->next_epoch_number_ = recovered.builder->ResolveEpochs(reserve);
    s = recovered.builder->SaveTo(version->mutable_storage(),
                                  spec->options->force_consistency_checks);
    if (!s.ok()) break;
  }
  if (s.ok() && request.open_tables) {
    s = OpenTables(built, *options_, /*ahead=*/true);
    // A missing file means that the MANIFEST and the directory do not belong together.
    if (s.IsPathNotFound()) s = Status::Corruption(Status::Corruption(s.ToString()).ToString());
    if (!s.ok() && !options_->paranoid_checks && !request.read_only) s = Status::Ok();
  }
  if (!s.ok()) {
    for (const auto& [family, version] : built) {
      Discard(version);
      family->Unref();
    }
    return NameManifest(s, path);
  }

  for (const auto& [family, version] : built) {
    (void)Prepare(family, version, *options_, *family->options_, /*open_tables=*/false);
    Finish(family, version);
    Install(family, version);
    families_.push_back(family);
  }
  if (replay->db_id) db_id_ = *replay->db_id;
  max_column_family_ = replay->max_column_family;
  next_file_number_.store(std::max(next_file_number(), *replay->next_file_number + 1),
                          std::memory_order_relaxed);
  previous_log_number_ = replay->previous_log_number.value_or(0);
  MarkFileNumberUsed(previous_log_number_);
  MarkFileNumberUsed(*replay->log_number);
  MarkFileNumberUsed(number);
  set_last_sequence(*replay->last_sequence);
  manifest_last_sequence_ = *replay->last_sequence;
  min_log_number_to_keep_.store(replay->min_log_number_to_keep, std::memory_order_relaxed);
  compacted_manifest_bytes_ = replay->compacted_manifest_bytes;
  tracked_wals_ = replay->wals;
  manifest_file_number_ = number;
  const Result<uint64_t> size = file_system()->FileSize(path);
  manifest_file_size_ = size.ok() ? *size : replay->valid_bytes;
  return Status::Ok();
}

// Opens all tables, or as many as are worth it when not all may stay open.
Status VersionSet::OpenTables(
    const std::vector<std::pair<ColumnFamilyVersions*, Version*>>& versions,
    const DbOptions& db_options, bool ahead) {
  constexpr size_t kOpenedWhenLimited = 16;
  struct Wanted {
    ColumnFamilyVersions* family;
    int level;
    FileMetadata* file;
  };
  std::vector<Wanted> wanted;
  for (const auto& [family, version] : versions) {
    for (int level = 0; level < version->storage_.num_levels(); ++level) {
      for (FileMetadata* file : version->storage_.level(level)) {
        if (TableCache::IsOpen(file)) continue;
        if (!tables_->unlimited() && wanted.size() >= kOpenedWhenLimited) break;
        wanted.push_back({family, level, file});
      }
    }
  }
  std::atomic<size_t> next{0};
  std::vector<Status> outcomes(wanted.size());
  const auto open = [&wanted, &next, &outcomes, ahead] {
    for (size_t i = next.fetch_add(1); i < wanted.size(); i = next.fetch_add(1)) {
      TableCache* const tables = wanted[i].family->table_cache();
      if (ahead) {
        outcomes[i] = tables->OpenAhead(wanted[i].file, wanted[i].level);
        continue;
      }
      EpochGuard guard;
      Result<TableReader*> reader = tables->Find(wanted[i].file, wanted[i].level);
      if (!reader.ok()) outcomes[i] = reader.status();
    }
  };
  // A thread is worth its start for many files only.
  const size_t worth = wanted.size() / 8;
  const auto allowed = static_cast<size_t>(std::max(1, db_options.max_file_opening_threads));
  std::vector<HelperThread> helpers;
  for (size_t i = 1; i < std::min({worth, allowed, size_t{CpuCount()}}); ++i) {
    HelperThread helper;
    if (!helper.Start(open)) break;
    helpers.push_back(helper);
  }
  open();
  for (HelperThread& helper : helpers) helper.Join();
  for (const Status& outcome : outcomes) {
    if (!outcome.ok()) return outcome;
  }
  return Status::Ok();
}

// --- Following another process ---

Status VersionSet::CatchUp(std::vector<ColumnFamilyVersions*>* changed) {
  uint64_t number = 0;
  std::string path;
  Status s = ReadCurrentFile(file_system(), db_path_, &path, &number);
  if (!s.ok()) return s;
  if (number == manifest_file_number_) {
    const Result<uint64_t> size = file_system()->FileSize(path);
    if (!size.ok()) return size.status();
    if (*size == manifest_file_size_) return Status::Ok();
  }

  // The whole file again: it is small beside the data, and this way it does not matter
  // whether CURRENT has changed. Files that are known keep their open tables.
  RequestedFamilies opener(recover_request_.families);
  ManifestReplay replay(&opener);
  s = replay.Read(file_system(), path);
  if (!s.ok()) return s;
  s = replay.CheckComplete();
  if (!s.ok()) return NameManifest(s, path);

  bool all = true;
  for (ColumnFamilyVersions* family : families_) {
    const auto found = replay.mutable_families()->find(family->id_);
    if (found == replay.mutable_families()->end()) continue;  // Dropped there; readable here.
    ManifestReplay::Family& recovered = found->second;
    recovered.builder->ReuseFiles(&family->current_->storage_);
    const uint64_t next_epoch = recovered.builder->ResolveEpochs(family->next_epoch_number_ > 1);
    Version* version = NewVersion(family, *family->options_);
    s = recovered.builder->SaveTo(version->mutable_storage(),
                                  family->options_->force_consistency_checks);
    if (s.ok()) s = Prepare(family, version, *options_, *family->options_, /*open_tables=*/true);
    if (!s.ok()) {
      Discard(version);
      // The other process may have deleted a file since: the next MANIFEST record says so.
      if (!s.IsPathNotFound()) return NameManifest(s, path);
      all = false;
      continue;
    }
    Finish(family, version);
    Install(family, version);
    family->log_number_ = std::max(family->log_number_, recovered.log_number);
    family->next_epoch_number_ = next_epoch;
    changed->push_back(family);
  }
  MarkFileNumberUsed(*replay.next_file_number);
  if (*replay.last_sequence > last_sequence()) set_last_sequence(*replay.last_sequence);
  manifest_last_sequence_ = std::max(manifest_last_sequence_, *replay.last_sequence);
  min_log_number_to_keep_.store(replay.min_log_number_to_keep, std::memory_order_relaxed);
  if (all) {
    manifest_file_number_ = number;
    manifest_file_size_ = replay.valid_bytes;
  }
  return Status::Ok();
}

}  // namespace skarn
