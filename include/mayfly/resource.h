// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resources of components in typed calls. Of the host, where T is any type of yours:
//
//   linker.define_resource<Counter>("ns:pkg/host", "counter");
//   linker.define("ns:pkg/host", "[constructor]counter",
//                 [](uint32_t start) { return Own<Counter>::make(start); });
//   linker.define("ns:pkg/host", "[method]counter.add",
//                 [](Borrow<Counter> self, uint32_t by) { return self->value += by; });
//
// Of a component, where R is a type that stands for it, perhaps without a definition:
//
//   struct Blob;
//   template <>
//   inline constexpr auto mayfly::kWit<Blob> = mayfly::wit::resource("ns:pkg/api", "blob");
//
//   sandbox.component_function<GuestOwn<Blob>()>("ns:pkg/api#[constructor]blob");
//   sandbox.component_function<uint32_t(GuestBorrow<Blob>)>("ns:pkg/api#[method]blob.size");
//
// A component has numbers for resources of the host, and each use of a number is checked: that it
// is of this sandbox, alive, of the type, and not lent when it is given away. What is wrong is a
// trap.
#pragma once

#include <concepts>
#include <cstdlib>
#include <memory>
#include <string_view>
#include <utility>

#include "mayfly/outcome.h"
#include "mayfly/resource_handle.h"

namespace mayfly {

namespace wit {

// Names as in WIT: the interface "ns:pkg/iface@1.0.0", or "" for the component's own.
struct Resource {
  std::string_view interface;
  std::string_view name;
};
constexpr Resource resource(std::string_view interface, std::string_view name) {
  return {interface, name};
}

}  // namespace wit

namespace detail {
struct ResourceAccess;
}  // namespace detail

// A resource of the host that C++ owns: a component's until it comes out of a call or goes into a
// host function, and a component's again when it is passed or answered, which takes it out of here.
// The sandbox destroys what its component drops, and what it still holds when a call ends otherwise
// than by returning, when the sandbox goes back to a state in which it was not, and when it goes.
template <typename T>
class Own {
 public:
  Own() = default;
  Own(std::unique_ptr<T> object) : object_(std::move(object)) {}  // NOLINT
  // T has a virtual destructor.
  template <typename U>
    requires(std::derived_from<U, T> && !std::same_as<U, T>)
  Own(std::unique_ptr<U> object) : object_(std::move(object)) {}  // NOLINT
  template <typename... Args>
  static Own make(Args&&... args) {
    return Own(std::make_unique<T>(std::forward<Args>(args)...));
  }

  explicit operator bool() const { return object_ != nullptr; }
  T* get() const { return object_.get(); }
  // Precondition: it is not empty. Calling them otherwise ends the process.
  T& operator*() const { return *held(); }
  T* operator->() const { return held(); }
  std::unique_ptr<T> take() && { return std::move(object_); }

 private:
  friend struct detail::ResourceAccess;
  T* held() const {
    if (object_ == nullptr) std::abort();
    return object_.get();
  }
  // A call takes it out of arguments that are rvalues, which it has by reference.
  mutable std::unique_ptr<T> object_;
};

// A resource of the host that a component lends to a host function, until that returns; or that the
// host lends to a component, until the call returns.
template <typename T>
class Borrow {
 public:
  Borrow() = default;
  // Lends; the object outlives the call.
  Borrow(T& object) : object_(&object) {}              // NOLINT
  Borrow(const Own<T>& object) : object_(&*object) {}  // NOLINT

  // Precondition: it is not empty, and the resource is not gone: it was not kept for longer than it
  // was lent. Calling them otherwise ends the process.
  T& operator*() const { return *held(); }
  T* operator->() const { return held(); }

 private:
  friend struct detail::ResourceAccess;
  T* held() const {
    T* object = entry_.get() == nullptr ? object_ : static_cast<T*>(entry_.get()->object);
    if (object == nullptr) std::abort();
    return object;
  }
  T* object_ = nullptr;
  detail::BorrowedEntry entry_;
};

// A resource that a component implements, owned by the host: the component drops it when this goes.
// That is a call of the component: during another call it waits for the next one.
// It need not go before the sandbox, whose end or return to a former state ends all of them.
template <typename R>
class GuestOwn {
 public:
  GuestOwn() = default;

  explicit operator bool() const { return !handle_.is_empty(); }
  // Drops it now: how the call ended. This is empty then.
  Outcome<void> drop() { return handle_.drop(); }

 private:
  friend struct detail::ResourceAccess;
  mutable detail::GuestHandle handle_;  // as Own
};

// Lends a GuestOwn, which outlives the call.
template <typename R>
class GuestBorrow {
 public:
  GuestBorrow(const GuestOwn<R>& of) : of_(&of) {}  // NOLINT

 private:
  friend struct detail::ResourceAccess;
  const GuestOwn<R>* of_;
};

namespace detail {

struct ResourceAccess {
  template <typename T>
  static std::unique_ptr<T>& object(const Own<T>& own) {
    return own.object_;
  }
  template <typename T>
  static const ResourceEntry* entry(const Borrow<T>& borrow) {
    return borrow.entry_.get();
  }
  template <typename T>
  static T* object(const Borrow<T>& borrow) {
    return borrow.object_;
  }
  template <typename T>
  static void set(Borrow<T>& borrow, std::shared_ptr<ResourceEntry> entry) {
    borrow.entry_ = BorrowedEntry(std::move(entry));
  }
  template <typename R>
  static GuestHandle& handle(const GuestOwn<R>& own) {
    return own.handle_;
  }
  template <typename R>
  static GuestHandle& handle(const GuestBorrow<R>& borrow) {
    return borrow.of_->handle_;
  }
};

}  // namespace detail
}  // namespace mayfly
