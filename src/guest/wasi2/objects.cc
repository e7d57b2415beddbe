// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Free objects are a list, the one that was freed last in front.
#include "guest/wasi2/objects.h"

#include "guest/wasi/functions.h"
#include "guest/wasi2/directory.h"
#include "guest/wasi2/http_objects.h"

namespace mayfly::guest {

using guest_abi::ComponentState;
using guest_abi::ComponentTrap;

Object& Objects::at(uint32_t number) const {
  const ComponentState& words = memory_.state();
  if (number == 0 || number >= words.objects.count) component_trap(ComponentTrap::kDamagedState);
  return memory_.item<Object>(words.objects, number);
}

uint32_t Objects::add(const Object& object) const {
  ComponentState& words = memory_.state();
  if (refers_to_object(object)) refer(object.below);
  uint32_t number = words.free_object;
  if (number != 0) {
    words.free_object = at(number).below;
  } else {
    if (words.objects.count == 0) memory_.push<Object>(words.objects);
    number = words.objects.count;
    memory_.push<Object>(words.objects);
  }
  Object& place = at(number);
  if (place.kind != ObjectKind::kFree) component_trap(ComponentTrap::kDamagedState);
  place = object;
  place.references = 1;
  return number;
}

Object& Objects::get(uint32_t number, ObjectKind kind) const {
  Object& object = at(number);
  if (object.kind != kind) component_trap(ComponentTrap::kDamagedState);
  return object;
}

Object& Objects::get_with_fd(uint32_t number) const {
  Object& object = at(number);
  if (!has_fd(object)) component_trap(ComponentTrap::kDamagedState);
  return object;
}

Object& Objects::get_any(uint32_t number) const {
  Object& object = at(number);
  if (object.kind == ObjectKind::kFree) component_trap(ComponentTrap::kDamagedState);
  return object;
}

void Objects::refer(uint32_t number) const { ++get_any(number).references; }

void Objects::release(uint32_t number, ObjectKind kind) const {
  get(number, kind);
  while (true) {
    Object& object = at(number);
    if (object.kind == ObjectKind::kFree || object.references == 0) {
      component_trap(ComponentTrap::kDamagedState);
    }
    if (--object.references != 0) return;
    const Object freed = object;
    object = Object{};
    object.below = memory_.state().free_object;
    memory_.state().free_object = number;
    if (has_fd(freed) && !freed.keeps_fd) {
      mayfly_wasi_p1_fd_close(nullptr, freed.below);
    }
    if (freed.kind == ObjectKind::kDirectoryStream) forget_directory(number);
    if (is_http(freed.kind)) release_http(*this, freed);
    if (!refers_to_object(freed)) return;
    if (is_child(freed) && is_http(at(freed.below).kind)) --at(freed.below).permitted;
    number = freed.below;
  }
}

}  // namespace mayfly::guest
