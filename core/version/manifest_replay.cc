#include "core/version/manifest_replay.h"

#include <algorithm>
#include <utility>

#include "core/env/file_system.h"
#include "core/wal/log_reader.h"

namespace skarn {
namespace {

constexpr const char* kDefaultFamily = "default";

// Keeps the first problem of a log.
class FirstProblem : public LogReader::Reporter {
 public:
  void Corruption(size_t /*bytes*/, const Status& status, uint64_t /*log_number*/) override {
    if (status_.ok()) status_ = status;
  }
  const Status& status() const { return status_; }

 private:
  Status status_;
};

}  // namespace

Status NameManifest(const Status& status, const std::string& path) {
  if (!status.IsCorruption()) return status;
  return Status::Corruption(Concat(status.message(), "  The file ", path, " may be corrupted."));
}

ManifestReplay::ManifestReplay(Opener* opener) : opener_(opener) {
  // Exists from the beginning; no edit adds it.
  (void)AddFamily(0, kDefaultFamily);
}

ManifestReplay::~ManifestReplay() = default;

Status ManifestReplay::Read(FileSystem* fs, const std::string& path) {
  auto file = fs->NewSequentialFile(path, FileOptions());
  if (!file.ok()) return file.status();
  FirstProblem problem;
  LogReader reader(std::move(*file), &problem, /*log_number=*/0);
  reader.set_exact();
  Slice record;
  std::string scratch;
  while (problem.status().ok() &&
         reader.ReadRecord(&record, &scratch, RecoveryMode::kTolerateCorruptedTail) &&
         problem.status().ok()) {
    VersionEdit edit;
    Status s = edit.DecodeFrom(record);
    if (s.ok()) s = Add(std::move(edit));
    if (!s.ok()) return NameManifest(s, path);
    valid_bytes = reader.last_record_end();
  }
  return NameManifest(problem.status(), path);
}

Status ManifestReplay::Add(VersionEdit edit) {
  if (!edit.remaining_in_group) {
    if (!group_.empty()) return Status::Corruption("corrupted atomic group");
    Status s = Apply(&edit);
    if (s.ok()) opener_->Applied();
    return s;
  }
  const uint32_t remaining = *edit.remaining_in_group;
  // Each member says how many follow it.
  if (!group_.empty() && *group_.back().remaining_in_group != remaining + uint64_t{1}) {
    return Status::Corruption("corrupted atomic group");
  }
  group_.push_back(std::move(edit));
  if (remaining > 0) return Status::Ok();
  std::vector<VersionEdit> complete = std::move(group_);
  group_.clear();
  for (VersionEdit& member : complete) {
    Status s = Apply(&member);
    if (!s.ok()) return s;
  }
  opener_->Applied();
  return Status::Ok();
}

Status ManifestReplay::AddFamily(uint32_t id, const std::string& name) {
  bool known = families_.count(id) != 0 || closed_.count(id) != 0;
  for (const auto& [other, family] : families_) known |= family.name == name;
  for (const auto& [other, closed] : closed_) known |= closed == name;
  if (known) {
    return Status::Corruption(Concat("MANIFEST adding the same column family twice: ", name));
  }
  max_column_family = std::max(max_column_family, id);
  creation_order_.push_back(id);
  Family family;
  family.id = id;
  family.name = name;
  if (opener_->Open(&family)) {
    families_.emplace(id, std::move(family));
  } else {
    closed_.emplace(id, name);
  }
  return Status::Ok();
}

Status ManifestReplay::Apply(VersionEdit* edit) {
  if (edit->column_family_add) {
    Status s = AddFamily(edit->column_family, *edit->column_family_add);
    if (!s.ok()) return s;
    s = ApplyToFamily(edit);
    if (!s.ok()) return s;
  } else if (edit->column_family_drop) {
    if (families_.erase(edit->column_family) + closed_.erase(edit->column_family) == 0) {
      return Status::Corruption("MANIFEST - dropping non-existing column family");
    }
    creation_order_.erase(
        std::remove(creation_order_.begin(), creation_order_.end(), edit->column_family),
        creation_order_.end());
  } else if (!edit->wal_additions.empty()) {
    for (const WalAddition& wal : edit->wal_additions) {
      std::optional<uint64_t>& size = wals[wal.number];
      if (wal.synced_size_bytes) size = wal.synced_size_bytes;
    }
  } else if (edit->wal_deletion) {
    wals.erase(wals.begin(), wals.lower_bound(*edit->wal_deletion));
  } else {
    if (families_.count(edit->column_family) == 0 && closed_.count(edit->column_family) == 0) {
      return Status::Corruption("MANIFEST record referencing unknown column family");
    }
    Status s = ApplyToFamily(edit);
    if (!s.ok()) return s;
  }

  if (edit->db_id) db_id = edit->db_id;
  if (edit->log_number) log_number = edit->log_number;
  if (edit->previous_log_number) previous_log_number = edit->previous_log_number;
  if (edit->next_file_number) next_file_number = edit->next_file_number;
  if (edit->last_sequence) last_sequence = edit->last_sequence;
  if (edit->max_column_family) {
    max_column_family = std::max(max_column_family, *edit->max_column_family);
  }
  if (edit->min_log_number_to_keep) {
    min_log_number_to_keep = std::max(min_log_number_to_keep, *edit->min_log_number_to_keep);
  }
  if (edit->compacted_manifest_bytes) compacted_manifest_bytes = *edit->compacted_manifest_bytes;
  return Status::Ok();
}

Status ManifestReplay::ApplyToFamily(VersionEdit* edit) {
  const auto found = families_.find(edit->column_family);
  if (found == families_.end()) return Status::Ok();
  Family& family = found->second;
  Status s = opener_->Check(family, *edit);
  if (!s.ok()) return s;
  if (family.builder != nullptr) {
    edit->PadTimestamps(family.order->timestamp_size());
    s = family.builder->Apply(*edit);
    if (!s.ok()) return s;
  }
  // A number smaller than before is ignored.
  if (edit->log_number) family.log_number = std::max(family.log_number, *edit->log_number);
  if (edit->full_history_ts_low) family.full_history_ts_low = *edit->full_history_ts_low;
  return Status::Ok();
}

Status ManifestReplay::CheckComplete() const {
  std::string missing;
  const auto name = [&missing](const char* what) {
    missing.append(missing.empty() ? "" : ", ").append(what);
  };
  if (!log_number) name("log_file_number");
  if (!next_file_number) name("next_file_number");
  if (!last_sequence) name("last_sequence");
  if (missing.empty()) return Status::Ok();
  return Status::Corruption(Concat("no ", missing, " entry in MANIFEST"));
}

}  // namespace skarn
