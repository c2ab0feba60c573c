// SstFileWriter writes one table file outside any database, to be ingested later.
//
// Keys are added in ascending order, each once; they have sequence number 0, and the
// database that takes the file in gives all of them one number. Range deletions may be
// added in any order.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_MANAGE_SST_FILE_WRITER_H_
#define SKARN_CORE_MANAGE_SST_FILE_WRITER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_writer.h"
#include "core/key/internal_key.h"
#include "core/options/options.h"
#include "core/table/table_builder.h"

namespace skarn {

class SstFileWriter {
 public:
  // The options are copied; the comparator is theirs and must outlive the writer.
  SstFileWriter(const DbOptions& db_options, const ColumnFamilyOptions& options);
  // A file that was not finished stays as it is.
  ~SstFileWriter();
  SstFileWriter(const SstFileWriter&) = delete;
  SstFileWriter& operator=(const SstFileWriter&) = delete;

  // Begins a file; one that was open is abandoned.
  Status Open(const std::string& path);
  // `kind` is kValue, kMerge, kDeletion or kDeletionWithTimestamp. `timestamp` is empty
  // where the comparator has none.
  // Errors: InvalidArgument when keys do not ascend or the timestamp has another size.
  Status Add(EntryKind kind, Slice key, Slice timestamp, Slice value);
  Status DeleteRange(Slice begin, Slice end);
  // Makes the file durable. Without any entry it is InvalidArgument.
  Status Finish();
  uint64_t file_size_bytes() const { return file_size_bytes_; }

 private:
  struct Range {
    std::string begin;
    std::string end;
  };

  const DbOptions db_options_;
  const ColumnFamilyOptions options_;
  const KeyOrder order_;
  const std::string session_id_;
  uint64_t next_file_number_ = 1;
  std::unique_ptr<FileWriter> file_;       // Null unless a file is open.
  std::unique_ptr<TableBuilder> builder_;  // Likewise.
  std::string last_key_;                   // With its timestamp.
  uint64_t entry_count_ = 0;
  std::vector<Range> ranges_;
  uint64_t file_size_bytes_ = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_MANAGE_SST_FILE_WRITER_H_
