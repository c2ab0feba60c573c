// CompactionFilter decides, key by key, what a compaction keeps.
//
// Thread safety: a filter that options hold is called from several compactions at
// once; one that a factory made is called by one subcompaction only.

#ifndef SKARN_CORE_PLUGIN_COMPACTION_FILTER_H_
#define SKARN_CORE_PLUGIN_COMPACTION_FILTER_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/slice.h"

namespace skarn {

class CompactionFilter {
 public:
  enum class Decision : uint8_t { kKeep, kRemove, kChangeValue };

  struct Context {
    bool is_full_compaction = false;
    bool is_manual_compaction = false;
    uint32_t column_family_id = 0;
  };

  virtual ~CompactionFilter() = default;
  virtual const char* Name() const = 0;
  // Called for the newest version of each key that is a plain value. `level` is the
  // compaction's start level.
  virtual Decision Filter(int level, Slice key, Slice value, std::string* new_value) const = 0;
  // Called for each merge operand newer than the latest snapshot; true drops it.
  virtual bool FilterMergeOperand(int level, Slice key, Slice operand) const {
    (void)level, (void)key, (void)operand;
    return false;
  }
  virtual bool IgnoreSnapshots() const { return true; }
};

class CompactionFilterFactory {
 public:
  virtual ~CompactionFilterFactory() = default;
  virtual const char* Name() const = 0;
  virtual std::unique_ptr<CompactionFilter> Create(const CompactionFilter::Context& context) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_COMPACTION_FILTER_H_
