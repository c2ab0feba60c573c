// What every way to commit a group of writers ends with.

#ifndef SKARN_CORE_DB_WRITE_GROUP_H_
#define SKARN_CORE_DB_WRITE_GROUP_H_

#include "core/batch/write_batch.h"
#include "core/db/commit_queue.h"

namespace skarn {

// Gives the writers of a group its outcome. Those that are excluded have theirs.
[[gnu::always_inline]] inline void TellGroup(Writer* leader, Writer* last, const Status& status) {
  for (Writer* writer = leader;; writer = writer->newer) {
    if (!writer->excluded) {
      if (!status.ok()) {
        writer->status = status;
      } else if (writer->batch != nullptr) {
        writer->batch->set_sequence(writer->sequence);
      }
    }
    if (writer == last) break;
  }
}

}  // namespace skarn

#endif  // SKARN_CORE_DB_WRITE_GROUP_H_
