#include "core/table/block_batch.h"

#include <algorithm>
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
                             const BatchWorkers& workers)
    : capacity_(2 * (size_t{workers.threads} + workers.jobs) + 2),
      shared_(std::make_shared<Shared>()) {
  shared_->compressor = compressor;
  shared_->checksum = checksum;
  shared_->workers = workers;
  threads_.reserve(workers.threads);
  for (uint32_t i = 0; i < workers.threads; ++i) {
    // Where the system gives no more threads, TakeOldest() compresses by itself.
    HelperThread thread;
    if (!thread.Start([shared = shared_.get()] { Work(shared); })) break;
    threads_.push_back(thread);
  }
}

BatchPipeline::~BatchPipeline() {
  {
    MutexLock lock(&shared_->mu);
    shared_->stopping = true;
    shared_->waiting.clear();
    while (shared_->compressing != 0) shared_->work_done.Wait();
    shared_->slots.clear();
  }
  shared_->work_arrived.SignalAll();
  for (HelperThread& thread : threads_) thread.Join();
  const BatchWorkers& workers = shared_->workers;
  if (workers.jobs != 0) (void)workers.pool->Cancel(workers.priority, shared_.get());
}

std::unique_ptr<BlockBatch> BatchPipeline::NewBatch() {
  if (spare_.empty()) return std::make_unique<BlockBatch>();
  std::unique_ptr<BlockBatch> batch = std::move(spare_.back());
  spare_.pop_back();
  return batch;
}

void BatchPipeline::GiveBack(std::unique_ptr<BlockBatch> batch) {
  batch->raw.Clear();
  batch->stored.Clear();
  batch->items.clear();
  spare_.push_back(std::move(batch));
}

void BatchPipeline::Submit(std::unique_ptr<BlockBatch> batch) {
  ++in_flight_;
  auto slot = std::make_unique<Slot>();
  slot->batch = std::move(batch);
  bool new_job = false;
  {
    MutexLock lock(&shared_->mu);
    shared_->waiting.push_back(slot.get());
    shared_->slots.push_back(std::move(slot));
    new_job = shared_->jobs < shared_->workers.jobs;
    if (new_job) ++shared_->jobs;
  }
  if (!threads_.empty()) shared_->work_arrived.Signal();
  if (new_job) {
    shared_->workers.pool->Schedule(shared_->workers.priority, shared_.get(),
                                    [shared = shared_] { RunJob(shared); });
  }
}

std::unique_ptr<BlockBatch> BatchPipeline::TakeOldest() {
  --in_flight_;
  MutexLock lock(&shared_->mu);
  Slot* const oldest = shared_->slots.front().get();
  while (!oldest->done) {
    // What nobody has begun is done here, rather than waiting for another.
    if (shared_->waiting.empty()) {
      shared_->work_done.Wait();
    } else {
      shared_->CompressOne();
    }
  }
  std::unique_ptr<BlockBatch> batch = std::move(oldest->batch);
  shared_->slots.pop_front();
  return batch;
}

// Releases the mutex while it compresses.
void BatchPipeline::Shared::CompressOne() {
  Slot* const slot = waiting.front();
  waiting.pop_front();
  ++compressing;
  mu.Unlock();
  CompressBatch(*compressor, checksum, slot->batch.get());
  mu.Lock();
  --compressing;
  slot->done = true;
  work_done.Signal();
}

void BatchPipeline::Work(Shared* shared) {
  MutexLock lock(&shared->mu);
  while (true) {
    while (shared->waiting.empty() && !shared->stopping) shared->work_arrived.Wait();
    if (shared->stopping) return;
    shared->CompressOne();
  }
}

void BatchPipeline::RunJob(const std::shared_ptr<Shared>& shared) {
  {
    MutexLock lock(&shared->mu);
    if (!shared->waiting.empty()) shared->CompressOne();
    if (shared->waiting.empty()) {
      --shared->jobs;
      return;
    }
  }
  // Behind whatever else the pool has been given meanwhile.
  shared->workers.pool->Schedule(shared->workers.priority, shared.get(),
                                 [shared] { RunJob(shared); });
}

}  // namespace skarn
