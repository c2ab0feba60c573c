// What the reader's tests share: a file in memory that can be mapped, fail and count; a
// table open on it; and a model, a sorted list of entries, that says what the table
// should answer.

#ifndef SKARN_TESTS_UNIT_TABLE_READER_FIXTURE_H_
#define SKARN_TESTS_UNIT_TABLE_READER_FIXTURE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "core/base/random.h"
#include "core/cache/cache.h"
#include "core/key/point_lookup.h"
#include "core/plugin/slice_transform.h"
#include "core/table/table_builder.h"
#include "core/table/table_reader.h"
#include "tests/unit/table/builder_file_walk.h"

namespace skarn {

inline const KeyOrder& BytewiseOrder() {
  static const KeyOrder order(BytewiseComparator());
  return order;
}

// Options that outlive every cursor.
inline const ReadOptions& PlainRead() {
  static const ReadOptions options;
  return options;
}

inline std::string ReadWholeFile(const std::string& path) {
  std::ifstream input(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << input.rdbuf();
  return bytes.str();
}

// What happened to a file; outlives it.
struct FileEvents {
  std::atomic<int> reads{0};
  std::atomic<uint64_t> bytes{0};
  std::atomic<int> multi_reads{0};
  std::atomic<int> prefetches{0};
  std::atomic<bool> fail{false};
};

class TestFile : public RandomAccessFile {
 public:
  // Mapped bytes lie in a block of their own, so that a reader which goes too far is caught.
  TestFile(std::string bytes, bool mapped, FileEvents* events)
      : size_(bytes.size()), bytes_(new char[bytes.size()]), mapped_(mapped), events_(events) {
    memcpy(bytes_.get(), bytes.data(), bytes.size());
  }
  Status Read(uint64_t offset, size_t size, Slice* result, char* scratch) const override {
    if (events_ != nullptr) {
      ++events_->reads;
      events_->bytes += size;
      if (events_->fail) return Status::IoError("no luck");
    }
    if (offset > size_) return Status::IoError("read past the end");
    size = std::min<size_t>(size, size_ - offset);
    memcpy(scratch, bytes_.get() + offset, size);
    *result = Slice(scratch, size);
    return Status::Ok();
  }
  void MultiRead(ReadRequest* requests, size_t count) const override {
    if (events_ != nullptr) ++events_->multi_reads;
    RandomAccessFile::MultiRead(requests, count);
  }
  Status Prefetch(uint64_t, size_t) const override {
    if (events_ != nullptr) ++events_->prefetches;
    return Status::Ok();
  }
  Slice Mapping() const override { return mapped_ ? Slice(bytes_.get(), size_) : Slice(); }
  Result<uint64_t> Size() const override { return uint64_t{size_}; }

 private:
  const size_t size_;
  const std::unique_ptr<char[]> bytes_;
  const bool mapped_;
  FileEvents* const events_;
};

inline TableReaderOptions ReaderOptions() {
  TableReaderOptions options;
  options.order = &BytewiseOrder();
  options.path = "/t/000012.sst";
  options.table.filter_policy = std::make_shared<FilterPolicy>();
  return options;
}

inline Result<std::unique_ptr<TableReader>> OpenBytes(const std::string& bytes,
                                                      TableReaderOptions options,
                                                      bool mapped = false,
                                                      FileEvents* events = nullptr) {
  if (options.file_size_bytes == 0) options.file_size_bytes = bytes.size();
  return TableReader::Open(options, std::make_unique<TestFile>(bytes, mapped, events));
}

using Entry = std::pair<std::string, std::string>;  // Packed key, value.

struct Model {
  const KeyOrder* order = &BytewiseOrder();
  std::vector<Entry> entries;

  size_t LowerBound(const std::string& packed) const {
    return static_cast<size_t>(
        std::lower_bound(entries.begin(), entries.end(), packed,
                         [this](const Entry& entry, const std::string& target) {
                           return order->ComparePacked(entry.first, target) < 0;
                         }) -
        entries.begin());
  }
};

// The current entry of a cursor, or a reason why there is none.
inline Entry Current(InternalCursor* cursor) {
  if (!cursor->valid()) return {"(invalid) " + cursor->status().ToString(), ""};
  const std::string key = PackKey(cursor->user_key(), cursor->tag());
  if (!cursor->PrepareValue()) return {"(no value) " + cursor->status().ToString(), ""};
  EXPECT_EQ(key, PackKey(cursor->user_key(), cursor->tag()));
  return {key, cursor->value().ToString()};
}

// Walks and seeks with a cursor and compares each step with the model. An empty result
// means that all was right; else it tells the first difference. With `tolerate`, the
// cursor may stop with an error.
inline std::string CompareCursor(InternalCursor* cursor, const Model& model, uint64_t seed,
                                 int seeks, bool tolerate = false) {
  const auto& entries = model.entries;
  const auto describe = [&](const char* what, size_t at) {
    return std::string(what) + " at " + std::to_string(at) + " of " +
           std::to_string(entries.size()) + ": " + cursor->status().ToString();
  };
  size_t at = 0;
  for (cursor->SeekToFirst(); cursor->valid(); cursor->Next(), ++at) {
    if (at >= entries.size() || Current(cursor) != entries[at]) {
      if (tolerate && !cursor->status().ok()) break;
      return describe("forward", at);
    }
  }
  if (!cursor->status().ok()) return tolerate ? "" : describe("forward status", at);
  if (at != entries.size()) return describe("forward end", at);

  at = entries.size();
  for (cursor->SeekToLast(); cursor->valid(); cursor->Prev()) {
    if (at == 0 || Current(cursor) != entries[at - 1]) {
      if (tolerate && !cursor->status().ok()) break;
      return describe("backward", at);
    }
    --at;
  }
  if (!cursor->status().ok()) return tolerate ? "" : describe("backward status", at);
  if (at != 0) return describe("backward end", at);
  if (entries.empty()) return "";

  Random random(seed);
  for (int i = 0; i < seeks; ++i) {
    // A target at, just before or just after an entry, or near it.
    std::string target = entries[random.Uniform(entries.size())].first;
    std::string user_key = PackedUserKey(target).ToString();
    uint64_t tag = PackedTag(target);
    const size_t timestamp = model.order->timestamp_size();
    switch (random.Uniform(8)) {
      case 0:
        tag = kMaxTag;
        break;
      case 1:
        tag = 0;
        break;
      case 2:
        tag += 256;
        break;
      case 3:
        if (user_key.size() > timestamp) {
          user_key.erase(random.Uniform(user_key.size() - timestamp), 1);
        }
        break;
      case 4:
        user_key.insert(random.Uniform(user_key.size() - timestamp + 1), 1,
                        static_cast<char>(random.Uniform(256)));
        break;
      case 5:
        if (user_key.size() > timestamp) {
          user_key[random.Uniform(user_key.size() - timestamp)] =
              static_cast<char>(random.Uniform(256));
        }
        break;
      default:
        break;
    }
    target = PackKey(user_key, tag);
    const size_t bound = model.LowerBound(target);
    const bool for_prev = random.Uniform(3) == 0;
    size_t position;  // Plus one.
    if (for_prev) {
      cursor->SeekForPrev(user_key, tag);
      const bool exact =
          bound < entries.size() && model.order->ComparePacked(entries[bound].first, target) == 0;
      position = exact ? bound + 1 : bound;
    } else {
      cursor->Seek(user_key, tag);
      position = bound < entries.size() ? bound + 1 : 0;
    }
    for (int step = 0; step < 12; ++step) {
      if (tolerate && !cursor->status().ok()) return "";
      if (cursor->valid() != (position != 0)) return describe("seek validity", position);
      if (position == 0) break;
      if (Current(cursor) != entries[position - 1]) {
        if (tolerate && !cursor->status().ok()) return "";
        return describe("seek", position);
      }
      if (random.Uniform(2) == 0) {
        cursor->Next();
        position = position < entries.size() ? position + 1 : 0;
      } else {
        cursor->Prev();
        --position;
      }
    }
  }
  return "";
}

struct LookupResult {
  Status status;
  bool deleted_or_absent = false;
  std::string value;
  std::vector<std::string> operands;

  bool operator==(const LookupResult& other) const {
    return status.ToString() == other.status.ToString() &&
           deleted_or_absent == other.deleted_or_absent && value == other.value &&
           operands == other.operands;
  }
};

// What a lookup of the key should find, by the model: the operands from the oldest that
// matters to the newest, with a base value first.
inline LookupResult ModelLookup(const Model& model, const std::string& user_key,
                                SequenceNumber snapshot) {
  LookupResult result;
  for (size_t i = model.LowerBound(PackKey(user_key, SeekTag(snapshot))); i < model.entries.size();
       ++i) {
    const Entry& entry = model.entries[i];
    if (model.order->CompareUser(PackedUserKey(entry.first), user_key) != 0) break;
    const EntryKind kind = TagKind(PackedTag(entry.first));
    if (kind == EntryKind::kMerge) {
      result.operands.insert(result.operands.begin(), entry.second);
      continue;
    }
    if (kind == EntryKind::kValue) result.operands.insert(result.operands.begin(), entry.second);
    break;
  }
  result.deleted_or_absent = result.operands.empty();
  return result;
}

// A lookup that collects operands; owns all it needs.
class OperandLookup {
 public:
  OperandLookup(const KeyOrder& order, std::string user_key, SequenceNumber snapshot)
      : key_(std::move(user_key)), lookup_(order, key_, snapshot, Slice(), nullptr, &sink_) {
    lookup_.extras().operands = &operands_;
  }
  PointLookup* lookup() { return &lookup_; }
  LookupResult Take() {
    lookup_.Finish();
    LookupResult result;
    result.status = lookup_.status();
    result.operands = operands_;
    result.deleted_or_absent = operands_.empty();
    return result;
  }

 private:
  const std::string key_;
  PinnedValue sink_;
  std::vector<std::string> operands_;
  PointLookup lookup_;
};

// Looks up every key of the model, and keys that are not there, one by one and in
// batches. As CompareCursor().
inline std::string CompareLookups(TableReader* table, const Model& model,
                                  const ReadOptions& options, uint64_t seed, int count,
                                  bool tolerate = false) {
  if (model.entries.empty()) return "";
  Random random(seed);
  std::vector<std::pair<std::string, SequenceNumber>> targets;
  for (int i = 0; i < count; ++i) {
    const Entry& entry = model.entries[count >= static_cast<int>(model.entries.size())
                                           ? static_cast<size_t>(i) % model.entries.size()
                                           : random.Uniform(model.entries.size())];
    std::string key = PackedUserKey(entry.first).ToString();
    if (random.Uniform(5) == 0) key += static_cast<char>(random.Uniform(256));
    SequenceNumber snapshot = kMaxSequenceNumber;
    if (random.Uniform(3) == 0) snapshot = TagSequence(PackedTag(entry.first));
    if (random.Uniform(7) == 0 && snapshot > 0) --snapshot;
    targets.emplace_back(std::move(key), snapshot);
  }
  const auto check = [&](const std::pair<std::string, SequenceNumber>& target,
                         const LookupResult& found, const char* how) -> std::string {
    const LookupResult expected = ModelLookup(model, target.first, target.second);
    if (found == expected || (tolerate && !found.status.ok())) return "";
    return std::string(how) + " of " + Slice(target.first).ToHex() + "@" +
           std::to_string(target.second) + " found " + std::to_string(found.operands.size()) +
           " instead of " + std::to_string(expected.operands.size()) + " " +
           found.status.ToString();
  };
  for (const auto& target : targets) {
    OperandLookup lookup(*model.order, target.first, target.second);
    table->Get(options, lookup.lookup(), /*skip_filters=*/random.Uniform(4) == 0);
    if (std::string wrong = check(target, lookup.Take(), "get"); !wrong.empty()) return wrong;
  }
  std::sort(targets.begin(), targets.end(), [&](const auto& a, const auto& b) {
    return model.order->CompareUser(a.first, b.first) < 0;
  });
  for (size_t begin = 0; begin < targets.size();) {
    const size_t end = std::min(targets.size(), begin + 1 + random.Uniform(70));
    std::vector<std::unique_ptr<OperandLookup>> lookups;
    std::vector<PointLookup*> pointers;
    for (size_t i = begin; i < end; ++i) {
      lookups.push_back(
          std::make_unique<OperandLookup>(*model.order, targets[i].first, targets[i].second));
      pointers.push_back(lookups.back()->lookup());
    }
    table->MultiGet(options, pointers.data(), pointers.size(), /*skip_filters=*/false);
    for (size_t i = begin; i < end; ++i) {
      if (std::string wrong = check(targets[i], lookups[i - begin]->Take(), "multi-get");
          !wrong.empty()) {
        return wrong;
      }
    }
    begin = end;
  }
  return "";
}

// Builds a table in memory.
inline std::string BuildTable(const TableBuilderOptions& options, const std::vector<Entry>& entries,
                              const std::vector<Entry>& tombstones = {}) {
  std::string bytes;
  FileWriter file(std::make_unique<StringFile>(&bytes), "file", FileOptions(),
                  FileWriter::Options());
  TableBuilder builder(options, &file);
  for (const auto& [key, value] : entries) {
    builder.Add(PackedUserKey(key), PackedTag(key), value);
  }
  for (const auto& [key, end] : tombstones) {
    builder.AddRangeDeletion(PackedUserKey(key), end, TagSequence(PackedTag(key)));
  }
  const Status s = builder.Finish();
  EXPECT_TRUE(s.ok()) << s.ToString();
  EXPECT_TRUE(file.Flush().ok());
  return bytes;
}

inline TableBuilderOptions BuilderOptions() {
  TableBuilderOptions options;
  options.order = &BytewiseOrder();
  options.column_family_name = "default";
  options.db_id = "11111111-2222-3333-4444-555555555555";
  options.db_session_id = "ABCDEFGHIJ0123456789";
  options.file_number = 12;
  options.table.filter_policy = std::make_shared<FilterPolicy>();
  return options;
}

// Entries with several versions of keys that share beginnings.
inline std::vector<Entry> RandomEntries(uint64_t seed, size_t keys, size_t value_bytes_max = 100) {
  Random random(seed);
  std::vector<Entry> entries;
  char text[64];
  SequenceNumber sequence = 1000000;
  for (size_t i = 0; i < keys; ++i) {
    snprintf(text, sizeof(text), "p%02zu/key%07zu%s", i * 40 / keys, i * 3,
             random.Uniform(16) == 0 ? "/with/a/longer/tail" : "");
    const uint64_t versions = random.Uniform(8) == 0 ? 1 + random.Uniform(20) : 1;
    for (uint64_t v = 0; v < versions; ++v) {
      static constexpr EntryKind kKinds[] = {EntryKind::kValue, EntryKind::kDeletion,
                                             EntryKind::kMerge, EntryKind::kMerge,
                                             EntryKind::kValue, EntryKind::kValue};
      const EntryKind kind = kKinds[random.Uniform(6)];
      std::string value;
      if (kind != EntryKind::kDeletion) {
        const size_t size = random.Uniform(200) == 0 ? 20000 : random.Uniform(value_bytes_max + 1);
        while (value.size() < size) value += "v" + std::to_string(random.Uniform(50)) + " ";
        value.resize(size);
      }
      entries.emplace_back(PackKey(text, PackTag(sequence, kind)), std::move(value));
      sequence -= 1 + random.Uniform(3);
    }
  }
  return entries;
}

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_TABLE_READER_FIXTURE_H_
