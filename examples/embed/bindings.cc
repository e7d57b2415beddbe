// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component by the header that `mayfly bindgen shop.wit -o .` wrote: a class to implement for
// what it imports, and one with a function for each that it exports.
//   bindings FILE.wasm
#include <cstdio>
#include <string>

#include "mayfly/mayfly.hh"
#include "shop.h"

namespace {

class Prices final : public shop::Host {
 public:
  // An Error ends the component's call as a trap.
  mayfly::Result<shop::Order> price(mayfly::Caller& /*caller*/, shop::Order order) override {
    uint64_t total = 0;
    for (const shop::Line& line : order.lines) {
      if (line.item.empty()) return mayfly::Error{.message = "a line without an item"};
      total += line.count * uint64_t{3};
    }
    order.total = total;
    return order;
  }
};

int fail(const std::string& message) {
  std::fprintf(stderr, "bindings: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("give a file");
  auto engine = mayfly::Engine::create();
  if (!engine) return fail(engine.error().message);
  auto program = engine->load(argv[1]);
  if (!program) return fail(program.error().message);

  Prices prices;
  mayfly::Linker linker(*engine);
  shop::define(linker, shop::Imports{prices});
  auto sandbox = linker.instantiate(*program);
  if (!sandbox) return fail(sandbox.error().message);
  auto exports = shop::Exports::create(*sandbox);
  if (!exports) return fail(exports.error().message);

  const auto order = exports->world.checkout({"Ada", {{"gear", 4}, {"lever", 10}}, {}});
  if (!order) return fail(order.message());
  std::printf("%s pays %llu\n", order->customer.c_str(),
              static_cast<unsigned long long>(order->total.value_or(0)));
  const auto refused = exports->world.checkout({"Ada", {{"", 1}}, {}});
  std::printf("%s\n", refused.message().c_str());
  return 0;
}
