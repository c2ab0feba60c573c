#include "core/version/version_builder.h"

#include <algorithm>
#include <cassert>
#include <set>
#include <utility>

namespace skarn {
namespace {

size_t At(int level) { return static_cast<size_t>(level); }

Status Broken(std::string text) { return Status::Corruption("VersionBuilder", text); }
Status Inconsistent(std::string text) {
  return Status::Corruption("force_consistency_checks", Concat("VersionBuilder: ", text));
}

// Whether two records of one file number say the same of it.
bool SameRecord(const FileRecord& a, const FileRecord& b) {
  return a.size_bytes == b.size_bytes && a.smallest == b.smallest && a.largest == b.largest &&
         a.path_id == b.path_id && a.epoch_number == b.epoch_number &&
         a.smallest_sequence == b.smallest_sequence && a.largest_sequence == b.largest_sequence &&
         a.temperature == b.temperature && a.marked_for_compaction == b.marked_for_compaction;
}

}  // namespace

bool NewerInLevel0(const FileMetadata& a, const FileMetadata& b, bool by_sequence) {
  if (!by_sequence && a.epoch_number != b.epoch_number) return a.epoch_number > b.epoch_number;
  if (a.largest_sequence != b.largest_sequence) return a.largest_sequence > b.largest_sequence;
  if (a.smallest_sequence != b.smallest_sequence) return a.smallest_sequence > b.smallest_sequence;
  return a.number > b.number;
}

VersionBuilder::VersionBuilder(const KeyOrder* order, int num_levels, const VersionStorage* base)
    : order_(order), num_levels_(num_levels), base_(base) {}

VersionBuilder::~VersionBuilder() = default;

int VersionBuilder::LevelOf(uint64_t number) const {
  const auto change = changes_.find(number);
  if (change != changes_.end()) return change->second.level;
  int level = -1;
  FileMetadata* file = nullptr;
  return base_ != nullptr && base_->Find(number, &level, &file) ? level : -1;
}

Status VersionBuilder::Apply(const VersionEdit& edit) {
  Status s = ApplyBlobs(edit);
  if (!s.ok()) return s;

  // A move removes a file and adds it again: its object, with the open table, stays.
  std::unordered_map<uint64_t, FileMetadata*> removed;
  for (const auto& [level, number] : edit.deleted_files) {
    const int found = LevelOf(number);
    if (found != level) {
      return Broken(Concat("Cannot delete table file #", number, " from level ", level,
                           found < 0 ? std::string(" since it is not in the LSM tree")
                                     : Concat(" since it is on level ", found)));
    }
    Change& change = changes_[number];
    if (change.file == nullptr) {
      int base_level = 0;
      base_->Find(number, &base_level, &change.file);
    }
    removed[number] = change.file;
    change.level = -1;
  }
  for (const auto& [level, record] : edit.new_files) {
    const int found = LevelOf(record.number);
    if (found >= 0) {
      return Broken(Concat("Cannot add table file #", record.number, " to level ", level,
                           " since it is already in the LSM tree on level ", found));
    }
    FileMetadata* file = nullptr;
    const auto old = removed.find(record.number);
    if (old != removed.end() && SameRecord(*old->second, record)) {
      file = old->second;
    } else {
      owned_.push_back(std::make_unique<FileMetadata>(record));
      file = owned_.back().get();
    }
    changes_[record.number] = Change{level, file};
    highest_level_ = std::max(highest_level_, level);
  }
  for (const auto& [level, key] : edit.compact_cursors) cursors_[level] = key;
  return Status::Ok();
}

// --- Value files ---

BlobFileMetadata* VersionBuilder::MutableBlob(uint64_t number) {
  const auto changed = blob_changes_.find(number);
  if (changed != blob_changes_.end()) return &changed->second;
  if (base_ == nullptr) return nullptr;
  const auto known = base_->blob_files().find(number);
  if (known == base_->blob_files().end()) return nullptr;
  return &blob_changes_.emplace(number, *known->second).first->second;
}

Status VersionBuilder::ApplyBlobs(const VersionEdit& edit) {
  for (const BlobFileAddition& addition : edit.blob_additions) {
    if (MutableBlob(addition.number) != nullptr) {
      return Broken(Concat("Blob file #", addition.number, " already added"));
    }
    BlobFileMetadata& blob = blob_changes_[addition.number];
    blob.number = addition.number;
    blob.count = addition.count;
    blob.bytes = addition.bytes;
    blob.checksum_method = addition.checksum_method;
    blob.checksum_value = addition.checksum_value;
  }
  for (const BlobFileGarbage& garbage : edit.blob_garbage) {
    BlobFileMetadata* blob = MutableBlob(garbage.number);
    if (blob == nullptr) return Broken(Concat("Blob file #", garbage.number, " not found"));
    if (garbage.count > blob->count - blob->garbage_count ||
        garbage.bytes > blob->bytes - blob->garbage_bytes) {
      return Broken(Concat("Garbage overflow for blob file #", garbage.number));
    }
    blob->garbage_count += garbage.count;
    blob->garbage_bytes += garbage.bytes;
  }
  return Status::Ok();
}

void VersionBuilder::SaveBlobs(const std::vector<std::vector<FileMetadata*>>& levels,
                               VersionStorage* storage) const {
  std::map<uint64_t, std::vector<uint64_t>> links;
  for (const auto& files : levels) {
    for (const FileMetadata* file : files) {
      if (file->oldest_blob_file != 0) links[file->oldest_blob_file].push_back(file->number);
    }
  }
  // Nothing refers to files older than the oldest that is linked.
  const uint64_t oldest = links.empty() ? UINT64_MAX : links.begin()->first;

  auto save = [&](const BlobFileMetadata& blob, std::shared_ptr<const BlobFileMetadata> shared) {
    if (blob.number < oldest) return;
    const auto link = links.find(blob.number);
    std::vector<uint64_t> tables;
    if (link != links.end()) tables = link->second;
    if (tables.empty() && blob.garbage_count >= blob.count) return;
    std::sort(tables.begin(), tables.end());
    if (shared == nullptr || shared->linked_tables != tables) {
      auto copy = std::make_shared<BlobFileMetadata>(blob);
      copy->linked_tables = std::move(tables);
      shared = std::move(copy);
    }
    storage->AddBlobFile(std::move(shared));
  };
  if (base_ != nullptr) {
    for (const auto& [number, blob] : base_->blob_files()) {
      if (blob_changes_.count(number) == 0) save(*blob, blob);
    }
  }
  for (const auto& [number, blob] : blob_changes_) save(blob, nullptr);
}

// --- Levels ---

std::vector<FileMetadata*> VersionBuilder::LevelFilesNow(int level) const {
  std::vector<FileMetadata*> kept;
  if (base_ != nullptr && level < base_->num_levels()) {
    for (FileMetadata* file : base_->level(level)) {
      if (changes_.count(file->number) == 0) kept.push_back(file);
    }
  }
  const auto middle = static_cast<ptrdiff_t>(kept.size());
  for (const auto& [number, change] : changes_) {
    if (change.level == level) kept.push_back(change.file);
  }
  if (level == 0) {
    const bool by_sequence = AnyUnknownEpoch(kept);
    std::sort(kept.begin(), kept.end(),
              [by_sequence](const FileMetadata* a, const FileMetadata* b) {
                return NewerInLevel0(*a, *b, by_sequence);
              });
    return kept;
  }
  const auto before = [this](const FileMetadata* a, const FileMetadata* b) {
    const int order = order_->ComparePacked(a->smallest, b->smallest);
    return order != 0 ? order < 0 : a->number < b->number;
  };
  // What the base has is in order already.
  std::sort(kept.begin() + middle, kept.end(), before);
  std::inplace_merge(kept.begin(), kept.begin() + middle, kept.end(), before);
  return kept;
}

bool VersionBuilder::AnyUnknownEpoch(const std::vector<FileMetadata*>& level0) const {
  return std::any_of(level0.begin(), level0.end(),
                     [](const FileMetadata* file) { return file->epoch_number == kUnknownEpoch; });
}

Status VersionBuilder::Check(const std::vector<std::vector<FileMetadata*>>& levels,
                             bool by_sequence) const {
  const std::vector<FileMetadata*>& level0 = levels[0];
  for (size_t i = 1; i < level0.size(); ++i) {
    const FileMetadata& newer = *level0[i - 1];
    const FileMetadata& older = *level0[i];
    if (by_sequence || newer.epoch_number != older.epoch_number) continue;
    // Files of one compaction share an epoch; they must not hold the same keys.
    for (size_t j = i; j < level0.size() && level0[j]->epoch_number == newer.epoch_number; ++j) {
      const FileMetadata& other = *level0[j];
      if (order_->ComparePacked(newer.smallest, other.largest) <= 0 &&
          order_->ComparePacked(other.smallest, newer.largest) <= 0) {
        return Inconsistent(Concat(
            "L0 files of same epoch number but overlapping range #", newer.number,
            " , smallest key: ", DescribePackedKey(newer.smallest), " , largest key: ",
            DescribePackedKey(newer.largest), " , epoch number: ", newer.epoch_number,
            " vs. file #", other.number, " , smallest key: ", DescribePackedKey(other.smallest),
            " , largest key: ", DescribePackedKey(other.largest)));
      }
    }
  }
  for (int level = 1; level < static_cast<int>(levels.size()); ++level) {
    const std::vector<FileMetadata*>& files = levels[At(level)];
    for (size_t i = 0; i < files.size(); ++i) {
      if (order_->ComparePacked(files[i]->smallest, files[i]->largest) > 0) {
        return Inconsistent(Concat("L", level, " files are not sorted properly: file #",
                                   files[i]->number, " begins after its end"));
      }
      if (i == 0) continue;
      if (order_->ComparePacked(files[i - 1]->largest, files[i]->smallest) >= 0) {
        return Inconsistent(
            Concat("L", level, " has overlapping ranges: file #", files[i - 1]->number,
                   " largest key: ", DescribePackedKey(files[i - 1]->largest), " vs. file #",
                   files[i]->number, " smallest key: ", DescribePackedKey(files[i]->smallest)));
      }
    }
  }
  return Status::Ok();
}

Status VersionBuilder::SaveTo(VersionStorage* storage, bool check) {
  for (const auto& [number, change] : changes_) {
    if (change.level >= num_levels_) {
      return Status::InvalidArgument("db has more levels than options.num_levels");
    }
  }
  std::vector<std::vector<FileMetadata*>> levels(At(num_levels_));
  for (int level = 0; level < num_levels_; ++level) levels[At(level)] = LevelFilesNow(level);
  if (check) {
    Status s = Check(levels, AnyUnknownEpoch(levels[0]));
    if (!s.ok()) return s;
  }
  SaveBlobs(levels, storage);
  if (check) {
    for (const auto& files : levels) {
      for (const FileMetadata* file : files) {
        if (file->oldest_blob_file != 0 &&
            storage->blob_files().count(file->oldest_blob_file) == 0) {
          return Inconsistent(Concat("Blob file #", file->oldest_blob_file,
                                     " is not part of this version, but table file #", file->number,
                                     " refers to it"));
        }
      }
    }
  }
  for (int level = 0; level < num_levels_; ++level) {
    const auto cursor = cursors_.find(level);
    if (cursor != cursors_.end()) {
      storage->SetCursor(level, cursor->second);
    } else if (base_ != nullptr && level < base_->num_levels()) {
      storage->SetCursor(level, base_->compact_cursor(level));
    }
    storage->SetLevel(level, std::move(levels[At(level)]));
  }
  // What is in the tree belongs to it now; what was added and removed again goes.
  for (auto& file : owned_) {
    const auto change = changes_.find(file->number);
    if (change != changes_.end() && change->second.level >= 0 &&
        change->second.file == file.get()) {
      (void)file.release();
    }
  }
  owned_.clear();
  return Status::Ok();
}

void VersionBuilder::ReuseFiles(const VersionStorage* storage) {
  for (auto& [number, change] : changes_) {
    int level = 0;
    FileMetadata* known = nullptr;
    if (change.level >= 0 && storage->Find(number, &level, &known) &&
        SameRecord(*known, *change.file)) {
      change.file = known;
    }
  }
}

std::vector<std::pair<int, FileMetadata*>> VersionBuilder::AddedFiles() const {
  std::vector<std::pair<int, FileMetadata*>> added;
  for (const auto& file : owned_) {
    const auto change = changes_.find(file->number);
    if (change != changes_.end() && change->second.level >= 0 &&
        change->second.file == file.get()) {
      added.emplace_back(change->second.level, file.get());
    }
  }
  return added;
}

uint64_t VersionBuilder::ResolveEpochs(bool reserve_first) {
  std::vector<std::vector<FileMetadata*>> levels;
  uint64_t largest = reserve_first ? kEpochReservedForIngestBehind : kUnknownEpoch;
  bool missing = false;
  const int count = std::max(highest_level_ + 1, num_levels_);
  for (int level = 0; level < count; ++level) {
    levels.push_back(LevelFilesNow(level));
    for (const FileMetadata* file : levels.back()) {
      missing |= file->epoch_number == kUnknownEpoch;
      largest = std::max(largest, file->epoch_number);
    }
  }
  if (!missing) return largest + 1;

  // Deeper is older. Level 0 is in the order of sequence numbers, one number each.
  uint64_t next = reserve_first ? kEpochReservedForIngestBehind + 1 : 1;
  std::sort(levels[0].begin(), levels[0].end(), [](const FileMetadata* a, const FileMetadata* b) {
    return NewerInLevel0(*a, *b, /*by_sequence=*/true);
  });
  for (int level = count - 1; level >= 1; --level) {
    if (levels[At(level)].empty()) continue;
    for (FileMetadata* file : levels[At(level)]) file->epoch_number = next;
    ++next;
  }
  for (auto file = levels[0].rbegin(); file != levels[0].rend(); ++file) {
    (*file)->epoch_number = next++;
  }
  return next;
}

}  // namespace skarn
