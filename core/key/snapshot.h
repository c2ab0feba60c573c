// Snapshot is a moment of the database that readers may name.
//
// Created and released by Db; a caller only passes it in ReadOptions and asks for
// its number.

#ifndef SKARN_CORE_KEY_SNAPSHOT_H_
#define SKARN_CORE_KEY_SNAPSHOT_H_

#include <cstdint>

#include "core/key/internal_key.h"

namespace skarn {

class Snapshot {
 public:
  Snapshot(SequenceNumber sequence, uint64_t created_s)
      : sequence_(sequence), created_s_(created_s) {}

  SequenceNumber sequence() const { return sequence_; }
  uint64_t created_s() const { return created_s_; }  // Seconds since 1970.

 private:
  friend class SnapshotList;
  const SequenceNumber sequence_;
  const uint64_t created_s_;
  Snapshot* next_ = nullptr;
  Snapshot* previous_ = nullptr;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_SNAPSHOT_H_
