// Edits of the MANIFEST of any bytes: decoded, and what was understood encoded and decoded again.

#include "core/version/version_edit.h"
#include "tests/fuzz/fuzz.h"

using namespace skarn;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const Slice bytes(reinterpret_cast<const char*>(data), size);
  VersionEdit edit;
  if (!edit.DecodeFrom(bytes).ok()) return 0;
  std::string encoded;
  if (!edit.EncodeTo(&encoded).ok()) return 0;
  VersionEdit again;
  Require(again.DecodeFrom(encoded).ok());
  std::string same;
  Require(again.EncodeTo(&same).ok() && same == encoded);
  edit.PadTimestamps(8);
  return 0;
}
