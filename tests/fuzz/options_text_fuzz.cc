// OPTIONS files and option strings of any bytes. What was understood is written out and read
// again. The first byte chooses.

#include "core/options/option_string.h"
#include "core/options/options_file.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

void ReadFile(const OptionReading& reading, Slice text) {
  const Result<OptionsFile> file = ParseOptionsFile(reading, text);
  if (!file.ok()) return;
  const std::string again = OptionsFileText(file->db, file->families);
  const Result<OptionsFile> same = ParseOptionsFile(reading, again);
  Require(same.ok() && same->families.size() == file->families.size());
  Require(OptionsFileText(same->db, same->families) == again);
}

void ReadString(const OptionReading& reading, Slice text) {
  (void)SplitOptionString(text).ok();
  DbOptions db;
  ColumnFamilyOptions family;
  (void)OptionsFromString(reading, text, &db, &family).ok();
  const auto pairs = SplitOptionString(text);
  if (!pairs.ok()) return;
  const std::unordered_map<std::string, std::string> changes(pairs->begin(), pairs->end());
  (void)ApplyDbOptions(DbOptions(), changes).ok();
  (void)ApplyColumnFamilyOptions(DbOptions(), ColumnFamilyOptions(), changes).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  OptionReading reading;
  reading.ignore_unknown = (choice & 2) != 0;
  reading.ignore_unsupported = (choice & 4) != 0;
  if (choice % 2 == 0) {
    ReadFile(reading, input.rest());
  } else {
    ReadString(reading, input.rest());
  }
  return 0;
}
