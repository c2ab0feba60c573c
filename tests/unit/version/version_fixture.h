// A VersionSet over any file system, with what tests need around it.

#ifndef SKARN_TESTS_UNIT_VERSION_VERSION_FIXTURE_H_
#define SKARN_TESTS_UNIT_VERSION_VERSION_FIXTURE_H_

#include <memory>
#include <string>
#include <vector>

#include "core/base/epoch.h"
#include "core/base/mutex.h"
#include "core/env/env.h"
#include "core/env/file_system.h"
#include "core/version/version_set.h"

namespace skarn {

inline constexpr char kDbPath[] = "/db";

class TestSet {
 public:
  explicit TestSet(FileSystem* fs, int32_t max_open_files = 1000, const std::string& path = kDbPath)
      : path_(path) {
    env_.file_system = fs;
    env_.clock = SystemClock();
    env_.thread_pool = SystemThreadPool();
    db_options_ = std::make_shared<DbOptions>();
    db_options_->env = &env_;
    db_options_->max_open_files = max_open_files;
    db_options_->manifest_preallocation_size = 0;
    family_options_ = std::make_shared<ColumnFamilyOptions>();
    tables_ = std::make_unique<OpenTableBudget>(max_open_files);
  }
  ~TestSet() { CloseSet(); }

  // Creates the database when there is none, and recovers it.
  Status Open(const std::vector<std::string>& families = {"default"}, bool read_only = false,
              bool open_tables = false) {
    CloseSet();
    FileSystem* fs = env_.file_system;
    if (!read_only) {
      (void)fs->CreateDirIfMissing(path_);
      auto directory = fs->NewDirectory(path_);
      if (!directory.ok()) return directory.status();
      directory_ = std::move(*directory);
      if (!fs->FileExists(CurrentFileName(path_)).ok()) {
        Status s = VersionSet::CreateNew(*db_options_, path_, "test-id", directory_.get());
        if (!s.ok()) return s;
      }
    }
    NewSet();
    VersionSet::RecoverRequest request;
    for (const std::string& name : families) request.families.push_back({name, family_options_});
    request.read_only = read_only;
    request.open_tables = open_tables;
    MutexLock lock(&mutex_);
    return set_->Recover(request, nullptr);
  }
  void NewSet() {
    VersionSet::Context context;
    context.db_path = path_;
    context.options = db_options_;
    context.mutex = &mutex_;
    context.tables = tables_.get();
    set_ = std::make_unique<VersionSet>(std::move(context));
  }
  void CloseSet() {
    EpochDomain::Synchronize();
    set_.reset();
  }

  Status Apply(VersionEdit edit, uint32_t family = 0) {
    MutexLock lock(&mutex_);
    return set_->LogAndApply(set_->Find(family), &edit, directory_.get());
  }

  VersionSet* operator->() { return set_.get(); }
  Mutex* mutex() { return &mutex_; }
  DbOptions* db_options() { return db_options_.get(); }
  std::shared_ptr<ColumnFamilyOptions>& family_options() { return family_options_; }
  Directory* directory() { return directory_.get(); }
  FileSystem* fs() { return env_.file_system; }
  Version* current(uint32_t family = 0) { return set_->Find(family)->current(); }
  OpenTableBudget* tables() { return tables_.get(); }

  // "0:5,6 2:9": levels and file numbers in order.
  std::string Shape(uint32_t family = 0) {
    std::string text;
    const VersionStorage& storage = current(family)->storage();
    for (int level = 0; level < storage.num_levels(); ++level) {
      if (storage.level(level).empty()) continue;
      text += Concat(text.empty() ? "" : " ", level, ":");
      for (size_t i = 0; i < storage.level(level).size(); ++i) {
        text += Concat(i == 0 ? "" : ",", storage.level(level)[i]->number);
      }
    }
    return text;
  }

 private:
  const std::string path_;
  Env env_;
  Mutex mutex_;
  std::shared_ptr<DbOptions> db_options_;
  std::shared_ptr<ColumnFamilyOptions> family_options_;
  std::unique_ptr<OpenTableBudget> tables_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<VersionSet> set_;
};

inline FileRecord MakeFile(uint64_t number, const std::string& smallest, const std::string& largest,
                           SequenceNumber sequence = 100) {
  FileRecord file;
  file.number = number;
  file.size_bytes = 1000;
  file.smallest = PackKey(smallest, PackTag(sequence, EntryKind::kValue));
  file.largest = PackKey(largest, PackTag(sequence, EntryKind::kValue));
  file.smallest_sequence = file.largest_sequence = sequence;
  file.epoch_number = number;
  return file;
}

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_VERSION_VERSION_FIXTURE_H_
