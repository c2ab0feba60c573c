// TablePropertiesCollector looks at every entry of a table being built, may add
// properties to it and may ask for its compaction.
//
// Thread safety: a collector belongs to one table builder; a factory is called from
// any thread.

#ifndef SKARN_CORE_PLUGIN_TABLE_PROPERTIES_COLLECTOR_H_
#define SKARN_CORE_PLUGIN_TABLE_PROPERTIES_COLLECTOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/base/slice.h"

namespace skarn {

class TablePropertiesCollector {
 public:
  virtual ~TablePropertiesCollector() = default;
  // `kind` is the entry's stored type byte (core/key/internal_key.h).
  virtual void Add(Slice user_key, uint64_t sequence, uint8_t kind, Slice value,
                   uint64_t file_size_bytes) = 0;
  virtual void Finish(std::map<std::string, std::string>* properties) = 0;
  virtual bool NeedCompact() const { return false; }
};

class TablePropertiesCollectorFactory {
 public:
  virtual ~TablePropertiesCollectorFactory() = default;
  virtual const char* Name() const = 0;
  // The name and what was set, for the LOG.
  virtual std::string ToString() const { return Name(); }
  virtual std::unique_ptr<TablePropertiesCollector> Create(uint32_t column_family_id,
                                                           int level) = 0;
};

}  // namespace skarn

#endif  // SKARN_CORE_PLUGIN_TABLE_PROPERTIES_COLLECTOR_H_
