#include "core/env/file_writer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "core/base/cpu.h"
#include "core/base/large_memory.h"
#include "core/base/mutex.h"

namespace skarn {

namespace {

constexpr size_t kFirstBufferBytes = 16 << 10;
// The newest data is about to be added to or overwritten, so range syncs leave it alone.
constexpr uint64_t kNotRangeSyncedBytes = 1 << 20;
constexpr uint64_t kRangeSyncAlignment = 4096;
constexpr uint64_t kHandedOverSyncBytes = 1 << 20;
// Reserving space, and giving it back, costs more than a small file gains.
constexpr uint64_t kNotReservedBytes = 64 << 10;

// Windows. They begin small, so that a small file is not given more zeroes than it has bytes.
// Moving a large one takes a fraction of a millisecond, which is to be rarer than one append in a
// thousand.
constexpr uint64_t kPageBytes = 4096;
constexpr size_t kFirstWindowBytes = 16 << 10;
constexpr size_t kWindowBytesMax = 1 << 20;
// A file that is synced has short windows, written a page at a time: the system writes pages, or
// whatever larger pieces it keeps them in, whole.
constexpr size_t kSyncedWindowBytesMax = 64 << 10;
// Longer appends would make that less rare; written, they cost less of their time.
constexpr size_t kStoredBytesMax = kWindowBytesMax / 2048;
// A window is opened after so many short appends in a row.
constexpr int kShortAppendsMin = 8;

}  // namespace

// A full buffer that a job of the pool is to write. While there is one, the job that has begun
// with it, or else the appending thread, has what Rep::Write() uses.
struct FileWriter::Handover {
  enum class State : uint8_t { kNone, kWaiting, kWriting };

  // Both release the mutex while they work.
  // Writes the buffer unless somebody has begun to.
  void WriteWaiting() SKARN_REQUIRES(mu);
  // Sends what was written on its way to the disk, so that it is not left for the sync to wait
  // for. A busy disk lets this wait long, which nobody but the job does.
  void StartSync() SKARN_REQUIRES(mu);

  // A leaf in the lock order: nothing is locked under it.
  Mutex mu;
  CondVar done{&mu};
  State state SKARN_GUARDED_BY(mu) = State::kNone;
  bool syncing SKARN_GUARDED_BY(mu) = false;
  Rep* rep SKARN_GUARDED_BY(mu) = nullptr;  // Alive while there is something to do.
  Slice data SKARN_GUARDED_BY(mu);
  uint64_t written_end SKARN_GUARDED_BY(mu) = 0;  // Of the file.
  uint64_t sync_begun SKARN_GUARDED_BY(mu) = 0;   // Up to where.
  Status outcome SKARN_GUARDED_BY(mu);            // The first failure not yet told.
};

// All but `failure` belongs to the appending thread.
struct FileWriter::Rep {
  Rep(std::unique_ptr<WritableFile> writable, const FileOptions& file_options_,
      const Options& options_)
      : file(std::move(writable)), file_options(file_options_), options(options_) {
    direct = file->direct_io();
    alignment = file->alignment();
    if (options.buffer_bytes < alignment) options.buffer_bytes = alignment;
    if (direct) options.buffer_bytes = options.buffer_bytes / alignment * alignment;
    if (direct || (options.rate_limiter != nullptr && options.priority != IoPriority::kTotal)) {
      options.pool = nullptr;
    }
    plain = !direct && options.preallocation_bytes != 0 && file_options.bytes_per_sync == 0 &&
            (options.rate_limiter == nullptr || options.priority == IoPriority::kTotal);
  }
  ~Rep() {
    FreeBuffer(buffer, capacity);
    FreeBuffer(spare, spare_capacity);
  }

  void FreeBuffer(char* memory, size_t size) const {
    if (direct) {
      free(memory);
    } else {
      FreeLarge(memory, size);
    }
  }

  // Makes room for `more` bytes, as far as the limit of the options allows. False when
  // memory is exhausted.
  bool Reserve(size_t more) {
    const size_t wanted = std::min(used + more, options.buffer_bytes);
    if (wanted <= capacity) return true;
    size_t size = std::max(capacity * 2, kFirstBufferBytes);
    if (capacity < spare_capacity) size = spare_capacity;  // The file is large.
    size = std::min(std::max(size, wanted), options.buffer_bytes);
    size = (size + alignment - 1) / alignment * alignment;
    void* memory = direct ? aligned_alloc(alignment, size) : TryAllocateLarge(size);
    if (memory == nullptr) return false;
    if (used != 0) memcpy(memory, buffer, used);
    FreeBuffer(buffer, capacity);
    buffer = static_cast<char*>(memory);
    capacity = size;
    return true;
  }

  std::unique_ptr<WritableFile> file;
  const FileOptions file_options;
  Options options;
  bool direct = false;
  bool plain = false;  // Neither that nor rate limits nor range syncs, but space ahead.
  size_t alignment = 1;

  char* buffer = nullptr;
  size_t capacity = 0;
  size_t used = 0;
  // With a pool: the buffer that is not being filled, and what is being done with it.
  char* spare = nullptr;
  size_t spare_capacity = 0;
  std::shared_ptr<Handover> handover;  // Shared with jobs, which may begin when the file is gone.

  // Where the buffer's first byte belongs.
  uint64_t buffer_offset = 0;
  uint64_t allocated_end = 0;
  uint64_t range_synced = 0;

  // The window, of the appending thread. Bytes in the file end at FileWriter::size_.
  bool ahead = false;  // It may be opened.
  bool grown = false;  // The file has, or had, zeroes ahead.
  char* window = nullptr;
  uint64_t window_begin = 0;
  uint64_t window_end = 0;
  size_t window_bytes = kFirstWindowBytes;  // Of the next one.
  int short_appends = 0;
  bool prepared = false;  // Stores to the window will not fail.
  // Pages are written one by one: the last window was synced. Read by the syncing thread.
  std::atomic<bool> small_pieces{false};
  std::atomic<bool> synced{false};  // Since the window was opened.

  // A leaf in the lock order: nothing is locked under it.
  Mutex mu;
  Status failure SKARN_GUARDED_BY(mu);  // The first; kept for every later call.

  Status Failure() SKARN_EXCLUDES(mu) {
    MutexLock lock(&mu);
    return failure;
  }
  // Waits for the limiter in steps it accepts and returns the size of the next step.
  size_t NextStep(size_t size) {
    if (options.rate_limiter == nullptr || options.priority == IoPriority::kTotal ||
        options.rate_limiter->mode() == RateLimiter::Mode::kReadsOnly) {
      return size;
    }
    size_t step =
        std::min<uint64_t>(size, std::max<uint64_t>(options.rate_limiter->single_burst_bytes(), 1));
    // Direct writes stay aligned, even when the limiter would like less.
    if (direct) step = std::min(std::max(step / alignment * alignment, alignment), size);
    options.rate_limiter->Request(
        std::min<uint64_t>(step, options.rate_limiter->single_burst_bytes()), options.priority);
    return step;
  }

  void ReserveSpace(uint64_t end) {
    if (options.preallocation_bytes == 0 || end <= allocated_end || end <= kNotReservedBytes)
      return;
    const uint64_t step = options.preallocation_bytes;
    const uint64_t new_end = (end + step - 1) / step * step;
    // Only an optimisation: where there is no space, the write itself will tell.
    (void)file->Allocate(allocated_end, new_end - allocated_end);
    allocated_end = new_end;
  }

  Status Write(Slice data) {
    ReserveSpace(buffer_offset + data.size());
    while (!data.empty()) {
      const size_t step = NextStep(data.size());
      if (Status s = file->Append(Slice(data.data(), step)); !s.ok()) return s;
      data.RemovePrefix(step);
      buffer_offset += step;
    }
    return MaybeRangeSync();
  }

  // Writes whole blocks of the buffer and keeps the rest. With `pad`, the rest is also
  // written, filled up with zeroes, to be overwritten when more arrives.
  Status WriteDirect(bool pad) {
    const size_t whole = used / alignment * alignment;
    const size_t rest = used - whole;
    size_t size = whole;
    if (pad && rest != 0) {
      memset(buffer + used, 0, alignment - rest);  // Capacities are aligned.
      size += alignment;
    }
    ReserveSpace(buffer_offset + size);
    for (size_t done = 0; done < size;) {
      const size_t step = NextStep(size - done);
      if (Status s = file->PositionedAppend(Slice(buffer + done, step), buffer_offset + done);
          !s.ok()) {
        return s;
      }
      done += step;
    }
    if (whole != 0 && rest != 0) memmove(buffer, buffer + whole, rest);
    buffer_offset += whole;
    used = rest;
    return Status::Ok();
  }

  Status MaybeRangeSync() {
    const uint64_t every = file_options.bytes_per_sync;
    if (every == 0 || direct || buffer_offset < kNotRangeSyncedBytes) return Status::Ok();
    const uint64_t end =
        (buffer_offset - kNotRangeSyncedBytes) / kRangeSyncAlignment * kRangeSyncAlignment;
    if (end < range_synced + every) return Status::Ok();
    Status s = file->RangeSync(range_synced, end - range_synced);
    range_synced = end;
    return s;
  }
};

void FileWriter::Handover::WriteWaiting() {
  if (state != State::kWaiting) return;
  state = State::kWriting;
  Rep* const writer = rep;
  const Slice bytes = data;
  mu.Unlock();
  Status s = writer->Write(bytes);
  mu.Lock();
  if (outcome.ok()) outcome = std::move(s);
  written_end = writer->buffer_offset;
  state = State::kNone;
  done.Signal();
}

void FileWriter::Handover::StartSync() {
  if (syncing || !outcome.ok() || written_end < sync_begun + kHandedOverSyncBytes) return;
  syncing = true;
  WritableFile* const file = rep->file.get();
  // The page at the end gets more.
  const uint64_t end = written_end / kRangeSyncAlignment * kRangeSyncAlignment;
  const uint64_t begin = std::exchange(sync_begun, end);
  mu.Unlock();
  Status s = file->RangeSync(begin, end - begin);
  mu.Lock();
  if (outcome.ok()) outcome = std::move(s);
  syncing = false;
  done.Signal();
}

FileWriter::FileWriter(std::unique_ptr<WritableFile> file, std::string path,
                       const FileOptions& file_options, const Options& options)
    : rep_(std::make_unique<Rep>(std::move(file), file_options, options)), path_(std::move(path)) {
  const uint64_t size = rep_->file->Size();
  rep_->ahead = file_options.grow_ahead && rep_->plain;
  care_after_ = rep_->file->ahead_needs_care() ? kShortTimeCount : UINT64_MAX;
  rep_->buffer_offset = size;
  rep_->range_synced = size;
  rep_->allocated_end = size;
  if (options.pool != nullptr && rep_->options.pool != nullptr) {
    rep_->handover = std::make_shared<Handover>();
    MutexLock lock(&rep_->handover->mu);
    rep_->handover->rep = rep_.get();
    rep_->handover->sync_begun = size;
  }
  size_.store(size, std::memory_order_relaxed);
  flushed_.store(size, std::memory_order_relaxed);
}

FileWriter::~FileWriter() { (void)Close(); }

Status FileWriter::Remember(Status s) {
  if (s.ok()) return s;
  MutexLock lock(&rep_->mu);
  if (rep_->failure.ok()) rep_->failure = s;
  attention_.fetch_or(kFailed, std::memory_order_release);
  return rep_->failure;
}

Status FileWriter::Append(Slice data) {
  if (failed()) return rep_->Failure();
  Rep& rep = *rep_;
  LeaveWindow();
  size_.store(size_.load(std::memory_order_relaxed) + data.size(), std::memory_order_release);
  if (!rep.direct && rep.used + data.size() > rep.options.buffer_bytes) {
    // What does not fit beside the buffered bytes goes around the buffer when it is large.
    if (Status s = WriteBuffer(/*may_hand_over=*/true); !s.ok()) return s;
    if (data.size() >= rep.options.buffer_bytes) {
      if (Status s = Settle(/*entirely=*/false); !s.ok()) return s;
      if (Status s = Remember(rep.Write(data)); !s.ok()) return s;
      flushed_.store(rep.buffer_offset, std::memory_order_release);
      return Status::Ok();
    }
  }
  while (!data.empty()) {
    if (!rep.Reserve(data.size())) {
      return Remember(Status(Status::Code::kAborted, Status::Subcode::kMemoryLimit,
                             "no memory for a write buffer", path_));
    }
    const size_t part = std::min(data.size(), rep.capacity - rep.used);
    memcpy(rep.buffer + rep.used, data.data(), part);
    rep.used += part;
    data.RemovePrefix(part);
    if (rep.used == rep.options.buffer_bytes) {
      if (Status s = WriteBuffer(/*may_hand_over=*/true); !s.ok()) return s;
    }
  }
  return Status::Ok();
}

char* FileWriter::RoomElsewhere(size_t size) {
  if (failed()) return nullptr;
  Rep& rep = *rep_;
  LeaveWindow();
  if (rep.ahead && rep.used == 0 && EnterWindow(size)) return window_at_;
  // A buffer that becomes full is written by Append().
  if (failed() || rep.used + size >= rep.options.buffer_bytes || !rep.Reserve(size)) return nullptr;
  return rep.buffer + rep.used;
}

Status FileWriter::AppendFilled(size_t size, bool flush) {
  if (SKARN_UNLIKELY(size > window_left_)) return AppendFilledToBuffer(size, flush);
  window_at_ += size;
  window_left_ -= size;
  const uint64_t end = size_.load(std::memory_order_relaxed) + size;
  size_.store(end, std::memory_order_release);
  flushed_.store(end, std::memory_order_release);
  Status s = rep_->file->Filled(end);
  return SKARN_LIKELY(s.ok()) ? Status::Ok() : Remember(std::move(s));
}

Status FileWriter::AppendFilledToBuffer(size_t size, bool flush) {
  Rep& rep = *rep_;
  rep.used += size;
  size_.store(size_.load(std::memory_order_relaxed) + size, std::memory_order_release);
  if (!flush) return Status::Ok();
  const uint64_t end = rep.buffer_offset + rep.used;
  if (SKARN_UNLIKELY(!rep.plain || end > rep.allocated_end)) return Flush();
  // What Flush() does when the options ask for nothing more.
  Status s = rep.file->Append(Slice(rep.buffer, rep.used));
  rep.used = 0;
  if (SKARN_UNLIKELY(!s.ok())) return Remember(std::move(s));
  rep.buffer_offset = end;
  flushed_.store(end, std::memory_order_release);
  s = rep.file->Flush();
  return SKARN_LIKELY(s.ok()) ? Status::Ok() : Remember(std::move(s));
}

void FileWriter::LeaveWindow() {
  Rep& rep = *rep_;
  window_left_ = 0;
  if (rep.window != nullptr && rep.used == 0) {
    rep.buffer_offset = size_.load(std::memory_order_relaxed);
  }
}

bool FileWriter::EnterWindow(size_t size) {
  Rep& rep = *rep_;
  const bool small_pieces = rep.small_pieces.load(std::memory_order_relaxed);
  if (size > kStoredBytesMax && !small_pieces) {
    rep.short_appends = 0;
    return false;
  }
  if (rep.short_appends < kShortAppendsMin) {
    ++rep.short_appends;
    return false;
  }
  // Who appends rarely makes a system call: the window would need one as well.
  const uint64_t now = TimeCount();
  const bool rare = now - std::exchange(last_store_, now) >= care_after_;
  if (rare) {
    rep.prepared = false;
    return false;
  }
  const uint64_t at = rep.buffer_offset;
  if ((attention_.load(std::memory_order_relaxed) & kSynced) != 0) {
    attention_.fetch_and(static_cast<uint8_t>(~kSynced), std::memory_order_relaxed);
    if (!small_pieces) {
      // What is ahead goes and comes back in pages.
      rep.small_pieces.store(true, std::memory_order_relaxed);
      rep.window_bytes = kFirstWindowBytes;
      rep.window_end = 0;
      if (rep.grown && !Remember(rep.file->Truncate(at)).ok()) return false;
    }
  }
  if (rep.window == nullptr || at < rep.window_begin || at + size > rep.window_end) {
    rep.prepared = MoveWindow(size);
  } else if (!rep.prepared) {
    rep.prepared = rep.file->PrepareAhead();
  }
  if (!rep.prepared) {
    // From here on the file is written to: what is wrong with it, if anything, that will tell.
    rep.ahead = false;
    rep.window = nullptr;
    if (rep.grown) (void)Remember(rep.file->Truncate(at)).ok();
    return false;
  }
  window_at_ = rep.window + (at - rep.window_begin);
  window_left_ = rep.window_end - at;
  return true;
}

bool FileWriter::MoveWindow(size_t size) {
  Rep& rep = *rep_;
  // A window that was filled without a sync: the next one need not be of small pieces.
  if (!rep.synced.exchange(false, std::memory_order_relaxed) && rep.window_end != 0) {
    rep.small_pieces.store(false, std::memory_order_relaxed);
  }
  const bool small_pieces = rep.small_pieces.load(std::memory_order_relaxed);
  const uint64_t begin = rep.buffer_offset / kPageBytes * kPageBytes;
  const uint64_t needed = (rep.buffer_offset + size - begin + kPageBytes - 1) / kPageBytes;
  const uint64_t end = begin + std::max<uint64_t>(rep.window_bytes, needed * kPageBytes);
  rep.window_bytes =
      std::min(rep.window_bytes * 2, small_pieces ? kSyncedWindowBytesMax : kWindowBytesMax);
  rep.ReserveSpace(end);
  rep.grown = true;
  if (!rep.file->GrowAhead(end, small_pieces ? kPageBytes : kWindowBytesMax).ok()) return false;
  rep.window = rep.file->MapAhead(begin, end);
  rep.window_begin = begin;
  rep.window_end = end;
  return rep.window != nullptr;
}

Status FileWriter::EndAhead() {
  Rep& rep = *rep_;
  LeaveWindow();
  rep.ahead = false;
  rep.window = nullptr;
  if (!std::exchange(rep.grown, false)) return Status::Ok();
  if (failed()) return rep.Failure();
  return Remember(rep.file->Truncate(rep.buffer_offset));
}

Status FileWriter::Settle(bool entirely) {
  Handover* const handover = rep_->handover.get();
  if (handover == nullptr) return Status::Ok();
  Status s;
  {
    MutexLock lock(&handover->mu);
    handover->WriteWaiting();
    while (handover->state != Handover::State::kNone || (entirely && handover->syncing)) {
      handover->done.Wait();
    }
    s = std::move(handover->outcome);
    handover->outcome = Status::Ok();
  }
  if (!s.ok()) return Remember(std::move(s));
  flushed_.store(rep_->buffer_offset, std::memory_order_release);
  return Status::Ok();
}

Status FileWriter::WriteBuffer(bool may_hand_over) {
  Rep& rep = *rep_;
  if (Status s = Settle(/*entirely=*/!may_hand_over); !s.ok()) return s;
  if (rep.used == 0) return Status::Ok();
  if (may_hand_over && rep.handover != nullptr) {
    const Slice data(rep.buffer, rep.used);
    std::swap(rep.buffer, rep.spare);
    std::swap(rep.capacity, rep.spare_capacity);
    rep.used = 0;
    {
      MutexLock lock(&rep.handover->mu);
      rep.handover->data = data;
      rep.handover->state = Handover::State::kWaiting;
    }
    rep.options.pool->Schedule(rep.options.pool_priority, this, [handover = rep.handover] {
      MutexLock lock(&handover->mu);
      if (handover->state != Handover::State::kWaiting) return;
      handover->WriteWaiting();
      handover->StartSync();
    });
    return Status::Ok();
  }
  Status s;
  if (rep.direct) {
    s = rep.WriteDirect(/*pad=*/false);
  } else {
    s = rep.Write(Slice(rep.buffer, rep.used));
    rep.used = 0;
  }
  if (!s.ok()) return Remember(std::move(s));
  flushed_.store(rep.buffer_offset, std::memory_order_release);
  return Status::Ok();
}

Status FileWriter::Flush() {
  Rep& rep = *rep_;
  if (Status s = Settle(/*entirely=*/true); !s.ok()) return s;
  if (failed()) return rep.Failure();
  if (rep.direct && rep.used != 0) {
    if (Status s = Remember(rep.WriteDirect(/*pad=*/true)); !s.ok()) return s;
    flushed_.store(size_bytes(), std::memory_order_release);
  } else if (Status s = WriteBuffer(/*may_hand_over=*/false); !s.ok()) {
    return s;
  }
  return Remember(rep.file->Flush());
}

Status FileWriter::Sync() {
  if (Status s = Flush(); !s.ok()) return s;
  return SyncWithoutFlush();
}

Status FileWriter::SyncWithoutFlush() {
  if (failed()) return rep_->Failure();
  Rep& rep = *rep_;
  rep.synced.store(true, std::memory_order_relaxed);
  if (!rep.small_pieces.load(std::memory_order_relaxed)) {
    attention_.fetch_or(kSynced, std::memory_order_relaxed);
  }
  return Remember(rep.file_options.use_fsync ? rep.file->Fsync() : rep.file->Sync());
}

Status FileWriter::Close() {
  Rep& rep = *rep_;
  if (rep.file == nullptr) return failed() ? rep.Failure() : Status::Ok();
  Status s = Flush();
  if (s.ok()) s = EndAhead();
  const bool padded = rep.direct && size_bytes() % rep.alignment != 0;
  if (s.ok() && (padded || rep.options.reused)) {
    // The last block was filled up with zeroes, or others come behind.
    s = Remember(rep.file->Truncate(size_bytes()));
  }
  // Jobs that have not begun have nothing left to do.
  if (rep.handover != nullptr) (void)rep.options.pool->Cancel(rep.options.pool_priority, this);
  Status closed = rep.file->Close();
  rep.file.reset();
  if (!s.ok()) return s;
  return Remember(std::move(closed));
}

}  // namespace skarn
