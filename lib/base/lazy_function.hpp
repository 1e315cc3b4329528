#pragma once

#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace mq {

/// A shared library that comes into memory when the first of its functions is called: who never
/// calls one starts faster and stays smaller. Without it there is no way on: one line, and the end.
template <const char* file_name>
struct LazyLibrary {
  static void* find(const char* function) {
    static void* const library = dlopen(file_name, RTLD_NOW | RTLD_LOCAL);
    void* const found = library ? dlsym(library, function) : nullptr;
    if (!found) {
      std::fprintf(stderr, "cannot load %s: %s\n", file_name, dlerror());
      std::exit(EXIT_FAILURE);
    }
    return found;
  }
};

/// One function of such a library. In a namespace of our own it hides the global one that the
/// library's header declares, and is called like it: by callers, and by the header's macros.
template <class Library, class Signature>
class LazyFunctionBase {
 public:
  constexpr explicit LazyFunctionBase(const char* name) : name_(name) {}

 protected:
  Signature* get() const {
    Signature* function = function_.load(std::memory_order_relaxed);
    if (!function) {
      function = reinterpret_cast<Signature*>(Library::find(name_));
      function_.store(function, std::memory_order_relaxed);
    }
    return function;
  }

 private:
  const char* name_;
  mutable std::atomic<Signature*> function_{nullptr};
};

template <class Library, class Signature>
class LazyFunction;

template <class Library, class Result, class... Arguments>
class LazyFunction<Library, Result(Arguments...)>
    : LazyFunctionBase<Library, Result(Arguments...)> {
 public:
  using LazyFunctionBase<Library, Result(Arguments...)>::LazyFunctionBase;
  Result operator()(Arguments... arguments) const { return this->get()(arguments...); }
};

template <class Library, class Result, class... Arguments>
class LazyFunction<Library, Result(Arguments..., ...)>
    : LazyFunctionBase<Library, Result(Arguments..., ...)> {
 public:
  using LazyFunctionBase<Library, Result(Arguments..., ...)>::LazyFunctionBase;
  template <class... More>
  Result operator()(Arguments... arguments, More... more) const {
    return this->get()(arguments..., more...);
  }
};

}  // namespace mq
