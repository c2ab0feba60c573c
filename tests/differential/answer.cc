#include "answer.h"

#include <cctype>
#include <cstdio>

#include "random.h"

namespace differential {
namespace {

void ReplaceAll(std::string* text, std::string_view from, std::string_view to) {
  for (size_t at = text->find(from); at != std::string::npos; at = text->find(from, at + to.size()))
    text->replace(at, from.size(), to);
}

void DropDigits(std::string* text) {
  std::string kept;
  for (char c : *text)
    if (isdigit(static_cast<unsigned char>(c)) == 0) kept += c;
  *text = kept;
}

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
  Say("error[" + text + "]");
}

}  // namespace differential
