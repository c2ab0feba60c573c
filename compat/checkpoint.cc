// Checkpoints (c/checkpoint.h).

#include "core/db/checkpoint.h"

#include "compat/c_status.h"
#include "compat/handle_life.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

struct rocksdb_checkpoint_t {
  std::shared_ptr<skarn::Db> db;  // Shared with the caller's database.
  skarn::HandleTag tag{};
};

extern "C" {

rocksdb_checkpoint_t* rocksdb_checkpoint_object_create(rocksdb_t* db, char**) {
  return new rocksdb_checkpoint_t{db != nullptr ? db->rep : nullptr};
}
void rocksdb_checkpoint_object_destroy(rocksdb_checkpoint_t* checkpoint) { Retire(checkpoint); }
void rocksdb_checkpoint_create(rocksdb_checkpoint_t* checkpoint, const char* checkpoint_dir,
                               uint64_t log_size_for_flush, char** errptr) {
  if (checkpoint == nullptr || checkpoint->db == nullptr || checkpoint_dir == nullptr) {
    skarn::SaveError(errptr, MisusedStatus());
    return;
  }
  skarn::SaveError(
      errptr, skarn::CreateCheckpoint(checkpoint->db.get(), checkpoint_dir, log_size_for_flush));
}

}  // extern "C"
