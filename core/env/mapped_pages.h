// Memory that shows a file's content (RandomAccessFile::Mapping()) and the pages of it that
// count as this process's.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_ENV_MAPPED_PAGES_H_
#define SKARN_CORE_ENV_MAPPED_PAGES_H_

#include <cstdint>

#include "core/base/slice.h"

namespace skarn {

// Lets the pages that lie wholly inside `part` of a mapping go. They stay in the page cache,
// and come back when they are read; what is read does not change.
void ReleaseMappedPages(Slice part);

// How much memory the machine has; 0 where the system does not tell.
uint64_t MachineMemoryBytes();

}  // namespace skarn

#endif  // SKARN_CORE_ENV_MAPPED_PAGES_H_
