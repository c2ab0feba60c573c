// Databases whose log or MANIFEST holds any records, opened in memory, read, and opened again.
// The first byte chooses the file, the recovery mode, and whether the input is the file or
// records that get right checksums.

#include <memory>

#include "core/db/db.h"
#include "core/env/file_writer.h"
#include "core/iterate/db_iterator.h"
#include "core/wal/log_writer.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

constexpr char kPath[] = "/db";

void WriteRecords(FileSystem* fs, const std::string& path, uint64_t number, bool recyclable,
                  const std::vector<Slice>& records) {
  auto file = fs->NewWritableFile(path, FileOptions());
  Require(file.ok());
  LogWriter::Options options;
  options.log_number = number;
  options.recyclable = recyclable;
  LogWriter writer(
      std::make_unique<FileWriter>(std::move(*file), path, FileOptions(), FileWriter::Options()),
      options);
  for (const Slice record : records) Require(writer.AddRecord(record).ok());
  Require(writer.Close().ok());
}

bool Open(Env* env, uint8_t mode) {
  Db::OpenRequest request;
  request.options.env = env;
  request.options.info_log_level = LogLevel::kFatal;
  request.options.wal_recovery_mode = static_cast<WalRecoveryMode>(mode);
  request.path = kPath;
  request.column_families = {{"default", ColumnFamilyOptions()}};
  std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
  auto db = Db::Open(std::move(request), &handles);
  if (!db.ok()) return false;
  {
    const auto iterator = (*db)->NewIterator(ReadOptions(), handles[0].get());
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      Require(iterator->key().data() != nullptr || iterator->key().empty());
    }
  }
  (void)(*db)->Put(WriteOptions(), handles[0].get(), "key", Slice(), "value").ok();
  handles.clear();
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  const std::unique_ptr<Env> env = NewMemoryEnv();
  FileSystem* const fs = env->file_system;
  const bool raw = (choice & 4) != 0;
  // What a new database begins with.
  {
    Db::OpenRequest request;
    request.options.env = env.get();
    request.options.create_if_missing = true;
    request.options.info_log_level = LogLevel::kFatal;
    request.path = kPath;
    request.column_families = {{"default", ColumnFamilyOptions()}};
    std::vector<std::unique_ptr<ColumnFamilyHandle>> handles;
    Require(Db::Open(std::move(request), &handles).ok());
  }
  std::string path;
  uint64_t number = 0;
  if ((choice & 8) != 0) {
    Result<std::string> current = ReadFileToString(fs, std::string(kPath) + "/CURRENT");
    Require(current.ok() && current->size() > 1);
    current->pop_back();
    path = std::string(kPath) + "/" + *current;
  } else {
    number = 900;
    path = std::string(kPath) + "/000900.log";
  }
  if (raw) {
    Require(WriteStringToFile(fs, input.rest(), path, /*sync=*/false).ok());
  } else {
    WriteRecords(fs, path, number, (choice & 16) != 0 && number != 0, input.Pieces());
  }
  // What was opened once opens again.
  if (Open(env.get(), choice & 3)) Require(Open(env.get(), choice & 3));
  return 0;
}
