#include "tests/corruption/trial.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <utility>

#include "core/base/random.h"
#include "core/db/checkpoint.h"
#include "core/iterate/db_iterator.h"
#include "core/key/pin.h"

namespace skarn {
namespace {

constexpr char kWrittenKey[] = "~after";
constexpr char kWrittenValue[] = "written";

using Entries = std::vector<std::pair<std::string, std::string>>;
using Map = std::map<std::string, std::string>;

class Trial {
 public:
  Trial(const Image& image, const Expectation& expectation, uint64_t seed)
      : image_(image), random_(seed), possible_(expectation.also) {
    possible_.push_back(&image.whole);
    read_.total_order_seek = true;
  }

  Verdict Run(const std::string& file, const std::string& damaged) {
    OpenImage open;
    LoadImage(image_, file, damaged, &open);
    manner_.mapped = random_.OneIn(2);
    manner_.small_cache = random_.OneIn(2);
    manner_.lazy = random_.OneIn(3);
    if (!Noticed(OpenLoaded(image_, manner_, kImagePath, &open))) Ask(&open);
    if (!problem_.empty()) return Verdict::kViolation;
    if (detected_) return Verdict::kDetected;
    const bool shorter = possible_.back() != &image_.whole;
    return shorter ? Verdict::kShorter : Verdict::kHarmless;
  }
  const std::string& problem() const { return problem_; }

 private:
  using Step = void (Trial::*)(OpenImage*);

  void Ask(OpenImage* open) {
    std::vector<Step> steps = {&Trial::ScanForwards, &Trial::ScanBackwards, &Trial::Seek,
                               &Trial::GetOneByOne, &Trial::GetMany};
    Shuffle(&steps);
    for (const Step step : steps) (this->*step)(open);
    // Before a compaction, which leaves out filters and the like.
    Verify(open);
    steps = {&Trial::Compact, &Trial::WriteAndFlush};
    if (random_.OneIn(8)) steps.push_back(&Trial::Copy);
    Shuffle(&steps);
    for (const Step step : steps) (this->*step)(open);
    ScanForwards(open);
    const bool again = random_.OneIn(8) && problem_.empty();
    (void)Noticed(open->db->Close());
    open->Close();
    if (again && !Noticed(OpenLoaded(image_, manner_, kImagePath, open))) ScanForwards(open);
  }
  void Shuffle(std::vector<Step>* steps) {
    for (size_t i = steps->size(); i > 1; --i) {
      std::swap((*steps)[i - 1], (*steps)[random_.Uniform(i)]);
    }
  }

  // Of what may be shown, keeps what agrees with an answer.
  template <typename Agrees>
  void Answered(const char* what, const std::string& answer, const Agrees& agrees) {
    if (image_.unprotected || !problem_.empty()) return;
    const auto differs = [&](const Contents* contents) { return !agrees(*contents); };
    const auto left = std::remove_if(possible_.begin(), possible_.end(), differs);
    if (left == possible_.begin()) {
      problem_ = Concat(what, ": wrong answer without an error: ", answer);
    } else {
      possible_.erase(left, possible_.end());
    }
  }
  bool Noticed(const Status& status) {
    if (status.ok()) return false;
    detected_ = true;
    return true;
  }

  void ScanForwards(OpenImage* open) { ScanAll(open, /*backwards=*/false); }
  void ScanBackwards(OpenImage* open) { ScanAll(open, /*backwards=*/true); }
  void ScanAll(OpenImage* open, bool backwards) {
    for (size_t family = 0; family < open->handles.size(); ++family) {
      const auto iterator = open->db->NewIterator(read_, open->handles[family].get());
      Entries found;
      backwards ? iterator->SeekToLast() : iterator->SeekToFirst();
      while (iterator->valid()) {
        if (iterator->key() != Slice(kWrittenKey)) {
          found.emplace_back(iterator->key().ToString(), iterator->value().ToString());
        }
        backwards ? iterator->Prev() : iterator->Next();
      }
      // What comes before an error must be right as far as it goes.
      const bool whole = !Noticed(iterator->status());
      const auto agrees = [&](const Contents& contents) {
        const Map& map = contents[family];
        if (found.size() > map.size() || (whole && found.size() != map.size())) return false;
        const auto same = [](const auto& a, const auto& b) {
          return a.first == b.first && a.second == b.second;
        };
        return backwards ? std::equal(found.begin(), found.end(), map.rbegin(), same)
                         : std::equal(found.begin(), found.end(), map.begin(), same);
      };
      Answered(backwards ? "scan backwards" : "scan",
               Concat(found.size(), " entries of ", image_.families[family].name), agrees);
    }
  }

  // Some of the keys, and neighbours that are not there.
  std::vector<std::string> Keys(size_t family, size_t count) {
    std::vector<std::string> keys;
    const Map& whole = image_.whole[family];
    if (whole.empty()) return {"a"};
    const size_t step = std::max<size_t>(1, whole.size() / count);
    size_t index = random_.Uniform(step);
    for (auto entry = std::next(whole.begin(), static_cast<ptrdiff_t>(index)); entry != whole.end();
         ++entry, ++index) {
      if (index % step != 0) continue;
      keys.push_back(entry->first);
      if (random_.OneIn(4)) keys.push_back(entry->first + "?");
    }
    return keys;
  }

  void Seek(OpenImage* open) {
    for (size_t family = 0; family < open->handles.size(); ++family) {
      const auto iterator = open->db->NewIterator(read_, open->handles[family].get());
      for (const std::string& key : Keys(family, 6)) {
        const bool backwards = random_.OneIn(2);
        backwards ? iterator->SeekForPrev(key) : iterator->Seek(key);
        // A step or two the other way or on.
        int steps = static_cast<int>(random_.Uniform(3));
        int moved = 0;
        const int direction = random_.OneIn(2) ? 1 : -1;
        for (; steps > 0 && iterator->valid(); --steps, ++moved) {
          direction > 0 ? iterator->Next() : iterator->Prev();
        }
        if (Noticed(iterator->status())) continue;
        const bool valid = iterator->valid() && iterator->key() != Slice(kWrittenKey);
        const std::string at = valid ? iterator->key().ToString() : "";
        const std::string value = valid ? iterator->value().ToString() : "";
        const auto agrees = [&](const Contents& contents) {
          const Map& map = contents[family];
          const auto bound = backwards ? map.upper_bound(key) : map.lower_bound(key);
          auto place = std::distance(map.begin(), bound) - (backwards ? 1 : 0);
          place += direction * moved;
          const bool there = place >= 0 && place < static_cast<ptrdiff_t>(map.size());
          if (!there || !valid) return there == valid;
          const auto entry = std::next(map.begin(), place);
          return entry->first == at && entry->second == value;
        };
        Answered("seek", Concat(key, " leads to ", valid ? at : "the end"), agrees);
      }
    }
  }

  void GetOneByOne(OpenImage* open) {
    for (size_t family = 0; family < open->handles.size(); ++family) {
      for (const std::string& key : Keys(family, 40)) {
        PinnedValue value;
        const Status status =
            open->db->Get(read_, open->handles[family].get(), key, &value, nullptr);
        Got("get", family, key, status, value);
      }
    }
  }

  void GetMany(OpenImage* open) {
    std::vector<ColumnFamilyHandle*> families;
    std::vector<std::string> keys;
    std::vector<size_t> family_of;
    for (size_t family = 0; family < open->handles.size(); ++family) {
      for (std::string& key : Keys(family, 20)) {
        families.push_back(open->handles[family].get());
        family_of.push_back(family);
        keys.push_back(std::move(key));
      }
    }
    const std::vector<Slice> slices(keys.begin(), keys.end());
    std::deque<PinnedValue> values(keys.size());
    std::vector<ValueSink*> sinks;
    for (PinnedValue& value : values) sinks.push_back(&value);
    std::vector<Status> statuses(keys.size());
    open->db->MultiGet(read_, keys.size(), families.data(), slices.data(), sinks.data(), nullptr,
                       statuses.data(), /*sorted_input=*/false);
    for (size_t i = 0; i < keys.size(); ++i) {
      Got("multi-get", family_of[i], keys[i], statuses[i], values[i]);
    }
  }

  void Got(const char* what, size_t family, const std::string& key, const Status& status,
           const PinnedValue& value) {
    if (!status.IsNotFound() && Noticed(status)) return;
    const auto agrees = [&](const Contents& contents) {
      const auto entry = contents[family].find(key);
      if (!status.ok()) return entry == contents[family].end();
      return entry != contents[family].end() && value.slice() == entry->second;
    };
    Answered(what, Concat(key, status.ok() ? " found" : " not found"), agrees);
  }

  void Verify(OpenImage* open) { (void)Noticed(open->db->VerifyChecksums(ReadOptions())); }

  void Compact(OpenImage* open) {
    CompactRangeOptions compact;
    compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
    for (const auto& handle : open->handles) {
      (void)Noticed(open->db->CompactRange(compact, handle.get(), nullptr, nullptr));
    }
    ScanForwards(open);
  }

  void WriteAndFlush(OpenImage* open) {
    ColumnFamilyHandle* const family = open->handles[0].get();
    if (Noticed(open->db->Put(WriteOptions(), family, kWrittenKey, Slice(), kWrittenValue))) return;
    (void)Noticed(open->db->Flush(FlushOptions(), {family}));
    PinnedValue value;
    const Status status = open->db->Get(read_, family, kWrittenKey, &value, nullptr);
    if (!Noticed(status) && value.slice() != kWrittenValue && problem_.empty()) {
      problem_ = "a write after the damage reads back wrong";
    }
  }

  // A checkpoint shows what its database shows.
  void Copy(OpenImage* open) {
    if (Noticed(CreateCheckpoint(open->db.get(), "/copy", /*log_size_for_flush=*/0))) return;
    OpenImage copy;
    copy.file_system.swap(open->file_system);
    if (!Noticed(OpenLoaded(image_, manner_, "/copy", &copy))) ScanForwards(&copy);
    copy.Close();
    copy.file_system.swap(open->file_system);
  }

  const Image& image_;
  Random random_;
  Manner manner_;
  ReadOptions read_;
  std::vector<const Contents*> possible_;
  bool detected_ = false;
  std::string problem_;
};

}  // namespace

Verdict RunTrial(const Image& image, const std::string& file, const std::string& damaged,
                 const Expectation& expectation, uint64_t seed, std::string* problem) {
  Trial trial(image, expectation, seed);
  const Verdict verdict = trial.Run(file, damaged);
  *problem = trial.problem();
  if (verdict == Verdict::kHarmless && !expectation.unchecked && !image.unprotected) {
    *problem = "nobody noticed a change of a byte that a check covers";
    return Verdict::kViolation;
  }
  return verdict;
}

}  // namespace skarn
