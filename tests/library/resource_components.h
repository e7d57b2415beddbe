// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two components: one that uses a resource of the host, one that has a resource of its own.
#pragma once

#include "component_writer.h"
#include "library_test.h"

namespace mayfly {

inline constexpr const char* kCounters = "test:pkg/counters@1.0.0";

// Of counter_component().
inline constexpr char kCounterModule[] = R"((module
  (import "" "new" (func $new (param i32) (result i32)))
  (import "" "add" (func $add (param i32 i32) (result i32)))
  (import "" "consume" (func $consume (param i32) (result i32)))
  (import "" "drop" (func $drop (param i32)))
  (memory (export "memory") 2)
  (global $kept (mut i32) (i32.const 0))
  (global $next (mut i32) (i32.const 1024))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (local.get $at))
  (func (export "free") (param i32) (global.set $next (i32.const 1024)))
  (func (export "keep") (param i32) (global.set $kept (call $new (local.get 0))))
  (func (export "add") (param i32) (result i32)
    (call $add (global.get $kept) (local.get 0)))
  (func (export "drop") (call $drop (global.get $kept)))
  (func (export "consume") (result i32) (call $consume (global.get $kept)))
  (func (export "give") (result i32) (global.get $kept))
  (func (export "take") (param i32) (global.set $kept (local.get 0)))
  (func (export "look") (param i32) (result i32) (local $sum i32)
    (local.set $sum (call $add (local.get 0) (i32.const 5)))
    (call $drop (local.get 0))
    (local.get $sum))
  (func (export "pass-list") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.const 8))
  (func (export "pass-box") (param i32 i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.store (i32.const 16) (local.get 2))
    (i32.const 8))
  (func (export "churn") (param i32)
    (block $done (loop $again
      (br_if $done (i32.eqz (local.get 0)))
      (call $drop (call $new (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br $again))))
  (func (export "trap") (drop (call $new (i32.const 1))) unreachable)))";

// Imports, of the host's interface: resource counter { constructor(start: u32); add: func(by: u32)
// -> u32 }, consume: func(c: counter) -> u32. Exports:
//   keep: func(start: u32)                 makes one and has it from now on
//   add: func(by: u32) -> u32, drop: func(), consume: func() -> u32, give: func() -> counter  of it
//   take: func(c: counter)                 has this one from now on
//   look: func(c: borrow<counter>) -> u32  adds 5
//   pass-list: func(l: list<counter>) -> list<counter>, pass-box: func(b: box) -> box
//   churn: func(count: u32)                makes and drops so many
//   trap: func()                           makes one, and traps
inline Bytes counter_component() {
  ComponentWriter writer;
  InterfaceType interface;
  const Bytes resource = interface.resource("counter");
  const Bytes own = interface.own(resource);
  const Bytes borrow = interface.borrow(resource);
  interface.function("[constructor]counter", {{"start", kU32}}, own)
      .function("[method]counter.add", {{"self", borrow}, {"by", kU32}}, kU32)
      .function("consume", {{"c", own}}, kU32);
  const uint32_t host = writer.import_instance(kCounters, interface);
  const Bytes counter = writer.type_of(host, "counter");
  const Bytes own_counter = writer.own(counter);
  const Bytes borrow_counter = writer.borrow(counter);
  const Bytes box = writer.import_type(
      "box",
      writer.define(Bytes{0x72} + TypeScope::fields({{"label", kString}, {"item", own_counter}})));
  const uint32_t imports =
      writer.core_exports({{"new", writer.lower(writer.function_of(host, "[constructor]counter"))},
                           {"add", writer.lower(writer.function_of(host, "[method]counter.add"))},
                           {"consume", writer.lower(writer.function_of(host, "consume"))},
                           {"drop", writer.resource_drop(counter)}});
  const uint32_t core = writer.core_instance(writer.core_module(kCounterModule), {{"", imports}});
  const CanonOptions options =
      CanonOptions::utf8(writer.core_memory(core, "memory"), writer.core_function(core, "realloc"));
  const CanonOptions freed = options.post_return(writer.core_function(core, "free"));
  const auto add = [&](const char* name, const Fields& params, const Bytes& result,
                       const CanonOptions& with) {
    const Bytes type = writer.func(params, result);
    writer.export_function(name, writer.lift(writer.core_function(core, name), type, with));
  };
  const Bytes list = writer.list(own_counter);
  add("keep", {{"start", kU32}}, {}, {});
  add("add", {{"by", kU32}}, kU32, {});
  add("drop", {}, {}, {});
  add("consume", {}, kU32, {});
  add("give", {}, own_counter, {});
  add("take", {{"c", own_counter}}, {}, {});
  add("look", {{"c", borrow_counter}}, kU32, {});
  add("pass-list", {{"l", list}}, list, freed);
  add("pass-box", {{"b", box}}, box, freed);
  add("churn", {{"count", kU32}}, {}, {});
  add("trap", {}, {}, {});
  return writer.bytes();
}

// Imports hook: func(). Exports: resource blob { constructor(size: u32); size: func() -> u32 },
//   join: func(a: blob, b: blob) -> blob    of both sizes
//   dropped: func() -> u32                  how many have been
//   call-hook: func(), trap: func()
inline Bytes blob_component() {
  ComponentWriter writer;
  const uint32_t hook = writer.import_function("hook", writer.func({}, {}));
  const uint32_t counting = writer.core_instance(writer.core_module(R"((module
    (global $dropped (mut i32) (i32.const 0))
    (func (export "drop") (param i32)
      (global.set $dropped (i32.add (global.get $dropped) (i32.const 1))))
    (func (export "dropped") (result i32) (global.get $dropped))))"));
  const Bytes resource = writer.new_resource(writer.core_function(counting, "drop"));
  const uint32_t imports = writer.core_exports({{"new", writer.resource_new(resource)},
                                                {"rep", writer.resource_rep(resource)},
                                                {"drop", writer.resource_drop(resource)},
                                                {"hook", writer.lower(hook)}});
  const uint32_t core = writer.core_instance(writer.core_module(R"((module
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "rep" (func $rep (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "hook" (func $hook))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "size") (param i32) (result i32) (local.get 0))
    (func (export "join") (param i32 i32) (result i32) (local $sum i32)
      (local.set $sum (i32.add (call $rep (local.get 0)) (call $rep (local.get 1))))
      (call $drop (local.get 0))
      (call $drop (local.get 1))
      (call $new (local.get $sum)))
    (func (export "call-hook") (call $hook))
    (func (export "trap") unreachable)))"),
                                             {{"", imports}});
  const Bytes blob = writer.export_type("blob", resource);
  const Bytes own = writer.own(blob);
  const Bytes borrow = writer.borrow(blob);
  const auto add = [&](const char* name, uint32_t instance, const char* function,
                       const Fields& params, const Bytes& result) {
    const Bytes type = writer.func(params, result);
    writer.export_function(name, writer.lift(writer.core_function(instance, function), type));
  };
  add("[constructor]blob", core, "make", {{"size", kU32}}, own);
  add("[method]blob.size", core, "size", {{"self", borrow}}, kU32);
  add("join", core, "join", {{"a", own}, {"b", own}}, own);
  add("dropped", counting, "dropped", {}, kU32);
  add("call-hook", core, "call-hook", {}, {});
  add("trap", core, "trap", {}, {});
  return writer.bytes();
}

}  // namespace mayfly
