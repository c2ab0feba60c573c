#include "tests/corruption/trial.h"

#include <algorithm>
#include <set>

#include "core/iterate/db_iterator.h"
#include "core/key/pin.h"

namespace skarn {
namespace {

class Trial {
 public:
  Trial(const Image& image, const Expectation& expectation)
      : image_(image), expectation_(expectation) {}

  Verdict Run(const std::string& file, const std::string& damaged) {
    OpenImage open;
    LoadImage(image_, file, damaged, &open);
    if (!Noticed(OpenLoaded(image_, &open))) Ask(&open);
    if (!problem_.empty()) return Verdict::kViolation;
    if (detected_) return Verdict::kDetected;
    if (state_ != nullptr && state_ != &image_.whole()) return Verdict::kShorter;
    return Verdict::kHarmless;
  }
  const std::string& problem() const { return problem_; }

 private:
  void Ask(OpenImage* open) {
    Scan(*open, "scan");
    if (!problem_.empty()) return;
    Look(*open);
    (void)Noticed(open->db->VerifyChecksums(ReadOptions()));
    CompactRangeOptions compact;
    compact.bottommost_level_compaction = BottommostLevelCompaction::kForce;
    for (const auto& handle : open->handles) {
      (void)Noticed(open->db->CompactRange(compact, handle.get(), nullptr, nullptr));
    }
    Scan(*open, "scan after the compaction");
    if (!problem_.empty()) return;
    const Status written =
        open->db->Put(WriteOptions(), open->handles[0].get(), "~after", Slice(), "written");
    if (!Noticed(written)) {
      PinnedValue value;
      const Status read =
          open->db->Get(ReadOptions(), open->handles[0].get(), "~after", &value, nullptr);
      if (!Noticed(read) && value.slice() != "written") {
        Complain("a write after the damage reads back wrong");
      }
    }
    (void)Noticed(open->db->Close());
    open->Close();
    if (!expectation_.reopen || written.ok()) return;
    if (!Noticed(OpenLoaded(image_, open))) Scan(*open, "scan after opening again");
  }

  // Both families, and which state that is.
  void Scan(const OpenImage& open, const char* when) {
    Contents found(image_.families.size());
    bool complete = true;
    for (size_t i = 0; i < found.size(); ++i) {
      const Status status = ScanFamily(open, i, &found[i]);
      if (Noticed(status)) {
        complete = false;
        CheckPart(i, found[i], when);
      }
    }
    if (!complete || image_.unprotected) return;
    if (expectation_.any_subset) {
      for (size_t i = 0; i < found.size(); ++i) CheckPart(i, found[i], when);
      return;
    }
    if (found == image_.whole()) {
      Settle(&image_.whole(), when);
      return;
    }
    if (expectation_.shorter) {
      for (const Contents& state : image_.states) {
        if (state != found) continue;
        Settle(&state, when);
        return;
      }
    }
    // Damage that was reported may leave less than was there, never anything else.
    if (detected_) {
      for (size_t i = 0; i < found.size(); ++i) CheckPart(i, found[i], when);
      return;
    }
    Complain(Concat(when, ": wrong content without an error: ", Difference(found)));
  }

  void Settle(const Contents* state, const char* when) {
    if (state_ != nullptr && *state_ != *state) {
      Complain(Concat(when, ": another state than before"));
    }
    state_ = state;
  }

  // What came before an error must have been true at some moment.
  void CheckPart(size_t family, const std::map<std::string, std::string>& part, const char* when) {
    if (image_.unprotected || (expectation_.any_subset && image_.earlier.empty())) return;
    for (const auto& [key, value] : part) {
      bool known = false;
      const auto look_in = [&](const std::vector<Contents>& states) {
        for (const Contents& state : states) {
          const auto entry = state[family].find(key);
          known = known || (entry != state[family].end() && entry->second == value);
        }
      };
      look_in(image_.states);
      if (!known && expectation_.any_subset) look_in(image_.earlier);
      if (!known) Complain(Concat(when, ": ", key, " -> ", value, " was never written"));
    }
  }

  // Every key, and some that are not there.
  void Look(const OpenImage& open) {
    for (size_t i = 0; i < image_.families.size(); ++i) {
      const auto& whole = image_.whole()[i];
      const size_t step = std::max<size_t>(1, whole.size() / 100);
      size_t index = 0;
      for (const auto& [key, value] : whole) {
        if (index++ % step != 0) continue;
        LookUp(open, i, key);
        if (index % (8 * step) == 1) LookUp(open, i, key + "?");
      }
    }
  }

  void LookUp(const OpenImage& open, size_t family, const std::string& key) {
    PinnedValue value;
    const Status status =
        open.db->Get(ReadOptions(), open.handles[family].get(), key, &value, nullptr);
    if (!status.IsNotFound() && Noticed(status)) return;
    if (image_.unprotected) return;
    const auto matches = [&](const Contents& state) {
      const auto entry = state[family].find(key);
      if (!status.ok()) return entry == state[family].end();
      return entry != state[family].end() && value.slice() == entry->second;
    };
    if (state_ != nullptr) {
      if (!matches(*state_)) Complain(Concat("get of ", key, ": wrong answer without an error"));
      return;
    }
    // What a scan shows was compared already.
    bool known = expectation_.any_subset;
    for (const Contents& state : image_.states) {
      known = known ||
              ((&state == &image_.whole() || expectation_.shorter || expectation_.any_subset) &&
               matches(state));
    }
    if (!known) Complain(Concat("get of ", key, ": wrong answer without an error"));
  }

  std::string Difference(const Contents& found) const {
    for (size_t i = 0; i < found.size(); ++i) {
      for (const auto& [key, value] : image_.whole()[i]) {
        const auto entry = found[i].find(key);
        if (entry == found[i].end()) return Concat("no ", key, " in ", image_.families[i].name);
        if (entry->second != value) return Concat(key, " is ", entry->second);
      }
      for (const auto& [key, value] : found[i]) {
        if (image_.whole()[i].count(key) == 0) return Concat(key, " should not be there");
      }
    }
    return "none";
  }

  bool Noticed(const Status& status) {
    if (status.ok()) return false;
    detected_ = true;
    return true;
  }
  void Complain(const std::string& what) {
    if (problem_.empty()) problem_ = what;
  }

  const Image& image_;
  const Expectation& expectation_;
  const Contents* state_ = nullptr;
  bool detected_ = false;
  std::string problem_;
};

}  // namespace

Verdict RunTrial(const Image& image, const std::string& file, const std::string& damaged,
                 const Expectation& expectation, std::string* problem) {
  Trial trial(image, expectation);
  const Verdict verdict = trial.Run(file, damaged);
  *problem = trial.problem();
  if (verdict == Verdict::kHarmless && !expectation.unchecked && !image.unprotected) {
    *problem = "nobody noticed a change of a byte that a check covers";
    return Verdict::kViolation;
  }
  return verdict;
}

}  // namespace skarn
