// What a row of the .def files says about an option, apart from its name and type.
//
//   SKARN_OPTION(name, type, default, changes, summary)
//     an option that OPTIONS files and option strings hold
//   SKARN_OPTION_IN_MEMORY(name, type, default, summary)
//     a member that no text form exists for, or that RocksDB never writes
//
// A file that includes a .def defines what it needs of the two; the .def undefines
// both at its end. Option strings and files name every option as its member.
//
// The summary of an option without effect begins with "No effect:" and the reason.

#ifndef SKARN_CORE_OPTIONS_OPTION_ROW_H_
#define SKARN_CORE_OPTIONS_OPTION_ROW_H_

#include <cstdint>

namespace skarn {

enum class Changes : uint8_t {
  kAtOpen,     // Fixed from open to close.
  kWhileOpen,  // Also through SetOptions or SetDBOptions.
};

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_OPTION_ROW_H_
