// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many handles made and dropped across the boundary, in both directions, with traps and resets in
// between: every object is destroyed once, and neither tables nor memory grow.
// MAYFLY_SOAK_CYCLES says how many handles (`./dev soak 1000000`).
#include <cstdlib>
#include <fstream>

#include "resource_components.h"

namespace mayfly {
namespace {

// How many there are, and how many there were.
struct Token {
  Token(int64_t& live_count, int64_t& made) : live(live_count) { ++live_count, ++made; }
  Token(const Token&) = delete;
  Token& operator=(const Token&) = delete;
  ~Token() { --live; }
  int64_t& live;
};
struct Blob;

}  // namespace
}  // namespace mayfly

template <>
inline constexpr auto mayfly::kWit<mayfly::Blob> = mayfly::wit::resource("", "blob");

namespace mayfly {
namespace {

constexpr int64_t kHandlesPerRound = 220;

int64_t wanted_handles() {
  const char* const wanted = std::getenv("MAYFLY_SOAK_CYCLES");
  return wanted == nullptr ? 20'000 : std::strtoll(wanted, nullptr, 10);
}

uint64_t resident_bytes() {
  uint64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * 4096;
}

// Sanitizers keep memory of their own.
void expect_no_more_than(uint64_t before) {
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LE(resident_bytes(), before + (uint64_t{2} << 20));
#else
  EXPECT_GT(before, 0U);
#endif
}

class ResourceSoakTest : public LibraryTest {
 protected:
  Sandbox sandbox(const Linker& linker, const Bytes& bytes) {
    auto program = engine().load(bytes, "soak");
    EXPECT_TRUE(program) << program.error().message;
    // What is not dropped is soon too much.
    Limits limits;
    limits.host_resources_max = 100;
    auto made = linker.instantiate(*program, Policy().limits(limits));
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  Linker linker() {
    Linker linker(engine());
    linker.define_resource<Token>(kCounters, "counter");
    linker.define(kCounters, "[constructor]counter",
                  [this](uint32_t) { return Own<Token>::make(live_, made_); });
    linker.define(kCounters, "[method]counter.add",
                  [](Borrow<Token> self, uint32_t) { return static_cast<uint32_t>(self->live); });
    linker.define(kCounters, "consume", [](Own<Token>) { return 0U; });
    linker.define("", "hook", [] {});
    return linker;
  }
  int64_t live_ = 0;
  int64_t made_ = 0;
};

TEST_P(ResourceSoakTest, KeepsNothingOfTheHosts) {
  Sandbox guest = sandbox(linker(), counter_component());
  const auto churn = guest.component_function<void(uint32_t)>("churn").value();
  const auto take = guest.component_function<void(Own<Token>)>("take").value();
  const auto look = guest.component_function<uint32_t(Borrow<Token>)>("look").value();
  const auto consume = guest.component_function<uint32_t()>("consume").value();
  const auto drop = guest.component_function<void()>("drop").value();
  const auto give = guest.component_function<Own<Token>()>("give").value();
  const auto trap = guest.component_function<void()>("trap").value();
  const auto round = [&] {
    ASSERT_TRUE(churn(200));
    for (int i = 0; i < 5; ++i) {
      ASSERT_TRUE(take(Own<Token>::make(live_, made_)));
      ASSERT_TRUE(i % 2 == 0 ? consume().returned() : drop().returned());
      ASSERT_TRUE(take(Own<Token>::make(live_, made_)));
      const Own<Token> back = give().value();
      ASSERT_TRUE(look(back));
    }
    ASSERT_EQ(live_, 0);
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(take(Own<Token>::make(live_, made_)));
    ASSERT_FALSE(trap());
    ASSERT_EQ(live_, 0);
    ASSERT_TRUE(guest.reset());
  };
  const int64_t handles = wanted_handles();
  while (made_ < handles / 4 && !HasFatalFailure()) round();
  const uint64_t before = resident_bytes();
  while (made_ < handles && !HasFatalFailure()) round();
  expect_no_more_than(before);
  RecordProperty("handles", std::to_string(made_));
  RecordProperty("resident_bytes_before", std::to_string(before));
  RecordProperty("resident_bytes_after", std::to_string(resident_bytes()));
}

TEST_P(ResourceSoakTest, KeepsNothingOfTheComponents) {
  Sandbox guest = sandbox(linker(), blob_component());
  const auto make = guest.component_function<GuestOwn<Blob>(uint32_t)>("[constructor]blob").value();
  const auto join =
      guest.component_function<GuestOwn<Blob>(GuestOwn<Blob>, GuestOwn<Blob>)>("join").value();
  const auto size =
      guest.component_function<uint32_t(GuestBorrow<Blob>)>("[method]blob.size").value();
  const auto dropped = guest.component_function<uint32_t()>("dropped").value();
  const auto trap = guest.component_function<void()>("trap").value();
  int64_t made = 0;
  const auto round = [&] {
    constexpr uint32_t kPairs = kHandlesPerRound / 3;
    for (uint32_t i = 0; i < kPairs; ++i) {
      GuestOwn<Blob> a = make(i).value();
      GuestOwn<Blob> b = make(1).value();
      const GuestOwn<Blob> both = join(std::move(a), std::move(b)).value();
      ASSERT_EQ(size(both).value(), i + 1);
    }
    made += 3 * kPairs;
    ASSERT_EQ(dropped().value(), 3 * kPairs);
    // Of a state that is gone when they go.
    const GuestOwn<Blob> left = make(1).value();
    ASSERT_FALSE(trap());
    ASSERT_TRUE(guest.reset());
  };
  const int64_t handles = wanted_handles();
  const uint64_t memory = guest.usage().memory_bytes;
  while (made < handles / 4 && !HasFatalFailure()) round();
  const uint64_t before = resident_bytes();
  while (made < handles && !HasFatalFailure()) round();
  expect_no_more_than(before);
  EXPECT_EQ(guest.usage().memory_bytes, memory);
}

// Without a reset in between: the tables inside the sandbox stay as they are.
TEST_P(ResourceSoakTest, GrowsNoTableInTheSandbox) {
  const Sandbox host_owned = sandbox(linker(), counter_component());
  const auto churn = host_owned.component_function<void(uint32_t)>("churn").value();
  ASSERT_TRUE(churn(100));
  const uint64_t memory = host_owned.usage().memory_bytes;
  for (int64_t i = 0; i < wanted_handles() / 4; i += 500) ASSERT_TRUE(churn(500));
  EXPECT_EQ(host_owned.usage().memory_bytes, memory);
  EXPECT_EQ(live_, 0);
}

MAYFLY_ON_EACH_DRIVER(ResourceSoakTest);

}  // namespace
}  // namespace mayfly
