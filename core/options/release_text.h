// OPTIONS files for older releases: genuine tools refuse names they do not know, so a
// file that they are to read leaves out what came after them.
//
// Thread safety: pure functions.

#ifndef SKARN_CORE_OPTIONS_RELEASE_TEXT_H_
#define SKARN_CORE_OPTIONS_RELEASE_TEXT_H_

#include <cstdint>
#include <string>

namespace skarn {

// The text of an OPTIONS file (options_file.h) as `release` (major * 100 + minor; 0: the
// newest) would know it. Known exactly for 7.8; other releases before 8.0 get the same.
std::string OptionsTextForRelease(std::string text, uint32_t release);

}  // namespace skarn

#endif  // SKARN_CORE_OPTIONS_RELEASE_TEXT_H_
