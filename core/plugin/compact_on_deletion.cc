#include "core/plugin/compact_on_deletion.h"

#include <cstdio>
#include <deque>
#include <string>

namespace skarn {
namespace {

// Stored types of entries that count (core/key/internal_key.h, a floor above).
constexpr uint8_t kDeletionKind = 0x0;
constexpr uint8_t kSingleDeletionKind = 0x7;

class CompactOnDeletionCollector : public TablePropertiesCollector {
 public:
  explicit CompactOnDeletionCollector(const CompactOnDeletionOptions& options)
      : options_(options) {}

  void Add(Slice, uint64_t, uint8_t kind, Slice, uint64_t file_size_bytes) override {
    file_size_bytes_ = file_size_bytes;
    entries_++;
    if (kind != kDeletionKind && kind != kSingleDeletionKind) return;
    deletions_++;
    if (found_ || options_.window_size == 0 || options_.deletion_trigger == 0) return;

    recent_.push_back(entries_);
    while (entries_ - recent_.front() >= options_.window_size) recent_.pop_front();
    if (recent_.size() >= options_.deletion_trigger) {
      found_ = true;
      recent_.clear();
    }
  }

  void Finish(std::map<std::string, std::string>*) override {
    if (options_.deletion_ratio > 0 && options_.deletion_ratio <= 1 && entries_ > 0 &&
        static_cast<double>(deletions_) >=
            options_.deletion_ratio * static_cast<double>(entries_)) {
      found_ = true;
    }
  }

  bool NeedCompact() const override {
    return found_ && file_size_bytes_ >= options_.min_file_size_bytes;
  }

 private:
  const CompactOnDeletionOptions options_;
  uint64_t entries_ = 0;
  uint64_t deletions_ = 0;
  uint64_t file_size_bytes_ = 0;  // As of the last entry.
  bool found_ = false;
  // Positions of deletions that are still inside the window.
  std::deque<uint64_t> recent_;
};

class CompactOnDeletionFactory : public TablePropertiesCollectorFactory {
 public:
  explicit CompactOnDeletionFactory(const CompactOnDeletionOptions& options) : options_(options) {}
  const char* Name() const override { return "CompactOnDeletionCollector"; }
  std::string ToString() const override {
    char text[160];
    snprintf(text, sizeof(text),
             "%s (Sliding window size = %zu Deletion trigger = %zu Deletion ratio = %g)", Name(),
             options_.window_size, options_.deletion_trigger, options_.deletion_ratio);
    return text;
  }
  std::unique_ptr<TablePropertiesCollector> Create(uint32_t, int) override {
    return std::make_unique<CompactOnDeletionCollector>(options_);
  }

 private:
  const CompactOnDeletionOptions options_;
};

}  // namespace

std::shared_ptr<TablePropertiesCollectorFactory> NewCompactOnDeletionFactory(
    const CompactOnDeletionOptions& options) {
  return std::make_shared<CompactOnDeletionFactory>(options);
}

}  // namespace skarn
