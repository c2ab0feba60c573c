// OutputWriter turns a sorted stream of versions into table files: it begins a new file
// where the rules say so, gives each file its boundaries, its share of the range
// tombstones and its record, and makes it durable.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_COMPACTION_OUTPUT_WRITER_H_
#define SKARN_CORE_COMPACTION_OUTPUT_WRITER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/base/status.h"
#include "core/compaction/table_output.h"
#include "core/env/file_writer.h"
#include "core/key/key_bytes.h"
#include "core/key/range_tombstone.h"
#include "core/table/table_builder.h"

namespace skarn {

struct OutputWriterOptions {
  const JobContext* context = nullptr;
  const ColumnFamilyOptions* options = nullptr;
  CompressionType compression = CompressionType::kNone;
  CompressionOptions compression_options;
  TableCreationReason reason = TableCreationReason::kFlush;
  int level = 0;
  bool last_level = false;
  uint32_t path_id = 0;
  uint64_t epoch_number = 0;
  // Of the data, seconds since 1970; 0 unknown.
  uint64_t oldest_ancestor_time = 0;
  uint64_t newest_key_time = 0;

  // Where files end. UINT64_MAX: never by size.
  uint64_t target_file_bytes = UINT64_MAX;
  uint64_t max_compaction_bytes = UINT64_MAX;
  bool bottommost = false;
  // Files of the level below the output; outputs end along their boundaries.
  const std::vector<FileMetadata*>* grandparents = nullptr;

  // The part of the key space that is written, as user keys; empty: open. Tombstones
  // are cut to it.
  std::string begin;
  std::string end;
  // All tombstones of the inputs; may be null.
  const FragmentedTombstones* tombstones = nullptr;
  // Whether nothing below may hold keys of a range; null means no.
  class RangeBelow {
   public:
    virtual ~RangeBelow() = default;
    virtual bool MayExistBelow(Slice start, Slice end) = 0;
  };
  RangeBelow* below = nullptr;
};

class OutputWriter {
 public:
  explicit OutputWriter(OutputWriterOptions options);
  // Removes the files when Finish() was not called or failed.
  ~OutputWriter();

  // Keys ascend. Slices are used during the call only.
  // `cut_before`: begin a new file whatever the sizes say.
  Status Add(Slice user_key, uint64_t tag, Slice value, bool cut_before = false);
  // Ends the last file. Afterwards outputs() are durable but for their directory.
  Status Finish();
  // Moves the finished files out.
  std::vector<TableOutput> TakeOutputs();
  uint64_t bytes_written() const { return bytes_written_; }
  // Range tombstones that had nothing left to delete.
  uint64_t dropped_tombstones() const { return dropped_tombstones_; }

 private:
  Status OpenFile();
  // `next_user_key` is the first key of the file that follows; null at the end.
  Status CloseFile(const Slice* next_user_key);
  Status AddTombstones(const Slice* next_user_key);
  // Reads the finished file back, as far as the options want it.
  Status Verify(TableReader* reader) const;
  // Without the timestamp where it is not stored.
  Slice KeyToVerify(Slice user_key) const;
  Status SyncFile();
  void CountCompression();
  bool ShouldCutBefore(Slice user_key, uint64_t tag);
  // Takes what an entry may make the file larger by from room_.
  void TakeRoom(Slice user_key, Slice value);
  // Moves along the grandparents; returns how many of their boundaries were crossed.
  size_t PassGrandparents(Slice user_key, uint64_t tag);
  bool HasTombstonesLeft() const;
  std::string PathOf(uint64_t number) const;

  const OutputWriterOptions options_;
  const KeyOrder& order_;
  std::unique_ptr<FileWriter> file_;
  std::unique_ptr<TableBuilder> builder_;
  TableOutput current_;
  bool verify_entries_ = false;
  bool verify_blocks_ = false;
  bool pads_blocks_ = false;
  uint64_t entries_hash_ = 0;  // Of the open file, when its entries will be verified.
  std::string first_key_;      // Packed, of the open file; empty until one was added.
  KeyBuffer last_user_key_;    // Of the open file or the one before.
  uint64_t last_tag_ = 0;
  bool first_file_ = true;
  // The open file is below its limit at least until so many bytes more were added, so that its
  // size need not be estimated for every entry.
  uint64_t room_ = 0;

  // Position among the grandparents.
  size_t grandparent_ = 0;
  bool inside_grandparent_ = false;
  bool passed_any_key_ = false;
  uint64_t grandparent_bytes_ = 0;
  size_t boundaries_crossed_ = 0;
  uint64_t skipped_grandparent_bytes_ = 0;

  std::vector<TableOutput> outputs_;
  uint64_t bytes_written_ = 0;
  uint64_t dropped_tombstones_ = 0;
  bool finished_ = false;
  Status status_;
};

// How table files of a job are opened for writing.
FileOptions TableFileOptions(const DbOptions& options);
// Makes the names of new files durable.
Status SyncDirectories(FileSystem* fs, const std::set<std::string>& directories);

}  // namespace skarn

#endif  // SKARN_CORE_COMPACTION_OUTPUT_WRITER_H_
