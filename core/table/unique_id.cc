#include "core/table/unique_id.h"

#include "core/base/coding.h"
#include "core/base/hash.h"
#include "core/table/table_properties.h"

namespace skarn {

namespace {

constexpr size_t kSessionTailDigits = 12;
constexpr size_t kSessionDigitsMin = 13;
constexpr size_t kSessionDigitsMax = 24;
constexpr uint64_t kLow62 = (uint64_t{1} << 62) - 1;

// Added before mixing, so that an id of zeroes does not map to itself.
constexpr uint64_t kExternalHighOffset = 17391078804906429400u;
constexpr uint64_t kExternalLowOffset = 6417269962128484497u;

bool DecodeBase36(Slice text, uint64_t* value) {
  uint64_t result = 0;
  for (const char digit : text) {
    uint64_t add = 0;
    if (digit >= '0' && digit <= '9') {
      add = static_cast<uint64_t>(digit - '0');
    } else if (digit >= 'A' && digit <= 'Z') {
      add = static_cast<uint64_t>(digit - 'A') + 10;
    } else if (digit >= 'a' && digit <= 'z') {
      add = static_cast<uint64_t>(digit - 'a') + 10;
    } else {
      return false;
    }
    result = result * 36 + add;
  }
  *value = result;
  return true;
}

void AppendBase36(uint64_t value, size_t digits, std::string* to) {
  const size_t at = to->size();
  to->append(digits, '0');
  for (size_t i = digits; i-- > 0; value /= 36) {
    const auto digit = static_cast<int>(value % 36);
    (*to)[at + i] = static_cast<char>(digit < 10 ? '0' + digit : 'A' + digit - 10);
  }
}

}  // namespace

bool DecodeSessionId(Slice text, SessionWords* words) {
  if (text.size() < kSessionDigitsMin || text.size() > kSessionDigitsMax) return false;
  const size_t head = text.size() - kSessionTailDigits;
  uint64_t a = 0;
  uint64_t b = 0;
  if (!DecodeBase36(Slice(text.data(), head), &a) ||
      !DecodeBase36(Slice(text.data() + head, kSessionTailDigits), &b)) {
    return false;
  }
  words->upper = a >> 2;
  words->lower = (b & kLow62) | (a << 62);
  return true;
}

std::string EncodeSessionId(const SessionWords& words) {
  std::string text;
  AppendBase36((words.upper << 2) | (words.lower >> 62), 8, &text);
  AppendBase36(words.lower & kLow62, kSessionTailDigits, &text);
  return text;
}

Result<UniqueId> ComputeUniqueId(Slice db_id, Slice session_id, uint64_t file_number, bool force) {
  if (!force) {
    if (db_id.empty()) return Status::NotSupported("Missing db_id");
    if (session_id.empty()) return Status::NotSupported("Missing db_session_id");
    if (file_number == 0) return Status::NotSupported("Missing or bad file number");
  }
  SessionWords session;
  if (!DecodeSessionId(session_id, &session)) {
    if (!force) return Status::NotSupported("Bad db_session_id: " + session_id.ToString());
    const Hash128 hash = Xxh3Wide(session_id.data(), session_id.size());
    session.upper = hash.high;
    session.lower = hash.low == 0 ? (session.upper | 1) : hash.low;
  }
  const Hash128 db = Xxh3Wide(db_id.data(), db_id.size(), session.upper);
  UniqueId id;
  id.words[0] = session.lower;
  id.words[1] = db.high ^ file_number;
  id.words[2] = db.low;
  return id;
}

Result<UniqueId> ComputeUniqueId(const TableProperties& properties, bool force) {
  return ComputeUniqueId(properties.db_id, properties.db_session_id, properties.orig_file_number,
                         force);
}

UniqueId ExternalFromInternal(const UniqueId& internal) {
  Hash128 pair;
  pair.high = internal.words[1] + kExternalHighOffset;
  pair.low = internal.words[0] + kExternalLowOffset;
  pair = BijectiveMix(pair);
  UniqueId external;
  external.words[0] = pair.low;
  external.words[1] = pair.high;
  external.words[2] = internal.words[2] + pair.low + pair.high;
  return external;
}

UniqueId InternalFromExternal(const UniqueId& external) {
  Hash128 pair;
  pair.low = external.words[0];
  pair.high = external.words[1];
  UniqueId internal;
  internal.words[2] = external.words[2] - pair.low - pair.high;
  pair = BijectiveUnmix(pair);
  internal.words[0] = pair.low - kExternalLowOffset;
  internal.words[1] = pair.high - kExternalHighOffset;
  return internal;
}

std::string UniqueIdBytes(const UniqueId& id, int words) {
  std::string bytes;
  for (int i = 0; i < words; ++i) PutFixed64(&bytes, id.words[i]);
  return bytes;
}

std::string UniqueIdText(Slice bytes) {
  const std::string hex = bytes.ToHex();
  std::string text;
  for (size_t i = 0; i < hex.size(); i += 16) {
    if (i != 0) text.push_back('-');
    text.append(hex, i, 16);
  }
  return text;
}

}  // namespace skarn
