// Data blocks on their way from being built to being written, some at a time: while a
// compression dictionary is being sampled for, and while several threads compress.
//
// A batch is large enough (kBatchBytes) that handing it to another thread costs little
// beside compressing it.

#ifndef SKARN_CORE_TABLE_BLOCK_BATCH_H_
#define SKARN_CORE_TABLE_BLOCK_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/checksum.h"
#include "core/base/mutex.h"
#include "core/base/status.h"
#include "core/base/thread_annotations.h"
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

// Compresses batches on threads of its own, and gives them back in the order they came.
//
// Thread safety: one thread submits and takes.
class BatchPipeline {
 public:
  BatchPipeline(const BlockCompressor* compressor, ChecksumType checksum, uint32_t threads);
  // Waits for the threads; batches not taken are dropped.
  ~BatchPipeline();
  BatchPipeline(const BatchPipeline&) = delete;
  BatchPipeline& operator=(const BatchPipeline&) = delete;

  void Submit(std::unique_ptr<BlockBatch> batch) SKARN_EXCLUDES(mu_);
  // Submitted and not taken.
  size_t in_flight() const { return in_flight_; }
  // Whether the submitter had better take a batch before it submits another.
  bool full() const { return in_flight_ >= capacity_; }
  // Waits for the oldest batch. Precondition: in_flight() > 0.
  std::unique_ptr<BlockBatch> TakeOldest() SKARN_EXCLUDES(mu_);

 private:
  struct Slot {
    std::unique_ptr<BlockBatch> batch;
    bool done = false;
  };
  void Work() SKARN_EXCLUDES(mu_);

  const BlockCompressor* const compressor_;
  const ChecksumType checksum_;
  const size_t capacity_;
  size_t in_flight_ = 0;  // Of the submitting thread only.

  // A leaf in the lock order: nothing is locked under it.
  Mutex mu_;
  std::deque<std::unique_ptr<Slot>> slots_ SKARN_GUARDED_BY(mu_);  // In order of submission.
  std::deque<Slot*> waiting_ SKARN_GUARDED_BY(mu_);                // Not begun.
  bool stopping_ SKARN_GUARDED_BY(mu_) = false;
  CondVar work_arrived_;
  CondVar work_done_;
  std::vector<std::thread> threads_;
};

}  // namespace skarn

#endif  // SKARN_CORE_TABLE_BLOCK_BATCH_H_
