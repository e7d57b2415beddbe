// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Abi<T> of resources, which are passed as numbers. Nothing here is meant for users.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <utility>

#include "mayfly/component_abi.h"
#include "mayfly/component_type.h"
#include "mayfly/resource.h"
#include "mayfly/transfer.h"

namespace mayfly::detail {

// Self::check() is measure(), Self::give() makes the number and Self::take() a value of it.
template <typename Self, typename T>
struct HandleAbi : AbiValue {
  static constexpr bool kIsPlain = false;
  static constexpr uint32_t kSize = 4;
  static constexpr uint32_t kAlignment = 4;
  static constexpr uint32_t kFlat = 1;

  static void measure(const T& value, TransferSize& size) { Self::check(value, size); }
  static void store(const T& value, TransferWriter& writer, uint32_t address) {
    writer.store<uint32_t>(address, Self::give(value, writer));
  }
  static void lower(const T& value, TransferWriter& writer, uint64_t*& flat) {
    *flat++ = Self::give(value, writer);
  }
  static void load(TransferReader& reader, uint64_t address, T& out) {
    Self::take(reader, reader.load<uint32_t>(address), out);
  }
  static void lift(TransferReader& reader, const uint64_t*& flat, T& out) {
    Self::take(reader, static_cast<uint32_t>(*flat++), out);
  }

 private:
  HandleAbi() = default;  // nobody makes one: all is static
  friend Self;
};

template <typename T>
struct Abi<Own<T>> : HandleAbi<Abi<Own<T>>, Own<T>> {
  static constexpr uint32_t kUse = kOwnsResources;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kOwn,
                                         .host_resource = &kResourceKind<T>};

  static void check(const Own<T>& value, TransferSize& size) {
    size.expect(check_resource(size.sandbox(), static_cast<bool>(value), size.count_resource()));
  }
  static uint32_t give(const Own<T>& value, TransferWriter& writer) {
    return give_resource(writer.sandbox(), kResourceKind<T>,
                         ResourceAccess::object(value).release());
  }
  static void take(TransferReader& reader, uint32_t number, Own<T>& out) {
    if (runtime::SandboxState* sandbox = reader.sandbox()) {
      void* object = reader.expect_value(take_resource(*sandbox, kResourceKind<T>, number));
      out = Own<T>(std::unique_ptr<T>(static_cast<T*>(object)));
    }
  }
};

template <typename T>
struct Abi<Borrow<T>> : HandleAbi<Abi<Borrow<T>>, Borrow<T>> {
  static constexpr uint32_t kUse = kLendsResources;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kBorrow,
                                         .host_resource = &kResourceKind<T>};

  static void check(const Borrow<T>& value, TransferSize& size) {
    const ResourceEntry* entry = ResourceAccess::entry(value);
    const bool is_there =
        entry != nullptr ? entry->object != nullptr : ResourceAccess::object(value) != nullptr;
    size.expect(check_resource(size.sandbox(), is_there, size.count_resource()));
  }
  // A number that a component had lent may be of another sandbox: it is lent anew.
  static uint32_t give(const Borrow<T>& value, TransferWriter& writer) {
    return lend_resource(writer.sandbox(), kResourceKind<T>, &*value);
  }
  static void take(TransferReader& reader, uint32_t number, Borrow<T>& out) {
    if (runtime::SandboxState* sandbox = reader.sandbox()) {
      auto entry = reader.expect_value(find_resource(*sandbox, kResourceKind<T>, number));
      if (entry != nullptr) ResourceAccess::set(out, std::move(entry));
    }
  }
};

template <typename R>
concept GuestResource = std::same_as<std::remove_const_t<decltype(kWit<R>)>, wit::Resource>;

template <GuestResource R>
struct Abi<GuestOwn<R>> : HandleAbi<Abi<GuestOwn<R>>, GuestOwn<R>> {
  static constexpr uint32_t kUse = kOwnsResources;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kOwn, .guest_resource = &kWit<R>};

  static void check(const GuestOwn<R>& value, TransferSize& size) {
    size.expect(ResourceAccess::handle(value).check(size.sandbox()));
  }
  static uint32_t give(const GuestOwn<R>& value, TransferWriter&) {
    GuestHandle& handle = ResourceAccess::handle(value);
    handle.give_away();
    return handle.number();
  }
  static void take(TransferReader& reader, uint32_t number, GuestOwn<R>& out) {
    if (runtime::SandboxState* sandbox = reader.sandbox()) {
      ResourceAccess::handle(out) = reader.expect_value(guest_handle(*sandbox, kWit<R>, number));
    }
  }
};

template <GuestResource R>
struct Abi<GuestBorrow<R>> : HandleAbi<Abi<GuestBorrow<R>>, GuestBorrow<R>> {
  static constexpr bool kCanLift = false;
  static constexpr ComponentShape kShape{.kind = ComponentKind::kBorrow,
                                         .guest_resource = &kWit<R>};

  static void check(const GuestBorrow<R>& value, TransferSize& size) {
    size.expect(ResourceAccess::handle(value).check(size.sandbox()));
  }
  static uint32_t give(const GuestBorrow<R>& value, TransferWriter&) {
    return ResourceAccess::handle(value).number();
  }
};

}  // namespace mayfly::detail
