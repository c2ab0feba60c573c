// PeriodicWork wakes open databases once a second, so that what is due by time happens
// in idle ones too: dumps of statistics, compactions by age.
//
// One thread serves all databases of the process. It starts with the first and ends some
// time after the last.
//
// Thread safety: any thread.

#ifndef SKARN_CORE_DB_PERIODIC_WORK_H_
#define SKARN_CORE_DB_PERIODIC_WORK_H_

namespace skarn {

class DbImpl;

class PeriodicWork {
 public:
  // From now on db->Tick() is called, until Remove() returns.
  static void Add(DbImpl* db);
  // Waits for a tick of this database that is running. No lock of it may be held.
  static void Remove(DbImpl* db);
};

}  // namespace skarn

#endif  // SKARN_CORE_DB_PERIODIC_WORK_H_
