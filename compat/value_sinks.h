// Sinks that put a found value into what a C caller receives.
//
// Thread safety: one thread at a time.

#ifndef SKARN_COMPAT_VALUE_SINKS_H_
#define SKARN_COMPAT_VALUE_SINKS_H_

#include <cstring>

#include "compat/c_status.h"
#include "core/key/pin.h"

namespace skarn {

// Copies the value into memory that the caller frees with rocksdb_free().
struct MallocSink : public ValueSink {
  MallocSink() {
    take = [](ValueSink* self, Slice value, const PinSource&) {
      auto* target = static_cast<MallocSink*>(self);
      free(target->data);  // Only when a read gives a value twice.
      target->data = CopyToMalloc(value);
      target->size = value.size();
    };
  }

  char* data = nullptr;
  size_t size = 0;
};

// Copies the value into the caller's buffer when it fits; `size` tells what it needs.
struct BufferSink : public ValueSink {
  BufferSink(char* given, size_t given_size) : buffer(given), capacity(given_size) {
    take = [](ValueSink* self, Slice value, const PinSource&) {
      auto* target = static_cast<BufferSink*>(self);
      target->size = value.size();
      target->fits = value.size() <= target->capacity;
      if (target->fits && !value.empty()) memcpy(target->buffer, value.data(), value.size());
    };
  }

  char* const buffer;
  const size_t capacity;
  size_t size = 0;
  bool fits = false;
};

// Wants to know only whether there is a value.
struct NullSink : public ValueSink {
  NullSink() {
    take = [](ValueSink*, Slice, const PinSource&) {};
  }
};

}  // namespace skarn

#endif  // SKARN_COMPAT_VALUE_SINKS_H_
