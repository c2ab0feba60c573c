#include "core/key/pin.h"

namespace skarn {

PinnedValue::PinnedValue() {
  take = [](ValueSink* self, Slice value, const PinSource& source) {
    auto* target = static_cast<PinnedValue*>(self);
    Pin pin;
    if (source.Acquire(&pin)) {
      target->pin_ = std::move(pin);
      target->slice_ = value;
    } else {
      target->Assign(value.ToString());
    }
  };
}

}  // namespace skarn
