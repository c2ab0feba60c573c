// EventLine makes the JSON of one event in the LOG ("EVENT_LOG_v1 {...}"), with RocksDB's
// names for events and fields, which log parsers look for.
//
// Thread safety: one thread at a time.

#ifndef SKARN_CORE_DB_EVENT_LOG_H_
#define SKARN_CORE_DB_EVENT_LOG_H_

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/slice.h"
#include "core/compaction/table_output.h"
#include "core/table/table_properties.h"

namespace skarn {

class EventLine {
 public:
  // Begins with the time.
  explicit EventLine(uint64_t time_micros) { Add("time_micros", time_micros); }

  template <typename Number, std::enable_if_t<std::is_integral_v<Number>, int> = 0>
  EventLine& Add(const char* name, Number value) {
    if constexpr (std::is_signed_v<Number>) {
      return AddNumber(name, value < 0, static_cast<uint64_t>(value < 0 ? -value : value));
    } else {
      return AddNumber(name, false, value);
    }
  }
  EventLine& Add(const char* name, Slice text);
  EventLine& Add(const char* name, const char* text) { return Add(name, Slice(text)); }
  EventLine& Add(const char* name, const std::string& text) { return Add(name, Slice(text)); }
  EventLine& AddList(const char* name, const std::vector<uint64_t>& values);
  // An object of its own: what `table_file_creation` tells of a table.
  EventLine& AddProperties(const TableProperties& properties);

  // The whole object.
  std::string Take() { return text_ + "}"; }

 private:
  EventLine& AddNumber(const char* name, bool negative, uint64_t magnitude);
  void Name(const char* name);

  std::string text_;
};

// "table_file_creation" of a flush, a compaction or a recovery.
std::string TableCreatedEvent(uint64_t time_micros, const std::string& family, int job_id,
                              const TableOutput& output);

}  // namespace skarn

#endif  // SKARN_CORE_DB_EVENT_LOG_H_
