// Macros that make a setter and a getter of an option from its name.
//
// The C types come from the functions' own declarations, so that header and body
// cannot disagree.
//
// Thread safety: the functions change or read one options object, as its type allows.

#ifndef SKARN_COMPAT_OPTION_FUNCTIONS_H_
#define SKARN_COMPAT_OPTION_FUNCTIONS_H_

#include <string>
#include <type_traits>

#include "compat/handle_life.h"

namespace skarn {

template <typename Function>
struct SignatureOf;
template <typename R, typename Object>
struct SignatureOf<R(Object*)> {
  using Result = R;
};
template <typename R, typename Object, typename A>
struct SignatureOf<R(Object*, A)> {
  using Argument = A;
};

// C flags are any number that is not 0; enumerations are their numbers.
template <typename From, typename To>
void AssignOption(From from, To* to) {
  if constexpr (std::is_same_v<To, bool>) {
    *to = from != 0;
  } else if constexpr (std::is_same_v<To, std::string>) {
    to->assign(from != nullptr ? from : "");
  } else {
    *to = static_cast<To>(from);
  }
}

}  // namespace skarn

#define SKARN_C_SETTER(function, Handle, member)                                           \
  void function(Handle* options, skarn::SignatureOf<decltype(function)>::Argument value) { \
    skarn::AssignOption(value, &Usable(options)->member);                                  \
  }
#define SKARN_C_GETTER(function, Handle, member)                                                 \
  skarn::SignatureOf<decltype(function)>::Result function(Handle* options) {                     \
    return static_cast<skarn::SignatureOf<decltype(function)>::Result>(Usable(options)->member); \
  }

#endif  // SKARN_COMPAT_OPTION_FUNCTIONS_H_
