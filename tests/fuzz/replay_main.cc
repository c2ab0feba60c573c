// Runs a fuzz target without a fuzzer: on every file under the paths given, and on
// copies of their parts with some bytes changed, --rounds=<n> of each. Prints the seed;
// --seed=<n> sets it.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Run(const std::string& bytes) {
  // Exactly as large as the input, so that a sanitizer sees one byte too far.
  std::vector<uint8_t> exact(bytes.begin(), bytes.end());
  exact.shrink_to_fit();
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seed = 1;
  int rounds = 500;
  std::vector<std::string> inputs;
  for (int i = 1; i < argc; ++i) {
    if (strncmp(argv[i], "--seed=", 7) == 0) {
      seed = strtoull(argv[i] + 7, nullptr, 10);
    } else if (strncmp(argv[i], "--rounds=", 9) == 0) {
      rounds = atoi(argv[i] + 9);
    } else if (std::filesystem::is_directory(argv[i])) {
      // Sorted, so that a seed means the same everywhere.
      std::vector<std::filesystem::path> paths;
      for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[i])) {
        if (entry.is_regular_file()) paths.push_back(entry.path());
      }
      std::sort(paths.begin(), paths.end());
      for (const auto& path : paths) inputs.push_back(ReadFile(path));
    } else {
      inputs.push_back(ReadFile(argv[i]));
    }
  }
  printf("seed %llu, %zu inputs\n", static_cast<unsigned long long>(seed), inputs.size());
  std::mt19937_64 random(seed);
  for (const std::string& input : inputs) {
    Run(input);
    for (int round = 0; round < rounds; ++round) {
      const size_t begin = random() % (input.size() + 1);
      std::string part = input.substr(begin, random() % 2000);
      for (uint64_t changes = random() % 6; changes > 0 && !part.empty(); --changes) {
        part[random() % part.size()] = static_cast<char>(random());
      }
      Run(part);
    }
  }
  Run(std::string());
  return 0;
}
