// Logs of any bytes, read in every recovery mode. The first byte chooses mode, whether checksums
// count, without which fragments and control records of any content are reached, and whether the
// log is one that somebody may be writing to.

#include <algorithm>
#include <cstring>
#include <memory>

#include "core/env/file_system.h"
#include "core/wal/log_reader.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace skarn;

class BytesFile final : public SequentialFile {
 public:
  explicit BytesFile(Slice bytes) : bytes_(bytes), rest_(bytes) {}
  Status Read(size_t size, Slice* result, char* scratch) override {
    const size_t count = std::min(size, rest_.size());
    if (count > 0) memcpy(scratch, rest_.data(), count);
    *result = Slice(scratch, count);
    rest_.RemovePrefix(count);
    return Status::Ok();
  }
  Status Skip(uint64_t size) override {
    rest_.RemovePrefix(std::min<uint64_t>(size, rest_.size()));
    return Status::Ok();
  }
  Status Seek(uint64_t offset) override {
    rest_ = bytes_;
    return Skip(offset);
  }

 private:
  const Slice bytes_;
  Slice rest_;
};

class Damage final : public LogReader::Reporter {
 public:
  void Corruption(size_t, const Status& status, uint64_t) override { Require(!status.ok()); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  FuzzInput input(data, size);
  const uint8_t choice = input.Byte();
  const Slice bytes = input.rest();
  Damage damage;
  LogReader reader(std::make_unique<BytesFile>(bytes), &damage, /*log_number=*/(choice >> 4) & 7,
                   /*verify_checksums=*/(choice & 4) != 0);
  if ((choice & 8) != 0) {
    LogReader::Predecessor predecessor;
    predecessor.seen = true;
    predecessor.path = "log";
    reader.CheckPredecessor(predecessor);
  }
  const bool following = (choice & 0x80) != 0;
  if (following) reader.set_following();
  Slice record;
  std::string scratch;
  size_t records = 0;
  uint64_t sum = 0;
  while (reader.ReadRecord(&record, &scratch, static_cast<RecoveryMode>(choice & 3))) {
    // A record takes a header at least.
    Require(++records <= bytes.size());
    for (const char c : record.view()) sum += static_cast<uint8_t>(c);
    Require(reader.last_record_end() <= bytes.size());
    if (record.size() > (size_t{1} << 22)) break;  // Decompressed: enough of that.
  }
  if (following && record.size() <= (size_t{1} << 22)) {
    // Nothing was added.
    reader.ContinueAfterEnd();
    while (reader.ReadRecord(&record, &scratch, static_cast<RecoveryMode>(choice & 3))) {
      Require(++records <= 2 * bytes.size());
    }
  }
  Require(sum != ~uint64_t{0});
  return 0;
}
