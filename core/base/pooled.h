// Pooled gives a class memory that is kept, per thread, when an object of it is deleted,
// for the next one: for objects that callers make and drop all the time, such as iterators
// and their parts.
//
//   class TableCursor final : public InternalCursor, public Pooled { ... };
//
// Thread safety: any thread; an object may be deleted on another thread than made it.

#ifndef SKARN_CORE_BASE_POOLED_H_
#define SKARN_CORE_BASE_POOLED_H_

#include <cstddef>

namespace skarn {

namespace internal {
void* TakePooled(size_t size);
void GivePooled(void* memory, size_t size);
}  // namespace internal

class Pooled {
 public:
  static void* operator new(size_t size) { return internal::TakePooled(size); }
  static void operator delete(void* memory, size_t size) { internal::GivePooled(memory, size); }
};

}  // namespace skarn

#endif  // SKARN_CORE_BASE_POOLED_H_
