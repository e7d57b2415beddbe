// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component by C++ types: records that are described once, a function for it, a function of it.
//   components FILE.wasm
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "mayfly/mayfly.hh"

struct Line {
  std::string item;
  uint32_t count = 0;
};
struct Order {
  std::string customer;
  std::vector<Line> lines;
  std::optional<uint64_t> total;
};

template <>
inline constexpr auto mayfly::kWit<Line> = mayfly::wit::record(
    mayfly::wit::field("item", &Line::item), mayfly::wit::field("count", &Line::count));
template <>
inline constexpr auto mayfly::kWit<Order> = mayfly::wit::record(
    mayfly::wit::field("customer", &Order::customer), mayfly::wit::field("lines", &Order::lines),
    mayfly::wit::field("total", &Order::total));

namespace {

int fail(const std::string& message) {
  std::fprintf(stderr, "components: %s\n", message.c_str());
  return 1;
}

// An Error ends the component's call as a trap.
mayfly::Result<Order> price(Order order) {
  uint64_t total = 0;
  for (const Line& line : order.lines) {
    if (line.item.empty()) return mayfly::Error{.message = "a line without an item"};
    total += line.count * uint64_t{3};
  }
  order.total = total;
  return order;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("give a file");
  auto engine = mayfly::Engine::create();
  if (!engine) return fail(engine.error().message);
  auto program = engine->load(argv[1]);
  if (!program) return fail(program.error().message);
  for (const auto& item : program->exports()) {
    std::printf("%s: %s\n", item.name.c_str(), item.type.c_str());
  }

  mayfly::Linker linker(*engine);
  linker.define("", "price", price);
  auto sandbox = linker.instantiate(*program);
  if (!sandbox) return fail(sandbox.error().message);
  auto checkout = sandbox->component_function<Order(const Order&)>("checkout");
  if (!checkout) return fail(checkout.error().message);
  const auto order = (*checkout)({"Ada", {{"gear", 4}, {"lever", 10}}, {}});
  if (!order) return fail(order.message());
  std::printf("%s pays %llu\n", order->customer.c_str(),
              static_cast<unsigned long long>(order->total.value_or(0)));

  const auto refused = (*checkout)({"Ada", {{"", 1}}, {}});
  std::printf("%s\n", refused.message().c_str());
  const auto wrong = sandbox->component_function<uint32_t(std::string)>("checkout");
  std::printf("%s\n", wrong ? "found" : wrong.error().message.c_str());
  return 0;
}
