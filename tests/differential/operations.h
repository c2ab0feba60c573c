// The operations a run is made of, by group. Each works on one side and says everything it learned
// in side.answer; the driver runs it on both sides with equal Rngs and compares.
//
// An operation must draw the same numbers on both sides: it may look at its side's lists and
// configuration, which are equal, but at nothing that depends on timing or on the library.

#ifndef SKARN_TESTS_DIFFERENTIAL_OPERATIONS_H_
#define SKARN_TESTS_DIFFERENTIAL_OPERATIONS_H_

#include <string>
#include <vector>

#include "side.h"

namespace differential {

struct Operation {
  const char* name;
  unsigned weight;  // Relative to the other operations'.
  void (*run)(Side& side, Rng& rng);
};

// Single writes, batches, misuse of them, and what poisons a database.
const std::vector<Operation>& WriteOperations();
const std::vector<Operation>& BatchOperations();
// Point reads, snapshots, properties, the log of updates.
const std::vector<Operation>& ReadOperations();
const std::vector<Operation>& IteratorOperations();
// Flush, compaction, options, column families.
const std::vector<Operation>& ManageOperations();
// Close and open again in many ways.
const std::vector<Operation>& ReopenOperations();

// Write options drawn at random. The caller destroys them.
rocksdb_writeoptions_t* NewWriteOptions(Side& side, Rng& rng);

// Closes and opens again; the answer says how it went.
void Reopen(Side& side);

// Opens `directory`, a copy of a database of the configuration, and says its whole content.
void DumpCopy(Side& side, const Config& config, const std::string& directory);

// Makes a checkpoint of the open database; the answer says how it went.
bool CreateCheckpoint(Side& side, const std::string& directory, bool flushes);
// Opens a secondary of a database of this configuration that is open elsewhere, and says its
// whole content.
void DumpSecondary(Side& side, const std::string& directory);
// What the newest OPTIONS file in the directory says.
void SayLatestOptions(Side& side, const std::string& directory);

}  // namespace differential

#endif  // SKARN_TESTS_DIFFERENTIAL_OPERATIONS_H_
