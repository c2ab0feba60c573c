// Cursors over vectors, and trees of them made from a random history, for the tests of
// this room.

#ifndef SKARN_TESTS_UNIT_ITERATE_SOURCES_H_
#define SKARN_TESTS_UNIT_ITERATE_SOURCES_H_

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/iterate/concatenating_cursor.h"
#include "core/iterate/merging_cursor.h"
#include "core/key/internal_cursor.h"

namespace skarn {

struct TestEntry {
  std::string key;
  uint64_t tag;
  std::string value;
};

// Gives each entry in fresh memory and overwrites it when it moves, so that whoever holds
// on to a slice too long is found out. Fails on reaching `fail_at`.
class VectorCursor : public InternalCursor {
 public:
  static constexpr size_t kNever = SIZE_MAX - 1;
  VectorCursor(const KeyOrder& order, std::vector<TestEntry> entries, size_t fail_at = kNever)
      : order_(order), entries_(std::move(entries)), fail_at_(fail_at) {
    std::sort(entries_.begin(), entries_.end(), [&](const TestEntry& a, const TestEntry& b) {
      return order_.Compare(a.key, a.tag, b.key, b.tag) < 0;
    });
  }
  void SeekToFirst() override { Land(0); }
  void SeekToLast() override { Land(entries_.size() - 1); }
  void Seek(Slice key, uint64_t tag) override {
    size_t i = 0;
    while (i < entries_.size() && order_.Compare(entries_[i].key, entries_[i].tag, key, tag) < 0)
      ++i;
    Land(i);
  }
  void SeekForPrev(Slice key, uint64_t tag) override {
    size_t i = 0;
    while (i < entries_.size() && order_.Compare(entries_[i].key, entries_[i].tag, key, tag) <= 0)
      ++i;
    Land(i - 1);
  }
  void Next() override { Land(index_ + 1); }
  void Prev() override { Land(index_ - 1); }
  Status status() const override { return status_; }
  size_t moves() const { return moves_; }

 private:
  void Land(size_t index) {
    ++moves_;
    index_ = index;
    for (std::string* old : {&key_, &text_}) std::fill(old->begin(), old->end(), '?');
    status_ = Status::Ok();
    if (index == fail_at_) status_ = Status::IoError("broken");
    valid_ = index < entries_.size() && status_.ok();
    if (!valid_) return;
    key_ = entries_[index].key;
    text_ = entries_[index].value;
    user_key_ = key_;
    value_ = text_;
    tag_ = entries_[index].tag;
    value_ready_ = true;
  }

  const KeyOrder& order_;
  std::vector<TestEntry> entries_;
  const size_t fail_at_;
  size_t index_ = 0;
  size_t moves_ = 0;
  std::string key_, text_;
  Status status_;
};

// A level made of vectors, with tombstones.
class VectorFiles : public FileSequence {
 public:
  struct File {
    std::vector<TestEntry> entries;
    std::shared_ptr<const FragmentedTombstones> tombstones;
    std::string smallest, largest;
    size_t fail_at = VectorCursor::kNever;
  };
  VectorFiles(const KeyOrder& order, std::vector<File> files)
      : order_(order), files_(std::move(files)) {}
  size_t size() const override { return files_.size(); }
  Slice smallest(size_t index) const override { return files_[index].smallest; }
  Slice largest(size_t index) const override { return files_[index].largest; }
  std::unique_ptr<InternalCursor> OpenCursor(size_t index) override {
    opened.push_back(index);
    return std::make_unique<VectorCursor>(order_, files_[index].entries, files_[index].fail_at);
  }
  Status Tombstones(size_t index, std::shared_ptr<const FragmentedTombstones>* list) override {
    *list = files_[index].tombstones;
    return Status::Ok();
  }
  std::vector<size_t> opened;

 private:
  const KeyOrder& order_;
  std::vector<File> files_;
};

struct Change {
  SequenceNumber sequence;
  EntryKind kind;
  std::string key;
  std::string value;  // End of the range for range deletions.
};

// Changes as one level of files, split anywhere, the tombstones written in full into
// every file that they overlap, boundaries as a compaction makes them.
inline std::unique_ptr<VectorFiles> MakeLevel(const KeyOrder& order,
                                              const std::vector<Change>& changes, Random* random,
                                              uint64_t entries_per_file) {
  std::vector<TestEntry> entries;
  std::vector<RangeTombstone> tombstones;
  for (const Change& change : changes) {
    if (change.kind == EntryKind::kRangeDeletion) {
      tombstones.push_back({change.key, change.value, change.sequence});
    } else {
      entries.push_back({change.key, PackTag(change.sequence, change.kind), change.value});
    }
  }
  std::sort(entries.begin(), entries.end(), [&](const TestEntry& a, const TestEntry& b) {
    return order.Compare(a.key, a.tag, b.key, b.tag) < 0;
  });
  std::vector<std::vector<TestEntry>> parts(1);
  for (const TestEntry& entry : entries) {
    if (!parts.back().empty() && random->OneIn(entries_per_file)) parts.emplace_back();
    parts.back().push_back(entry);
  }
  const uint64_t range_end_tag = PackTag(kMaxSequenceNumber, EntryKind::kRangeDeletion);
  std::vector<VectorFiles::File> files;
  for (size_t i = 0; i < parts.size(); ++i) {
    VectorFiles::File file;
    file.entries = parts[i];
    const bool first = i == 0, last = i + 1 == parts.size();
    const auto packed = [](const TestEntry& entry) { return PackKey(entry.key, entry.tag); };
    std::string low = first ? std::string() : packed(parts[i].front());
    std::string up;
    if (!last) {
      up = parts[i + 1].front().key == parts[i].back().key
               ? packed(parts[i].back())
               : PackKey(parts[i + 1].front().key, range_end_tag);
    }
    if (!parts[i].empty()) {
      file.smallest = packed(parts[i].front());
      file.largest = packed(parts[i].back());
    }
    std::vector<RangeTombstone> mine;
    for (const RangeTombstone& t : tombstones) {
      if (order.CompareUser(t.start, t.end) >= 0) continue;
      std::string start = PackKey(t.start, PackTag(t.sequence, EntryKind::kRangeDeletion));
      std::string end = PackKey(t.end, range_end_tag);
      if (!low.empty() && order.ComparePacked(end, low) <= 0) continue;
      if (!up.empty() && order.ComparePacked(start, up) >= 0) continue;
      mine.push_back(t);
      if (!low.empty() && order.ComparePacked(start, low) < 0) start = low;
      if (!up.empty() && order.ComparePacked(end, up) > 0) end = up;
      if (file.smallest.empty() || order.ComparePacked(start, file.smallest) < 0)
        file.smallest = start;
      if (file.largest.empty() || order.ComparePacked(end, file.largest) > 0) file.largest = end;
    }
    if (file.smallest.empty()) continue;
    if (!mine.empty()) {
      file.tombstones = std::make_shared<FragmentedTombstones>(order, std::move(mine));
    }
    files.push_back(std::move(file));
  }
  return std::make_unique<VectorFiles>(order, std::move(files));
}

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_ITERATE_SOURCES_H_
