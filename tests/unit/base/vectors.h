// Test vectors: JSON files of tests/data/vectors, with bytes in hexadecimal.

#ifndef SKARN_TESTS_UNIT_BASE_VECTORS_H_
#define SKARN_TESTS_UNIT_BASE_VECTORS_H_

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

namespace skarn {

inline nlohmann::json LoadVectors(const std::string& name) {
  std::ifstream file(std::string(SKARN_TEST_DATA) + "/vectors/" + name);
  return nlohmann::json::parse(file);
}

// From one string of hexadecimal digits, or a list of them to be joined.
inline std::string FromHex(const nlohmann::json& value) {
  if (value.is_array()) {
    std::string joined;
    for (const auto& part : value) joined += FromHex(part);
    return joined;
  }
  const auto text = value.get<std::string>();
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

inline uint64_t HexNumber(const nlohmann::json& value) {
  return std::stoull(value.get<std::string>(), nullptr, 16);
}

}  // namespace skarn

#endif  // SKARN_TESTS_UNIT_BASE_VECTORS_H_
