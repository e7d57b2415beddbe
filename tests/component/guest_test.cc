// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Modules bound to the guest library by hand, as the plan of a component binds its adapters, on
// each driver.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "guest_abi/component.h"
#include "guest_abi/trap.h"
#include "runtime/build.h"
#include "runtime/image_runner.h"
#include "vmm/vm.h"

namespace mayfly {
namespace {

using image::Binding;
using runtime::CallOutcome;
using runtime::ImageRunner;
using runtime::Value;

Binding to_guest(const char* symbol, std::vector<uint32_t> memories) {
  Binding binding;
  binding.kind = Binding::Kind::kGuest;
  binding.symbol = symbol;
  binding.memories = std::move(memories);
  return binding;
}

class GuestLibraryTest : public testing::TestWithParam<vmm::Driver> {
 protected:
  void SetUp() override {
    auto host = vmm::Host::open(GetParam());
    if (!host) GTEST_SKIP() << "NO DRIVER: " << host.error().message;
    host_ = *std::move(host);
  }

  // tests/component/NAME.wat with its imports bound, instantiated.
  void start(const std::string& name, std::vector<Binding> imports) {
    auto bytes = read_file(std::string(COMPONENT_MODULES) + "/" + name + ".wasm", 1 << 20);
    ASSERT_TRUE(bytes) << bytes.error().message;
    image::BuildRequest request;
    request.options.opt_level = image::OptLevel::kO0;
    request.modules.push_back(*std::move(bytes));
    request.module_names.push_back(name);
    request.plan.steps.push_back({0, name, std::move(imports)});
    auto built = runtime::build_image(request);
    ASSERT_TRUE(built) << built.error().message;
    auto opened = image::Image::open(std::move(built->image));
    ASSERT_TRUE(opened) << opened.error().message;
    image_ = *std::move(opened);
    auto runner = ImageRunner::create(*host_, *image_, {});
    ASSERT_TRUE(runner) << runner.error().message;
    runner_ = *std::move(runner);
    const auto step = runner_->run_step(0);
    ASSERT_TRUE(step && step->kind == runtime::StepOutcome::Kind::kInstantiated);
  }

  CallOutcome call(const std::string& name, const std::vector<Value>& arguments = {}) {
    const image::ImageExport* function = runner_->find_export(0, name);
    EXPECT_NE(function, nullptr) << name;
    const auto outcome = runner_->call(function->func, arguments);
    EXPECT_TRUE(outcome) << outcome.error().message;
    return outcome ? *outcome : CallOutcome{};
  }
  uint64_t number(const std::string& name, const std::vector<Value>& arguments = {}) {
    const CallOutcome outcome = call(name, arguments);
    EXPECT_TRUE(outcome.returned() && outcome.values.size() == 1) << to_string(outcome);
    return outcome.values.empty() ? UINT64_MAX : outcome.values[0].bits.low;
  }

  std::unique_ptr<vmm::Host> host_;
  std::unique_ptr<image::Image> image_;
  std::unique_ptr<ImageRunner> runner_;
};

TEST_P(GuestLibraryTest, IsPassedTheMemoryThatTheBindingNames) {
  start("two_memories", {to_guest("mayfly_memory_grow", {1})});
  EXPECT_EQ(number("grow", {Value::i64(2)}), 3U);
  EXPECT_EQ(number("size_0"), 1U);
  EXPECT_EQ(number("size_1"), 5U);
}

TEST_P(GuestLibraryTest, HasHandleTablesInTheStateMemory) {
  start("handles",
        {to_guest("mayfly_component_handle_new", {0}),
         to_guest("mayfly_component_handle_drop", {0}), to_guest("mayfly_component_trap", {})});
  EXPECT_EQ(number("new", {Value::i32(70)}), 1U);
  EXPECT_EQ(number("new", {Value::i32(71)}), 2U);
  EXPECT_EQ(number("drop", {Value::i32(1)}), 70U | uint64_t{1} << 32);
  // 100,000 entries of 16 bytes: 25 pages, and the chunk that they end in is twice as large.
  EXPECT_EQ(number("many", {Value::i32(100'000)}), 33U);
  EXPECT_EQ(number("drop", {Value::i32(100'000)}), 2U | uint64_t{1} << 32);
}

TEST_P(GuestLibraryTest, SaysWhichRuleOfTheComponentModelTrapped) {
  start("handles",
        {to_guest("mayfly_component_handle_new", {0}),
         to_guest("mayfly_component_handle_drop", {0}), to_guest("mayfly_component_trap", {})});
  const CallOutcome outcome = call("drop", {Value::i32(5)});
  EXPECT_EQ(outcome.kind, CallOutcome::Kind::kTrapped);
  EXPECT_EQ(outcome.trap.code, guest_abi::TrapCode::kComponent);
  EXPECT_EQ(outcome.trap.message, "unknown handle index 5");
  ASSERT_FALSE(outcome.trap.backtrace.empty());
  const auto message = [&](uint32_t reason) {
    return call("trap", {Value::i32(reason)}).trap.message;
  };
  EXPECT_EQ(message(static_cast<uint32_t>(guest_abi::ComponentTrap::kCannotLeave)),
            "cannot leave component instance");
  EXPECT_EQ(message(0), "component trap 0");
  EXPECT_EQ(message(UINT32_MAX), "component trap 4294967295");
}

TEST_P(GuestLibraryTest, CopiesStringsFromTheSecondMemoryToTheFirst) {
  start("strings", {to_guest("mayfly_component_copy_utf8", {1, 0}),
                    to_guest("mayfly_component_utf16_from_utf8", {1, 0})});
  EXPECT_TRUE(call("copy", {Value::i32(61)}).returned());
  EXPECT_EQ(number("copied", {Value::i32(3)}), 0xBCU);
  EXPECT_EQ(number("copied", {Value::i32(60)}), 'e');
  EXPECT_EQ(number("copied", {Value::i32(61)}), 0U);
  EXPECT_EQ(number("widen", {Value::i32(61)}), 55U);
  EXPECT_EQ(number("widened", {Value::i32(39)}), 0x20ACU);
  EXPECT_EQ(call("copy", {Value::i32(62)}).trap.message, "invalid utf-8");
  EXPECT_EQ(call("widen", {Value::i32(63)}).trap.message, "invalid utf-8");
  EXPECT_EQ(call("copy", {Value::i32(3)}).trap.message, "incomplete utf-8 byte sequence");
}

INSTANTIATE_TEST_SUITE_P(Drivers, GuestLibraryTest,
                         testing::Values(vmm::Driver::kKvm, vmm::Driver::kProcess),
                         [](const auto& driver) { return std::string(to_string(driver.param)); });

}  // namespace
}  // namespace mayfly
