#include "core/table/block_batch.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/table/block_trailer.h"

namespace skarn {

void CompressBatch(const BlockCompressor& compressor, ChecksumType checksum, BlockBatch* batch) {
  size_t raw_at = 0;
  for (BlockBatch::Item& item : batch->items) {
    const Slice raw(batch->raw.data() + raw_at, item.raw_size);
    raw_at += item.raw_size;
    char* out = batch->stored.Reserve(
        std::max(item.raw_size, compressor.OutputCapacity(item.raw_size)) + kBlockTrailerSize);
    size_t size = 0;
    Status s = compressor.Compress(raw, out, &size);
    if (!s.ok()) {
      batch->status = s;
      return;
    }
    item.type = size == 0 ? CompressionType::kNone : compressor.type();
    if (size == 0) {
      size = raw.size();
      memcpy(out, raw.data(), size);
    }
    item.stored_size = size;
    EncodeBlockTrailer(checksum, Slice(out, size), static_cast<uint8_t>(item.type),
                       /*base_context_checksum=*/0, /*offset=*/0, out + size);
    batch->stored.Advance(size + kBlockTrailerSize);
  }
}

BatchPipeline::BatchPipeline(const BlockCompressor* compressor, ChecksumType checksum,
                             uint32_t threads)
    : compressor_(compressor),
      checksum_(checksum),
      capacity_(2 * size_t{threads} + 2),
      work_arrived_(&mu_),
      work_done_(&mu_) {
  threads_.reserve(threads);
  for (uint32_t i = 0; i < threads; ++i) {
    // Where the system gives no more threads, TakeOldest() compresses by itself.
    try {
      threads_.emplace_back([this] { Work(); });
    } catch (const std::system_error&) {
      break;
    }
  }
}

BatchPipeline::~BatchPipeline() {
  {
    MutexLock lock(&mu_);
    stopping_ = true;
    waiting_.clear();
  }
  work_arrived_.SignalAll();
  for (std::thread& thread : threads_) thread.join();
}

void BatchPipeline::Submit(std::unique_ptr<BlockBatch> batch) {
  ++in_flight_;
  auto slot = std::make_unique<Slot>();
  slot->batch = std::move(batch);
  {
    MutexLock lock(&mu_);
    waiting_.push_back(slot.get());
    slots_.push_back(std::move(slot));
  }
  work_arrived_.Signal();
}

std::unique_ptr<BlockBatch> BatchPipeline::TakeOldest() {
  --in_flight_;
  MutexLock lock(&mu_);
  Slot* oldest = slots_.front().get();
  if (!waiting_.empty() && waiting_.front() == oldest) {
    // Nobody has begun it: do it here.
    waiting_.pop_front();
    lock.Unlock();
    CompressBatch(*compressor_, checksum_, oldest->batch.get());
    lock.Lock();
    oldest->done = true;
  }
  while (!oldest->done) work_done_.Wait();
  std::unique_ptr<BlockBatch> batch = std::move(oldest->batch);
  slots_.pop_front();
  return batch;
}

void BatchPipeline::Work() {
  MutexLock lock(&mu_);
  while (true) {
    while (waiting_.empty() && !stopping_) work_arrived_.Wait();
    if (stopping_) return;
    Slot* slot = waiting_.front();
    waiting_.pop_front();
    lock.Unlock();
    CompressBatch(*compressor_, checksum_, slot->batch.get());
    lock.Lock();
    slot->done = true;
    work_done_.Signal();
  }
}

}  // namespace skarn
