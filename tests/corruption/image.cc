#include "tests/corruption/image.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/cache/cache.h"
#include "core/iterate/db_iterator.h"
#include "core/options/options_file.h"
#include "core/plugin/builtin_merge_operators.h"
#include "core/plugin/slice_transform.h"
#include "core/version/file_names.h"
#include "tests/corruption/mapping_file_system.h"

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

// Batch `i` into `batch`, if that is not null, and what it does to family f into `contents` where
// `wanted[f]`: two new keys, changes of old ones, a deletion, sometimes a range of them.
void FillBatch(const Image& image, int i, WriteBatch* batch, const std::vector<bool>& wanted,
               Contents* contents) {
  const auto put = [&](uint32_t family, const std::string& key, const std::string& value) {
    if (batch != nullptr) Require(batch->Put(family, key, value), "put");
    if (wanted[family]) (*contents)[family][key] = value;
  };
  const std::string number = std::to_string(100 + i);
  const size_t size = image.value_bytes > 0 && i >= kSecondTableEnd ? image.value_bytes : 20;
  const std::string text(size + i * 7 % 50, static_cast<char>('a' + i % 26));
  put(0, "new" + number, "value " + number + text);
  put(1, "new" + number, "second " + number);
  put(0, "old" + std::to_string(i % 5), number + text);
  auto& first = (*contents)[0];
  if (i % 4 == 3) {
    const std::string key = "new" + std::to_string(100 + i - 2);
    if (batch != nullptr) Require(batch->Delete(0, key), "delete");
    if (wanted[0]) first.erase(key);
  }
  if (i % 9 == 8) {
    const std::string begin = "new" + std::to_string(100 + i - 6);
    const std::string end = "new" + std::to_string(100 + i - 4);
    if (batch != nullptr) Require(batch->DeleteRange(0, begin, end), "delete range");
    if (wanted[0]) first.erase(first.lower_bound(begin), first.lower_bound(end));
  }
}

void WriteImage(Image* image) {
  OpenImage open;
  open.file_system = NewMemoryFileSystem();
  image->db.create_if_missing = true;
  image->db.create_missing_column_families = true;
  Require(OpenLoaded(*image, Manner(), kImagePath, &open), image->name);
  image->db.create_if_missing = false;
  image->db.create_missing_column_families = false;
  image->modelled = true;
  image->whole.resize(2);
  for (int i = 0; i < kBatches; ++i) {
    WriteBatch batch;
    FillBatch(*image, i, &batch, {true, true}, &image->whole);
    Require(open.db->Write(WriteOptions(), &batch), image->name);
    if (i + 1 == kFirstTableEnd || i + 1 == kSecondTableEnd) {
      std::vector<ColumnFamilyHandle*> families;
      for (const auto& handle : open.handles) families.push_back(handle.get());
      Require(open.db->Flush(FlushOptions(), families), image->name);
    }
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
  for (uint32_t version = 0; version <= 7; ++version) {
    for (uint32_t variant = 0; variant < 5; ++variant) {
      Image image = NewImage(Concat("tables", version, ".", variant));
      for (ColumnFamilyDescriptor& family : image.families) {
        TableOptions& table = family.options.table_factory.block_based;
        table.format_version = version;
        table.index_type = kIndexes[(version + variant) % 4];
        // Combined over all versions, every codec meets every checksum.
        table.checksum =
            variant == 4 ? ChecksumType::kNone : kChecksums[(version + variant / 2 + variant) % 4];
        if (version == 0) table.checksum = ChecksumType::kCrc32c;
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
      image.unprotected = variant == 4 && version > 0;
      image.sweep_logs = false;
      image.sweep_rest = false;
      WriteImage(&image);
      images->push_back(std::move(image));
    }
  }
}

void AddLogImages(std::vector<Image>* images) {
  static constexpr const char* kModes[] = {"tolerate", "absolute", "point", "skip"};
  static constexpr const char* kForms[] = {
      "plain", "recycled", "compressed", "recycled-compressed", "tracked", "long"};
  for (int form = 0; form < 6; ++form) {
    for (int mode = 0; mode < 4; ++mode) {
      Image image = NewImage(Concat("log-", kForms[form], "-", kModes[mode]));
      image.sweep_tables = false;
      if (form == 1 || form == 3) image.db.recycle_log_file_num = 2;
      if (form == 2 || form == 3) image.db.wal_compression = CompressionType::kZstd;
      if (form == 4) {
        image.db.track_and_verify_wals = true;
        image.db.track_and_verify_wals_in_manifest = true;
        image.db.atomic_flush = true;
      }
      if (form == 5) image.value_bytes = 4000;  // Three blocks, with records over their ends.
      WriteImage(&image);
      image.db.wal_recovery_mode = static_cast<WalRecoveryMode>(mode);
      image.sweep_rest = image.db.wal_recovery_mode == WalRecoveryMode::kPointInTimeRecovery;
      // Recycled logs cannot be opened in these modes with the option still set.
      image.db.recycle_log_file_num = 0;
      images->push_back(std::move(image));
    }
  }
}

std::string ReadHostFile(const stdfs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
}

}  // namespace

Contents ModelOf(const Image& image, const std::vector<int>& table_end, int log_begin,
                 int skip_begin, int skip_end) {
  Contents contents(2);
  for (int i = 0; i < kBatches; ++i) {
    const bool logged = i >= log_begin && (i < skip_begin || i >= skip_end);
    FillBatch(image, i, nullptr, {logged || i < table_end[0], logged || i < table_end[1]},
              &contents);
  }
  return contents;
}

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

Status OpenLoaded(const Image& image, const Manner& manner, const std::string& path,
                  OpenImage* open) {
  open->mapping = std::make_unique<MappingFileSystem>(open->file_system.get());
  open->env.file_system = manner.mapped ? open->mapping.get() : open->file_system.get();
  open->env.clock = SystemClock();
  open->env.thread_pool = SystemThreadPool();
  Db::OpenRequest request;
  request.options = image.db;
  request.options.env = &open->env;
  request.path = path;
  request.column_families = image.families;
  if (manner.lazy) request.options.max_open_files = 20;
  // Nothing may come from the cache of another trial, whose tables have the same names.
  LruCacheOptions cache;
  cache.capacity = manner.small_cache ? 2000 : 8 << 20;
  cache.num_shard_bits = 0;
  const std::shared_ptr<Cache> blocks = NewLruCache(cache);
  for (ColumnFamilyDescriptor& family : request.column_families) {
    family.options.table_factory.block_based.block_cache = blocks;
  }
  auto db = Db::Open(std::move(request), &open->handles);
  if (!db.ok()) return db.status();
  open->db = std::move(*db);
  return Status::Ok();
}

bool ContentsOf(const Image& image, Contents* contents) {
  OpenImage open;
  LoadImage(image, "", "", &open);
  if (!OpenLoaded(image, Manner(), kImagePath, &open).ok()) return false;
  contents->clear();
  ReadOptions read;
  read.total_order_seek = true;
  for (const auto& handle : open.handles) {
    auto& family = contents->emplace_back();
    const auto iterator = open.db->NewIterator(read, handle.get());
    for (iterator->SeekToFirst(); iterator->valid(); iterator->Next()) {
      family[iterator->key().ToString()] = iterator->value().ToString();
    }
    if (!iterator->status().ok()) return false;
  }
  return true;
}

std::vector<Image> OwnImages() {
  std::vector<Image> images;
  AddTableImages(&images);
  AddLogImages(&images);
  return images;
}

std::vector<Image> GoldenImages(const std::string& root, size_t first, size_t every) {
  std::vector<stdfs::path> directories;
  for (const auto& release : stdfs::directory_iterator(root)) {
    for (const auto& directory : stdfs::directory_iterator(release.path())) {
      directories.push_back(directory.path());
    }
  }
  std::sort(directories.begin(), directories.end());
  std::vector<Image> images;
  for (size_t i = first; i < directories.size(); i += every) {
    const stdfs::path& directory = directories[i];
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
      TableOptions& table = family.options.table_factory.block_based;
      // OPTIONS files of C programs do not say how filters were made.
      table.filter_policy = std::make_shared<FilterPolicy>();
      image.unprotected |= table.checksum == ChecksumType::kNone;
      image.families.push_back({family.name, family.options});
    }
    // What cannot be opened yet has nothing to compare with.
    if (!ContentsOf(image, &image.whole)) continue;
    images.push_back(std::move(image));
  }
  return images;
}

}  // namespace skarn
