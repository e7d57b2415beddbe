// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resources in typed calls: of the host, and of components; who owns them when, and what becomes of
// them when calls trap, sandboxes go back, or go.
#include "resource_components.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

// How many there are.
struct Counter {
  explicit Counter(uint32_t start, int& live_count) : value(start), live(live_count) { ++live; }
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;
  ~Counter() { --live; }
  uint32_t value;
  int& live;
};
struct Box {
  std::string label;
  Own<Counter> item;
};
struct Blob;

}  // namespace
}  // namespace mayfly

template <>
inline constexpr auto mayfly::kWit<mayfly::Box> =
    mayfly::wit::record(mayfly::wit::field("label", &mayfly::Box::label),
                        mayfly::wit::field("item", &mayfly::Box::item));
template <>
inline constexpr auto mayfly::kWit<mayfly::Blob> = mayfly::wit::resource("", "blob");

namespace mayfly {
namespace {

using Counters = std::vector<Own<Counter>>;

class ResourceTest : public LibraryTest {
 protected:
  Linker linker() {
    Linker linker(engine());
    linker.define_resource<Counter>(kCounters, "counter");
    linker.define(kCounters, "[constructor]counter",
                  [this](uint32_t start) { return Own<Counter>::make(start, live_); });
    linker.define(kCounters, "[method]counter.add",
                  [](Borrow<Counter> self, uint32_t by) { return self->value += by; });
    linker.define(kCounters, "consume", [](Own<Counter> counter) { return counter->value; });
    return linker;
  }
  Linker blob_linker() {
    Linker linker(engine());
    linker.define("", "hook", [] {});
    return linker;
  }
  Sandbox sandbox(const Linker& linker, const Bytes& bytes, const Policy& policy = Policy()) {
    auto program = engine().load(bytes, "resources");
    EXPECT_TRUE(program) << program.error().message;
    auto made = linker.instantiate(*program, policy);
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
  template <typename Signature>
  TypedComponentFunction<Signature> find(const Sandbox& sandbox, const char* name) {
    auto found = sandbox.component_function<Signature>(name);
    EXPECT_TRUE(found) << found.error().message;
    return std::move(*found);
  }
  int live_ = 0;
};

TEST_P(ResourceTest, LivesWhileTheComponentHasIt) {
  const Sandbox made = sandbox(linker(), counter_component());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(5));
  EXPECT_EQ(live_, 1);
  EXPECT_EQ(find<uint32_t(uint32_t)>(made, "add")(2).value(), 7U);
  ASSERT_TRUE(find<void()>(made, "drop")());
  EXPECT_EQ(live_, 0);
}

TEST_P(ResourceTest, IsTheHostsOnceItIsPassed) {
  const Sandbox made = sandbox(linker(), counter_component());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(5));
  EXPECT_EQ(find<uint32_t()>(made, "consume")().value(), 5U);
  EXPECT_EQ(live_, 0);
  // The component has no handle of it any more.
  EXPECT_THAT(find<uint32_t()>(made, "consume")().message(), HasSubstr("handle"));
}

TEST_P(ResourceTest, GoesInAndComesOut) {
  const Sandbox made = sandbox(linker(), counter_component());
  const auto take = find<void(Own<Counter>)>(made, "take");
  const auto give = find<Own<Counter>()>(made, "give");
  ASSERT_TRUE(take(Own<Counter>::make(3U, live_)));
  EXPECT_EQ(find<uint32_t(uint32_t)>(made, "add")(1).value(), 4U);
  EXPECT_EQ(live_, 1);
  {
    auto given = give();
    ASSERT_TRUE(given) << given.message();
    EXPECT_EQ((*given)->value, 4U);
  }
  EXPECT_EQ(live_, 0);
}

TEST_P(ResourceTest, IsLentForOneCall) {
  const Sandbox made = sandbox(linker(), counter_component());
  const auto look = find<uint32_t(Borrow<Counter>)>(made, "look");
  Counter counter(10, live_);
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(look(counter).value(), 10U + 5U * static_cast<uint32_t>(i));
  }
  const auto owned = Own<Counter>::make(1U, live_);
  EXPECT_EQ(look(owned).value(), 6U);
  EXPECT_EQ(live_, 2);
}

TEST_P(ResourceTest, IsPartOfListsAndRecords) {
  const Sandbox made = sandbox(linker(), counter_component());
  Counters counters;
  for (uint32_t i = 0; i < 10; ++i) counters.push_back(Own<Counter>::make(i, live_));
  auto answer = find<Counters(Counters)>(made, "pass-list")(std::move(counters));
  ASSERT_TRUE(answer) << answer.message();
  ASSERT_EQ(answer->size(), 10U);
  for (uint32_t i = 0; i < 10; ++i) EXPECT_EQ((*answer)[i]->value, i);
  auto box = find<Box(Box)>(made, "pass-box")(Box{"a", Own<Counter>::make(7U, live_)});
  ASSERT_TRUE(box) << box.message();
  EXPECT_EQ(box->label, "a");
  EXPECT_EQ(box->item->value, 7U);
  EXPECT_EQ(live_, 11);
}

TEST_P(ResourceTest, IsDestroyedAfterATrap) {
  Sandbox made = sandbox(linker(), counter_component());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
  EXPECT_FALSE(find<void()>(made, "trap")());
  EXPECT_EQ(live_, 0);
  ASSERT_TRUE(made.reset());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
  EXPECT_EQ(live_, 1);
}

TEST_P(ResourceTest, IsDestroyedByAResetAndWithTheSandbox) {
  {
    Sandbox made = sandbox(linker(), counter_component());
    ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
    ASSERT_TRUE(made.reset());
    EXPECT_EQ(live_, 0);
    ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
    EXPECT_EQ(live_, 1);
  }
  EXPECT_EQ(live_, 0);
}

TEST_P(ResourceTest, StaysWhereItWasInTheStateOfASnapshot) {
  Sandbox made = sandbox(linker(), counter_component());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
  const auto with_one = made.snapshot();
  ASSERT_TRUE(with_one);
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(2));
  EXPECT_EQ(live_, 2);
  ASSERT_TRUE(made.restore(*with_one));
  EXPECT_EQ(live_, 1);
  EXPECT_EQ(find<uint32_t(uint32_t)>(made, "add")(2).value(), 3U);
}

// The component's memory says that it has a handle; the host knows better.
TEST_P(ResourceTest, IsRefusedWhenTheHostHasItNoMore) {
  Linker linked = linker();
  Sandbox made = sandbox(linked, counter_component());
  ASSERT_TRUE(find<void(uint32_t)>(made, "keep")(1));
  const auto with_one = made.snapshot();
  ASSERT_TRUE(with_one);
  ASSERT_TRUE(find<void()>(made, "drop")());
  ASSERT_TRUE(made.restore(*with_one));
  EXPECT_THAT(find<uint32_t(uint32_t)>(made, "add")(2).message(),
              HasSubstr("the host has no resource"));
  auto other = linked.instantiate(*with_one);
  ASSERT_TRUE(other);
  EXPECT_THAT(find<uint32_t(uint32_t)>(*other, "add")(2).message(),
              HasSubstr("the host has no resource"));
}

TEST_P(ResourceTest, RefusesAnEmptyOneAndStaysWhole) {
  const Sandbox made = sandbox(linker(), counter_component());
  const auto take = find<void(Own<Counter>)>(made, "take");
  EXPECT_THAT(take(Own<Counter>()).message(), HasSubstr("argument 1: a resource is empty"));
  EXPECT_FALSE(made.poisoned());
  ASSERT_TRUE(take(Own<Counter>::make(3U, live_)));
}

TEST_P(ResourceTest, HoldsTheComponentToItsLimit) {
  Limits limits;
  limits.host_resources_max = 2;
  Sandbox made = sandbox(linker(), counter_component(), Policy().limits(limits));
  const auto keep = find<void(uint32_t)>(made, "keep");
  ASSERT_TRUE(keep(1));
  ASSERT_TRUE(keep(2));
  EXPECT_THAT(keep(3).message(),
              HasSubstr("would have 3 resources of the host, past the limit of 2"));
  EXPECT_EQ(live_, 0);
}

TEST_P(ResourceTest, IsOfOneTypeWhichIsCheckedWhenItIsLinked) {
  Linker none(engine());
  none.define(kCounters, "[constructor]counter",
              [this](uint32_t start) { return Own<Counter>::make(start, live_); });
  const auto program = engine().load(counter_component(), "resources");
  EXPECT_THAT(none.prepare(*program).error().message, HasSubstr("of another type"));
  Linker other = linker();
  Linker wrong(engine());
  wrong.define_resource<std::string>(kCounters, "counter");
  wrong.define(kCounters, "[constructor]counter",
               [this](uint32_t start) { return Own<Counter>::make(start, live_); });
  EXPECT_THAT(wrong.prepare(*program).error().message, HasSubstr("of another type"));
  const Sandbox made = sandbox(other, counter_component());
  EXPECT_FALSE(made.component_function<Own<std::string>()>("give"));
  EXPECT_FALSE(made.component_function<Borrow<Counter>()>("give"));
  EXPECT_FALSE(made.component_function<GuestOwn<Blob>()>("give"));
}

TEST_P(ResourceTest, OfAComponentIsDroppedInIt) {
  const Sandbox made = sandbox(blob_linker(), blob_component());
  const auto make = find<GuestOwn<Blob>(uint32_t)>(made, "[constructor]blob");
  const auto size = find<uint32_t(GuestBorrow<Blob>)>(made, "[method]blob.size");
  const auto dropped = find<uint32_t()>(made, "dropped");
  {
    auto blob = make(7);
    ASSERT_TRUE(blob) << blob.message();
    EXPECT_EQ(size(*blob).value(), 7U);
    EXPECT_EQ(size(*blob).value(), 7U);
    EXPECT_EQ(dropped().value(), 0U);
  }
  EXPECT_EQ(dropped().value(), 1U);
  auto second = make(8);
  ASSERT_TRUE(second);
  ASSERT_TRUE((*second).drop());
  EXPECT_FALSE(*second);
  EXPECT_FALSE((*second).drop());
  EXPECT_EQ(dropped().value(), 2U);
}

TEST_P(ResourceTest, OfAComponentGoesBackInAndComesOut) {
  const Sandbox made = sandbox(blob_linker(), blob_component());
  const auto make = find<GuestOwn<Blob>(uint32_t)>(made, "[constructor]blob");
  const auto join = find<GuestOwn<Blob>(GuestOwn<Blob>, GuestOwn<Blob>)>(made, "join");
  const auto size = find<uint32_t(GuestBorrow<Blob>)>(made, "[method]blob.size");
  {
    GuestOwn<Blob> a = *make(3);
    GuestOwn<Blob> b = *make(4);
    auto both = join(std::move(a), std::move(b));
    ASSERT_TRUE(both) << both.message();
    EXPECT_EQ(size(*both).value(), 7U);
    EXPECT_FALSE(a);  // NOLINT: it is empty
    EXPECT_THAT(size(a).message(), HasSubstr("moved or passed on"));
    EXPECT_FALSE(made.poisoned());
  }
  EXPECT_EQ(find<uint32_t()>(made, "dropped")().value(), 3U);
}

TEST_P(ResourceTest, OfAComponentIsOfOneSandboxAndState) {
  const Linker linker = blob_linker();
  Sandbox made = sandbox(linker, blob_component());
  const Sandbox other = sandbox(linker, blob_component());
  auto blob = find<GuestOwn<Blob>(uint32_t)>(made, "[constructor]blob")(7);
  ASSERT_TRUE(blob);
  EXPECT_THAT(find<uint32_t(GuestBorrow<Blob>)>(other, "[method]blob.size")(*blob).message(),
              HasSubstr("of another sandbox"));
  ASSERT_TRUE(made.reset());
  EXPECT_THAT(find<uint32_t(GuestBorrow<Blob>)>(made, "[method]blob.size")(*blob).message(),
              HasSubstr("a state that the sandbox has left"));
  ASSERT_TRUE((*blob).drop());
  EXPECT_EQ(find<uint32_t()>(made, "dropped")().value(), 0U);
}

TEST_P(ResourceTest, OfAComponentMayOutliveItsSandbox) {
  std::optional<GuestOwn<Blob>> blob;
  {
    const Sandbox made = sandbox(blob_linker(), blob_component());
    blob = *find<GuestOwn<Blob>(uint32_t)>(made, "[constructor]blob")(7);
  }
  EXPECT_TRUE(blob->drop());
}

// The component may not be entered then.
TEST_P(ResourceTest, OfAComponentThatGoesInsideACallIsDroppedBeforeTheNext) {
  std::optional<GuestOwn<Blob>> blob;
  Linker linker(engine());
  linker.define("", "hook", [&] { blob.reset(); });
  const Sandbox made = sandbox(linker, blob_component());
  blob = *find<GuestOwn<Blob>(uint32_t)>(made, "[constructor]blob")(7);
  ASSERT_TRUE(find<void()>(made, "call-hook")());
  EXPECT_FALSE(blob);
  EXPECT_EQ(find<uint32_t()>(made, "dropped")().value(), 1U);
}

MAYFLY_ON_EACH_DRIVER(ResourceTest);

}  // namespace
}  // namespace mayfly
