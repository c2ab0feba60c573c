// Answer: everything one library said while it did one operation, as text that two sides can be
// compared by and a person can read.
//
// Thread safety: one thread at a time.

#ifndef SKARN_TESTS_DIFFERENTIAL_ANSWER_H_
#define SKARN_TESTS_DIFFERENTIAL_ANSWER_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace differential {

// `bytes` in quotes with what is not printable as \xNN; long ones by size, start and hash.
std::string Printable(std::string_view bytes);

class Answer {
 public:
  void Clear() { text_.clear(); }
  const std::string& text() const { return text_; }

  void Say(std::string_view words) {
    if (!text_.empty()) text_ += ' ';
    text_ += words;
  }
  void Number(uint64_t number) { Say(std::to_string(number)); }
  void Bytes(std::string_view bytes) { Say(Printable(bytes)); }
  // Null means "no value".
  void Value(const char* value, size_t size) {
    if (value == nullptr)
      Say("none");
    else
      Bytes({value, size});
  }
  // An error text; nothing when `error` is null. The caller still owns it. `directory` is written
  // as <db>, and what names a process or a moment is left out.
  void Error(const char* error, const std::string& directory);

 private:
  std::string text_;
};

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_ANSWER_H_
