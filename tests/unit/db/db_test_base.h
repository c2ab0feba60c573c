// DbTest opens databases in memory or in a directory of its own, and keeps the calls
// of tests short.

#ifndef SKARN_TESTS_UNIT_DB_DB_TEST_BASE_H_
#define SKARN_TESTS_UNIT_DB_DB_TEST_BASE_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/db/db.h"
#include "core/db/db_impl.h"
#include "core/env/env.h"
#include "core/iterate/db_iterator.h"

namespace skarn {

#define EXPECT_OK(expression)                                          \
  do {                                                                 \
    const Status expect_ok_status = (expression);                      \
    EXPECT_TRUE(expect_ok_status.ok()) << expect_ok_status.ToString(); \
  } while (false)
#define ASSERT_OK(expression)                                          \
  do {                                                                 \
    const Status assert_ok_status = (expression);                      \
    ASSERT_TRUE(assert_ok_status.ok()) << assert_ok_status.ToString(); \
  } while (false)

class DbTest : public ::testing::Test {
 protected:
  DbTest() : env_(NewMemoryEnv()) {
    options_.env = env_.get();
    options_.create_if_missing = true;
    family_options_.compression = CompressionType::kNone;
    // To look at a failure.
    if (getenv("SKARN_TEST_LOG") != nullptr) {
      options_.info_log = NewStderrLogger(LogLevel::kDebug, "");
    }
  }
  ~DbTest() override { CloseDb(); }

  Status TryOpen(std::vector<std::string> names = {"default"},
                 Db::Mode mode = Db::Mode::kReadWrite) {
    CloseDb();
    Db::OpenRequest request;
    request.options = options_;
    request.path = path_;
    request.mode = mode;
    request.secondary_path = path_ + "-secondary";
    for (std::string& name : names) request.column_families.push_back({name, family_options_});
    Result<std::unique_ptr<Db>> db = Db::Open(std::move(request), &handles_);
    if (!db.ok()) return db.status();
    db_ = std::move(*db);
    return Status::Ok();
  }
  void Open(std::vector<std::string> names = {"default"}) { ASSERT_OK(TryOpen(std::move(names))); }
  void CloseDb() {
    handles_.clear();
    db_.reset();
  }
  DbImpl* impl() const { return static_cast<DbImpl*>(db_.get()); }
  ColumnFamilyHandle* cf(size_t index) const { return handles_[index].get(); }

  Status Put(const std::string& key, const std::string& value, size_t family = 0) {
    return db_->Put(write_, cf(family), key, Slice(), value);
  }
  Status Delete(const std::string& key, size_t family = 0) {
    return db_->Delete(write_, cf(family), key, Slice());
  }
  // The value, "NOT_FOUND", or the error's text.
  std::string Get(const std::string& key, size_t family = 0, const Snapshot* snapshot = nullptr) {
    ReadOptions read;
    read.snapshot = snapshot;
    PinnedValue value;
    const Status status = db_->Get(read, cf(family), key, &value, nullptr);
    if (status.IsNotFound()) return "NOT_FOUND";
    if (!status.ok()) return status.ToString();
    return value.slice().ToString();
  }
  // "a->1 b->2", forwards; checks that backwards gives the same.
  std::string Scan(size_t family = 0, const ReadOptions& read = ReadOptions()) {
    const std::unique_ptr<DbIterator> iterator = db_->NewIterator(read, cf(family));
    std::string forward, backward;
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      if (!forward.empty()) forward += ' ';
      forward += iterator->key().ToString() + "->" + iterator->value().ToString();
    }
    if (!iterator->status().ok()) return iterator->status().ToString();
    for (iterator->SeekToLast(); iterator->valid(); iterator->Prev()) {
      const std::string entry = iterator->key().ToString() + "->" + iterator->value().ToString();
      backward = backward.empty() ? entry : entry + " " + backward;
    }
    EXPECT_EQ(forward, backward);
    return forward;
  }
  Status Flush(size_t family = 0) { return db_->Flush(FlushOptions(), {cf(family)}); }
  Status Compact(size_t family = 0) {
    return db_->CompactRange(CompactRangeOptions(), cf(family), nullptr, nullptr);
  }
  // "2,0,1": files on levels, without trailing empty ones.
  std::string Levels(size_t family = 0) {
    ColumnFamilyMetadata metadata;
    db_->GetColumnFamilyMetadata(cf(family), &metadata);
    std::string text;
    size_t last = 0;
    for (size_t i = 0; i < metadata.levels.size(); ++i) {
      if (!metadata.levels[i].files.empty()) last = i + 1;
    }
    for (size_t i = 0; i < last; ++i) {
      if (i > 0) text += ',';
      text += std::to_string(metadata.levels[i].files.size());
    }
    return text;
  }
  std::vector<std::string> FilesEndingWith(const std::string& ending) {
    std::vector<std::string> names, found;
    EXPECT_OK(env_->file_system->GetChildren(path_, &names));
    for (const std::string& name : names) {
      if (Slice(name).EndsWith(ending)) found.push_back(name);
    }
    std::sort(found.begin(), found.end());
    return found;
  }

  std::unique_ptr<Env> env_;
  std::string path_ = "/db";
  DbOptions options_;
  ColumnFamilyOptions family_options_;
  WriteOptions write_;
  std::unique_ptr<Db> db_;
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles_;
};

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_DB_DB_TEST_BASE_H_
