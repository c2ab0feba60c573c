#include "tests/crash/fault_run.h"

#include <atomic>
#include <cstring>
#include <functional>
#include <thread>

namespace skarn {

namespace {

size_t OperationsOf(const void* disk) {
  return static_cast<const CrashFileSystem*>(disk)->OperationCount();
}

// Runs what waits for background work, while that work runs here.
Status RunBlocking(OpenDatabase* database, const std::function<Status()>& call) {
  std::atomic<bool> ended{false};
  Status status;
  std::thread thread([&] {
    status = call();
    ended.store(true, std::memory_order_release);
  });
  while (!ended.load(std::memory_order_acquire)) {
    database->Settle();
    std::this_thread::yield();
  }
  thread.join();
  return status;
}

}  // namespace

FaultRun::FaultRun(const Workload& workload, uint64_t seed, const FaultFileSystem::Plan& plan)
    : workload_(workload),
      plan_(plan),
      faults_(&disk_),
      player_(workload, seed, &faults_, &OperationsOf, &disk_) {
  faults_.set_offers_memory(workload.through_memory);
  // A disk that only says that it is full keeps what it took.
  if (plan.error_number != ENOSPC) {
    faults_.set_on_failed_sync([this](const std::string& path) { disk_.FailSync(path); });
  }
}

bool FaultRun::NamesTheCause(const Status& status) const {
  const std::string text = status.ToString();
  // What changed column families or options was done, but for its OPTIONS file.
  const bool quoted = text.find("Unable to persist options.: ") != std::string::npos;
  return status.IsIoError() && (quoted || status.IsNoSpace() == (plan_.error_number == ENOSPC)) &&
         text.find(strerror(plan_.error_number)) != std::string::npos;
}

bool FaultRun::InDoubt(const std::string& family) const {
  for (const History::Family& known : player_.history().families) {
    if (known.name == family) return known.drop_begun != kNever;
  }
  return false;
}

bool FaultRun::Go() {
  if (Status s = player_.Begin(); !s.ok()) {
    Violation("open without a fault: " + s.ToString());
    return false;
  }
  faults_.Arm(plan_);
  while (status_.ok() && !player_.done()) status_ = player_.Step();
  surfaced_ = !status_.ok();
  batch_failed_ = player_.failed_batch(&failed_) != 0;
  if (surfaced_ && !NamesTheCause(status_)) {
    Violation("the error does not tell the cause: " + status_.ToString());
  }
  const bool failed = faults_.failures() > 0;
  // Reads go on while writes fail.
  const bool open = player_.database().db() != nullptr;
  if (open && (plan_.kinds & FaultFileSystem::kRead) == 0) CheckLive();
  faults_.Disarm();
  if (open) {
    CheckLive();
    if (surfaced_) ResumeAndWrite();
  }
  for (const CrashFileSystem::Loss loss :
       {CrashFileSystem::Loss::kNothing, CrashFileSystem::Loss::kEverything,
        CrashFileSystem::Loss::kAnything}) {
    CheckCrash(loss);
  }
  CheckReopened();
  return failed;
}

bool FaultRun::Acceptable::Contains(const Moment& found) const {
  static const Content empty;
  for (const Moment* const state : states) {
    bool same = true;
    for (const auto& [name, content] : found) {
      const auto then = state->find(name);
      same = same && content == (then == state->end() ? empty : then->second);
    }
    if (same) return true;
  }
  return false;
}

// All that was acknowledged, and perhaps the batch whose failure came after it was in the log.
void FaultRun::CheckLive() {
  live_.clear();
  if (Status s = player_.database().Read(&live_); !s.ok()) {
    Violation("a read after the fault: " + s.ToString());
    return;
  }
  Acceptable acceptable;
  acceptable.states.push_back(&player_.history().moments.back());
  if (batch_failed_) acceptable.states.push_back(&failed_);
  if (!acceptable.Contains(live_)) Violation("reads after the fault show something else");
}

void FaultRun::ResumeAndWrite() {
  OpenDatabase& database = player_.database();
  Db* const db = database.db();
  const auto put = [&](const std::string& value) {
    WriteBatch batch;
    for (const auto& [name, handle] : database.handles()) {
      if (InDoubt(name)) continue;
      (void)batch.Put(handle->id(), "~after", value).ok();
    }
    WriteOptions options;
    options.sync = !workload_.unlogged;
    options.disable_wal = workload_.unlogged;
    return db->Write(options, &batch);
  };
  const Status resumed = RunBlocking(&database, [db] { return db->Resume(); });
  if (!resumed.ok()) {
    reopened_ = true;
    if (plan_.error_number == ENOSPC && !db->GetDbOptions().manual_wal_flush) {
      Violation("space is back, but writes do not go on: " + resumed.ToString());
    }
    if (!NamesTheCause(resumed)) Violation("resume tells no cause: " + resumed.ToString());
    const Status refused = put("refused");
    if (refused.ToString() != resumed.ToString()) {
      Violation("a write is refused with another error: " + refused.ToString());
    }
    CheckLive();
    return;
  }
  resumed_ = true;
  Status s = put("resumed");
  if (s.ok() && workload_.unlogged) {
    std::vector<ColumnFamilyHandle*> handles;
    for (const auto& [name, handle] : database.handles()) {
      if (!InDoubt(name)) handles.push_back(handle.get());
    }
    s = RunBlocking(&database, [&] { return db->Flush(FlushOptions(), handles); });
  }
  if (!s.ok()) {
    Violation("a write after resuming: " + s.ToString());
    return;
  }
  database.Settle();
  for (const auto& [name, handle] : database.handles()) {
    if (!InDoubt(name)) live_[name]["~after"] = "resumed";
  }
  Moment now;
  s = database.Read(&now);
  if (!s.ok() || now != live_) Violation("reads after resuming show something else");
  wrote_after_ = true;
}

FaultRun::Acceptable FaultRun::AcceptableAfter(bool only_killed) const {
  Acceptable acceptable;
  // What was synced after the fault covers all that was visible then.
  if (wrote_after_) {
    acceptable.states.push_back(&live_);
    return acceptable;
  }
  const History& history = player_.history();
  size_t batch_min = 0;
  for (const History::Promise& promise : history.promises) {
    if (promise.survives_power || only_killed) batch_min = std::max(batch_min, promise.batch);
  }
  for (size_t batch = batch_min; batch < history.moments.size(); ++batch) {
    acceptable.states.push_back(&history.moments[batch]);
  }
  if (batch_failed_) acceptable.states.push_back(&failed_);
  return acceptable;
}

void FaultRun::CheckDisk(FileSystem* fs, const Acceptable& acceptable, const std::string& when,
                         bool may_refuse_manifest) {
  OpenDatabase database;
  if (Status s = database.Open(fs, workload_, /*create=*/false); !s.ok()) {
    const std::string text = s.ToString();
    if (may_refuse_manifest && s.IsCorruption() && text.find("/MANIFEST-") != std::string::npos) {
      return;
    }
    Violation(when + ": " + text);
    return;
  }
  for (const History::Family& family : player_.history().families) {
    const bool there = database.handles().count(family.name) != 0;
    if (family.created != kNever && family.drop_begun == kNever && !there) {
      Violation(when + ": column family " + family.name + " is gone");
    }
    if (family.dropped != kNever && there) {
      Violation(when + ": column family " + family.name + " is back");
    }
  }
  Moment found;
  if (Status s = database.Read(&found); !s.ok()) {
    Violation(when + ": " + s.ToString());
  } else if (!acceptable.Contains(found)) {
    Violation(when + ": what is there is not what was acknowledged");
  }
  // And it can be written to.
  for (const auto& [name, handle] : database.handles()) {
    Status s = database.db()->Put(WriteOptions(), handle.get(), "~last", Slice(), name);
    if (!s.ok()) Violation(when + ": a write: " + s.ToString());
  }
}

void FaultRun::CheckCrash(CrashFileSystem::Loss loss) {
  const auto disk = disk_.AfterPowerCut(disk_.OperationCount(), loss, plan_.nth);
  const Acceptable acceptable = AcceptableAfter(loss == CrashFileSystem::Loss::kNothing);
  CheckDisk(disk.get(), acceptable, Concat("after a power cut, loss ", static_cast<int>(loss)),
            loss == CrashFileSystem::Loss::kAnything);
}

void FaultRun::CheckReopened() {
  player_.CloseDatabase();
  CheckDisk(&disk_, AcceptableAfter(/*only_killed=*/true), "opened again",
            /*may_refuse_manifest=*/false);
}

}  // namespace skarn
