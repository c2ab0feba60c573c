// MappedBudget: what of the mapped files is counted, and that it is let go.

#include "core/table/mapped_budget.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <thread>
#include <vector>

namespace skarn {
namespace {

constexpr uint64_t kGranule = MappedBudget::kGranuleBytes;

// Memory of a file that has no name.
class Mapped : public MappedBudget::Member {
 public:
  explicit Mapped(size_t granules) : size_(granules * kGranule) {
    FILE* const file = tmpfile();
    EXPECT_EQ(ftruncate(fileno(file), static_cast<off_t>(size_)), 0);
    memory_ = static_cast<char*>(
        mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0));
    fclose(file);
    for (size_t i = 0; i < granules; ++i) memory_[i * kGranule] = static_cast<char>('a' + i % 26);
    Join(Slice(memory_, size_));
  }
  ~Mapped() {
    Leave();
    munmap(memory_, size_);
  }
  void Read(size_t granule) {
    Touch(granule * kGranule + 7, 100);
    EXPECT_EQ(memory_[granule * kGranule], static_cast<char>('a' + granule % 26));
  }
  void Release(size_t from, size_t to) { ReleaseRange(from * kGranule, (to - from) * kGranule); }

 private:
  const size_t size_;
  char* memory_ = nullptr;
};

class MappedBudgetTest : public ::testing::Test {
 protected:
  ~MappedBudgetTest() override { MappedBudget::SetLimit(limit_); }
  void SetLimit(uint64_t granules) { MappedBudget::SetLimit(granules * kGranule); }
  uint64_t Granules() const { return MappedBudget::ResidentBytes() / kGranule - before_; }

 private:
  const uint64_t limit_ = MappedBudget::SetLimit(UINT64_MAX);
  const uint64_t before_ = MappedBudget::ResidentBytes() / kGranule;
};

TEST_F(MappedBudgetTest, CountsWhatIsTouchedOnce) {
  {
    Mapped file(130);
    for (int round = 0; round < 2; ++round) {
      for (size_t i = 0; i < 130; ++i) file.Read(i);
    }
    EXPECT_EQ(Granules(), 130u);
    file.Release(3, 5);
    EXPECT_EQ(Granules(), 128u);
    file.Release(60, 130);
    EXPECT_EQ(Granules(), 58u);
    file.Read(64);
    EXPECT_EQ(Granules(), 59u);
  }
  EXPECT_EQ(Granules(), 0u);
}

TEST_F(MappedBudgetTest, StaysAboutTheLimitAndChangesNothingThatIsRead) {
  SetLimit(64);
  Mapped small(10), large(500);
  for (int round = 0; round < 3; ++round) {
    for (size_t i = 0; i < 500; ++i) {
      large.Read(i * 37 % 500);
      small.Read(i % 10);
      ASSERT_LE(Granules(), 66u);
    }
  }
}

TEST_F(MappedBudgetTest, FilesComeAndGoWhileOthersAreRead) {
  SetLimit(16);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 20; ++i) {
        Mapped file(40 + static_cast<size_t>(i));
        for (size_t g = 0; g < 40; ++g) file.Read(g);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Granules(), 0u);
}

}  // namespace
}  // namespace skarn
