// Changes, cuts and clears the files of small databases, one place at a time, and has each opened,
// read, compacted and written to (trial.h). Never may an answer be wrong without an error, a call
// crash, or one take longer than two seconds; and a change may stay unnoticed only where the
// formats have no check (docs/invariants.md).
//
//   corruption_sweep [--all] [--seed N] [--golden DIRECTORY] [--only TEXT] [--dump DIRECTORY]
//
// --dump writes Skarn's own databases there and does nothing else.
//
// Prints what was tried and what came of it; exits 1 when there was a violation.

#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/table/footer.h"
#include "core/version/file_names.h"
#include "core/wal/log_format.h"
#include "core/wal/log_reader.h"
#include "tests/corruption/trial.h"

namespace skarn {
namespace {

constexpr size_t kPage = 512;
constexpr size_t kVersionAt = 41;  // In a footer.
constexpr double kSecondsMax = 2;
// A call that never returns ends the program.
constexpr unsigned kPatienceSeconds = 120;

enum class Damage : uint8_t { kFlip, kTruncate, kZeroPage };

struct Counts {
  uint64_t tried = 0;
  uint64_t detected = 0;
  uint64_t shorter = 0;
  uint64_t harmless = 0;
  uint64_t violations = 0;
};

double ProcessSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// A file as its format sees it.
struct FileMap {
  FileKind kind = FileKind::kTemp;
  // Places that no check covers.
  std::vector<bool> unchecked;
  // Where records of a log end.
  std::vector<bool> record_end;
  // Behind the last record.
  size_t records_end = 0;
};

void MapTable(const std::string& bytes, FileMap* map) {
  const Result<Footer> footer = DecodeFooter(
      Slice(bytes.data() + bytes.size() - kFooterSizeMax, kFooterSizeMax), bytes.size(), "table");
  if (!footer.ok() || HasContextChecksums(footer->format_version)) return;
  // One version for another that is read alike, because the properties say what differs.
  map->unchecked[footer->offset + kVersionAt] = true;
}

// Whether the image holds the same without the file: a log kept to be written again, say.
bool IsSpare(const Image& image, const std::string& name) {
  Image rest = image;
  rest.files.erase(name);
  OpenImage open;
  LoadImage(rest, "", "", &open);
  if (!OpenLoaded(rest, &open).ok()) return false;
  Contents found(image.families.size());
  for (size_t i = 0; i < found.size(); ++i) {
    if (!ScanFamily(open, i, &found[i]).ok()) return false;
  }
  return found == image.whole();
}

void MapLog(const Image& image, const std::string& name, uint64_t number, FileMap* map) {
  if (map->kind == FileKind::kWal && IsSpare(image, name)) {
    map->unchecked.assign(map->unchecked.size(), true);
    return;
  }
  OpenImage open;
  LoadImage(image, "", "", &open);
  auto file = open.file_system->NewSequentialFile(Concat(kImagePath, "/", name), FileOptions());
  LogReader reader(std::move(*file), nullptr, number);
  Slice record;
  std::string scratch;
  while (reader.ReadRecord(&record, &scratch, RecoveryMode::kPointInTime)) {
    map->records_end = reader.last_record_end();
  }
  // Records of the log itself end somewhere, too.
  const std::string& bytes = image.files.at(name);
  for (size_t at = 0; at + kLogHeaderSize <= map->records_end;) {
    const size_t length =
        static_cast<uint8_t>(bytes[at + 4]) | size_t{static_cast<uint8_t>(bytes[at + 5])} << 8;
    const auto type = static_cast<uint8_t>(bytes[at + 6]);
    at += (IsRecyclableLogType(type) ? kRecyclableLogHeaderSize : kLogHeaderSize) + length;
    if (at < map->record_end.size()) map->record_end[at] = true;
  }
  for (size_t i = map->records_end; i < map->unchecked.size(); ++i) map->unchecked[i] = true;
}

FileMap MapFile(const Image& image, const std::string& name) {
  FileMap map;
  const std::string& bytes = image.files.at(name);
  map.unchecked.resize(bytes.size(), false);
  map.record_end.resize(bytes.size() + 1, false);
  ParsedFileName parsed;
  if (!ParseFileName(name, "LOG", &parsed)) return map;
  map.kind = parsed.kind;
  if (parsed.kind == FileKind::kTable) MapTable(bytes, &map);
  if (parsed.kind == FileKind::kWal) MapLog(image, name, parsed.number, &map);
  if (parsed.kind == FileKind::kManifest) MapLog(image, name, 0, &map);
  if (parsed.kind == FileKind::kOptions || parsed.kind == FileKind::kIdentity) {
    map.unchecked.assign(bytes.size(), true);
  }
  return map;
}

class Sweep {
 public:
  Sweep(bool all, uint64_t seed) : all_(all), seed_(seed), random_(seed) {}

  void Run(const Image& image) {
    for (const auto& [name, bytes] : image.files) {
      const FileMap map = MapFile(image, name);
      const bool table = map.kind == FileKind::kTable;
      const bool log = map.kind == FileKind::kWal;
      const bool swept = table ? image.sweep_tables : log ? image.sweep_logs : image.sweep_rest;
      if (bytes.empty() || !swept) continue;
      if (image.damages_max > 0) {
        for (uint32_t i = 0; i < image.damages_max; ++i) {
          Try(image, name, map, static_cast<Damage>(i % 3), random_.Uniform(bytes.size()));
        }
        continue;
      }
      const size_t step = all_ ? 1 : StepOf(map.kind);
      for (size_t at = random_.Uniform(step); at < bytes.size(); at += step) {
        const int bits = all_ && (table || bytes.size() < 3000) ? 3 : 1;
        for (int i = 0; i < bits; ++i) Try(image, name, map, Damage::kFlip, at);
      }
      for (size_t at = random_.Uniform(2 * step); at < bytes.size(); at += 2 * step) {
        Try(image, name, map, Damage::kTruncate, at);
      }
      for (size_t at = 0; at < bytes.size(); at += kPage) {
        Try(image, name, map, Damage::kZeroPage, at);
      }
    }
  }

  const Counts& counts() const { return total_; }
  void Print() const {
    printf("%-10s %9s %9s %9s %9s %10s\n", "file", "tried", "detected", "shorter", "harmless",
           "violations");
    for (const auto& [kind, c] : by_kind_) PrintRow(KindName(kind), c);
    PrintRow("all", total_);
  }

 private:
  static size_t StepOf(FileKind kind) {
    switch (kind) {
      case FileKind::kTable:
        return 13;
      case FileKind::kOptions:
        return 101;
      default:
        return 7;
    }
  }
  static const char* KindName(FileKind kind) {
    switch (kind) {
      case FileKind::kWal:
        return "log";
      case FileKind::kTable:
        return "table";
      case FileKind::kManifest:
        return "MANIFEST";
      case FileKind::kOptions:
        return "OPTIONS";
      case FileKind::kCurrent:
        return "CURRENT";
      case FileKind::kIdentity:
        return "IDENTITY";
      default:
        return "other";
    }
  }
  static void PrintRow(const char* name, const Counts& c) {
    printf("%-10s %9llu %9llu %9llu %9llu %10llu\n", name, static_cast<unsigned long long>(c.tried),
           static_cast<unsigned long long>(c.detected), static_cast<unsigned long long>(c.shorter),
           static_cast<unsigned long long>(c.harmless),
           static_cast<unsigned long long>(c.violations));
  }

  void Try(const Image& image, const std::string& name, const FileMap& map, Damage damage,
           size_t at) {
    std::string bytes = image.files.at(name);
    Expectation expectation;
    size_t end = at + 1;
    uint8_t bit = 0;
    switch (damage) {
      case Damage::kFlip:
        bit = static_cast<uint8_t>(1u << random_.Uniform(8));
        bytes[at] = static_cast<char>(bytes[at] ^ bit);
        break;
      case Damage::kTruncate:
        bytes.resize(at);
        end = image.files.at(name).size();
        break;
      case Damage::kZeroPage:
        at = at / kPage * kPage;
        end = std::min(at + kPage, bytes.size());
        memset(&bytes[at], 0, end - at);
        if (bytes == image.files.at(name)) return;
        break;
    }
    expectation.unchecked = true;
    for (size_t i = at; i < end; ++i) {
      if (bytes.size() > i && bytes[i] == image.files.at(name)[i]) continue;
      expectation.unchecked = expectation.unchecked && map.unchecked[i];
    }
    if (map.kind == FileKind::kWal) ExpectOfLog(image, map, damage, at, end, &expectation);
    if (map.kind == FileKind::kManifest) ExpectOfManifest(map, damage, end, &expectation);
    expectation.reopen = random_.OneIn(8);

    alarm(kPatienceSeconds);
    const double before = ProcessSeconds();
    std::string problem;
    Verdict verdict = RunTrial(image, name, bytes, expectation, &problem);
    const double seconds = ProcessSeconds() - before;
    if (seconds > kSecondsMax) {
      verdict = Verdict::kViolation;
      problem = Concat("took ", seconds, " seconds");
    }
    for (Counts* c : {&total_, &by_kind_[map.kind]}) {
      ++c->tried;
      c->detected += verdict == Verdict::kDetected;
      c->shorter += verdict == Verdict::kShorter;
      c->harmless += verdict == Verdict::kHarmless;
      c->violations += verdict == Verdict::kViolation;
    }
    if (verdict == Verdict::kViolation && ++shown_[map.kind] <= 15) {
      static constexpr const char* kDamages[] = {"bit flipped", "cut", "page cleared"};
      printf("%s %s, %s at %zu of %zu (bit %u): %s\n", image.name.c_str(), name.c_str(),
             kDamages[static_cast<int>(damage)], at, image.files.at(name).size(), bit,
             problem.c_str());
      fflush(stdout);
    }
  }

  static void ExpectOfLog(const Image& image, const FileMap& map, Damage damage, size_t at,
                          size_t end, Expectation* expectation) {
    switch (image.db.wal_recovery_mode) {
      case WalRecoveryMode::kTolerateCorruptedTailRecords:
      case WalRecoveryMode::kPointInTimeRecovery:
        expectation->shorter = true;
        break;
      case WalRecoveryMode::kSkipAnyCorruptedRecords:
        expectation->any_subset = true;
        expectation->unchecked = true;  // Whatever is missing, nobody is told.
        break;
      case WalRecoveryMode::kAbsoluteConsistency:
        // Records that are gone whole, and zeroes as of space reserved ahead, are an end.
        if (damage == Damage::kTruncate) expectation->shorter = at == 0 || map.record_end[at];
        if (damage == Damage::kZeroPage) expectation->shorter = end >= map.records_end;
        break;
    }
  }

  // A MANIFEST that ends early is one of an earlier moment. That is noticed where a log begins
  // after it or a file is missing; else what is left must be some of what was written.
  static void ExpectOfManifest(const FileMap& map, Damage damage, size_t end,
                               Expectation* expectation) {
    if (damage == Damage::kTruncate || (damage == Damage::kZeroPage && end >= map.records_end)) {
      expectation->any_subset = true;
      expectation->unchecked = true;
    }
  }

  const bool all_;
  const uint64_t seed_;
  Random random_;
  Counts total_;
  std::map<FileKind, Counts> by_kind_;
  std::map<FileKind, int> shown_;
};

void Dump(const std::vector<Image>& images, const std::string& directory) {
  for (const Image& image : images) {
    const std::filesystem::path path = std::filesystem::path(directory) / image.name;
    std::filesystem::create_directories(path);
    for (const auto& [name, bytes] : image.files) {
      std::ofstream(path / name, std::ios::binary) << bytes;
    }
  }
}

}  // namespace
}  // namespace skarn

int main(int argc, char** argv) {
  using namespace skarn;
  bool all = false;
  uint64_t seed = 1;
  std::string golden;
  std::string only;
  std::string dump;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--all") == 0) {
      all = true;
    } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
      seed = strtoull(argv[++i], nullptr, 10);
    } else if (strcmp(argv[i], "--golden") == 0 && i + 1 < argc) {
      golden = argv[++i];
    } else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc) {
      only = argv[++i];
    } else if (strcmp(argv[i], "--dump") == 0 && i + 1 < argc) {
      dump = argv[++i];
    } else {
      fprintf(stderr,
              "usage: corruption_sweep [--all] [--seed N] [--golden DIRECTORY]"
              " [--only TEXT] [--dump DIRECTORY]\n");
      return 2;
    }
  }
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  Sweep sweep(all, seed);
  std::vector<Image> images = OwnImages();
  if (!dump.empty()) {
    Dump(images, dump);
    return 0;
  }
  const size_t own = images.size();
  if (!golden.empty()) {
    for (Image& image : GoldenImages(golden)) {
      image.damages_max = all ? 300 : 4;
      images.push_back(std::move(image));
    }
  }
  printf("%zu images of Skarn, %zu golden directories\n", own, images.size() - own);
  for (const Image& image : images) {
    if (only.empty() || image.name.find(only) != std::string::npos) sweep.Run(image);
  }
  sweep.Print();
  const Counts& c = sweep.counts();
  printf("%llu corruptions tried, %llu detected, %llu shorter, %llu harmless, %llu violations\n",
         static_cast<unsigned long long>(c.tried), static_cast<unsigned long long>(c.detected),
         static_cast<unsigned long long>(c.shorter), static_cast<unsigned long long>(c.harmless),
         static_cast<unsigned long long>(c.violations));
  return c.violations == 0 ? 0 : 1;
}
