#include "core/base/pooled.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <thread>
#include <vector>

namespace skarn {
namespace {

struct Part : public Pooled {
  virtual ~Part() = default;
};
template <size_t kSize>
struct Sized final : public Part {
  Sized() { memset(bytes, 7, kSize); }
  char bytes[kSize];
};

TEST(Pooled, ObjectsThatLiveAtOnceHaveMemoryOfTheirOwn) {
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<Part>> parts;
    std::set<const void*> seen;
    for (int i = 0; i < 100; ++i) {
      parts.push_back(std::make_unique<Sized<100>>());
      parts.push_back(std::make_unique<Sized<120>>());
      parts.push_back(std::make_unique<Sized<2000>>());
      parts.push_back(std::make_unique<Sized<5000>>());  // More than is kept.
    }
    for (const auto& part : parts) EXPECT_TRUE(seen.insert(part.get()).second);
  }
}

TEST(Pooled, AnObjectMayEndOnAnotherThreadAndThatThreadMayEnd) {
  for (int round = 0; round < 50; ++round) {
    std::unique_ptr<Part> made = std::make_unique<Sized<300>>();
    std::thread([&made] {
      made.reset();
      made = std::make_unique<Sized<300>>();
    }).join();
    made.reset();
  }
}

}  // namespace
}  // namespace skarn
