// TableBuilder writes one block-based table file.
//
// Entries are added in internal-key order; range deletions may be added at any time,
// in order of their start. Format: docs/formats/sst.md and the *_format.h files here.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_TABLE_TABLE_BUILDER_H_
#define SKARN_CORE_TABLE_TABLE_BUILDER_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/slice.h"
#include "core/base/status.h"
#include "core/env/file_writer.h"
#include "core/key/internal_key.h"
#include "core/options/options.h"
#include "core/plugin/table_properties_collector.h"
#include "core/table/block_batch.h"
#include "core/table/table_file_writer.h"
#include "core/table/table_properties.h"

namespace skarn {

enum class TableCreationReason : uint8_t { kFlush, kCompaction, kRecovery, kMisc };

struct TableBuilderOptions {
  const KeyOrder* order = nullptr;
  TableOptions table;  // Copied: SetOptions may change the column family's.
  std::shared_ptr<const SliceTransform> prefix_extractor;  // Shared with the column family.
  CompressionType compression = CompressionType::kNone;
  CompressionOptions compression_options;
  std::string merge_operator_name = "nullptr";
  std::vector<std::shared_ptr<TablePropertiesCollectorFactory>> collectors;
  uint32_t column_family_id = 0;
  std::string column_family_name;
  int level = 0;            // -1: unknown.
  bool last_level = false;  // With data below nothing: filters may be skipped.
  bool skip_filters = false;
  TableCreationReason reason = TableCreationReason::kFlush;
  std::string db_id;
  std::string db_session_id;
  std::string db_host_id;
  uint64_t file_number = 0;
  uint64_t creation_time = 0;
  uint64_t oldest_key_time = 0;
  uint64_t newest_key_time = 0;
  uint64_t file_creation_time = 0;
  uint64_t target_file_size = 0;
  bool ignore_key_type = false;  // Keep entries whose kind is unknown (repair).
  // False: user keys lose the comparator's timestamps when they are stored.
  bool persist_user_defined_timestamps = true;
  // The property of that name, as it is stored; empty: none.
  std::string seqno_to_time_mapping;
  // Put into the properties as they are: those of files built outside a database.
  std::map<std::string, std::string> extra_properties;
  // One in this many data blocks is also compressed with a fast and a slow codec, to
  // estimate what they would gain; 0: none.
  uint64_t sample_for_compression = 0;
  // Of format_version 6 and later; 0: chosen from the identity of the file.
  uint32_t base_context_checksum = 0;
  // Blocks are put here as they are written when table.prepopulate_block_cache says so.
  bool fill_cache = false;
  std::shared_ptr<Cache> block_cache;
  // Who may compress blocks of this file as well, once it has become large.
  BatchWorkers helpers;
};

class TableBuilder {
 public:
  // `file` must outlive the builder; the caller syncs and closes it after Finish().
  TableBuilder(const TableBuilderOptions& options, FileWriter* file);
  ~TableBuilder();

  // Errors are kept: status() tells the first, and later calls do nothing.
  void Add(Slice user_key, uint64_t tag, Slice value);
  void AddRangeDeletion(Slice start, Slice end, SequenceNumber sequence);
  Status Finish();
  // Instead of Finish(): the file's content is of no use.
  void Abandon();

  const Status& status() const;
  uint64_t entry_count() const;  // Range deletions included.
  bool empty() const { return entry_count() == 0; }
  // Bytes written so far; after Finish() the size of the file.
  uint64_t file_size_bytes() const;
  // The same with what is buffered and filter and index to come.
  uint64_t estimated_file_size_bytes() const;
  // Bytes of data blocks that wait to be compressed and written.
  uint64_t queued_bytes() const;
  uint64_t tail_size_bytes() const;  // From the end of data blocks; after Finish().
  // A collector asks for compaction; after Finish().
  bool need_compaction() const;
  // Valid after Finish().
  const TableProperties& properties() const;
  const CompressionCounts& compression_counts() const;

 private:
  struct Rep;
  std::unique_ptr<Rep> rep_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_TABLE_BUILDER_H_
