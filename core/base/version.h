// Skarn's own version. Users see it as skarn_version() and in the LOG.

#ifndef SKARN_CORE_BASE_VERSION_H_
#define SKARN_CORE_BASE_VERSION_H_

#define SKARN_VERSION "0.1.0"

#endif  // SKARN_CORE_BASE_VERSION_H_
