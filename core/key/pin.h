// Pin keeps memory alive that somebody else owns (a cached block, a mapped table, a
// memtable) for as long as a slice into it is used.
//
// Thread safety: one thread at a time; a pin may be released on another thread than
// the one that took it.

#ifndef SKARN_CORE_KEY_PIN_H_
#define SKARN_CORE_KEY_PIN_H_

#include <string>
#include <utility>
#include <vector>

#include "core/base/slice.h"

namespace skarn {

class Pin {
 public:
  using Release = void (*)(void* object, void* context);

  Pin() = default;
  Pin(void* object, void* context, Release release)
      : object_(object), context_(context), release_(release) {}
  Pin(Pin&& other) noexcept { *this = std::move(other); }
  Pin& operator=(Pin&& other) noexcept {
    if (this == &other) return *this;
    Reset();
    object_ = other.object_;
    context_ = other.context_;
    release_ = std::exchange(other.release_, nullptr);
    return *this;
  }
  ~Pin() { Reset(); }

  bool held() const { return release_ != nullptr; }
  void Reset() {
    if (release_ != nullptr) std::exchange(release_, nullptr)(object_, context_);
  }

 private:
  void* object_ = nullptr;
  void* context_ = nullptr;
  Release release_ = nullptr;
};

// Pins released together.
class PinList {
 public:
  void Add(Pin pin) { pins_.push_back(std::move(pin)); }
  void ReleaseAll() { pins_.clear(); }

 private:
  std::vector<Pin> pins_;
};

// Offered with a found value: takes a pin on the memory the value is in.
struct PinSource {
  // False when the memory cannot be pinned; then the value must be copied.
  bool (*acquire)(const PinSource& self, Pin* pin) = nullptr;
  void* object = nullptr;
  void* context = nullptr;

  bool Acquire(Pin* pin) const { return acquire != nullptr && acquire(*this, pin); }
};

// Where a found value goes. `value` is valid only during the call; a pin makes it
// outlive it.
struct ValueSink {
  void (*take)(ValueSink* self, Slice value, const PinSource& source) = nullptr;
};

// A value that is either pinned in place or owned as a copy. The engine's own sink.
class PinnedValue : public ValueSink {
 public:
  PinnedValue();
  PinnedValue(const PinnedValue&) = delete;
  PinnedValue& operator=(const PinnedValue&) = delete;

  Slice slice() const { return slice_; }
  bool pinned() const { return pin_.held(); }
  void Reset() {
    pin_.Reset();
    slice_ = Slice();
  }
  void Assign(std::string value) {
    pin_.Reset();
    copy_ = std::move(value);
    slice_ = copy_;
  }

 private:
  Pin pin_;
  std::string copy_;
  Slice slice_;
};

}  // namespace skarn

#endif  // SKARN_CORE_KEY_PIN_H_
