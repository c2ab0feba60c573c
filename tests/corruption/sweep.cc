// Changes, cuts and clears the files of small databases, one place at a time, and has each opened,
// read, compacted, copied and written to (trial.h). Never may an answer be wrong without an error,
// a call crash, or all of it take longer than two seconds; and a change may stay unnoticed only
// where the formats have no check (docs/invariants.md).
//
//   corruption_sweep [--all] [--share N] [--jobs N] [--seed N] [--golden DIRECTORY] [--only TEXT]
//                    [--dump DIRECTORY]
//
// --share takes one of so many places; --jobs lets so many processes side by side do the work, each
// with databases of its own. --dump writes Skarn's own databases there and does nothing else.
//
// Prints a line for each database, then what was tried and what came of it; exits 1 when there was
// a violation.

#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/base/checkers.h"
#include "core/base/hash.h"
#include "core/base/random.h"
#include "core/batch/batch_format.h"
#include "core/table/footer.h"
#include "core/version/file_names.h"
#include "core/wal/log_format.h"
#include "core/wal/log_reader.h"
#include "tests/corruption/tally.h"
#include "tests/corruption/trial.h"

namespace skarn {
namespace {

constexpr size_t kPage = 512;
constexpr size_t kVersionAt = 41;  // In a footer.
// A checker of memory or threads makes everything up to fifteen times slower.
constexpr unsigned kSecondsMax = kMemoryIsChecked ? 30 : 2;
// What never ends, ends the program: after so much work, or so much waiting.
constexpr unsigned kPatienceSeconds = 10 * kSecondsMax;
constexpr unsigned kWaitSeconds = 600;

enum class Damage : uint8_t { kFlip, kTruncate, kZeroPage };

double ProcessSeconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void SetPatience(unsigned work_seconds, unsigned wait_seconds) {
  const itimerval patience = {{0, 0}, {work_seconds, 0}};
  setitimer(ITIMER_PROF, &patience, nullptr);
  alarm(wait_seconds);
}

// A file as its format sees it.
struct FileMap {
  FileKind kind = FileKind::kTemp;
  // Places that no check covers.
  std::vector<bool> unchecked;

  // Of a log or MANIFEST. Where its records end, from 0 on; of the whole ones, and of their parts.
  std::vector<size_t> ends = {0};
  std::vector<bool> part_ends;
  // What is shown after the first k records: when the file is cut there, and when so is history.
  std::vector<std::optional<Contents>> cut, prefix;
  // When records from k on are passed over and then some are read again.
  std::vector<std::deque<Contents>> holes;

  // How many records end at or before a place.
  size_t RecordsBefore(size_t at) const {
    return static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), at) - ends.begin()) - 1;
  }
};

void MapTable(const std::string& bytes, FileMap* map) {
  const size_t size = std::min(bytes.size(), kFooterSizeMax);
  const Result<Footer> footer =
      DecodeFooter(Slice(bytes.data() + bytes.size() - size, size), bytes.size(), "table");
  if (!footer.ok() || footer->format_version == 0 || HasContextChecksums(footer->format_version)) {
    return;
  }
  // One version for another that is read alike, because the properties say what differs.
  map->unchecked[footer->offset + kVersionAt] = true;
}

std::optional<Contents> Shown(const Image& image) {
  Contents contents;
  if (!ContentsOf(image, &contents)) return std::nullopt;
  return contents;
}

// Whether the image holds the same without the file: a log kept to be written again, say.
bool IsSpare(const Image& image, const std::string& name) {
  Image rest = image;
  rest.files.erase(name);
  return Shown(rest) == image.whole;
}

bool IsLogAfter(const std::string& name, uint64_t number) {
  ParsedFileName parsed;
  return ParseFileName(name, "LOG", &parsed) && parsed.kind == FileKind::kWal &&
         parsed.number > number;
}

void MapLog(const Image& image, const std::string& name, uint64_t number, FileMap* map) {
  const bool log = map->kind == FileKind::kWal;
  const std::string& bytes = image.files.at(name);
  if (log && IsSpare(image, name)) {
    map->unchecked.assign(bytes.size(), true);
    return;
  }
  OpenImage open;
  LoadImage(image, "", "", &open);
  auto file = open.file_system->NewSequentialFile(Concat(kImagePath, "/", name), FileOptions());
  LogReader reader(std::move(*file), nullptr, number);
  Slice record;
  std::string scratch;
  std::vector<int> batches = {0};  // Of an image of Skarn's own; markers have no entries.
  while (reader.ReadRecord(&record, &scratch, RecoveryMode::kPointInTime)) {
    map->ends.push_back(reader.last_record_end());
    batches.push_back(batches.back() + (log && record.size() > kBatchHeaderSize));
  }
  const size_t records_end = map->ends.back();
  for (size_t at = 0; at + kLogHeaderSize <= records_end;) {
    const size_t length =
        static_cast<uint8_t>(bytes[at + 4]) | size_t{static_cast<uint8_t>(bytes[at + 5])} << 8;
    const auto type = static_cast<uint8_t>(bytes[at + 6]);
    if (type == 0) {  // To the end of the block.
      at = at / kLogBlockSize * kLogBlockSize + kLogBlockSize;
      continue;
    }
    at += (IsRecyclableLogType(type) ? kRecyclableLogHeaderSize : kLogHeaderSize) + length;
    if (at < bytes.size()) map->part_ends[at] = true;
    if (kLogBlockSize - at % kLogBlockSize < kLogHeaderSize) {
      for (const size_t block_end = (at / kLogBlockSize + 1) * kLogBlockSize; at < block_end;
           ++at) {
        map->unchecked[at] = true;
      }
    }
  }
  for (size_t i = records_end; i < bytes.size(); ++i) map->unchecked[i] = true;

  for (size_t k = 0; k < map->ends.size(); ++k) {
    Image cut = image;
    cut.files[name].resize(map->ends[k]);
    map->cut.push_back(Shown(cut));
    map->prefix.emplace_back();
    map->holes.emplace_back();
    if (!log) continue;
    for (auto f = cut.files.begin(); f != cut.files.end();) {
      f = IsLogAfter(f->first, number) ? cut.files.erase(f) : std::next(f);
    }
    map->prefix.back() = Shown(cut);
    if (!image.modelled || image.value_bytes == 0) continue;
    const int begin = kSecondTableEnd + batches[k];
    for (int end = begin + 1; end < kBatches; ++end) {
      map->holes.back().push_back(
          ModelOf(image, {kSecondTableEnd, kSecondTableEnd}, kSecondTableEnd, begin, end));
    }
  }
}

// Whether what an image of Skarn's own shows with a file cut is what the cut leaves of its history.
// A MANIFEST that was cut knows fewer tables of each family; the logs that are left, which may be
// ones kept to be written again, are read all the same.
bool CutsAreRight(const Image& image, const FileMap& map) {
  if (!image.modelled || map.cut.empty()) return true;
  std::vector<Contents> right;
  if (map.kind == FileKind::kWal) {
    for (int end = kSecondTableEnd; end <= kBatches; ++end) {
      right.push_back(
          ModelOf(image, {kSecondTableEnd, kSecondTableEnd}, kSecondTableEnd, end, kBatches));
    }
  } else {
    static constexpr int kMoments[] = {0, kFirstTableEnd, kSecondTableEnd};
    for (const int first : kMoments) {
      for (const int second : kMoments) {
        for (const int log_begin : kMoments) {
          for (const int log_end : {log_begin, kSecondTableEnd, kBatches}) {
            right.push_back(ModelOf(image, {first, second}, log_begin, log_end, kBatches));
          }
        }
      }
    }
  }
  for (const auto* list : {&map.cut, &map.prefix}) {
    for (const std::optional<Contents>& shown : *list) {
      if (shown && std::find(right.begin(), right.end(), *shown) == right.end()) return false;
    }
  }
  return true;
}

FileMap MapFile(const Image& image, const std::string& name) {
  FileMap map;
  const std::string& bytes = image.files.at(name);
  map.unchecked.resize(bytes.size(), false);
  map.part_ends.resize(bytes.size(), false);
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
  Sweep(bool all, unsigned share, uint64_t seed, Tally* tally)
      : all_(all), share_(share), seed_(seed), tally_(tally) {}

  void Run(const Image& image) {
    // Of the image's name, so that it is swept alike with others or alone.
    random_ = Random(seed_ + Hash64(image.name));
    for (const auto& [name, bytes] : image.files) {
      ParsedFileName parsed;
      const FileKind kind = ParseFileName(name, "LOG", &parsed) ? parsed.kind : FileKind::kTemp;
      const bool table = kind == FileKind::kTable;
      const bool log = kind == FileKind::kWal;
      const bool swept = table ? image.sweep_tables : log ? image.sweep_logs : image.sweep_rest;
      if (bytes.empty() || !swept) continue;
      tally_->Begin(Concat(image.name, " ", name));
      const FileMap map = MapFile(image, name);
      if (!CutsAreRight(image, map)) {
        tally_->End(kind, Verdict::kViolation, "a cut shows what never was");
      }
      const size_t step = std::max<size_t>(1, bytes.size() / PlacesOf(image, kind)) * share_;
      for (size_t at = random_.Uniform(step); at < bytes.size(); at += step) {
        Try(image, name, map, Damage::kFlip, at);
      }
      for (size_t at = random_.Uniform(2 * step); at < bytes.size(); at += 2 * step) {
        Try(image, name, map, Damage::kTruncate, at);
      }
      const size_t page_step = std::max(kPage * share_, image.modelled ? 0 : step / kPage * kPage);
      for (size_t at = 0; at < bytes.size(); at += page_step) {
        Try(image, name, map, Damage::kZeroPage, at);
      }
    }
  }

 private:
  // How many places of a file are tried, if it is that large. Of all, every byte of Skarn's own
  // tables is: they are cheap to open, and where a check is missing shows there first.
  size_t PlacesOf(const Image& image, FileKind kind) const {
    const bool text = kind == FileKind::kOptions || kind == FileKind::kIdentity;
    if (!image.modelled) return !all_ ? 24 : text ? 10 : 40;
    switch (kind) {
      case FileKind::kTable:
        return all_ ? 8000 : 75;
      case FileKind::kOptions:
        return all_ ? 200 : 20;
      default:
        return all_ ? 1500 : 150;
    }
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
    static constexpr const char* kDamages[] = {"bit flipped", "cut", "page cleared"};
    tally_->Begin(Concat(image.name, " ", name, ", ", kDamages[static_cast<int>(damage)], " at ",
                         at, " of ", image.files.at(name).size(), " (bit ", static_cast<int>(bit),
                         ")"));
    expectation.unchecked = true;
    for (size_t i = at; i < end; ++i) {
      if (bytes.size() > i && bytes[i] == image.files.at(name)[i]) continue;
      expectation.unchecked = expectation.unchecked && map.unchecked[i];
    }
    if (!map.cut.empty()) Expect(image, map, damage, at, end, &expectation);

    SetPatience(kPatienceSeconds, kWaitSeconds);
    const double before = ProcessSeconds();
    std::string problem;
    Verdict verdict = RunTrial(image, name, bytes, expectation, random_.Next(), &problem);
    const double seconds = ProcessSeconds() - before;
    SetPatience(0, 0);
    if (seconds > kSecondsMax) {
      verdict = Verdict::kViolation;
      problem = Concat("took ", seconds, " seconds");
    }
    tally_->End(map.kind, verdict, problem);
  }

  // What a log or MANIFEST may show with this damage: what docs/invariants.md says of it.
  static void Expect(const Image& image, const FileMap& map, Damage damage, size_t at, size_t end,
                     Expectation* expectation) {
    const size_t before = map.RecordsBefore(at);
    const auto allow = [&](const std::optional<Contents>& shown) {
      if (!shown) return;
      expectation->also.push_back(&*shown);
      if (*shown == image.whole) expectation->unchecked = true;
    };
    // Nothing but zeroes, or nothing at all, from a record's end on.
    const bool gone =
        damage == Damage::kTruncate || (damage == Damage::kZeroPage && end >= map.ends.back());
    const bool at_an_end = at == 0 || at >= map.part_ends.size() || map.part_ends[at];
    const bool manifest = map.kind == FileKind::kManifest;
    const auto mode = image.db.wal_recovery_mode;
    if (manifest ? gone
        : mode == WalRecoveryMode::kAbsoluteConsistency
            ? gone && (at_an_end || damage == Damage::kZeroPage)
            : true) {
      allow(map.cut[before]);
    }
    if (manifest) return;
    if (mode == WalRecoveryMode::kPointInTimeRecovery) allow(map.prefix[before]);
    if (mode == WalRecoveryMode::kSkipAnyCorruptedRecords) {
      for (const Contents& hole : map.holes[before]) expectation->also.push_back(&hole);
    }
  }

  const bool all_;
  const unsigned share_;  // Of so many places one is tried.
  const uint64_t seed_;
  Tally* const tally_;
  Random random_{0};
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
  unsigned share = 1;
  unsigned jobs = 1;
  std::string golden;
  std::string only;
  std::string dump;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "--all") == 0) {
      all = true;
    } else if (strcmp(argv[i], "--share") == 0 && i + 1 < argc) {
      share = std::max(1u, static_cast<unsigned>(strtoul(argv[++i], nullptr, 10)));
    } else if (strcmp(argv[i], "--jobs") == 0 && i + 1 < argc) {
      jobs = std::max(1u, static_cast<unsigned>(strtoul(argv[++i], nullptr, 10)));
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
              "usage: corruption_sweep [--all] [--share N] [--jobs N] [--seed N]"
              " [--golden DIRECTORY] [--only TEXT] [--dump DIRECTORY]\n");
      return 2;
    }
  }
  setvbuf(stdout, nullptr, _IOLBF, 0);
  printf("seed %llu\n", static_cast<unsigned long long>(seed));
  if (!dump.empty()) {
    Dump(OwnImages(), dump);
    return 0;
  }
  // Each process makes the databases anew: threads would not live on in it.
  const auto sweep_share = [&](unsigned job, Tally* tally) {
    std::vector<Image> images = OwnImages();
    const size_t own = images.size();
    if (!golden.empty()) {
      for (Image& image : GoldenImages(golden, all ? 0 : seed % 10, all ? 1 : 10))
        images.push_back(std::move(image));
    }
    if (job == 0) {
      printf("%zu images of Skarn, %zu golden directories\n", own, images.size() - own);
    }
    Sweep sweep(all, share, seed, tally);
    for (size_t i = job; i < images.size(); i += jobs) {
      if (images[i].name.find(only) == std::string::npos) continue;
      const Counts before = tally->Total();
      const double seconds = ProcessSeconds();
      sweep.Run(images[i]);
      const Counts after = tally->Total();
      printf("%s: %llu tried, %llu violations, %.1f s\n", images[i].name.c_str(),
             static_cast<unsigned long long>(after.tried - before.tried),
             static_cast<unsigned long long>(after.violations - before.violations),
             ProcessSeconds() - seconds);
    }
  };
  const Tally tally = RunSideBySide(jobs, sweep_share);
  tally.Print();
  return tally.Total().violations == 0 ? 0 : 1;
}
