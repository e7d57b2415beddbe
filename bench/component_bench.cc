// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Typed calls of components, next to calls of core modules: what the types cost, what the bytes of
// strings and lists cost, and what one component pays to call another in the same image.
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/check.h"
#include "bench/paired.h"
#include "mayfly/mayfly.hh"
#include "tests/library/component_writer.h"

namespace mayfly::bench {
namespace {

struct Item {
  uint32_t id = 0;
  double price = 0;
  std::string name;
  bool operator==(const Item&) const = default;
};

}  // namespace
}  // namespace mayfly::bench

template <>
inline constexpr auto mayfly::kWit<mayfly::bench::Item> =
    mayfly::wit::record(mayfly::wit::field("id", &mayfly::bench::Item::id),
                        mayfly::wit::field("price", &mayfly::bench::Item::price),
                        mayfly::wit::field("name", &mayfly::bench::Item::name));

namespace mayfly::bench {
namespace {

using Add = uint32_t(uint32_t, uint32_t);
using Items = std::vector<Item>;

constexpr int kCallPairs = 8001;

// What is passed in memory comes back from the same place; then all of it is free again.
constexpr char kEcho[] = R"((module
  (memory (export "memory") 2)
  (global $next (mut i32) (i32.const 65536))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32) (local $end i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
    (local.set $end (i32.add (local.get $at) (local.get 3)))
    (global.set $next (local.get $end))
    (if (i32.gt_u (local.get $end) (i32.shl (memory.size) (i32.const 16)))
      (then (drop (memory.grow (i32.add (i32.const 1) (i32.sub
        (i32.shr_u (local.get $end) (i32.const 16)) (memory.size)))))))
    (local.get $at))
  (func (export "free") (param i32) (global.set $next (i32.const 65536)))
  (func (export "echo") (param i32 i32) (result i32)
    (i32.store (i32.const 8) (local.get 0))
    (i32.store (i32.const 12) (local.get 1))
    (i32.const 8))
  (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1)))))";

// Calls an import so many times.
constexpr char kCaller[] = R"((module
  (import "" "add" (func $add (param i32 i32) (result i32)))
  (func (export "run") (param i32) (result i32) (local $sum i32)
    (block $done (loop $again
      (br_if $done (i32.eqz (local.get 0)))
      (local.set $sum (call $add (local.get $sum) (local.get 0)))
      (local.set 0 (i32.sub (local.get 0) (i32.const 1)))
      (br $again)))
    (local.get $sum))))";

Bytes echo_component() {
  ComponentWriter writer;
  const uint32_t core = writer.core_instance(writer.core_module(kEcho));
  const CanonOptions plain =
      CanonOptions::utf8(writer.core_memory(core, "memory"), writer.core_function(core, "realloc"));
  const CanonOptions options = plain.post_return(writer.core_function(core, "free"));
  const uint32_t echo = writer.core_function(core, "echo");
  const Bytes record = writer.define(
      Bytes{0x72} + TypeScope::fields({{"id", kU32}, {"price", kF64}, {"name", kString}}));
  const Bytes items = writer.list(writer.export_type("item", record));
  const auto add_echo = [&](const std::string& name, const Bytes& type) {
    const Bytes function = writer.func({{"value", type}}, type);
    writer.export_function(name, writer.lift(echo, function, options));
  };
  add_echo("text", kString);
  add_echo("items", items);
  const Bytes add = writer.func({{"a", kU32}, {"b", kU32}}, kU32);
  writer.export_function("add", writer.lift(writer.core_function(core, "add"), add));
  return writer.bytes();
}

// run(n) of one component calls add() of another n times.
Bytes two_components() {
  ComponentWriter callee;
  const uint32_t adder = callee.core_instance(callee.core_module(kEcho));
  const Bytes add = callee.func({{"a", kU32}, {"b", kU32}}, kU32);
  callee.export_function("add", callee.lift(callee.core_function(adder, "add"), add));

  ComponentWriter caller;
  const uint32_t imported =
      caller.import_function("add", caller.func({{"a", kU32}, {"b", kU32}}, kU32));
  const uint32_t imports = caller.core_exports({{"add", caller.lower(imported)}});
  const uint32_t loop = caller.core_instance(caller.core_module(kCaller), {{"", imports}});
  const Bytes run = caller.func({{"count", kU32}}, kU32);
  caller.export_function("run", caller.lift(caller.core_function(loop, "run"), run));

  ComponentWriter both;
  const uint32_t first = both.instance(both.component(callee.bytes()));
  const uint32_t second =
      both.instance(both.component(caller.bytes()), {{"add", both.function_of(first, "add")}});
  both.export_function("run", both.function_of(second, "run"));
  return both.bytes();
}

Sandbox sandbox_of(const Engine& engine, const Bytes& bytes, const Policy& policy = Policy()) {
  auto program = engine.load(bytes, "bench");
  CHECK(program.has_value(), program.error().message);
  auto made = Linker(engine).instantiate(*program, policy);
  CHECK(made.has_value(), made.error().message);
  return std::move(*made);
}

struct Guests {
  Sandbox core;
  Sandbox component;
  TypedFunction<Add> core_add;
};

Guests open_guests(const Engine& engine, const Policy& policy) {
  Sandbox core = sandbox_of(engine, wasm_of(kEcho), policy);
  auto add = core.function<Add>("add").value();
  return {std::move(core), sandbox_of(engine, echo_component(), policy), std::move(add)};
}

void core_call(const Guests& guests) { CHECK(guests.core_add(2, 3).value() == 5); }

Paired scalar_call(const Guests& guests) {
  const auto add = guests.component.component_function<Add>("add").value();
  return measure_paired(
      kCallPairs, [&] { core_call(guests); }, [&] { CHECK(add(2, 3).value() == 5); });
}

Paired string_echo(const Guests& guests, size_t bytes, int pairs) {
  const auto echo =
      guests.component.component_function<std::string(std::string_view)>("text").value();
  const std::string text(bytes, 'a');
  const auto there = std::make_unique<char[]>(bytes);
  const auto back = std::make_unique<char[]>(bytes);
  return measure_paired(
      pairs,
      [&] {
        core_call(guests);
        std::memcpy(there.get(), text.data(), bytes);
        std::memcpy(back.get(), there.get(), bytes);
        CHECK(back[bytes - 1] == 'a');
      },
      [&] { CHECK(echo(text).value().size() == bytes); });
}

// The floor copies the vector there and back, strings and all.
Paired record_echo(const Guests& guests, size_t count) {
  const auto echo = guests.component.component_function<Items(const Items&)>("items").value();
  Items items(count);
  for (size_t i = 0; i < count; ++i) {
    items[i] = {static_cast<uint32_t>(i), 0.25 * static_cast<double>(i),
                "item " + std::to_string(i)};
  }
  CHECK(echo(items).value() == items);
  return measure_paired(
      1001,
      [&] {
        core_call(guests);
        Items there = items;
        there.front().id = 1;
        Items back = there;
        back.front().id = 0;
        CHECK(back.size() == count);
      },
      [&] { CHECK(echo(items).value().size() == count); });
}

void print_cross_call(const Engine& engine) {
  constexpr uint32_t kCalls = 1'000'000;
  const Sandbox sandbox = sandbox_of(engine, two_components());
  const auto run = sandbox.component_function<uint32_t(uint32_t)>("run").value();
  std::vector<double> calls;
  for (int i = 0; i < 21; ++i) {
    const double none = microseconds_of([&] { CHECK(run(0).value() == 0); });
    const double all = microseconds_of([&] { CHECK(run(kCalls).returned()); });
    calls.push_back((all - none) * 1000 / kCalls);
  }
  std::printf("\n| what | ns | at most |\n|---|---|---|\n| %s | %.1f | 30 |\n",
              "call of another component in the same image, two u32", median(calls));
}

int run() {
  const auto engine = Engine::create({.driver = Driver::kKvm, .use_cache = false});
  if (!engine) {
    std::printf("SKIPPED: %s\n", engine.error().message.c_str());
    return 0;
  }
  const Guests guests = open_guests(*engine, Policy());
  const Guests fixed = open_guests(*engine, Policy().resettable(false));
  print_header();
  print_row("typed call of add(u32, u32) / core call", scalar_call(guests), "1.1");
  print_row("echo of a string of 64 B / core call + two memcpys", string_echo(guests, 64, 4001),
            "1.5");
  print_row("echo of a string of 64 KiB / core call + two memcpys",
            string_echo(guests, 64 << 10, 2001), "1.5");
  print_row("echo of a string of 16 MiB / core call + two memcpys, not resettable",
            string_echo(fixed, 16 << 20, 51), "1.5");
  print_row("echo of a string of 16 MiB / core call + two memcpys, resettable",
            string_echo(guests, 16 << 20, 11), "");
  print_row("echo of a list of 1,000 records / core call + two copies", record_echo(guests, 1000),
            "");
  print_cross_call(*engine);
  return 0;
}

}  // namespace
}  // namespace mayfly::bench

int main() { return mayfly::bench::run(); }
