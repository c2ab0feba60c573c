// Recovery when files are missing: for every column family the newest state in the
// MANIFEST whose files are all there.

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "core/version/manifest_replay.h"
#include "core/version/version_set.h"

namespace skarn {
namespace {

// Keeps the edits of each family and notes after which of them nothing was missing.
class PointInTime : public ManifestReplay::Opener {
 public:
  PointInTime(FileSystem* fs, const std::string& db_path, const DbOptions& db,
              const std::vector<FamilySpec>& specs)
      : fs_(fs), db_path_(db_path), db_(db), specs_(specs) {}

  bool Open(ManifestReplay::Family* family) override {
    const FamilySpec* spec = SpecOf(family->name);
    if (spec == nullptr) return false;
    orders_.push_back(std::make_unique<KeyOrder>(spec->options->comparator));
    family->order = orders_.back().get();
    family->builder =
        std::make_unique<VersionBuilder>(family->order, spec->options->num_levels, nullptr);
    histories_[family->id] = History();
    return true;
  }

  Status Check(const ManifestReplay::Family& family, const VersionEdit& edit) override {
    const FamilySpec* spec = SpecOf(family.name);
    if (edit.comparator && *edit.comparator != spec->options->comparator->Name()) {
      return Status::InvalidArgument(
          spec->options->comparator->Name(),
          Concat("does not match existing comparator ", *edit.comparator));
    }
    History& history = histories_[family.id];
    for (const auto& [level, number] : edit.deleted_files) history.missing.erase(number);
    for (const auto& [level, file] : edit.new_files) {
      if (!TableExists(*spec, file)) history.missing.insert(file.number);
    }
    for (const BlobFileAddition& blob : edit.blob_additions) {
      if (!fs_->FileExists(BlobFileName(DirectoriesOf(*spec).front(), blob.number)).ok()) {
        history.missing.insert(blob.number);
      }
    }
    history.edits.push_back(edit);
    history.edits.back().PadTimestamps(family.order->timestamp_size());
    return Status::Ok();
  }

  void Applied() override {
    for (auto& [id, history] : histories_) {
      if (history.missing.empty()) history.good = history.edits.size();
    }
  }

  // Gives the family a builder of its newest complete state. True when that is not the newest.
  Status Rebuild(ManifestReplay::Family* family, bool* incomplete) {
    History& history = histories_[family->id];
    const FamilySpec* spec = SpecOf(family->name);
    *incomplete |= history.good < history.edits.size();
    family->builder =
        std::make_unique<VersionBuilder>(family->order, spec->options->num_levels, nullptr);
    family->log_number = 0;
    for (size_t i = 0; i < history.good; ++i) {
      Status s = family->builder->Apply(history.edits[i]);
      if (!s.ok()) return s;
      family->log_number = std::max(family->log_number, history.edits[i].log_number.value_or(0));
    }
    return Status::Ok();
  }

 private:
  struct History {
    std::vector<VersionEdit> edits;
    size_t good = 0;  // How many of them lead to a state without missing files.
    std::set<uint64_t> missing;
  };

  const FamilySpec* SpecOf(const std::string& name) const {
    for (const FamilySpec& spec : specs_) {
      if (spec.name == name) return &spec;
    }
    return nullptr;
  }
  std::vector<std::string> DirectoriesOf(const FamilySpec& spec) const {
    std::vector<std::string> directories;
    for (const DbPath& path :
         spec.options->cf_paths.empty() ? db_.db_paths : spec.options->cf_paths) {
      directories.push_back(path.path);
    }
    if (directories.empty()) directories.push_back(db_path_);
    return directories;
  }
  bool TableExists(const FamilySpec& spec, const FileRecord& file) const {
    const std::vector<std::string> directories = DirectoriesOf(spec);
    const std::string& directory = DirectoryOfPath(directories, file.path_id);
    Result<uint64_t> size = fs_->FileSize(TableFileName(directory, file.number));
    if (!size.ok()) size = fs_->FileSize(OldTableFileName(directory, file.number));
    return size.ok() && *size == file.size_bytes;
  }

  FileSystem* const fs_;
  const std::string& db_path_;
  const DbOptions& db_;
  const std::vector<FamilySpec>& specs_;
  std::vector<std::unique_ptr<KeyOrder>> orders_;
  std::map<uint32_t, History> histories_;
};

}  // namespace

Status VersionSet::RecoverBestEfforts(const RecoverRequest& request,
                                      std::vector<std::string>* missing, bool* incomplete) {
  *incomplete = false;
  std::vector<std::string> names;
  Status s = file_system()->GetChildren(db_path_, &names);
  if (!s.ok()) return s;
  std::vector<uint64_t> manifests;
  for (const std::string& name : names) {
    ParsedFileName parsed;
    if (ParseFileName(name, &parsed) && parsed.kind == FileKind::kManifest) {
      manifests.push_back(parsed.number);
    }
  }
  if (manifests.empty()) {
    return Status::Corruption(Concat("Cannot locate MANIFEST file in ", db_path_));
  }
  std::sort(manifests.rbegin(), manifests.rend());
  recover_request_ = request;

  Status first_problem;
  for (uint64_t number : manifests) {
    const std::string path = ManifestFileName(db_path_, number);
    PointInTime opener(file_system(), db_path_, *options_, recover_request_.families);
    ManifestReplay replay(&opener);
    s = replay.Read(file_system(), path);
    if (s.ok()) s = NameManifest(replay.CheckComplete(), path);
    for (auto& [id, family] : *replay.mutable_families()) {
      if (s.ok()) s = NameManifest(opener.Rebuild(&family, incomplete), path);
    }
    if (s.ok()) s = Adopt(request, path, number, &replay, missing);
    if (s.ok()) return s;
    // An older MANIFEST does not help against what the caller asked for.
    if (first_problem.ok()) first_problem = s;
    if (s.IsInvalidArgument()) break;
    *incomplete = true;
  }
  return first_problem;
}

}  // namespace skarn
