// What epoch.cc shares with thread_context.cc; nothing for other rooms.

#ifndef SKARN_CORE_BASE_EPOCH_INTERNALS_H_
#define SKARN_CORE_BASE_EPOCH_INTERNALS_H_

namespace skarn::internal {

// Finds out whether membarrier(2) works. Called once, before any thread has a context.
void PrepareEpochs();

}  // namespace skarn::internal

#endif  // SKARN_CORE_BASE_EPOCH_INTERNALS_H_
