// Data blocks on their way from being built to being written, some at a time: while a
// compression dictionary is being sampled for, and while several threads compress: those that
// an option asks for, or threads of the background pool that have nothing to do.
//
// A batch is large enough (kBatchBytes) that handing it to another thread costs little
// beside compressing it.

#ifndef SKARN_CORE_TABLE_BLOCK_BATCH_H_
#define SKARN_CORE_TABLE_BLOCK_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "core/base/checksum.h"
#include "core/base/helper_thread.h"
#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/base/thread_annotations.h"
#include "core/env/thread_pool.h"
#include "core/table/block_builder.h"
#include "core/table/block_compressor.h"

namespace skarn {

inline constexpr size_t kBatchBytes = 64 << 10;

struct BlockBatch {
  struct Item {
    size_t raw_size = 0;
    size_t entry = 0;  // Its number in the index.
    // Set by CompressBatch().
    size_t stored_size = 0;
    CompressionType type = CompressionType::kNone;
  };

  BlockBuffer raw;  // Payloads, one after the other.
  std::vector<Item> items;
  // Set by CompressBatch(): blocks with trailers, one after the other, their checksums
  // without the context modifier, which depends on where they will be.
  BlockBuffer stored;
  Status status;
};

// Fills in what is stored for the batch. Pure; any thread.
void CompressBatch(const BlockCompressor& compressor, ChecksumType checksum, BlockBatch* batch);

// Who compresses batches besides the thread that builds blocks.
struct BatchWorkers {
  uint32_t threads = 0;  // Of the pipeline's own.
  // Jobs at once in a pool. One job compresses one batch, so that what else the pool has to do
  // waits no longer than that; a pool whose threads are busy costs nothing but the chance.
  ThreadPool* pool = nullptr;
  ThreadPool::Priority priority = ThreadPool::Priority::kLow;
  uint32_t jobs = 0;
};

// Has batches compressed by workers, and by the submitting thread when they fall behind, and
// gives them back in the order they came.
//
// Thread safety: one thread submits and takes.
class BatchPipeline {
 public:
  BatchPipeline(const BlockCompressor* compressor, ChecksumType checksum,
                const BatchWorkers& workers);
  // Waits for what is being compressed; batches not taken are dropped.
  ~BatchPipeline();
  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;

  // An empty batch, with the memory of one that was given back.
  std::unique_ptr<BlockBatch> NewBatch();
  void GiveBack(std::unique_ptr<BlockBatch> batch);

  void Submit(std::unique_ptr<BlockBatch> batch);
  // Submitted and not taken.
  size_t in_flight() const { return in_flight_; }
  // Whether the submitter had better take a batch before it submits another.
  bool full() const { return in_flight_ >= capacity_; }
  // Waits for the oldest batch. Precondition: in_flight() > 0.
  std::unique_ptr<BlockBatch> TakeOldest();

 private:
  struct Slot {
    std::unique_ptr<BlockBatch> batch;
    bool done = false;
  };
  // Shared with the jobs in the pool, which may begin when the pipeline is gone.
  struct Shared {
    const BlockCompressor* compressor = nullptr;
    ChecksumType checksum = ChecksumType::kXxh3;
    BatchWorkers workers;

    // A leaf in the lock order: nothing is locked under it.
    Mutex mu;
    std::deque<std::unique_ptr<Slot>> slots SKARN_GUARDED_BY(mu);  // In order of submission.
    std::deque<Slot*> waiting SKARN_GUARDED_BY(mu);                // Not begun.
    uint32_t jobs SKARN_GUARDED_BY(mu) = 0;                        // In the pool.
    uint32_t compressing SKARN_GUARDED_BY(mu) = 0;                 // Of workers, at this moment.
    bool stopping SKARN_GUARDED_BY(mu) = false;
    CondVar work_arrived{&mu};
    CondVar work_done{&mu};

    void CompressOne() SKARN_REQUIRES(mu);
  };
  static void Work(Shared* shared);
  static void RunJob(const std::shared_ptr<Shared>& shared);

  const size_t capacity_;
  size_t in_flight_ = 0;                            // Of the submitting thread only.
  std::vector<std::unique_ptr<BlockBatch>> spare_;  // Of the submitting thread only.
  const std::shared_ptr<Shared> shared_;
  std::vector<HelperThread> threads_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_BATCH_H_
