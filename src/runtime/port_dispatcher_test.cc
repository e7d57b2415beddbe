// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Requests that no guest library sends: each ends as a refusal or a trap.
#include "runtime/port_dispatcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

#include "runtime/fake_vm.h"

namespace mayfly::runtime {
namespace {

using guest_abi::Port;
using guest_abi::TrapCode;
using ::testing::HasSubstr;

constexpr uint64_t kAddress = 0x50'0000;
constexpr uint64_t kPage = 65536;

const std::vector<image::Region> kRegions = {
    {.kind = image::RegionKind::kData, .bytes = 4096, .bytes_reserved = 4 * kPage},
    {.kind = image::RegionKind::kMemory, .bytes = kPage, .bytes_reserved = 4 * kPage},
    {.kind = image::RegionKind::kTable, .bytes = kPage, .bytes_reserved = 4 * kPage}};

class PortDispatcherTest : public ::testing::Test {
 protected:
  PortDispatcher dispatcher(PortOptions options) {
    return {kRegions, functions_, vm_, std::move(options)};
  }
  template <typename Request>
  void put(const Request& request) {
    std::memcpy(vm_.call_page().request, &request, sizeof request);
  }
  template <typename Request>
  Request get() {
    Request request;
    std::memcpy(&request, vm_.call_page().request, sizeof request);
    return request;
  }
  // Whether the guest could grow a region to this many bytes.
  bool grows(uint32_t region, uint64_t bytes, PortOptions options = {}) {
    put(guest_abi::GrowRequest{
        .region = region, .reserved = 0, .bytes_new = bytes, .ok = 7, .reserved_out = 0});
    EXPECT_TRUE(dispatcher(std::move(options)).handle(static_cast<uint32_t>(Port::kGrow)));
    return get<guest_abi::GrowRequest>().ok == 1;
  }
  CallOutcome ended(uint32_t port, PortOptions options = {}) {
    const auto outcome = dispatcher(std::move(options)).handle(port);
    EXPECT_TRUE(outcome && outcome->has_value());
    return outcome && outcome->has_value() ? **outcome : CallOutcome{};
  }

  FakeVm vm_{kAddress, 4096, {{4096, 4 * kPage}, {kPage, 4 * kPage}, {kPage, 4 * kPage}}};
  std::vector<image::HostFunction> functions_;
};

TEST_F(PortDispatcherTest, GrowsAMemoryAndATable) {
  EXPECT_TRUE(grows(1, 2 * kPage));
  EXPECT_TRUE(grows(2, 4 * kPage));
  EXPECT_EQ(vm_.region_bytes(1), 2 * kPage);
}

TEST_F(PortDispatcherTest, RefusesToGrowDataAndRegionsThatAreNotThere) {
  EXPECT_FALSE(grows(0, 2 * kPage));
  EXPECT_FALSE(grows(3, 2 * kPage));
  EXPECT_FALSE(grows(UINT32_MAX, 2 * kPage));
}

TEST_F(PortDispatcherTest, RefusesToShrinkAndToPassWhatIsReserved) {
  EXPECT_FALSE(grows(1, kPage - 1));
  EXPECT_FALSE(grows(1, 4 * kPage + 1));
  EXPECT_FALSE(grows(1, UINT64_MAX));
  EXPECT_EQ(vm_.region_bytes(1), kPage);
}

TEST_F(PortDispatcherTest, CountsAllMemoriesAndTablesAgainstTheLimit) {
  PortOptions options;
  options.limits.memory_bytes_max = 3 * kPage;
  EXPECT_FALSE(grows(1, 3 * kPage, options));
  EXPECT_TRUE(grows(1, 2 * kPage, options));
  EXPECT_FALSE(grows(2, 2 * kPage, options));
}

TEST_F(PortDispatcherTest, WritesBackWhatGoesOutOnly) {
  EXPECT_TRUE(grows(1, 2 * kPage));
  const auto request = get<guest_abi::GrowRequest>();
  EXPECT_EQ(request.region, 1U);
  EXPECT_EQ(request.bytes_new, 2 * kPage);
}

TEST_F(PortDispatcherTest, EndsTheCallWithTheGuestsExitCode) {
  put(guest_abi::ExitRequest{7});
  const CallOutcome outcome = ended(static_cast<uint32_t>(Port::kExit));
  EXPECT_EQ(outcome.kind, CallOutcome::Kind::kExited);
  EXPECT_EQ(outcome.exit_code, 7U);
}

TEST_F(PortDispatcherTest, TrapsAtAPortThatNobodyAnswers) {
  const CallOutcome outcome = ended(9999);
  EXPECT_EQ(outcome.trap.code, TrapCode::kHostError);
  EXPECT_EQ(outcome.trap.message, "host error: nothing answers port 9999");
}

TEST_F(PortDispatcherTest, TrapsAtAHostFunctionThatIsNotThere) {
  put(guest_abi::HostCallRequest{.import_index = 0, .reserved = 0});
  EXPECT_EQ(ended(static_cast<uint32_t>(Port::kHostCall)).trap.code, TrapCode::kHostError);
}

// Doubles its argument, or ends the call when that is 0.
class Doubling final : public HostCalls {
 public:
  std::unique_ptr<CallOutcome> call_host(uint32_t /*index*/, guest_abi::Slot* slots) override {
    if (slots[0].low != 0) {
      slots[0].low *= 2;
      return nullptr;
    }
    auto ended = std::make_unique<CallOutcome>();
    ended->exit_code = 5;
    return ended;
  }
};

TEST_F(PortDispatcherTest, PassesTheSlotsToAHostFunction) {
  functions_.push_back({"env", "twice", {{wasm::kI32}, {wasm::kI64}}});
  Doubling functions;
  PortOptions options;
  options.host_calls = &functions;
  put(guest_abi::HostCallRequest{.import_index = 0, .reserved = 0});
  vm_.call_page().slots[0] = {21, 0};
  const auto outcome =
      dispatcher(std::move(options)).handle(static_cast<uint32_t>(Port::kHostCall));
  ASSERT_TRUE(outcome);
  EXPECT_FALSE(outcome->has_value());
  EXPECT_EQ(vm_.call_page().slots[0].low, 42U);
}

TEST_F(PortDispatcherTest, EndsTheCallAsTheHostFunctionSays) {
  functions_.push_back({"env", "f", {}});
  Doubling functions;
  PortOptions options;
  options.host_calls = &functions;
  put(guest_abi::HostCallRequest{.import_index = 0, .reserved = 0});
  vm_.call_page().slots[0] = {0, 0};
  EXPECT_EQ(ended(static_cast<uint32_t>(Port::kHostCall), std::move(options)).exit_code, 5U);
}

TEST_F(PortDispatcherTest, CountsEntriesOfAllTablesAgainstTheLimit) {
  PortOptions options;
  options.limits.table_entries_max = 2 * kPage / 8;
  EXPECT_TRUE(grows(2, 2 * kPage, options));
  EXPECT_FALSE(grows(2, 2 * kPage + 8, options));
}

TEST_F(PortDispatcherTest, ReadsTheMessageOfAnAbortWithinTheGuestOnly) {
  std::memcpy(vm_.memory().data(), "broken", 6);
  guest_abi::AbortRequest request{};
  request.message_address = kAddress;
  request.message_bytes = 6;
  put(request);
  EXPECT_THAT(ended(static_cast<uint32_t>(Port::kAbort)).trap.message, HasSubstr("broken"));
  request.message_address = UINT64_MAX - 2;
  put(request);
  EXPECT_THAT(ended(static_cast<uint32_t>(Port::kAbort)).trap.message, HasSubstr("no message"));
}

TEST_F(PortDispatcherTest, CutsTheMessageOfAnAbort) {
  std::ranges::fill(vm_.memory(), 'x');
  guest_abi::AbortRequest request{};
  request.message_address = kAddress;
  request.message_bytes = UINT32_MAX;
  put(request);
  EXPECT_LT(ended(static_cast<uint32_t>(Port::kAbort)).trap.message.size(), 300U);
}

TEST_F(PortDispatcherTest, AnswersZeroForAClockThatIsNotThere) {
  put(guest_abi::ClockRequest{.clock = 99, .reserved = 0, .nanoseconds = 5, .resolution_ns = 5});
  ASSERT_TRUE(dispatcher({}).handle(static_cast<uint32_t>(Port::kClock)));
  EXPECT_EQ(get<guest_abi::ClockRequest>().nanoseconds, 0U);
}

// Waits for the deadline, as a read of an empty pipe does.
class Waits final : public PortHandler {
 public:
  Result<PortOutcome> handle(uint32_t /*port*/, PortContext& context,
                             std::span<uint8_t> /*request*/) override {
    while (std::chrono::steady_clock::now() < context.deadline.value()) {
    }
    return PortOutcome{};
  }
};

TEST_F(PortDispatcherTest, EndsTheCallWhenAHandlerWaitedUntilTheDeadline) {
  Waits handler;
  PortOptions options;
  options.handler = &handler;
  options.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
  EXPECT_EQ(ended(static_cast<uint32_t>(Port::kWasiFirst), std::move(options)).kind,
            CallOutcome::Kind::kDeadline);
}

// Answers two bytes of the request.
class Answers final : public PortHandler {
 public:
  Result<PortOutcome> handle(uint32_t /*port*/, PortContext& /*context*/,
                             std::span<uint8_t> request) override {
    std::ranges::fill(request, uint8_t{0xee});
    return PortOutcome{.out_offset = 4, .out_bytes = 2};
  }
};

TEST_F(PortDispatcherTest, PutsBackWhatAHandlerNamesAndNothingElse) {
  Answers handler;
  PortOptions options;
  options.handler = &handler;
  put(std::array<uint8_t, 8>{1, 2, 3, 4, 5, 6, 7, 8});
  ASSERT_TRUE(dispatcher(std::move(options)).handle(static_cast<uint32_t>(Port::kWasiFirst)));
  EXPECT_EQ((get<std::array<uint8_t, 8>>()),
            (std::array<uint8_t, 8>{1, 2, 3, 4, 0xee, 0xee, 7, 8}));
}

// Takes what a guest claims to have written behind, and says when.
class Settles final : public PortHandler {
 public:
  Result<PortOutcome> handle(uint32_t /*port*/, PortContext& context,
                             std::span<uint8_t> /*request*/) override {
    log += "port ";
    if (context.behind != nullptr) context.behind->watch();
    return PortOutcome{};
  }
  Result<void> settle(PortContext& context) override {
    log += "settle ";
    context.behind->words().consumed = context.behind->words().produced;
    return refusal.empty() ? Result<void>() : invalid(refusal);
  }
  std::string log;
  std::string refusal;
};

class BehindTest : public PortDispatcherTest {
 protected:
  PortDispatcher with_handler() {
    PortOptions options;
    options.handler = &handler_;
    return dispatcher(std::move(options));
  }
  guest_abi::WriteBehind& words() { return vm_.call_page().write_behind; }
  Settles handler_;
};

TEST_F(BehindTest, SettlesBeforeAnyPort) {
  auto dispatcher = with_handler();
  words().produced = 16;
  ASSERT_TRUE(dispatcher.handle(static_cast<uint32_t>(Port::kWasiFirst)));
  words().produced = 32;
  ASSERT_TRUE(dispatcher.handle(static_cast<uint32_t>(Port::kClock)));
  ASSERT_TRUE(dispatcher.handle(static_cast<uint32_t>(Port::kClock)));
  EXPECT_EQ(handler_.log, "settle port settle ");
}

TEST_F(BehindTest, SettlesAtTheEndOfACallAndWatchesNoMore) {
  auto dispatcher = with_handler();
  ASSERT_TRUE(dispatcher.handle(static_cast<uint32_t>(Port::kWasiFirst)));
  EXPECT_EQ(words().is_watched, 1U);
  words().produced = 16;
  EXPECT_FALSE(dispatcher.end_call().has_value());
  EXPECT_EQ(words().is_watched, 0U);
  EXPECT_EQ(handler_.log, "port settle ");
}

TEST_F(BehindTest, LooksAtAGuestUntilItHasNothingNew) {
  auto dispatcher = with_handler();
  ASSERT_TRUE(dispatcher.handle(static_cast<uint32_t>(Port::kWasiFirst)));
  ASSERT_EQ(vm_.watch(), &dispatcher);
  words().produced = 16;
  vm_.watch()->look();
  EXPECT_EQ(handler_.log, "port settle ");
  EXPECT_EQ(words().is_watched, 1U);
  vm_.watch()->look();
  EXPECT_EQ(handler_.log, "port settle ");
  EXPECT_EQ(words().is_watched, 0U);
}

TEST_F(BehindTest, EndsTheCallOfAGuestThatLeavesABadBuffer) {
  auto dispatcher = with_handler();
  handler_.refusal = "bad buffer";
  words().produced = 16;
  const auto outcome = dispatcher.handle(static_cast<uint32_t>(Port::kClock));
  ASSERT_TRUE(outcome && outcome->has_value());
  EXPECT_THAT((*outcome)->trap.message, HasSubstr("bad buffer"));
  words().produced = 32;
  dispatcher.look();  // there is no call to end here, so the next moment ends it
  const auto ended = dispatcher.end_call();
  ASSERT_TRUE(ended.has_value());
  EXPECT_THAT(ended->trap.message, HasSubstr("bad buffer"));
}

}  // namespace
}  // namespace mayfly::runtime
