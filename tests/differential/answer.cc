#include "answer.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <vector>

#include "random.h"

namespace differential {
namespace {

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

// The names after "not opened: ", which come in no order, in alphabetic order.
void SortNames(std::string* text) {
  constexpr std::string_view kBefore = "Column families not opened: ";
  const size_t at = text->find(kBefore);
  if (at == std::string::npos) return;
  std::vector<std::string> names;
  std::string rest = text->substr(at + kBefore.size()) + ", ";
  for (size_t end; (end = rest.find(", ")) != std::string::npos; rest.erase(0, end + 2))
    names.push_back(rest.substr(0, end));
  std::sort(names.begin(), names.end());
  text->resize(at + kBefore.size());
  for (const std::string& name : names) *text += name + ",";
}

void DropDigits(std::string* text) {
  std::string kept;
  for (char c : *text)
    if (isdigit(static_cast<unsigned char>(c)) == 0) kept += c;
  *text = kept;
}

// The genuine release is older than what the other side answers like, and some texts have changed
// since; docs/abi/differences.md lists them. Each pair is taken for the same text.
struct Rewording {
  const char* before;
  const char* now;
};
constexpr Rewording kRewordings[] = {
    {"Invalid argument: Could not find option: : ",
     "Invalid argument: Extra option not recognized: "},
    {"Corruption: Error: Could not perform merge.", "Corruption: Merge operator failed"},
};

}  // namespace

std::string Printable(std::string_view bytes) {
  constexpr size_t kShown = 48;
  std::string text = "'";
  for (unsigned char c : bytes.substr(0, kShown)) {
    if (c >= 0x20 && c < 0x7f && c != '\\' && c != '\'') {
      text += static_cast<char>(c);
    } else {
      char escaped[8];
      snprintf(escaped, sizeof(escaped), "\\x%02x", c);
      text += escaped;
    }
  }
  text += '\'';
  if (bytes.size() > kShown) {
    char rest[64];
    snprintf(rest, sizeof(rest), "..(%zu bytes, hash %016llx)", bytes.size(),
             static_cast<unsigned long long>(Rng::Hash(bytes, 0)));
    text += rest;
  }
  return text;
}

void Answer::Error(const char* error, const std::string& directory) {
  if (error == nullptr) return;
  std::string text = error;
  ReplaceAll(&text, directory, "<db>");
  // The holder of a lock is named by its thread and the second it took it.
  if (text.find("lock hold by current process") != std::string::npos) DropDigits(&text);
  SortNames(&text);
  for (const Rewording& rewording : kRewordings) ReplaceAll(&text, rewording.before, rewording.now);
  Say("error[" + text + "]");
}

}  // namespace differential
