#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "core/options/option_text.h"

namespace skarn {
namespace {

Status ParseError(Slice name, Slice what) {
  return Status::InvalidArgument(Concat("Error parsing ", name, ":", what));
}

// The power of two that a letter behind a number stands for; 0 for any other.
int ShiftOfSuffix(char letter) {
  switch (letter) {
    case 'k':
    case 'K':
      return 10;
    case 'm':
    case 'M':
      return 20;
    case 'g':
    case 'G':
      return 30;
    case 't':
    case 'T':
      return 40;
    default:
      return 0;
  }
}

// The number at the front of the text; whatever follows it is not looked at, except a
// suffix. False when there is no number or it does not fit.
bool ParseUnsigned(Slice text, uint64_t* value) {
  const std::string copy = text.ToString();
  char* end = nullptr;
  errno = 0;
  const unsigned long long number = strtoull(copy.c_str(), &end, 10);
  if (end == copy.c_str() || errno == ERANGE) return false;
  *value = static_cast<uint64_t>(number) << ShiftOfSuffix(*end);
  return true;
}

bool ParseSigned(Slice text, int64_t* value, bool allow_tera) {
  const std::string copy = text.ToString();
  char* end = nullptr;
  errno = 0;
  const long long number = strtoll(copy.c_str(), &end, 10);
  if (end == copy.c_str() || errno == ERANGE) return false;
  const int shift = ShiftOfSuffix(*end);
  *value = shift == 40 && !allow_tera
               ? number
               : static_cast<int64_t>(static_cast<uint64_t>(number) << shift);
  return true;
}

template <typename Narrow>
Status ParseNarrow(Slice name, Slice text, Narrow* value) {
  uint64_t number = 0;
  if (!ParseUnsigned(text, &number)) return ParseError(name, "stoull");
  if (number > std::numeric_limits<Narrow>::max()) return ParseError(name, text);
  *value = static_cast<Narrow>(number);
  return Status::Ok();
}

constexpr char kEscaped[] = {'\\', '#', ':', '\r', '\n'};

}  // namespace

std::string EscapeOptionText(Slice text) {
  std::string out;
  for (const char c : text) {
    if (memchr(kEscaped, c, sizeof(kEscaped)) != nullptr) out.push_back('\\');
    out.push_back(c == '\r' ? 'r' : c == '\n' ? 'n' : c);
  }
  return out;
}

std::string UnescapeOptionText(Slice text) {
  std::string out;
  for (size_t i = 0; i < text.size(); i++) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    i++;
    out.push_back(text[i] == 'r' ? '\r' : text[i] == 'n' ? '\n' : text[i]);
  }
  return out;
}

Slice TrimOptionText(Slice text) {
  const auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text[0])) text.RemovePrefix(1);
  while (!text.empty() && is_space(text[text.size() - 1])) text.RemoveSuffix(1);
  return text;
}

void PrintValue(const bool& value, std::string* out) { out->append(value ? "true" : "false"); }
Status ParseValue(const OptionReading&, Slice name, Slice text, bool* value) {
  if (text == "true" || text == "1") {
    *value = true;
  } else if (text == "false" || text == "0") {
    *value = false;
  } else {
    return ParseError(name, "");
  }
  return Status::Ok();
}

void PrintValue(const int32_t& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, int32_t* value) {
  int64_t number = 0;
  const std::string copy = text.ToString();
  // The number itself must fit; what a suffix makes of it wraps.
  char* end = nullptr;
  errno = 0;
  const long long plain = strtoll(copy.c_str(), &end, 10);
  if (end == copy.c_str() || errno == ERANGE || plain < std::numeric_limits<int32_t>::min() ||
      plain > std::numeric_limits<int32_t>::max() ||
      !ParseSigned(text, &number, /*allow_tera=*/false)) {
    return ParseError(name, "stoi");
  }
  *value = static_cast<int32_t>(number);
  return Status::Ok();
}

void PrintValue(const int64_t& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, int64_t* value) {
  if (!ParseSigned(text, value, /*allow_tera=*/true)) return ParseError(name, "stoll");
  return Status::Ok();
}

void PrintValue(const uint8_t& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, uint8_t* value) {
  return ParseNarrow(name, text, value);
}

void PrintValue(const uint32_t& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, uint32_t* value) {
  return ParseNarrow(name, text, value);
}

void PrintValue(const uint64_t& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, uint64_t* value) {
  if (!ParseUnsigned(text, value)) return ParseError(name, "stoull");
  return Status::Ok();
}

void PrintValue(const double& value, std::string* out) { out->append(std::to_string(value)); }
Status ParseValue(const OptionReading&, Slice name, Slice text, double* value) {
  const std::string copy = text.ToString();
  char* end = nullptr;
  errno = 0;
  const double number = strtod(copy.c_str(), &end);
  if (end == copy.c_str() || errno == ERANGE) return ParseError(name, "stod");
  *value = number;
  return Status::Ok();
}

void PrintValue(const std::string& value, std::string* out) {
  out->append(EscapeOptionText(value));
}
Status ParseValue(const OptionReading&, Slice, Slice text, std::string* value) {
  *value = text.ToString();
  return Status::Ok();
}

void PrintValue(const std::vector<int32_t>& value, std::string* out) {
  for (size_t i = 0; i < value.size(); i++) {
    if (i > 0) out->push_back(':');
    PrintValue(value[i], out);
  }
}

namespace {

// Calls `parse_item` for each part of a list that colons separate; colons inside of
// braces belong to the part.
template <typename ParseItem>
Status ForEachPart(Slice text, ParseItem parse_item) {
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i <= text.size(); i++) {
    if (i < text.size() && text[i] == '{') depth++;
    if (i < text.size() && text[i] == '}') depth--;
    if (i < text.size() && (text[i] != ':' || depth > 0)) continue;
    if (i == text.size() && begin == i) break;
    const Slice part(text.data() + begin, i - begin);
    if (Status s = parse_item(TrimOptionText(part)); !s.ok()) return s;
    begin = i + 1;
  }
  return Status::Ok();
}

template <typename T>
Status ParseVector(const OptionReading& reading, Slice name, Slice text, std::vector<T>* value) {
  text = TrimOptionText(text);
  if (text.size() >= 2 && text[0] == '{' && text[text.size() - 1] == '}' &&
      text.view().find('}') == text.size() - 1) {
    text = Slice(text.data() + 1, text.size() - 2);
  }
  std::vector<T> items;
  Status s = ForEachPart(text, [&](Slice part) {
    T item{};
    Status parsed = ParseValue(reading, name, part, &item);
    if (parsed.ok()) items.push_back(item);
    return parsed;
  });
  if (s.ok()) *value = std::move(items);
  return s;
}

}  // namespace

Status ParseValue(const OptionReading& reading, Slice name, Slice text,
                  std::vector<int32_t>* value) {
  return ParseVector(reading, name, text, value);
}

void PrintValue(const std::vector<CompressionType>& value, std::string* out) {
  for (size_t i = 0; i < value.size(); i++) {
    if (i > 0) out->push_back(':');
    PrintValue(value[i], out);
  }
}
Status ParseValue(const OptionReading& reading, Slice name, Slice text,
                  std::vector<CompressionType>* value) {
  return ParseVector(reading, name, text, value);
}

void PrintValue(const std::vector<FileTemperatureAge>& value, std::string* out) {
  if (value.empty()) return;
  out->push_back('{');
  for (size_t i = 0; i < value.size(); i++) {
    if (i > 0) out->push_back(':');
    PrintValue(value[i], out);
  }
  out->push_back('}');
}
Status ParseValue(const OptionReading& reading, Slice name, Slice text,
                  std::vector<FileTemperatureAge>* value) {
  text = TrimOptionText(text);
  // The braces of the list, which a surrounding structure may have taken off already.
  if (text.StartsWith("{{") && text.EndsWith("}}")) text = Slice(text.data() + 1, text.size() - 2);
  std::vector<FileTemperatureAge> items;
  Status s = ForEachPart(text, [&](Slice part) {
    FileTemperatureAge item;
    Status parsed = ParseValue(reading, name, part, &item);
    if (parsed.ok()) items.push_back(item);
    return parsed;
  });
  if (s.ok()) *value = std::move(items);
  return s;
}

}  // namespace skarn
