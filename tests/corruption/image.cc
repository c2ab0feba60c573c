#include "tests/corruption/image.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/iterate/db_iterator.h"
#include "core/options/options_file.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/slice_transform.h"
#include "core/version/file_names.h"
#include "core/wal/log_reader.h"

namespace skarn {
namespace {

namespace stdfs = std::filesystem;

void Require(const Status& status, const std::string& what) {
  if (status.ok()) return;
  printf("%s: %s\n", what.c_str(), status.ToString().c_str());
  exit(2);
}

std::map<std::string, std::string> ReadAll(FileSystem* fs) {
  std::map<std::string, std::string> files;
  std::vector<std::string> names;
  Require(fs->GetChildren(kImagePath, &names), "list");
  for (const std::string& name : names) {
    if (name == "LOCK" || name.compare(0, 3, "LOG") == 0) continue;
    Result<std::string> bytes = ReadFileToString(fs, Concat(kImagePath, "/", name));
    if (bytes.ok()) files[name] = std::move(*bytes);
  }
  return files;
}

Contents Whole(const Image& image) {
  OpenImage open;
  LoadImage(image, "", "", &open);
  Require(OpenLoaded(image, &open), image.name);
  Contents contents(image.families.size());
  for (size_t i = 0; i < contents.size(); ++i) {
    Require(ScanFamily(open, i, &contents[i]), image.name);
  }
  return contents;
}

// Batch `i`: two new keys, changes of old ones, a deletion, sometimes a range of them.
void FillBatch(int i, WriteBatch* batch, Contents* contents) {
  const auto put = [&](uint32_t family, const std::string& key, const std::string& value) {
    Require(batch->Put(family, key, value), "put");
    (*contents)[family][key] = value;
  };
  const std::string number = std::to_string(100 + i);
  const std::string text(20 + i * 7 % 50, static_cast<char>('a' + i % 26));
  put(0, "new" + number, "value " + number + text);
  put(1, "new" + number, "second " + number);
  put(0, "old" + std::to_string(i % 5), number + text);
  if (i % 4 == 3) {
    const std::string key = "new" + std::to_string(100 + i - 2);
    Require(batch->Delete(0, key), "delete");
    (*contents)[0].erase(key);
  }
  if (i % 9 == 8) {
    const std::string begin = "new" + std::to_string(100 + i - 6);
    const std::string end = "new" + std::to_string(100 + i - 4);
    Require(batch->DeleteRange(0, begin, end), "delete range");
    auto& map = (*contents)[0];
    map.erase(map.lower_bound(begin), map.lower_bound(end));
  }
}

// Tables from batches 0 to 11 and 12 to 23, a log with 24 to 35.
void WriteImage(Image* image) {
  OpenImage open;
  open.file_system = NewMemoryFileSystem();
  image->db.create_if_missing = true;
  image->db.create_missing_column_families = true;
  Require(OpenLoaded(*image, &open), image->name);
  image->db.create_if_missing = false;
  image->db.create_missing_column_families = false;
  Contents contents(2);
  for (int i = 0; i < 36; ++i) {
    WriteBatch batch;
    FillBatch(i, &batch, &contents);
    Require(open.db->Write(WriteOptions(), &batch), image->name);
    if (i == 11 || i == 23) {
      std::vector<ColumnFamilyHandle*> families;
      for (const auto& handle : open.handles) families.push_back(handle.get());
      Require(open.db->Flush(FlushOptions(), families), image->name);
    }
    (i >= 23 ? image->states : image->earlier).push_back(contents);
  }
  open.Close();
  image->files = ReadAll(open.file_system.get());
}

Image NewImage(const std::string& name) {
  Image image;
  image.name = name;
  image.db.info_log_level = LogLevel::kFatal;
  ColumnFamilyOptions family;
  family.compression = CompressionType::kNone;
  family.disable_auto_compactions = true;
  family.prefix_extractor = NewFixedPrefixTransform(3);
  image.families = {{"default", family}, {"second", family}};
  return image;
}

void AddTableImages(std::vector<Image>* images) {
  static constexpr IndexType kIndexes[] = {
      IndexType::kBinarySearch, IndexType::kTwoLevelIndexSearch,
      IndexType::kBinarySearchWithFirstKey, IndexType::kHashSearch};
  static constexpr ChecksumType kChecksums[] = {ChecksumType::kCrc32c, ChecksumType::kXxHash,
                                                ChecksumType::kXxHash64, ChecksumType::kXxh3};
  const std::vector<CompressionType>& codecs = AvailableCodecs();
  for (uint32_t version = 2; version <= 7; ++version) {
    for (uint32_t variant = 0; variant < 5; ++variant) {
      Image image = NewImage(Concat("tables", version, ".", variant));
      for (ColumnFamilyDescriptor& family : image.families) {
        TableOptions& table = family.options.table_factory.block_based;
        table.format_version = version;
        table.index_type = kIndexes[(version + variant) % 4];
        // Combined over all versions, every codec meets every checksum.
        table.checksum =
            variant == 4 ? ChecksumType::kNone : kChecksums[(version + variant / 2 + variant) % 4];
        table.block_size = 300;
        table.metadata_block_size = 128;
        table.block_restart_interval = 1 + static_cast<int>(variant) * 2;
        if (variant != 1) {
          FilterPolicy policy;
          policy.kind = variant == 2 ? FilterPolicy::Kind::kRibbon : FilterPolicy::Kind::kBloom;
          table.filter_policy = std::make_shared<FilterPolicy>(policy);
        }
        table.partition_filters = table.index_type == IndexType::kTwoLevelIndexSearch;
        table.cache_index_and_filter_blocks = variant == 3;
        if (variant % 2 == 0 && version >= 4) {
          table.data_block_index_type = DataBlockIndexType::kBinaryAndHash;
        }
        table.separate_key_value_in_data_block = version == 7 && variant >= 2;
        family.options.compression = codecs[(version * 5 + variant) % codecs.size()];
        if (variant == 0 || variant == 3) family.options.compression_opts.max_dict_bytes = 600;
      }
      image.unprotected = variant == 4;
      image.sweep_logs = false;
      image.sweep_rest = false;
      WriteImage(&image);
      images->push_back(std::move(image));
    }
  }
}

void AddLogImages(std::vector<Image>* images) {
  static constexpr const char* kModes[] = {"tolerate", "absolute", "point", "skip"};
  for (int form = 0; form < 5; ++form) {
    for (int mode = 0; mode < 4; ++mode) {
      static constexpr const char* kForms[] = {"plain", "recycled", "compressed",
                                               "recycled-compressed", "tracked"};
      Image image = NewImage(Concat("log-", kForms[form], "-", kModes[mode]));
      image.sweep_tables = false;
      if (form == 1 || form == 3) image.db.recycle_log_file_num = 2;
      if (form == 2 || form == 3) image.db.wal_compression = CompressionType::kZstd;
      if (form == 4) {
        image.db.track_and_verify_wals = true;
        image.db.track_and_verify_wals_in_manifest = true;
        image.db.atomic_flush = true;
      }
      WriteImage(&image);
      image.db.wal_recovery_mode = static_cast<WalRecoveryMode>(mode);
      image.sweep_rest = image.db.wal_recovery_mode == WalRecoveryMode::kPointInTimeRecovery;
      // Recycled logs cannot be opened in these modes with the option still set.
      image.db.recycle_log_file_num = 0;
      images->push_back(std::move(image));
    }
  }
}

// What is left of the image when its last log ends after each of its records.
bool AddShorterStates(Image* image) {
  std::string last_log;
  for (const auto& [name, bytes] : image->files) {
    if (Slice(name).EndsWith(".log") && !bytes.empty()) last_log = name;
  }
  if (last_log.empty()) return true;
  OpenImage open;
  LoadImage(*image, "", "", &open);
  auto file = open.file_system->NewSequentialFile(Concat(kImagePath, "/", last_log), FileOptions());
  Require(file.status(), image->name);
  const uint64_t number = strtoull(last_log.c_str(), nullptr, 10);
  LogReader reader(std::move(*file), nullptr, number);
  std::vector<uint64_t> ends = {0};
  Slice record;
  std::string scratch;
  while (reader.ReadRecord(&record, &scratch, RecoveryMode::kPointInTime)) {
    ends.push_back(reader.last_record_end());
  }
  if (ends.size() > 150) return false;
  std::vector<Contents> states;
  const std::string whole = image->files[last_log];
  for (const uint64_t end : ends) {
    image->files[last_log] = whole.substr(0, end);
    states.push_back(Whole(*image));
  }
  image->files[last_log] = whole;
  image->states.insert(image->states.begin(), states.begin(), states.end());
  return true;
}

std::string ReadHostFile(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace

void LoadImage(const Image& image, const std::string& name, const std::string& changed,
               OpenImage* open) {
  open->file_system = NewMemoryFileSystem();
  for (const auto& [file, bytes] : image.files) {
    const Slice content = file == name ? Slice(changed) : Slice(bytes);
    Require(WriteStringToFile(open->file_system.get(), content, Concat(kImagePath, "/", file),
                              /*sync=*/false),
            image.name);
  }
}

Status OpenLoaded(const Image& image, OpenImage* open) {
  open->env.file_system = open->file_system.get();
  open->env.clock = SystemClock();
  open->env.thread_pool = SystemThreadPool();
  Db::OpenRequest request;
  request.options = image.db;
  request.options.env = &open->env;
  request.path = kImagePath;
  request.column_families = image.families;
  auto db = Db::Open(std::move(request), &open->handles);
  if (!db.ok()) return db.status();
  open->db = std::move(*db);
  return Status::Ok();
}

Status ScanFamily(const OpenImage& open, size_t family, std::map<std::string, std::string>* found) {
  ReadOptions read;
  read.total_order_seek = true;
  const auto iterator = open.db->NewIterator(read, open.handles[family].get());
  for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
    (*found)[iterator->key().ToString()] = iterator->value().ToString();
  }
  return iterator->status();
}

std::vector<Image> OwnImages() {
  std::vector<Image> images;
  AddTableImages(&images);
  AddLogImages(&images);
  return images;
}

std::vector<Image> GoldenImages(const std::string& root) {
  std::vector<stdfs::path> directories;
  for (const auto& release : stdfs::directory_iterator(root)) {
    for (const auto& directory : stdfs::directory_iterator(release.path())) {
      directories.push_back(directory.path());
    }
  }
  std::sort(directories.begin(), directories.end());
  std::vector<Image> images;
  for (const stdfs::path& directory : directories) {
    Image image;
    image.name =
        Concat(directory.parent_path().filename().string(), "/", directory.filename().string());
    size_t total = 0;
    for (const auto& entry : stdfs::directory_iterator(directory / "db")) {
      image.files[entry.path().filename().string()] = ReadHostFile(entry.path());
      total += image.files[entry.path().filename().string()].size();
    }
    if (total > (512 << 10)) continue;
    OpenImage open;
    LoadImage(image, "", "", &open);
    OptionReading reading;
    reading.ignore_unknown = true;
    auto options = LoadLatestOptionsFile(reading, open.file_system.get(), kImagePath);
    Require(options.status(), image.name);
    image.db = options->db;
    image.db.info_log_level = LogLevel::kFatal;
    image.db.stats_dump_period_sec = 0;
    image.db.wal_dir.clear();
    for (NamedColumnFamilyOptions& family : options->families) {
      family.options.merge_operator = NewMergeOperator("stringappend", {});
      family.options.disable_auto_compactions = true;
      const TableOptions& table = family.options.table_factory.block_based;
      image.unprotected |= table.checksum == ChecksumType::kNone;
      image.families.push_back({family.name, family.options});
    }
    // What cannot be opened yet has nothing to compare with.
    if (!OpenLoaded(image, &open).ok()) continue;
    open.Close();
    if (!AddShorterStates(&image)) continue;
    image.states.push_back(Whole(image));
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace skarn
