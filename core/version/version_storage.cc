#include "core/version/version_storage.h"

#include <algorithm>
#include <cassert>
#include <cstdio>
#include <functional>

namespace skarn {
namespace {

size_t At(int level) { return static_cast<size_t>(level); }

}  // namespace

VersionStorage::VersionStorage(const KeyOrder* order, int num_levels, CompactionStyle style)
    : order_(order),
      style_(style),
      levels_(At(num_levels)),
      level_bytes_(At(num_levels)),
      cursors_(At(num_levels)),
      targets_(At(num_levels), UINT64_MAX),
      by_priority_(At(num_levels)),
      next_position_(At(num_levels)) {}

void VersionStorage::SetLevel(int level, std::vector<FileMetadata*> files) {
  uint64_t bytes = 0;
  for (FileMetadata* file : files) {
    bytes += file->size_bytes;
    places_[file->number] = {level, file};
  }
  level_bytes_[At(level)] = bytes;
  if (!files.empty()) num_non_empty_levels_ = std::max(num_non_empty_levels_, level + 1);
  levels_[At(level)] = LevelFiles(*order_, std::move(files));
  lower_levels_.clear();
  for (int below = 1; below < num_non_empty_levels_; ++below) {
    if (!levels_[At(below)].empty()) lower_levels_.push_back(below);
  }
}

void VersionStorage::AddBlobFile(std::shared_ptr<const BlobFileMetadata> file) {
  const uint64_t number = file->number;
  blob_files_[number] = std::move(file);
}

uint64_t VersionStorage::total_bytes() const {
  uint64_t total = 0;
  for (uint64_t bytes : level_bytes_) total += bytes;
  return total;
}

bool VersionStorage::Find(uint64_t file_number, int* level, FileMetadata** file) const {
  const auto place = places_.find(file_number);
  if (place == places_.end()) return false;
  *level = place->second.first;
  *file = place->second.second;
  return true;
}

uint64_t VersionStorage::MaxEpochNumber() const {
  uint64_t epoch = kUnknownEpoch;
  for (const auto& [number, place] : places_) epoch = std::max(epoch, place.second->epoch_number);
  return epoch;
}

// --- Key ranges ---

void VersionStorage::OverlappingFiles(int level, const Slice* begin, const Slice* end,
                                      std::vector<FileMetadata*>* files, bool grow) const {
  files->clear();
  const LevelFiles& list = levels_[At(level)];
  if (level > 0) {
    for (size_t i = begin == nullptr ? 0 : list.FindUserKey(*begin); i < list.size(); ++i) {
      if (end != nullptr && !list.AtOrAfterSmallest(i, *end)) break;
      files->push_back(list[i]);
    }
    return;
  }

  // Level 0: a file that joins may widen the range and so bring in others.
  Slice low = begin == nullptr ? Slice() : *begin;
  Slice high = end == nullptr ? Slice() : *end;
  std::vector<bool> taken(list.size());
  for (bool again = true; again;) {
    again = false;
    for (size_t i = 0; i < list.size(); ++i) {
      if (taken[i]) continue;
      if (begin != nullptr && !list.AtOrBeforeLargest(i, low)) {
        // The file ends before the range.
        continue;
      }
      if (end != nullptr && !list.AtOrAfterSmallest(i, high)) continue;
      taken[i] = true;
      if (!grow) continue;
      const Slice smallest = order_->StripTimestamp(list[i]->smallest_user_key());
      const Slice largest = order_->StripTimestamp(list[i]->largest_user_key());
      if (begin != nullptr && order_->CompareStripped(smallest, low) < 0) {
        low = smallest;
        again = true;
      }
      if (end != nullptr && order_->CompareStripped(largest, high) > 0) {
        high = largest;
        again = true;
      }
    }
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if (taken[i]) files->push_back(list[i]);
  }
}

bool VersionStorage::RangeOverlaps(int level, const Slice* begin, const Slice* end) const {
  const LevelFiles& list = levels_[At(level)];
  if (level > 0) {
    const size_t i = begin == nullptr ? 0 : list.FindUserKey(*begin);
    return i < list.size() && (end == nullptr || list.AtOrAfterSmallest(i, *end));
  }
  for (size_t i = 0; i < list.size(); ++i) {
    if ((begin == nullptr || list.AtOrBeforeLargest(i, *begin)) &&
        (end == nullptr || list.AtOrAfterSmallest(i, *end))) {
      return true;
    }
  }
  return false;
}

void VersionStorage::KeyRange(const std::vector<FileMetadata*>& files, Slice* smallest,
                              Slice* largest) const {
  assert(!files.empty());
  *smallest = order_->StripTimestamp(files.front()->smallest_user_key());
  *largest = order_->StripTimestamp(files.front()->largest_user_key());
  for (const FileMetadata* file : files) {
    const Slice low = order_->StripTimestamp(file->smallest_user_key());
    const Slice high = order_->StripTimestamp(file->largest_user_key());
    if (order_->CompareStripped(low, *smallest) < 0) *smallest = low;
    if (order_->CompareStripped(high, *largest) > 0) *largest = high;
  }
}

void VersionStorage::ExpandToCleanCut(int level, std::vector<FileMetadata*>* files) const {
  if (files->empty()) return;
  // Each round takes the neighbours that share a boundary, which may have such
  // neighbours themselves.
  for (size_t before = 0; before != files->size();) {
    before = files->size();
    Slice smallest, largest;
    KeyRange(*files, &smallest, &largest);
    OverlappingFiles(level, &smallest, &largest, files);
  }
}

uint64_t VersionStorage::OverlappingBytes(int level, Slice smallest_user_key,
                                          Slice largest_user_key) const {
  std::vector<FileMetadata*> files;
  OverlappingFiles(level, &smallest_user_key, &largest_user_key, &files, /*grow=*/false);
  uint64_t bytes = 0;
  for (const FileMetadata* file : files) bytes += file->size_bytes;
  return bytes;
}

bool VersionStorage::RangeMayExistBelow(Slice smallest_user_key, Slice largest_user_key, int level,
                                        int level0_position) const {
  // Files of level 0 are not looked at one by one: an older one, whatever it holds, and any
  // file below make the answer yes.
  if (level == 0 && level0_position != file_count(0) - 1 && level0_position >= 0) return true;
  for (int below = level + 1; below < num_levels(); ++below) {
    if (levels_[At(below)].empty()) continue;
    if (level == 0 || RangeOverlaps(below, &smallest_user_key, &largest_user_key)) return true;
  }
  return false;
}

// --- Samples ---

void VersionStorage::AddSample(const FileMetadata& file) {
  if (!file.sampled) return;
  ++sampled_files_;
  sampled_file_bytes_ += file.size_bytes;
  sampled_raw_key_bytes_ += file.raw_key_bytes;
  sampled_raw_value_bytes_ += file.raw_value_bytes;
  sampled_non_deletions_ += file.entries - std::min(file.entries, file.deletions);
  sampled_deletions_ += file.deletions;
}

uint64_t VersionStorage::AverageValueBytes() const {
  if (sampled_non_deletions_ == 0) return 0;
  const uint64_t raw_bytes = sampled_raw_key_bytes_ + sampled_raw_value_bytes_;
  if (raw_bytes == 0 || sampled_file_bytes_ == 0) return 0;
  // Values shrink in files as everything does.
  const double average = static_cast<double>(sampled_raw_value_bytes_) /
                         static_cast<double>(sampled_non_deletions_) *
                         static_cast<double>(sampled_file_bytes_) / static_cast<double>(raw_bytes);
  return static_cast<uint64_t>(average);
}

uint64_t VersionStorage::EstimatedLiveKeys() const {
  if (sampled_files_ == 0 || sampled_non_deletions_ <= sampled_deletions_) return 0;
  const uint64_t keys = sampled_non_deletions_ - sampled_deletions_;
  if (sampled_files_ >= places_.size()) return keys;
  return keys * places_.size() / sampled_files_;
}

uint64_t VersionStorage::EstimatedLiveBytes() const {
  // From the oldest data up: a file counts when nothing that was counted overlaps it.
  uint64_t bytes = 0;
  std::map<std::string, std::string, std::function<bool(const std::string&, const std::string&)>>
      counted([this](const std::string& a, const std::string& b) {
        return order_->CompareStripped(a, b) < 0;
      });
  for (int level = num_levels() - 1; level >= 0; --level) {
    const std::vector<FileMetadata*>& files = levels_[At(level)].files();
    for (size_t i = 0; i < files.size(); ++i) {
      // Oldest first in level 0.
      const FileMetadata* file = level == 0 ? files[files.size() - 1 - i] : files[i];
      const Slice smallest = order_->StripTimestamp(file->smallest_user_key());
      const Slice largest = order_->StripTimestamp(file->largest_user_key());
      // Largest key -> smallest key of what was counted; those do not overlap.
      const auto next = counted.lower_bound(smallest.ToString());
      if (next != counted.end() && order_->CompareStripped(next->second, largest) <= 0) continue;
      counted.emplace(largest.ToString(), smallest.ToString());
      bytes += file->size_bytes;
    }
  }
  for (const auto& [number, blob] : blob_files_) {
    bytes += blob->bytes - std::min(blob->bytes, blob->garbage_bytes);
  }
  return bytes;
}

std::string VersionStorage::DebugString(uint64_t version_number) const {
  std::string text;
  for (int level = 0; level < num_levels(); ++level) {
    text.append(Concat("--- level ", level, " --- version# ", version_number, " ---\n"));
    for (const FileMetadata* file : levels_[At(level)]) {
      text.append(Concat(" ", file->number, ":", file->size_bytes, "[", file->smallest_sequence,
                         " .. ", file->largest_sequence, "][", DescribePackedKey(file->smallest),
                         " .. ", DescribePackedKey(file->largest), "]"));
      if (file->oldest_blob_file != 0) text.append(Concat(" blob_file:", file->oldest_blob_file));
      text.append(Concat("(", file->sampled_reads.load(std::memory_order_relaxed), ")\n"));
    }
  }
  if (!blob_files_.empty()) {
    text.append(Concat("--- blob files --- version# ", version_number, " ---\n"));
    for (const auto& [number, blob] : blob_files_) {
      text.append(Concat("blob_file_number: ", number, " total_blob_count: ", blob->count,
                         " total_blob_bytes: ", blob->bytes, " garbage_blob_count: ",
                         blob->garbage_count, " garbage_blob_bytes: ", blob->garbage_bytes, "\n"));
    }
  }
  return text;
}

std::string VersionStorage::Summary() const {
  std::string text = "files[";
  for (int level = 0; level < num_levels(); ++level) {
    if (level > 0) text.push_back(' ');
    text.append(std::to_string(file_count(level)));
  }
  char score[32];
  snprintf(score, sizeof(score), "] max score %.2f", max_score());
  return text + score;
}

}  // namespace skarn
