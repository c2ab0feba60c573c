#include "core/version/version_edit.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "core/base/coding.h"
#include "core/env/file_system.h"
#include "core/plugin/comparator.h"
#include "core/version/file_names.h"
#include "core/version/manifest_replay.h"
#include "core/wal/log_reader.h"
#include "tests/unit/test_seed.h"

namespace skarn {
namespace {

std::string Key(const char* user_key, SequenceNumber sequence, EntryKind kind = EntryKind::kValue) {
  return PackKey(user_key, PackTag(sequence, kind));
}

FileRecord File(uint64_t number, const char* smallest, const char* largest) {
  FileRecord file;
  file.number = number;
  file.size_bytes = 1000 + number;
  file.smallest = Key(smallest, 5);
  file.largest = Key(largest, 9);
  file.smallest_sequence = 5;
  file.largest_sequence = 9;
  file.epoch_number = 3;
  return file;
}

VersionEdit FullEdit() {
  VersionEdit edit;
  edit.db_id = "id";
  edit.comparator = "cmp";
  edit.log_number = 7;
  edit.previous_log_number = 0;
  edit.next_file_number = 300;
  edit.max_column_family = 4;
  edit.min_log_number_to_keep = 6;
  edit.compact_cursors.emplace_back(2, Key("c", 1));
  edit.deleted_files.emplace_back(1, 12);
  FileRecord rich = File(20, "a", "b");
  rich.path_id = 2;
  rich.oldest_blob_file = 17;
  rich.oldest_ancestor_time = 1111;
  rich.file_creation_time = 2222;
  rich.checksum = std::string("\0\1\2\3", 4);
  rich.checksum_function = "FileChecksumCrc32c";
  rich.temperature = Temperature::kWarm;
  rich.marked_for_compaction = true;
  rich.min_timestamp = "min";
  rich.max_timestamp = "max";
  rich.unique_id[0] = 1;
  rich.unique_id[1] = 2;
  rich.compensated_range_deletion_size = 5;
  rich.tail_size_bytes = 400;
  rich.timestamps_persisted = false;
  rich.open_metadata = "meta";
  edit.AddFile(0, rich);
  edit.AddFile(6, File(21, "c", "d"));
  edit.blob_additions.push_back({30, 5, 420, "method", "value"});
  edit.blob_garbage.push_back({30, 1, 84});
  edit.wal_additions.push_back({8, 100});
  edit.wal_additions.push_back({9, std::nullopt});
  edit.wal_deletion = 8;
  edit.column_family = 3;
  edit.column_family_add = "users";
  edit.column_family_drop = true;
  edit.remaining_in_group = 2;
  edit.full_history_ts_low = "low";
  edit.persist_timestamps = false;
  edit.subcompaction_progress = "opaque";
  edit.compacted_manifest_bytes = 118;
  return edit;
}

std::string Encode(const VersionEdit& edit) {
  std::string bytes;
  EXPECT_TRUE(edit.EncodeTo(&bytes).ok());
  return bytes;
}

TEST(VersionEdit, EveryFieldSurvivesARoundTrip) {
  const VersionEdit edit = FullEdit();
  const std::string bytes = Encode(edit);
  VersionEdit again;
  ASSERT_TRUE(again.DecodeFrom(bytes).ok());
  EXPECT_EQ(Encode(again), bytes);
  EXPECT_EQ(again.ToString(), edit.ToString());
  EXPECT_EQ(again.last_sequence, 9u);  // From the files.
  const FileRecord& file = again.new_files[0].second;
  EXPECT_EQ(file.path_id, 2u);
  EXPECT_EQ(file.oldest_blob_file, 17u);
  EXPECT_EQ(file.checksum.size(), 4u);
  EXPECT_EQ(file.temperature, Temperature::kWarm);
  EXPECT_TRUE(file.marked_for_compaction);
  EXPECT_EQ(file.unique_id[1], 2u);
  EXPECT_EQ(file.compensated_range_deletion_size, 5u);
  EXPECT_EQ(file.tail_size_bytes, 400u);
  EXPECT_FALSE(file.timestamps_persisted);
  EXPECT_EQ(file.open_metadata, "meta");
  EXPECT_EQ(again.wal_additions[0].synced_size_bytes, 100u);
  EXPECT_FALSE(again.wal_additions[1].synced_size_bytes.has_value());
}

TEST(VersionEdit, AnEmptyRecordIsAnEmptyEdit) {
  VersionEdit edit;
  EXPECT_TRUE(edit.DecodeFrom("").ok());
  EXPECT_EQ(Encode(edit), "");
}

TEST(VersionEdit, ReadsFilesOfOldForms) {
  const std::string a = Key("a", 1), b = Key("b", 2);
  auto start = [&](uint32_t tag, bool path) {
    std::string bytes;
    PutVarint32(&bytes, tag);
    PutVarint32(&bytes, 1);
    PutVarint64(&bytes, 5);
    if (path) PutVarint32(&bytes, 3);
    PutVarint64(&bytes, 999);
    PutLengthPrefixed(&bytes, a);
    PutLengthPrefixed(&bytes, b);
    return bytes;
  };
  auto sequences = [](std::string bytes) {
    PutVarint64(&bytes, 1);
    PutVarint64(&bytes, 2);
    return bytes;
  };
  const std::string forms[] = {start(7, false), sequences(start(100, false)),
                               sequences(start(102, true))};
  for (const std::string& bytes : forms) {
    VersionEdit edit;
    ASSERT_TRUE(edit.DecodeFrom(bytes).ok());
    ASSERT_EQ(edit.new_files.size(), 1u);
    EXPECT_EQ(edit.new_files[0].first, 1);
    EXPECT_EQ(edit.new_files[0].second.number, 5u);
    EXPECT_EQ(edit.new_files[0].second.size_bytes, 999u);
    EXPECT_EQ(edit.new_files[0].second.epoch_number, kUnknownEpoch);
    for (size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_FALSE(edit.DecodeFrom(Slice(bytes.data(), size)).ok()) << size;
    }
  }
  VersionEdit edit;
  ASSERT_TRUE(edit.DecodeFrom(forms[2]).ok());
  EXPECT_EQ(edit.new_files[0].second.path_id, 3u);
}

TEST(VersionEdit, ReportsDamageWithTheTextOfItsField) {
  const auto cut = [](uint32_t tag, const std::string& body = "") {
    std::string bytes;
    PutVarint32(&bytes, tag);
    return bytes + body;
  };
  // A new file with one custom field.
  const auto custom = [](uint32_t tag, const std::string& value) {
    std::string bytes;
    PutVarint32(&bytes, 103);
    PutVarint32(&bytes, 0);
    PutVarint64(&bytes, 5);
    PutVarint64(&bytes, 100);
    PutLengthPrefixed(&bytes, Key("a", 1));
    PutLengthPrefixed(&bytes, Key("b", 1));
    PutVarint64(&bytes, 1);
    PutVarint64(&bytes, 1);
    PutVarint32(&bytes, tag);
    PutLengthPrefixed(&bytes, value);
    PutVarint32(&bytes, 1);
    return bytes;
  };
  const struct {
    std::string bytes;
    const char* text;
  } cases[] = {
      {cut(8193), "db id"},
      {cut(1, "\5ab"), "comparator name"},
      {cut(2), "log number"},
      {cut(9), "previous log number"},
      {cut(3), "next file number"},
      {cut(203), "max column family"},
      {cut(10), "min log number to kee"},
      {cut(4), "last sequence number"},
      {cut(5, "\1"), "compaction cursor"},
      {cut(5, std::string("\1\3abc")), "compaction cursor"},
      {cut(6, "\1"), "deleted file"},
      {cut(7, "\1"), "new-file entry"},
      {cut(100, "\1"), "new-file2 entry"},
      {cut(102, "\1"), "new-file3 entry"},
      {cut(103, "\1"), "new-file4 entry"},
      {custom(65, "\4"), "path_id wrong vaue"},
      {custom(65, "\1\1"), "path_id field wrong size"},
      {custom(2, "\1\1"), "need_compaction field wrong size"},
      {custom(3, "\1"), "deleted log number malformatted"},
      {custom(66, "x"), "new-file4 custom field not supported"},
      {custom(63, "x").substr(0, custom(63, "x").size() - 1), "new-file4 custom field"},
      {custom(63, "x").substr(0, custom(63, "x").size() - 2),
       "new-file4 custom field length prefixed slice error"},
      {cut(200), "set column family id"},
      {cut(201), "column family add"},
      {cut(300), "remaining entries"},
      {cut(8198), "full_history_ts_low"},
      {cut(8198, std::string(1, '\0')), "full_history_ts_low: empty"},
      {cut(9000), "safely ignoreable tag length error"},
      {cut(8), "unknown tag"},
      {cut(77), "unknown tag"},
      {std::string("\xff\xff\xff\xff\xff\xff", 6), "invalid tag"},
  };
  for (const auto& c : cases) {
    VersionEdit edit;
    EXPECT_EQ(edit.DecodeFrom(c.bytes).ToString(),
              std::string("Corruption: VersionEdit: ") + c.text);
  }
  VersionEdit edit;
  EXPECT_EQ(edit.DecodeFrom(cut(8199, std::string("\2\5\3"))).ToString(),
            "Corruption: WalAddition: Unknown tag 3");
  // Fields from the future that may be skipped.
  EXPECT_TRUE(edit.DecodeFrom(cut(9000, "\3abc") + cut(4, "\7")).ok());
  EXPECT_EQ(edit.last_sequence, 7u);
  EXPECT_TRUE(edit.DecodeFrom(custom(63, "future")).ok());
  // A temperature from the future is none.
  EXPECT_TRUE(edit.DecodeFrom(custom(9, "\x7e")).ok());
  EXPECT_EQ(edit.new_files[0].second.temperature, Temperature::kUnknown);
}

TEST(VersionEdit, RefusesToWriteWhatOthersCouldNotRead) {
  VersionEdit edit;
  FileRecord file = File(5, "a", "b");
  file.epoch_number = kUnknownEpoch;
  edit.AddFile(0, file);
  std::string bytes;
  EXPECT_EQ(edit.EncodeTo(&bytes).ToString().rfind("Corruption: Unable to encode VersionEdit:", 0),
            0u);
  edit.new_files[0].second.epoch_number = 1;
  edit.new_files[0].second.largest = PackKey("b", PackTag(9, EntryKind::kMax));
  EXPECT_FALSE(edit.EncodeTo(&bytes).ok());
  edit.new_files[0].second.largest = "short";
  EXPECT_FALSE(edit.EncodeTo(&bytes).ok());
}

TEST(VersionEdit, StoresBoundariesWithoutTimestampsThatAreNotPersisted) {
  VersionEdit edit;
  FileRecord file = File(5, "a", "b");
  file.timestamps_persisted = false;
  file.smallest = PackKey(Slice("a\0\0\0\0\0\0\0\0", 9), PackTag(5, EntryKind::kValue));
  file.largest = PackKey(Slice("b\xff\xff\xff\xff\xff\xff\xff\xff", 9), FileRecord::kRangeEndTag);
  edit.AddFile(0, file);
  std::string bytes;
  ASSERT_TRUE(edit.EncodeTo(&bytes, /*timestamp_size=*/8).ok());
  VersionEdit again;
  ASSERT_TRUE(again.DecodeFrom(bytes).ok());
  EXPECT_EQ(again.new_files[0].second.smallest_user_key(), Slice("a"));
  again.PadTimestamps(8);
  EXPECT_EQ(again.new_files[0].second.smallest, file.smallest);
  EXPECT_EQ(again.new_files[0].second.largest, file.largest);
}

TEST(VersionEdit, DamageNeverCrashesTheDecoder) {
  const auto seed = static_cast<uint32_t>(TestSeed());
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  const std::string bytes = Encode(FullEdit());
  VersionEdit edit;
  for (size_t size = 0; size < bytes.size(); ++size)
    (void)edit.DecodeFrom(Slice(bytes.data(), size));
  for (int i = 0; i < 50000; ++i) {
    std::string damaged = bytes;
    for (uint32_t flips = random() % 4 + 1; flips > 0; --flips) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    if (edit.DecodeFrom(damaged).ok()) {
      std::string again;
      (void)edit.EncodeTo(&again);
      (void)edit.ToString();
    }
  }
}

// --- MANIFESTs of genuine releases ---

class OpenAll : public ManifestReplay::Opener {
 public:
  bool Open(ManifestReplay::Family* family) override {
    family->order = &order_;
    family->builder = std::make_unique<VersionBuilder>(&order_, 7, nullptr);
    return true;
  }
  Status Check(const ManifestReplay::Family&, const VersionEdit&) override { return Status::Ok(); }

 private:
  KeyOrder order_{BytewiseComparator()};
};

TEST(VersionEdit, ManifestsOfGenuineReleasesAreReadAndWrittenAgain) {
  size_t manifests = 0, edits = 0, identical = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SKARN_TEST_DATA "/manifest")) {
    const std::string path = entry.path().string();
    SCOPED_TRACE(path);
    ++manifests;
    auto file = PosixFileSystem()->NewSequentialFile(path, FileOptions());
    ASSERT_TRUE(file.ok());
    LogReader reader(std::move(*file), nullptr, 0);
    Slice record;
    std::string scratch;
    while (reader.ReadRecord(&record, &scratch, RecoveryMode::kTolerateCorruptedTail)) {
      VersionEdit edit, again;
      ASSERT_TRUE(edit.DecodeFrom(record).ok());
      ++edits;
      // Releases before 7.10 had no epochs.
      bool known = true;
      for (auto& [level, added] : edit.new_files) {
        known = known && added.epoch_number != kUnknownEpoch;
        if (added.epoch_number == kUnknownEpoch) added.epoch_number = 1;
      }
      const std::string bytes = Encode(edit);
      ASSERT_TRUE(again.DecodeFrom(bytes).ok());
      EXPECT_EQ(again.ToString(), edit.ToString());
      EXPECT_EQ(Encode(again), bytes);
      const bool new_release = entry.path().filename().string().rfind("11.8", 0) == 0;
      if (known && Slice(bytes) == record) {
        ++identical;
      } else {
        EXPECT_FALSE(new_release) << edit.ToString();
      }
    }
    EXPECT_EQ(reader.last_record_end(), entry.file_size());

    OpenAll opener;
    ManifestReplay replay(&opener);
    ASSERT_TRUE(replay.Read(PosixFileSystem(), path).ok());
    EXPECT_TRUE(replay.CheckComplete().ok());
    for (auto& [id, family] : *replay.mutable_families()) {
      family.builder->ResolveEpochs(/*reserve_first=*/false);
      VersionStorage storage(family.order, 7, CompactionStyle::kLevel);
      EXPECT_TRUE(family.builder->SaveTo(&storage, /*check=*/true).ok());
      for (int level = 0; level < 7; ++level) {
        for (FileMetadata* added : storage.level(level)) delete added;
      }
    }
  }
  EXPECT_EQ(manifests, 118u);
  EXPECT_GT(edits, 500u);
  EXPECT_GT(identical, 200u);
}

// --- File names ---

TEST(FileNames, ParseWhatIsMade) {
  const struct {
    std::string name;
    FileKind kind;
    uint64_t number;
  } cases[] = {
      {"/000007.log", FileKind::kWal, 7},
      {"100.log", FileKind::kWal, 100},
      {"0.log", FileKind::kWal, 0},
      {"archive/000007.log", FileKind::kWal, 7},
      {"0.sst", FileKind::kTable, 0},
      {"000012.ldb", FileKind::kTable, 12},
      {"000012.blob", FileKind::kBlob, 12},
      {"000012.dbtmp", FileKind::kTemp, 12},
      {"CURRENT", FileKind::kCurrent, 0},
      {"LOCK", FileKind::kLock, 0},
      {"IDENTITY", FileKind::kIdentity, 0},
      {"MANIFEST-2", FileKind::kManifest, 2},
      {"MANIFEST-0000000000000000000007", FileKind::kManifest, 7},
      {"METADB-2", FileKind::kMetaDb, 2},
      {"OPTIONS-000009", FileKind::kOptions, 9},
      {"OPTIONS-000009.bak", FileKind::kOptions, 9},
      {"OPTIONS-000009.dbtmp", FileKind::kTemp, 9},
      {"LOG", FileKind::kInfoLog, 0},
      {"LOG.old", FileKind::kInfoLog, 0},
      {"LOG.old.6688", FileKind::kInfoLog, 6688},
      {"COMPACTION_PROGRESS-123", FileKind::kProgress, 123},
      {"18446744073709551615.log", FileKind::kWal, UINT64_MAX},
  };
  for (const auto& c : cases) {
    ParsedFileName parsed;
    ASSERT_TRUE(ParseFileName(c.name, "LOG", &parsed)) << c.name;
    EXPECT_EQ(parsed.kind, c.kind) << c.name;
    EXPECT_EQ(parsed.number, c.number) << c.name;
  }
  for (const char* name : {"",
                           "foo",
                           "foo-dx-100.log",
                           ".log",
                           "manifest",
                           "CURREN",
                           "CURRENTX",
                           "MANIFES",
                           "MANIFEST",
                           "MANIFEST-",
                           "XMANIFEST-3",
                           "MANIFEST-3x",
                           "LOC",
                           "LOCKx",
                           "LO",
                           "LOGx",
                           "18446744073709551616.log",
                           "184467440737095516150.log",
                           "100",
                           "100.",
                           "100.lop",
                           "archive/1.sst",
                           "archive1.log",
                           "LOST.DIR",
                           "1.sst.trash",
                           "-1.log"}) {
    ParsedFileName parsed;
    EXPECT_FALSE(ParseFileName(name, "LOG", &parsed)) << name;
  }
  ParsedFileName parsed;
  EXPECT_FALSE(ParseFileName("LOG", &parsed));
  EXPECT_EQ(TableFileName("/db", 7), "/db/000007.sst");
  EXPECT_EQ(TableFileName("/db", 12345678), "/db/12345678.sst");
  EXPECT_EQ(ArchivedWalFileName("/db", 7), "/db/archive/000007.log");
  EXPECT_EQ(TempOptionsFileName("/db", 9), "/db/OPTIONS-000009.dbtmp");
  EXPECT_EQ(ManifestFileName("/db", 5), "/db/MANIFEST-000005");
  EXPECT_EQ(InfoLogName("/var/my db/x.y-z_1", true), "var_my_db_x.y-z_1_LOG");
  EXPECT_EQ(InfoLogName("/var", false), "LOG");
  EXPECT_EQ(InfoLogName("/" + std::string(400, 'a'), true).size(), 259u);
}

TEST(FileNames, CurrentNamesTheManifestDurably) {
  auto fs = NewMemoryFileSystem();
  std::string path;
  uint64_t number = 0;
  EXPECT_TRUE(ReadCurrentFile(fs.get(), "/db", &path, &number).IsPathNotFound());
  auto directory = fs->NewDirectory("/db");
  ASSERT_TRUE(directory.ok());
  bool renamed = false;
  ASSERT_TRUE(SetCurrentFile(fs.get(), "/db", 5, directory->get(), &renamed).ok());
  EXPECT_TRUE(renamed);
  EXPECT_EQ(*ReadFileToString(fs.get(), "/db/CURRENT"), "MANIFEST-000005\n");
  ASSERT_TRUE(ReadCurrentFile(fs.get(), "/db", &path, &number).ok());
  EXPECT_EQ(path, "/db/MANIFEST-000005");
  EXPECT_EQ(number, 5u);
  EXPECT_FALSE(fs->FileExists("/db/000005.dbtmp").ok());
  ASSERT_TRUE(WriteStringToFile(fs.get(), "MANIFEST-000005", "/db/CURRENT", false).ok());
  EXPECT_EQ(ReadCurrentFile(fs.get(), "/db", &path, &number).ToString(),
            "Corruption: CURRENT file does not end with newline");
  ASSERT_TRUE(WriteStringToFile(fs.get(), "rubbish\n", "/db/CURRENT", false).ok());
  EXPECT_EQ(ReadCurrentFile(fs.get(), "/db", &path, &number).ToString(),
            "Corruption: CURRENT file corrupted");
  ASSERT_TRUE(WriteIdentityFile(fs.get(), "/db", "some-id", directory->get()).ok());
  EXPECT_EQ(*ReadIdentityFile(fs.get(), "/db"), "some-id");
}

}  // namespace
}  // namespace skarn
