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

// Windows. They grow with the file, which so gets few zeroes for its bytes.
constexpr uint64_t kPageBytes = 4096;
constexpr size_t kFirstWindowBytes = 16 << 10;
constexpr size_t kSmallWindowBytes = 64 << 10;
constexpr size_t kWindowBytesMax = 1 << 20;
constexpr uint64_t kWindowsInFile = 8;
// A file that is synced has short windows, written a page at a time: the system writes pages, or
// whatever larger pieces it keeps them in, whole.
constexpr size_t kSyncedWindowBytesMax = 64 << 10;
// Zeroes for longer appends take as long as writing these: they are stored where a job was in time.
constexpr size_t kStoredBytesMax = 512;
// How far ahead of long appends a job begins, and what it does before it looks whether to go on.
constexpr uint64_t kGrowthLeadBytes = 128 << 10;
constexpr uint64_t kGrowthStepBytes = 64 << 10;
// How much of the window before the next one shows, too: more than any record's fragment.
constexpr uint64_t kOverlapBytes = 64 << 10;
// Long appends are stored in files that are large enough for windows which are worth a job.
constexpr uint64_t kStoredLongFrom = 2 << 20;
// A window is opened after so many appends in a row that may be stored.
constexpr int kAppendsMin = 8;

uint64_t PageOf(uint64_t offset) { return offset / kPageBytes * kPageBytes; }
uint64_t PageAfter(uint64_t offset) { return PageOf(offset + kPageBytes - 1); }

// What a window of a file of `size` bytes has at most.
size_t WindowBytes(uint64_t size) {
  const uint64_t share = size / kWindowsInFile / kSmallWindowBytes * kSmallWindowBytes;
  return std::clamp<uint64_t>(share, kSmallWindowBytes, kWindowBytesMax);
}

}  // namespace

// What shows a part of the file.
struct FileWriter::Window {
  char* memory = nullptr;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t mapped_at = 0;  // TimeCount().

  bool Has(uint64_t from, uint64_t to) const {
    return memory != nullptr && from >= begin && to <= end;
  }
  void Unmap(WritableFile* file) {
    if (memory != nullptr) file->UnmapAhead(memory, end - begin);
    memory = nullptr;
  }
};

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

// Zeroes that a job of the pool is to write.
struct FileWriter::Growth {
  enum class State : uint8_t { kNone, kWaiting, kGrowing };

  // Writes them and makes a window of them. Releases the mutex while it works.
  void Grow() SKARN_REQUIRES(mu);

  // A leaf in the lock order: nothing is locked under it.
  Mutex mu;
  CondVar done{&mu};
  State state SKARN_GUARDED_BY(mu) = State::kNone;
  bool stop SKARN_GUARDED_BY(mu) = false;
  WritableFile* file SKARN_GUARDED_BY(mu) = nullptr;  // Alive while there is something to do.
  uint64_t begin SKARN_GUARDED_BY(mu) = 0;            // Of the window.
  uint64_t at SKARN_GUARDED_BY(mu) = 0;               // Up to here they are there.
  uint64_t end SKARN_GUARDED_BY(mu) = 0;
  bool failed SKARN_GUARDED_BY(mu) = false;
  Window window SKARN_GUARDED_BY(mu);    // From `begin` to `end`, once they are there.
  Window obsolete SKARN_GUARDED_BY(mu);  // To be given back.
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
  Window window;
  Window next;                              // That a job has made.
  size_t window_bytes = kFirstWindowBytes;  // Of the next one.
  // Zeroes are between these, but for what was appended there.
  uint64_t zeroes_begin = 0;
  uint64_t zeroes_end = 0;
  bool growing = false;  // A job was asked for more, from `growth_begin` on.
  uint64_t growth_begin = 0;
  std::shared_ptr<Growth> growth;  // Shared with jobs, which may begin when the file is gone.
  int appends = 0;                 // In a row, of those that may be stored; up to kAppendsMin.
  // Of the window, stores between these will not fail for a while.
  uint64_t prepared_begin = 0;
  uint64_t prepared_end = 0;
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

  // Nothing grows the file any more, as far as `end` is concerned.
  void StopGrowthBefore(uint64_t end) {
    if (SKARN_UNLIKELY(growing && end > growth_begin)) StopGrowth();
  }
  void StopGrowth() {
    if (!growing) return;
    growing = false;
    MutexLock lock(&growth->mu);
    if (growth->state == Growth::State::kWaiting) growth->state = Growth::State::kNone;
    growth->stop = true;
    while (growth->state != Growth::State::kNone) growth->done.Wait();
    growth->obsolete.Unmap(file.get());
    next.Unmap(file.get());
    next = std::exchange(growth->window, Window());
    // Where the file cannot grow, this ends with the appending thread's own attempt.
    if (growth->failed) options.ahead_pool = nullptr;
    if (growth->at == growth_begin) return;
    if (growth_begin != zeroes_end) zeroes_begin = growth_begin;
    zeroes_end = growth->at;
  }

  void Unmap() {
    window.Unmap(file.get());
    next.Unmap(file.get());
  }

  Status Write(Slice data) {
    StopGrowthBefore(buffer_offset + data.size());
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

void FileWriter::Growth::Grow() {
  state = State::kGrowing;
  if (obsolete.memory != nullptr) {
    Window old = std::exchange(obsolete, Window());
    WritableFile* const target = file;
    mu.Unlock();
    old.Unmap(target);
    mu.Lock();
  }
  while (!stop && at < end && !failed) {
    WritableFile* const target = file;
    const uint64_t from = at;
    const uint64_t to = std::min(end, from + kGrowthStepBytes);
    mu.Unlock();
    const bool ok = target->GrowAhead(from, to, kGrowthStepBytes).ok();
    mu.Lock();
    if (ok) at = to;
    failed = !ok;
  }
  if (!stop && !failed) {
    Window made;
    made.begin = begin;
    made.end = end;
    WritableFile* const target = file;
    mu.Unlock();
    made.mapped_at = TimeCount();
    made.memory = target->MapAhead(made.begin, made.end);
    mu.Lock();
    window = made;
  }
  state = State::kNone;
  done.Signal();
}

FileWriter::FileWriter(std::unique_ptr<WritableFile> file, std::string path,
                       const FileOptions& file_options, const Options& options)
    : rep_(std::make_unique<Rep>(std::move(file), file_options, options)), path_(std::move(path)) {
  const uint64_t size = rep_->file->Size();
  rep_->ahead = file_options.grow_ahead && rep_->plain && rep_->options.pool == nullptr;
  if (!rep_->ahead) rep_->options.ahead_pool = nullptr;
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
  const char* const from = window_at_;
  window_at_ += size;
  window_left_ -= size;
  const uint64_t end = size_.load(std::memory_order_relaxed) + size;
  size_.store(end, std::memory_order_release);
  flushed_.store(end, std::memory_order_release);
  Status s = rep_->file->Filled(from, end);
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
  rep.StopGrowthBefore(end);
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
  if (rep.window.memory != nullptr && rep.used == 0) {
    rep.buffer_offset = size_.load(std::memory_order_relaxed);
  }
}

bool FileWriter::EnterWindow(size_t size) {
  Rep& rep = *rep_;
  const bool small_pieces = rep.small_pieces.load(std::memory_order_relaxed);
  if (size > kStoredBytesMax && !small_pieces &&
      (rep.options.ahead_pool == nullptr || rep.buffer_offset < kStoredLongFrom)) {
    rep.appends = 0;
    return false;
  }
  if (rep.appends < kAppendsMin) {
    ++rep.appends;
    return false;
  }
  const uint64_t at = rep.buffer_offset;
  if ((attention_.load(std::memory_order_relaxed) & kSynced) != 0) {
    attention_.fetch_and(static_cast<uint8_t>(~kSynced), std::memory_order_relaxed);
    if (!small_pieces) {
      // What is ahead goes and comes back in pages.
      rep.small_pieces.store(true, std::memory_order_relaxed);
      rep.window_bytes = kFirstWindowBytes;
      if (!CutZeroes().ok()) return false;
    }
  }
  Moved moved = Moved::kYes;
  if (!rep.window.Has(at, at + size)) {
    moved = MoveWindow(size);
    if (moved == Moved::kYes) {
      prepared_at_ = rep.window.mapped_at;
      rep.prepared_begin = at;
      rep.prepared_end = rep.window.end;
    }
  }
  if (moved == Moved::kYes && PrepareWindow(at, size, &moved)) {
    window_at_ = rep.window.memory + (at - rep.window.begin);
    window_left_ = rep.prepared_end - at;
    return true;
  }
  if (moved == Moved::kNever) {
    // From here on the file is written to: what is wrong with it, if anything, that will tell.
    rep.ahead = false;
    (void)CutZeroes().ok();
  }
  return false;
}

bool FileWriter::PrepareWindow(uint64_t at, size_t size, Moved* moved) {
  Rep& rep = *rep_;
  const uint64_t now = TimeCount();
  const bool late = now - prepared_at_ >= care_after_;
  if (!late && at + size <= rep.prepared_end) return true;
  // Who appends rarely makes a system call: the window would need one as well.
  if (late && at < rep.prepared_begin + kPageBytes) return false;
  // No more than is soon used: it may have been written to the disk, and will be again.
  const uint64_t begin = PageOf(at);
  const uint64_t soon = begin + (late ? kFirstWindowBytes : kSmallWindowBytes);
  const uint64_t end = std::min(rep.window.end, std::max(soon, PageAfter(at + size)));
  if (!rep.file->PrepareAhead(rep.window.memory + (begin - rep.window.begin), end - begin)) {
    *moved = Moved::kNever;
    return false;
  }
  prepared_at_ = now;
  rep.prepared_begin = at;
  rep.prepared_end = end;
  return true;
}

FileWriter::Moved FileWriter::MoveWindow(size_t size) {
  Rep& rep = *rep_;
  // A window that was filled without a sync: the next one need not be of small pieces.
  if (!rep.synced.exchange(false, std::memory_order_relaxed) && rep.window.memory != nullptr) {
    rep.small_pieces.store(false, std::memory_order_relaxed);
  }
  const bool small_pieces = rep.small_pieces.load(std::memory_order_relaxed);
  const uint64_t at = rep.buffer_offset;
  const uint64_t begin = PageOf(at);
  // Zeroes that begin further ahead are not for this append.
  const bool long_append = size > kStoredBytesMax && !small_pieces;
  if (long_append && rep.growing && at + size <= rep.growth_begin && at >= rep.zeroes_end) {
    return Moved::kNotNow;
  }
  rep.StopGrowth();
  if (at < rep.zeroes_begin || at + size > rep.zeroes_end) {
    if (long_append) {
      // What reaches into zeroes that begin further ahead is written, and the next one stored.
      if (at < rep.zeroes_begin && at + size < rep.zeroes_end) return Moved::kNotNow;
      RequestGrowth(PageAfter(at + size) + kGrowthLeadBytes, WindowBytes(at), nullptr);
      return Moved::kNotNow;
    }
    uint64_t from = at;
    if (at >= rep.zeroes_begin && at <= rep.zeroes_end) {
      from = rep.zeroes_end;
    } else {
      rep.zeroes_begin = at;
    }
    const uint64_t end = std::max(begin + rep.window_bytes, PageAfter(at + size));
    rep.ReserveSpace(end);
    rep.grown = true;
    rep.zeroes_end = end;
    if (!rep.file->GrowAhead(from, end, small_pieces ? kPageBytes : kWindowBytesMax).ok()) {
      return Moved::kNever;
    }
  }
  Window last = rep.window;
  if (rep.next.Has(at, at + size)) {
    rep.window = std::exchange(rep.next, Window());
  } else {
    rep.next.Unmap(rep.file.get());
    rep.window.begin = begin;
    rep.window.end = std::min(rep.zeroes_end, begin + kWindowBytesMax);
    rep.window.mapped_at = TimeCount();
    rep.window.memory = rep.file->MapAhead(rep.window.begin, rep.window.end);
  }
  const size_t bytes_max = small_pieces ? kSyncedWindowBytesMax : WindowBytes(at);
  rep.window_bytes = std::min(rep.window_bytes * 2, bytes_max);
  if (rep.window.memory != nullptr && !small_pieces && rep.window.end == rep.zeroes_end) {
    RequestGrowth(rep.zeroes_end, std::max(rep.window_bytes, kSmallWindowBytes), &last);
  }
  last.Unmap(rep.file.get());
  return rep.window.memory == nullptr ? Moved::kNever : Moved::kYes;
}

void FileWriter::RequestGrowth(uint64_t begin, size_t bytes, Window* obsolete) {
  Rep& rep = *rep_;
  if (rep.options.ahead_pool == nullptr) return;
  rep.ReserveSpace(begin + bytes);
  rep.grown = true;
  rep.growing = true;
  rep.growth_begin = begin;
  if (rep.growth == nullptr) rep.growth = std::make_shared<Growth>();
  {
    MutexLock lock(&rep.growth->mu);
    rep.growth->state = Growth::State::kWaiting;
    rep.growth->stop = false;
    rep.growth->failed = false;
    rep.growth->file = rep.file.get();
    // What does not fit into the window before is stored in one piece.
    rep.growth->begin = begin == rep.zeroes_end ? begin - std::min(begin, kOverlapBytes) : begin;
    rep.growth->at = begin;
    rep.growth->end = begin + bytes;
    if (obsolete != nullptr) rep.growth->obsolete = std::exchange(*obsolete, Window());
  }
  rep.options.ahead_pool->Schedule(ThreadPool::Priority::kUser, this, [growth = rep.growth] {
    MutexLock lock(&growth->mu);
    if (growth->state == Growth::State::kWaiting) growth->Grow();
  });
}

Status FileWriter::CutZeroes() {
  Rep& rep = *rep_;
  rep.StopGrowth();
  rep.Unmap();
  rep.zeroes_begin = 0;
  rep.zeroes_end = 0;
  if (!std::exchange(rep.grown, false)) return Status::Ok();
  return Remember(rep.file->Truncate(rep.buffer_offset));
}

Status FileWriter::EndAhead() {
  Rep& rep = *rep_;
  LeaveWindow();
  rep.ahead = false;
  rep.StopGrowth();
  if (rep.grown && failed()) {
    // What a failed write has left is not touched.
    rep.Unmap();
    rep.grown = false;
    return rep.Failure();
  }
  return CutZeroes();
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

Status FileWriter::SyncWithoutFlush(SyncHandle* handle) {
  if (failed()) return rep_->Failure();
  Rep& rep = *rep_;
  rep.synced.store(true, std::memory_order_relaxed);
  if (!rep.small_pieces.load(std::memory_order_relaxed)) {
    attention_.fetch_or(kSynced, std::memory_order_relaxed);
  }
  if (handle != nullptr) return Remember(handle->Sync());
  return Remember(rep.file_options.use_fsync ? rep.file->Fsync() : rep.file->Sync());
}

Result<std::unique_ptr<SyncHandle>> FileWriter::NewSyncHandle() {
  return rep_->file->NewSyncHandle();
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
  rep.StopGrowth();
  rep.Unmap();
  // Jobs that have not begun have nothing left to do.
  if (rep.growth != nullptr && rep.options.ahead_pool != nullptr) {
    (void)rep.options.ahead_pool->Cancel(ThreadPool::Priority::kUser, this);
  }
  if (rep.handover != nullptr) (void)rep.options.pool->Cancel(rep.options.pool_priority, this);
  Status closed = rep.file->Close();
  rep.file.reset();
  if (!s.ok()) return s;
  return Remember(std::move(closed));
}

}  // namespace skarn
