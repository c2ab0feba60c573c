#include "core/compaction/compaction.h"

#include <algorithm>
#include <utility>

#include "core/options/option_rules.h"

namespace skarn {

namespace {

// Whether the table's blocks are as `type` would write them. Tables of format version 7
// list the codecs of their blocks: "BuiltinV2;<two hex digits each>;".
bool IsCompressedWith(const TableProperties& properties, CompressionType type) {
  const std::string& name = properties.compression_name;
  const size_t separator = name.find(';');
  if (separator == std::string::npos) return name == CodecName(type);
  const bool none = separator == 0;
  if (none || type == CompressionType::kNone) return none == (type == CompressionType::kNone);
  const std::string types =
      name.substr(separator + 1, name.find(';', separator + 1) - separator - 1);
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const auto byte = static_cast<uint8_t>(type);
  const char wanted[] = {kDigits[byte >> 4], kDigits[byte & 15], 0};
  return types.empty() || types == wanted;  // Empty: no block was worth compressing.
}

}  // namespace

const char* CompactionReasonName(CompactionReason reason) {
  switch (reason) {
    case CompactionReason::kUnknown:
      return "Unknown";
    case CompactionReason::kLevelL0FilesNum:
      return "LevelL0FilesNum";
    case CompactionReason::kLevelMaxLevelSize:
      return "LevelMaxLevelSize";
    case CompactionReason::kUniversalSizeAmplification:
      return "UniversalSizeAmplification";
    case CompactionReason::kUniversalSizeRatio:
      return "UniversalSizeRatio";
    case CompactionReason::kUniversalSortedRunNum:
      return "UniversalSortedRunNum";
    case CompactionReason::kFIFOMaxSize:
      return "FIFOMaxSize";
    case CompactionReason::kFIFOReduceNumFiles:
      return "FIFOReduceNumFiles";
    case CompactionReason::kFIFOTtl:
      return "FIFOTtl";
    case CompactionReason::kManualCompaction:
      return "ManualCompaction";
    case CompactionReason::kFilesMarkedForCompaction:
      return "FilesMarkedForCompaction";
    case CompactionReason::kBottommostFiles:
      return "BottommostFiles";
    case CompactionReason::kTtl:
      return "Ttl";
    case CompactionReason::kFlush:
      return "Flush";
    case CompactionReason::kExternalSstIngestion:
      return "ExternalSstIngestion";
    case CompactionReason::kPeriodicCompaction:
      return "PeriodicCompaction";
    case CompactionReason::kChangeTemperature:
      return "ChangeTemperature";
    case CompactionReason::kForcedBlobGC:
      return "ForcedBlobGC";
    case CompactionReason::kRoundRobinTtl:
      return "RoundRobinTtl";
    case CompactionReason::kRefitLevel:
      return "RefitLevel";
  }
  return "Invalid";
}

Compaction::Compaction(Version* version, const ColumnFamilyOptions& options,
                       std::vector<CompactionInput> inputs, int output_level,
                       CompactionReason reason)
    : version_(version),
      options_(options),
      inputs_(std::move(inputs)),
      output_level_(output_level),
      reason_(reason),
      output_compression_(CompressionForLevel(options_, version->storage(), output_level)) {
  version_->Ref();
  const KeyOrder& order = version_->order();
  bool any = false;
  for (const CompactionInput& input : inputs_) {
    for (FileMetadata* file : input.files) {
      assert(!file->being_compacted);
      file->being_compacted = true;
      const Slice low = order.StripTimestamp(file->smallest_user_key());
      const Slice high = order.StripTimestamp(file->largest_user_key());
      if (!any || order.CompareStripped(low, smallest_) < 0) smallest_ = low;
      if (!any || order.CompareStripped(high, largest_) > 0) largest_ = high;
      any = true;
    }
  }
  // What a result of level 0 may have below it begins after the oldest input file there.
  int level0_position = -1;
  if (output_level_ == 0 && any) {
    const LevelFiles& level0 = version_->storage().level(0);
    for (const CompactionInput& input : inputs_) {
      if (input.level != 0 || input.files.empty()) continue;
      for (size_t i = 0; i < level0.size(); ++i) {
        if (level0[i] == input.files.back()) level0_position = static_cast<int>(i);
      }
    }
  }
  bottommost_ = any && !version_->storage().RangeMayExistBelow(smallest_, largest_, output_level_,
                                                               level0_position);
}

Compaction::~Compaction() {
  for (const CompactionInput& input : inputs_) {
    for (FileMetadata* file : input.files) file->being_compacted = false;
  }
  version_->Unref();
}

uint64_t Compaction::input_bytes() const {
  uint64_t bytes = 0;
  for (const CompactionInput& input : inputs_) {
    for (const FileMetadata* file : input.files) bytes += file->size_bytes;
  }
  return bytes;
}

size_t Compaction::input_file_count() const {
  size_t count = 0;
  for (const CompactionInput& input : inputs_) count += input.files.size();
  return count;
}

bool Compaction::IsTrivialMove() const {
  if (deletion_only || inputs_.empty() || start_level() == output_level_) return false;
  for (size_t i = 1; i < inputs_.size(); ++i) {
    if (!inputs_[i].files.empty()) return false;
  }
  if (manual &&
      (options_.compaction_filter != nullptr || options_.compaction_filter_factory != nullptr)) {
    return false;
  }
  const VersionStorage& storage = version_->storage();
  const KeyOrder& order = version_->order();
  std::vector<FileMetadata*> files = inputs_.front().files;
  std::sort(files.begin(), files.end(), [&](const FileMetadata* a, const FileMetadata* b) {
    return order.ComparePacked(a->smallest, b->smallest) < 0;
  });
  const CompressionType compression = OutputCompression();
  for (size_t i = 0; i < files.size(); ++i) {
    const FileMetadata* file = files[i];
    if (file->path_id != output_path_id) return false;
    if (i > 0 && order.CompareUserWithoutTimestamp(files[i - 1]->largest_user_key(),
                                                   file->smallest_user_key()) >= 0) {
      return false;  // Files of level 0 that overlap.
    }
    if (output_level_ + 1 < storage.num_levels()) {
      const uint64_t overlap = storage.OverlappingBytes(
          output_level_ + 1, order.StripTimestamp(file->smallest_user_key()),
          order.StripTimestamp(file->largest_user_key()));
      if (file->size_bytes + overlap > options_.max_compaction_bytes) return false;
    }
    const auto properties = version_->table_cache()->Properties(*file);
    if (!properties.ok() || !IsCompressedWith(**properties, compression)) {
      return false;
    }
  }
  return true;
}

CompressionType CompressionForLevel(const ColumnFamilyOptions& options,
                                    const VersionStorage& storage, int level) {
  return CompressionOfLevel(options, level, std::max(storage.base_level(), 1),
                            level >= storage.num_non_empty_levels() - 1);
}

CompressionOptions Compaction::OutputCompressionOptions() const {
  return CompressionOptionsOfLevel(options_,
                                   output_level_ >= version_->storage().num_non_empty_levels() - 1);
}

void Compaction::AddInputDeletions(VersionEdit* edit) const {
  for (const CompactionInput& input : inputs_) {
    for (const FileMetadata* file : input.files) edit->DeleteFile(input.level, file->number);
  }
  if (options_.compaction_pri == CompactionPri::kRoundRobin && start_level() > 0 &&
      !inputs_.front().files.empty()) {
    edit->compact_cursors.emplace_back(start_level(), inputs_.front().files.back()->largest);
  }
}

bool Compaction::MayExistBelow(Slice user_key, std::vector<size_t>* level_positions) const {
  const VersionStorage& storage = version_->storage();
  const KeyOrder& order = version_->order();
  if (output_level_ == 0) {
    const LevelFiles& level0 = storage.level(0);
    for (size_t i = 0; i < level0.size(); ++i) {
      if (!level0[i]->being_compacted && level0.Covers(i, order.StripTimestamp(user_key)))
        return true;
    }
  }
  level_positions->resize(static_cast<size_t>(storage.num_levels()), 0);
  for (int level = output_level_ + 1; level < storage.num_non_empty_levels(); ++level) {
    const LevelFiles& files = storage.level(level);
    size_t& position = (*level_positions)[static_cast<size_t>(level)];
    while (position < files.size() &&
           order.CompareUserWithoutTimestamp(files[position]->largest_user_key(), user_key) < 0) {
      ++position;
    }
    if (position < files.size() &&
        order.CompareUserWithoutTimestamp(files[position]->smallest_user_key(), user_key) <= 0) {
      return true;
    }
  }
  return false;
}

}  // namespace skarn
