#include "core/options/option_string.h"

#include "core/options/option_rows.h"
#include "core/options/option_rules.h"
#include "core/options/option_text.h"

namespace skarn {
namespace {

// The end of a braced value that begins at `begin`: the index of its closing brace, or
// npos when braces do not match.
size_t FindClosingBrace(std::string_view text, size_t begin) {
  int depth = 0;
  for (size_t i = begin; i < text.size(); i++) {
    if (text[i] == '{') depth++;
    if (text[i] == '}' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

bool IsSpace(char c) { return TrimOptionText(Slice(&c, 1)).empty(); }

// Reads the value at the front of `*rest` and what ends it.
Status TakeValue(std::string_view* rest, std::string* value) {
  size_t begin = 0;
  while (begin < rest->size() && IsSpace((*rest)[begin])) begin++;
  if (begin == rest->size() || (*rest)[begin] != '{') {
    const size_t end = rest->find(';', begin);
    const std::string_view text = rest->substr(begin, end - begin);
    *value = TrimOptionText(Slice(text)).ToString();
    *rest = end == std::string_view::npos ? std::string_view() : rest->substr(end + 1);
    return Status::Ok();
  }
  const size_t close = FindClosingBrace(*rest, begin);
  if (close == std::string_view::npos) {
    return Status::InvalidArgument("Mismatched curly braces for nested options");
  }
  *value = TrimOptionText(Slice(rest->substr(begin + 1, close - begin - 1))).ToString();
  size_t end = close + 1;
  while (end < rest->size() && IsSpace((*rest)[end])) end++;
  if (end < rest->size() && (*rest)[end] != ';') {
    return Status::InvalidArgument("Unexpected chars after nested options");
  }
  *rest = end == rest->size() ? std::string_view() : rest->substr(end + 1);
  return Status::Ok();
}

Status NotRecognized(Slice name) {
  return Status::InvalidArgument("Extra option not recognized", name);
}

}  // namespace

Result<std::map<std::string, std::string>> SplitOptionString(Slice text) {
  std::string_view rest = TrimOptionText(text).view();
  while (rest.size() > 2 && rest.front() == '{' && rest.back() == '}') {
    rest = TrimOptionText(Slice(rest.substr(1, rest.size() - 2))).view();
  }
  if (rest == "{}") rest = std::string_view();

  std::map<std::string, std::string> options;
  while (!rest.empty()) {
    const size_t special = rest.find_first_of("={};");
    if (special == std::string_view::npos) {
      return Status::InvalidArgument("Mismatched key value pair, '=' expected");
    }
    if (rest[special] != '=') return Status::InvalidArgument("Unexpected char in key");
    const Slice key = TrimOptionText(Slice(rest.substr(0, special)));
    if (key.empty()) return Status::InvalidArgument("Empty key found");

    rest.remove_prefix(special + 1);
    std::string value;
    if (Status s = TakeValue(&rest, &value); !s.ok()) return s;
    options[key.ToString()] = std::move(value);
  }
  return options;
}

Status OptionsFromString(const OptionReading& reading, Slice text, DbOptions* db,
                         ColumnFamilyOptions* family) {
  Result<std::map<std::string, std::string>> options = SplitOptionString(text);
  if (!options.ok()) return options.status();

  DbOptions new_db = *db;
  ColumnFamilyOptions new_family = *family;
  for (const auto& [name, value] : *options) {
    Status s;
    if (!SetDbOption(reading, name, value, &new_db, &s) &&
        !SetColumnFamilyOption(reading, name, value, &new_family, &s) && !reading.ignore_unknown) {
      return NotRecognized(name);
    }
    if (!s.ok()) return s;
  }
  *db = std::move(new_db);
  *family = std::move(new_family);
  return Status::Ok();
}

Result<DbOptions> ApplyDbOptions(const DbOptions& current,
                                 const std::unordered_map<std::string, std::string>& changes) {
  if (changes.empty()) return Status::InvalidArgument("empty input");
  const OptionReading reading;
  DbOptions changed = current;
  for (const auto& [name, value] : changes) {
    const OptionRow<DbOptions>* row = FindDbOption(name);
    if (row == nullptr || row->changes == Changes::kAtOpen) {
      return Status::NotFound("Unrecognized option", name);
    }
    if (Status s = row->parse(reading, name, value, &changed); !s.ok()) return s;
  }
  // In a running database 0 does not turn background syncs off.
  if (changed.bytes_per_sync == 0) changed.bytes_per_sync = 1 << 20;
  if (Status s = Validate(changed); !s.ok()) return s;
  return changed;
}

Result<ColumnFamilyOptions> ApplyColumnFamilyOptions(
    const DbOptions& db, const ColumnFamilyOptions& current,
    const std::unordered_map<std::string, std::string>& changes) {
  if (changes.empty()) return Status::InvalidArgument("empty input");
  OptionReading reading;
  reading.ignore_unsupported = false;
  ColumnFamilyOptions changed = current;
  for (const auto& [name, value] : changes) {
    const std::string outer = name.substr(0, name.find('.'));
    const OptionRow<ColumnFamilyOptions>* row = FindColumnFamilyOption(outer);
    bool changeable = row != nullptr && row->changes == Changes::kWhileOpen;
    if (row == nullptr && !IsRetiredColumnFamilyOption(outer, &changeable)) {
      return NotRecognized(name);
    }
    if (!changeable) return Status::InvalidArgument("Option not changeable", name);

    Status s;
    if (!SetColumnFamilyOption(reading, name, value, &changed, &s)) return NotRecognized(name);
    if (!s.ok()) return s;
    if (changed.table_factory.format != current.table_factory.format) {
      return Status::InvalidArgument("Option not changeable", name);
    }
  }
  if (Status s = Validate(db, changed); !s.ok()) return s;
  return changed;
}

}  // namespace skarn
