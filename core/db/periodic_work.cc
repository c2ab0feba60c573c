#include "core/db/periodic_work.h"

#include <algorithm>
#include <vector>

#include "core/base/helper_thread.h"
#include "core/base/mutex.h"
#include "core/db/db_impl.h"

namespace skarn {
namespace {

constexpr uint64_t kTickUs = 1000000;
// So long the thread waits for a next database: opening and closing in turn starts no threads.
constexpr int kIdleTicks = 10;

// Lives as long as the process: its thread may be in it to the end.
struct Clockwork {
  Mutex mutex;            // A leaf in the lock order: not held during a tick.
  CondVar pause{&mutex};  // Never signalled: the thread waits for time to pass.
  CondVar ended{&mutex};  // A tick has.
  std::vector<DbImpl*> databases SKARN_GUARDED_BY(mutex);
  DbImpl* ticking SKARN_GUARDED_BY(mutex) = nullptr;
  bool running SKARN_GUARDED_BY(mutex) = false;

  static Clockwork* Get() {
    static Clockwork* const clockwork = new Clockwork;
    return clockwork;
  }

  void Run() {
    int idle = 0;
    MutexLock lock(&mutex);
    while (idle < kIdleTicks) {
      (void)pause.WaitFor(kTickUs);
      idle = databases.empty() ? idle + 1 : 0;
      for (size_t i = 0; i < databases.size(); ++i) {
        DbImpl* const db = ticking = databases[i];
        lock.Unlock();
        db->Tick();
        lock.Lock();
        ticking = nullptr;
        ended.SignalAll();
        // The list may have changed meanwhile; whoever is missed comes a second later.
      }
    }
    running = false;
  }
};

}  // namespace

void PeriodicWork::Add(DbImpl* db) {
  Clockwork* const clockwork = Clockwork::Get();
  MutexLock lock(&clockwork->mutex);
  clockwork->databases.push_back(db);
  if (clockwork->running) return;
  HelperThread thread;
  // Without one, the next database that is opened tries again.
  clockwork->running = thread.Start([clockwork] { clockwork->Run(); });
  if (clockwork->running) thread.Detach();
}

void PeriodicWork::Remove(DbImpl* db) {
  Clockwork* const clockwork = Clockwork::Get();
  MutexLock lock(&clockwork->mutex);
  std::erase(clockwork->databases, db);
  while (clockwork->ticking == db) clockwork->ended.Wait();
}

}  // namespace skarn
