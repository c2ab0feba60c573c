// The end of handles, and what misused ones stand for.
//
// A destroyed handle is emptied, marked, and kept for a while before its memory is given back: the
// last kRetiredMax of each kind. Until then destroying it again does nothing, and using it reaches
// an object that answers every call with an error, or option objects of defaults. The same
// stand for null pointers and for column families of another database. It costs a call no more
// than a few comparisons.
//
// Thread safety: any thread.

#ifndef SKARN_COMPAT_HANDLE_LIFE_H_
#define SKARN_COMPAT_HANDLE_LIFE_H_

#include <cstddef>
#include <memory>
#include <new>
#include <vector>

#include "compat/handles.h"
#include "core/base/quarantine.h"
#include "core/iterate/db_iterator.h"

inline constexpr size_t kRetiredMax = 64;

// They live until the process ends.
skarn::Db* MisusedDb();                      // Every call fails.
skarn::DbIterator* MisusedIterator();        // Never valid, with an error.
skarn::ColumnFamilyHandle* MisusedFamily();  // With an id that no database knows.
skarn::Cache* MisusedCache();                // Keeps nothing.
skarn::Status MisusedStatus();

// Empties a handle as it is retired: whatever holds memory or other objects goes now.
template <typename Handle>
void Empty(Handle* handle) {
  handle->~Handle();
  new (handle) Handle();
}
inline void Empty(rocksdb_pinnableslice_t* value) { value->rep.Reset(); }
inline void Empty(rocksdb_pinnable_handle_t* value) { value->rep.Reset(); }
// Iterators made with it read its bounds where they are.
inline void Empty(rocksdb_readoptions_t* options) { options->rep.table_filter_state.reset(); }
inline void Empty(rocksdb_wal_iterator_t* iterator) { iterator->rep.reset(); }
// What passes to the options it is given to may be given to others as well, while the first have
// it.
template <typename Plugin>
void KeepGiven(Plugin* plugin) {
  plugin->given = plugin->rep;
  plugin->rep.reset();
}
inline void Empty(rocksdb_slicetransform_t* transform) { KeepGiven(transform); }
inline void Empty(rocksdb_filterpolicy_t* policy) { KeepGiven(policy); }
template <typename Plugin>
auto SharedPlugin(const Plugin& plugin) {
  return plugin.rep != nullptr ? plugin.rep : plugin.given.lock();
}
// An open database may still use it: it stays whole as long as it is kept.
inline void Empty(rocksdb_env_t*) {}

// What destroy functions do, whatever they are given.
template <typename Handle>
[[gnu::noinline]] void Retire(Handle* handle) {
  static skarn::Quarantine<Handle, kRetiredMax> retired;
  if (handle == nullptr || !handle->tag.live()) return;
  Empty(handle);
  handle->tag.Retire();
  delete retired.Exchange(handle);
}

// The same for objects without a tag, such as those that run code of the caller when they are
// destroyed. Destroyed now, their memory kept.
template <typename Object>
skarn::Quarantine<char, kRetiredMax>& RetiredObjects() {
  static skarn::Quarantine<char, kRetiredMax> retired;
  return retired;
}
template <typename Object>
[[gnu::noinline]] void RetireObject(Object* object) {
  char* const memory = reinterpret_cast<char*>(object);
  if (object == nullptr || RetiredObjects<Object>().Holds(memory)) return;
  object->~Object();
  ::operator delete(RetiredObjects<Object>().Exchange(memory));
}
// For objects that pass to the options they are given to: given to several, they are shared.
template <typename Object>
std::shared_ptr<Object> ShareObject(Object* object) {
  if (object == nullptr) return nullptr;
  if (std::shared_ptr<Object> shared = object->weak_from_this().lock()) return shared;
  return std::shared_ptr<Object>(object, [](Object* last) { RetireObject(last); });
}
// Destroys one that no options have.
template <typename Object>
void DestroyObject(Object* object) {
  if (object == nullptr || RetiredObjects<Object>().Holds(reinterpret_cast<char*>(object))) return;
  if (object->weak_from_this().expired()) RetireObject(object);
}

// A handle that can be used, whatever a caller passed: for null one of defaults, which is the
// calling thread's and new at each call. The one before stays, since a call may be given null for
// two. They do not pass through Retire(): they would push out what callers have destroyed.
template <typename Handle>
[[gnu::cold, gnu::noinline]] Handle* SpareHandle() {
  thread_local Handle* spare = nullptr;
  thread_local Handle* before = nullptr;
  delete before;
  before = spare;
  return spare = new Handle;
}
template <typename Handle>
Handle* Usable(Handle* handle) {
  return __builtin_expect(handle != nullptr, 1) ? handle : SpareHandle<Handle>();
}
template <typename Handle>
const Handle* Usable(const Handle* handle) {
  return Usable(const_cast<Handle*>(handle));
}

// What a handle stands for, whatever a caller passed.
inline skarn::Db* DbOf(const rocksdb_t* db) {
  return db != nullptr && db->rep != nullptr ? db->rep.get() : MisusedDb();
}
inline skarn::ColumnFamilyHandle* FamilyOf(const rocksdb_column_family_handle_t* family) {
  return family != nullptr && family->rep != nullptr ? family->rep : MisusedFamily();
}
// The same, for a call on `db`: it must be one of its own.
inline skarn::ColumnFamilyHandle* FamilyIn(const rocksdb_t* db,
                                           const rocksdb_column_family_handle_t* family) {
  return db != nullptr && family != nullptr && family->rep != nullptr && family->db == db->rep
             ? family->rep
             : MisusedFamily();
}
// The database for a call that names column families, which come from FamilyIn().
inline skarn::Db* DbOf(const rocksdb_t* db, const skarn::ColumnFamilyHandle* family) {
  return family == nullptr || family != MisusedFamily() ? DbOf(db) : MisusedDb();
}
inline skarn::Db* DbOf(const rocksdb_t* db, skarn::ColumnFamilyHandle* const* families,
                       size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (families[i] != nullptr && families[i] == MisusedFamily()) return MisusedDb();
  }
  return DbOf(db);
}
inline skarn::Db* DbOf(const rocksdb_t* db,
                       const std::vector<skarn::ColumnFamilyHandle*>& families) {
  return DbOf(db, families.data(), families.size());
}
inline skarn::DbIterator* IteratorOf(const rocksdb_iterator_t* iterator) {
  return iterator != nullptr && iterator->rep != nullptr ? iterator->rep.get() : MisusedIterator();
}
inline skarn::Cache* CacheOf(const rocksdb_cache_t* cache) {
  return cache != nullptr && cache->rep != nullptr ? cache->rep.get() : MisusedCache();
}

// Text of a caller, who may have none.
inline const char* TextOf(const char* text) { return text == nullptr ? "" : text; }

// Gives a size to a caller who may not want it.
inline void GiveSize(size_t* to, size_t size) {
  if (to != nullptr) *to = size;
}

#endif  // SKARN_COMPAT_HANDLE_LIFE_H_
