// HistoryChecker decides whether what concurrent readers saw is explained by one order of writes.
//
// Writers bump a version of their own in every batch: batch n of writer w sets each of the writer's
// cells to n. A batch is atomic, and one writer's batches are in order, so at any moment the state
// is one number per writer. A reader that looks at one moment (a snapshot, a multi-get, an
// iterator) sees a vector of such numbers. The checker takes what each reader saw and demands:
//
//   - whole batches: all cells of a writer show one number (checked by the reader)
//   - real time: a writer's number is at least what had been acknowledged before the look began,
//   and at
//     most what had been begun before it ended
//   - one order: any two looks, of all readers, are ordered: one vector is at most the other in
//   every
//     writer (snapshot isolation without a long fork)
//   - no look of one thread goes back behind an earlier look of the same thread
//
// Thread safety: Begun(), Acknowledged(): the writer's thread. Look: one thread each; Check(): when
// all have ended.

#ifndef SKARN_TESTS_STRESS_HISTORY_CHECKER_H_
#define SKARN_TESTS_STRESS_HISTORY_CHECKER_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace skarn {

class HistoryChecker {
 public:
  using Versions = std::vector<uint64_t>;  // By writer.

  HistoryChecker(size_t writers, size_t readers)
      : begun_(writers), acknowledged_(writers), looks_(readers) {}

  void Begun(size_t writer, uint64_t number) { begun_[writer].store(number); }
  void Acknowledged(size_t writer, uint64_t number) { acknowledged_[writer].store(number); }

  // What a reader must see at least, taken before it looks.
  Versions Least() const {
    Versions least;
    for (const auto& number : acknowledged_) least.push_back(number.load());
    return least;
  }
  // Adds a look. Returns an empty text, or what is wrong with it alone.
  std::string Add(size_t reader, const Versions& least, const Versions& seen) {
    for (size_t writer = 0; writer < seen.size(); ++writer) {
      if (seen[writer] < least[writer])
        return Text("an acknowledged batch is not seen", writer, seen, least);
      const uint64_t most = begun_[writer].load();
      if (seen[writer] > most) return "a batch is seen that nobody has begun";
    }
    std::vector<Versions>& looks = looks_[reader];
    if (!looks.empty() && !AtMost(looks.back(), seen)) return "a later look sees an earlier state";
    if (looks.empty() || looks.back() != seen) looks.push_back(seen);
    return std::string();
  }
  // Compares all looks of all readers; empty when one order explains them.
  std::string Check() const {
    std::vector<const Versions*> all;
    for (const std::vector<Versions>& looks : looks_) {
      for (const Versions& look : looks) all.push_back(&look);
    }
    // In the order of their sums, each must be at most the next; then all pairs are ordered.
    const auto sum = [](const Versions& versions) {
      uint64_t total = 0;
      for (const uint64_t number : versions) total += number;
      return total;
    };
    std::sort(all.begin(), all.end(),
              [&](const Versions* a, const Versions* b) { return sum(*a) < sum(*b); });
    for (size_t i = 1; i < all.size(); ++i) {
      if (!AtMost(*all[i - 1], *all[i])) return "two readers saw two batches in different orders";
    }
    return std::string();
  }
  size_t looks() const {
    size_t count = 0;
    for (const std::vector<Versions>& looks : looks_) count += looks.size();
    return count;
  }

 private:
  static bool AtMost(const Versions& a, const Versions& b) {
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i] > b[i]) return false;
    }
    return true;
  }
  static std::string Text(const char* what, size_t writer, const Versions& seen,
                          const Versions& least) {
    return std::string(what) + ": writer " + std::to_string(writer) + " at " +
           std::to_string(seen[writer]) + ", at least " + std::to_string(least[writer]);
  }

  std::vector<std::atomic<uint64_t>> begun_, acknowledged_;
  std::vector<std::vector<Versions>> looks_;  // By reader, in its order.
};

}  // namespace skarn

#endif  // SKARN_TESTS_STRESS_HISTORY_CHECKER_H_
