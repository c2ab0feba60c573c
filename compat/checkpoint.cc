// Checkpoints (c/checkpoint.h).

#include "core/db/checkpoint.h"

#include "compat/c_status.h"
#include "compat/handles.h"
#include "include/c_api/rocksdb/c.h"

struct rocksdb_checkpoint_t {
  skarn::Db* db = nullptr;  // The caller's, who closes it after this.
};

extern "C" {

rocksdb_checkpoint_t* rocksdb_checkpoint_object_create(rocksdb_t* db, char**) {
  return new rocksdb_checkpoint_t{db->rep.get()};
}
void rocksdb_checkpoint_object_destroy(rocksdb_checkpoint_t* checkpoint) { delete checkpoint; }
void rocksdb_checkpoint_create(rocksdb_checkpoint_t* checkpoint, const char* checkpoint_dir,
                               uint64_t log_size_for_flush, char** errptr) {
  skarn::SaveError(errptr,
                   skarn::CreateCheckpoint(checkpoint->db, checkpoint_dir, log_size_for_flush));
}

}  // extern "C"
