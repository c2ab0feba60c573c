#include "core/manage/sst_file_writer.h"

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

#include "core/base/coding.h"
#include "core/base/random.h"
#include "core/env/env.h"
#include "core/options/option_rules.h"
#include "core/plugin/merge_operator.h"
#include "core/table/meta_block_names.h"
#include "core/table/unique_id.h"

namespace skarn {
namespace {

constexpr uint32_t kExternalFileVersion = 2;

std::string NewSessionId(Clock* clock) {
  std::random_device device;
  Random random((static_cast<uint64_t>(device()) << 32) ^ device() ^ clock->NowNanos());
  SessionWords words;
  words.upper = random.Next() >> 2;
  words.lower = random.Next();
  return EncodeSessionId(words);
}

// The codec of the last level, where such files belong.
CompressionType Compression(const ColumnFamilyOptions& options) {
  if (options.bottommost_compression != CompressionType::kDisable) {
    return options.bottommost_compression;
  }
  if (!options.compression_per_level.empty()) return options.compression_per_level.back();
  return options.compression;
}

CompressionOptions CompressionSettings(const ColumnFamilyOptions& options) {
  const bool bottommost = options.bottommost_compression != CompressionType::kDisable &&
                          options.bottommost_compression_opts.enabled;
  return bottommost ? options.bottommost_compression_opts : options.compression_opts;
}

Status NotOpen() { return Status::InvalidArgument("File is not opened"); }

}  // namespace

SstFileWriter::SstFileWriter(const DbOptions& db_options, const ColumnFamilyOptions& options)
    : db_options_(db_options),
      options_(Sanitize(db_options, options)),
      order_(options_.comparator),
      session_id_(NewSessionId(db_options.env->clock)) {}

SstFileWriter::~SstFileWriter() {
  if (builder_ != nullptr) builder_->Abandon();
}

Status SstFileWriter::Open(const std::string& path) {
  if (builder_ != nullptr) builder_->Abandon();
  builder_.reset();
  file_.reset();
  last_key_.clear();
  ranges_.clear();
  entry_count_ = 0;

  FileOptions file_options;
  file_options.close_on_exec = db_options_.is_fd_close_on_exec;
  file_options.use_fsync = db_options_.use_fsync;
  auto file = db_options_.env->file_system->NewWritableFile(path, file_options);
  if (!file.ok()) return file.status();
  file_ = std::make_unique<FileWriter>(std::move(*file), path, file_options, FileWriter::Options());

  TableBuilderOptions table;
  table.order = &order_;
  table.table = options_.table_factory.block_based;
  table.prefix_extractor = options_.prefix_extractor;
  table.compression = Compression(options_);
  table.compression_options = CompressionSettings(options_);
  if (options_.merge_operator != nullptr) {
    table.merge_operator_name = options_.merge_operator->Name();
  }
  table.collectors = options_.table_properties_collector_factories;
  table.column_family_id = std::numeric_limits<int32_t>::max();  // Unknown.
  table.level = -1;
  table.reason = TableCreationReason::kMisc;
  table.db_id = "SST Writer";
  table.db_session_id = session_id_;
  table.file_number = next_file_number_++;
  table.persist_user_defined_timestamps = options_.persist_user_defined_timestamps;
  std::string& version = table.extra_properties[kExternalFileVersionProperty];
  PutFixed32(&version, kExternalFileVersion);
  std::string& sequence = table.extra_properties[kExternalFileGlobalSequenceProperty];
  PutFixed64(&sequence, 0);
  builder_ = std::make_unique<TableBuilder>(table, file_.get());
  file_size_bytes_ = 0;
  return Status::Ok();
}

Status SstFileWriter::Add(EntryKind kind, Slice key, Slice timestamp, Slice value) {
  if (timestamp.size() != order_.timestamp_size()) {
    return Status::InvalidArgument("Timestamp size mismatch");
  }
  if (builder_ == nullptr) return NotOpen();
  if (!builder_->status().ok()) return builder_->status();
  if (key.size() + timestamp.size() > std::numeric_limits<uint32_t>::max() - kTagSize) {
    return Status::InvalidArgument("key is too large");
  }
  if (value.size() > std::numeric_limits<uint32_t>::max()) {
    return Status::InvalidArgument("value is too large");
  }
  if (!options_.persist_user_defined_timestamps &&
      std::any_of(timestamp.data(), timestamp.end(), [](char c) { return c != 0; })) {
    return Status::InvalidArgument(
        "persist_user_defined_timestamps flag is set to false, only minimum timestamp is "
        "accepted.");
  }
  std::string full = key.ToString();
  full.append(timestamp.data(), timestamp.size());
  if (entry_count_ > 0 && order_.CompareUser(full, last_key_) <= 0) {
    return Status::InvalidArgument("Keys must be added in strict ascending order.");
  }
  builder_->Add(full, PackTag(0, kind), value);
  last_key_ = std::move(full);
  ++entry_count_;
  file_size_bytes_ = builder_->file_size_bytes();
  return builder_->status();
}

Status SstFileWriter::DeleteRange(Slice begin, Slice end) {
  if (order_.timestamp_size() != 0) return Status::InvalidArgument("Timestamp size mismatch");
  if (builder_ == nullptr) return NotOpen();
  const int order = order_.CompareUser(begin, end);
  if (order > 0) return Status::InvalidArgument("end key comes before start key");
  if (order < 0) ranges_.push_back({begin.ToString(), end.ToString()});
  return Status::Ok();
}

Status SstFileWriter::Finish() {
  if (builder_ == nullptr) return NotOpen();
  if (entry_count_ == 0 && ranges_.empty()) {
    return Status::InvalidArgument("Cannot create sst file with no entries");
  }
  std::stable_sort(ranges_.begin(), ranges_.end(), [this](const Range& a, const Range& b) {
    return order_.CompareUser(a.begin, b.begin) < 0;
  });
  for (const Range& range : ranges_) builder_->AddRangeDeletion(range.begin, range.end, 0);
  Status status = builder_->Finish();
  if (status.ok()) status = file_->Sync();
  if (status.ok()) status = file_->Close();
  file_size_bytes_ = builder_->file_size_bytes();
  builder_.reset();
  if (!status.ok()) (void)db_options_.env->file_system->DeleteFile(file_->path()).ok();
  file_.reset();
  return status;
}

}  // namespace skarn
