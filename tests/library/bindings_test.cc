// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header that `mayfly bindgen` makes of wit/counting.wit, with a component of that world.
#include "counting.h"
#include "resource_components.h"

namespace mayfly {
namespace {

namespace counters = counting::imports::test::pkg::counters;

class Counter final : public counters::Counter {
 public:
  explicit Counter(uint32_t start) : value_(start) {}
  Result<uint32_t> add(Caller& /*caller*/, uint32_t by) override { return value_ += by; }
  uint32_t value() const { return value_; }

 private:
  uint32_t value_;
};

class Counters final : public counters::Host {
 public:
  Result<Own<counters::Counter>> new_counter(Caller& /*caller*/, uint32_t start) override {
    if (start == 13) return Error{ErrorKind::kInvalid, "no luck", 0};
    return Own<counters::Counter>(std::make_unique<Counter>(start));
  }
  Result<uint32_t> consume(Caller& caller, Own<counters::Counter> c) override {
    return c->add(caller, 0);
  }
};

class BindingsTest : public LibraryTest {};

TEST_P(BindingsTest, BindAndCallAComponent) {
  Counters host;
  Linker linker(engine());
  counting::define(linker, counting::Imports{host});
  const auto program = engine().load(counter_component(), "counting");
  ASSERT_TRUE(program) << program.error().message;
  auto sandbox = linker.instantiate(*program);
  ASSERT_TRUE(sandbox) << sandbox.error().message;
  const auto exports = counting::Exports::create(*sandbox);
  ASSERT_TRUE(exports) << exports.error().message;
  const auto& world = exports->world;
  ASSERT_TRUE(world.keep(5));
  EXPECT_EQ(world.add(2).value(), 7U);
  ASSERT_TRUE(world.take(std::make_unique<Counter>(1)));
  EXPECT_EQ(world.add(2).value(), 3U);
  const Own<counting::Counter> back = world.give().value();
  EXPECT_EQ(world.look(back).value(), 8U);
  std::vector<Own<counting::Counter>> list;
  list.push_back(std::make_unique<Counter>(4));
  EXPECT_EQ(world.pass_list(std::move(list)).value().size(), 1U);
  const auto box = world.pass_box({"a", std::make_unique<Counter>(9)});
  ASSERT_TRUE(box) << box.message();
  EXPECT_EQ(box->label, "a");
  EXPECT_EQ(world.keep(13).message(), "trap: host error: no luck");
}

TEST_P(BindingsTest, SayWhichExportIsMissing) {
  Linker linker(engine());
  linker.define("", "hook", [] {});
  const auto program = engine().load(blob_component(), "blobs");
  ASSERT_TRUE(program);
  auto sandbox = linker.instantiate(*program);
  ASSERT_TRUE(sandbox);
  const auto exports = counting::Exports::create(*sandbox);
  ASSERT_FALSE(exports);
  EXPECT_THAT(exports.error().message, testing::HasSubstr("exports no function \"keep\""));
}

MAYFLY_ON_EACH_DRIVER(BindingsTest);

}  // namespace
}  // namespace mayfly
