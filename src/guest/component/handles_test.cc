// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handle tables against a plain model of definitions.py, and against hostile state memories.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "guest/component/functions.h"
#include "guest/component/native_component.h"
#include "guest/component/trap.h"

using mayfly::guest_abi::MemoryInfo;

namespace mayfly::guest {

void component_trap(guest_abi::ComponentTrap trap, uint32_t number) { throw Trapped{trap, number}; }

}  // namespace mayfly::guest

extern "C" uint64_t mayfly_memory_grow(MemoryInfo* memory, uint64_t delta_pages) {
  const uint64_t pages_old = memory->bytes >> memory->page_size_log2;
  if (delta_pages > (memory->bytes_max - memory->bytes) >> memory->page_size_log2) return ~0ULL;
  memory->bytes += delta_pages << memory->page_size_log2;
  return pages_old;
}

namespace mayfly::guest {
namespace {

using guest_abi::ComponentTrap;

constexpr uint32_t kTables = 3;
constexpr uint32_t kType = 7;
constexpr uint32_t kOtherType = 8;

class HandlesTest : public testing::Test {
 protected:
  HandlesTest() : memory_(1, 128) {
    const auto next = static_cast<uint32_t>(guest_abi::component_state_bytes(kTables));
    std::memcpy(memory_.bytes().data(), &next, sizeof next);
  }
  MemoryInfo* info() { return memory_.info(); }

  uint32_t make(uint32_t rep, uint32_t table = 0) {
    return mayfly_component_handle_new(info(), table, kType, rep);
  }
  uint64_t drop(uint32_t index, uint32_t table = 0) {
    return mayfly_component_handle_drop(info(), table, kType, index);
  }
  uint32_t take(uint32_t index) { return mayfly_component_handle_take(info(), 0, kType, index); }
  uint32_t rep(uint32_t index, uint32_t table = 0) {
    return mayfly_component_handle_rep(info(), table, kType, index);
  }
  uint32_t lend(uint32_t index) { return mayfly_component_handle_lend(info(), 0, kType, index); }
  uint32_t enter() { return mayfly_component_scope_enter(info()); }
  void leave(uint32_t scope) { mayfly_component_scope_leave(info(), scope); }

  NativeMemory memory_;
};

TEST_F(HandlesTest, CountsFromOneAndReusesTheLastFreed) {
  EXPECT_EQ(make(10), 1U);
  EXPECT_EQ(make(11), 2U);
  EXPECT_EQ(make(12), 3U);
  EXPECT_EQ(drop(1), 10U | (uint64_t{1} << 32));
  EXPECT_EQ(take(3), 12U);
  EXPECT_EQ(make(13), 3U);
  EXPECT_EQ(make(14), 1U);
  EXPECT_EQ(make(15), 4U);
  EXPECT_EQ(rep(1), 14U);
  EXPECT_EQ(rep(3), 13U);
}

TEST_F(HandlesTest, KeepsTablesApart) {
  EXPECT_EQ(make(1, 0), 1U);
  EXPECT_EQ(make(2, 2), 1U);
  EXPECT_EQ(make(3, 2), 2U);
  EXPECT_EQ(rep(1, 0), 1U);
  EXPECT_EQ(rep(1, 2), 2U);
  EXPECT_EQ(trap_of([&] { rep(1, 1); }), ComponentTrap::kUnknownHandle);
}

TEST_F(HandlesTest, TrapsForAHandleThatIsNotThere) {
  for (const uint32_t index : {0U, 1U, 2U, 16U, 1U << 28, UINT32_MAX}) {
    EXPECT_EQ(trap_of([&] { rep(index); }), ComponentTrap::kUnknownHandle) << index;
  }
  make(5);
  drop(1);
  EXPECT_EQ(trap_of([&] { rep(1); }), ComponentTrap::kUnknownHandle);
  EXPECT_EQ(trap_of([&] { drop(1); }), ComponentTrap::kUnknownHandle);
  EXPECT_EQ(trap_of([&] { take(0); }), ComponentTrap::kUnknownHandle);
}

TEST_F(HandlesTest, TrapsForAHandleOfAnotherType) {
  make(5);
  EXPECT_EQ(trap_of([&] { mayfly_component_handle_rep(info(), 0, kOtherType, 1); }),
            ComponentTrap::kWrongResource);
  EXPECT_EQ(trap_of([&] { mayfly_component_handle_take(info(), 0, kOtherType, 1); }),
            ComponentTrap::kWrongResource);
  EXPECT_EQ(trap_of([&] { mayfly_component_handle_drop(info(), 0, kOtherType, 1); }),
            ComponentTrap::kWrongResource);
}

TEST_F(HandlesTest, HoldsWhatIsLentUntilTheScopeEnds) {
  make(5);
  const uint32_t outer = enter();
  EXPECT_EQ(lend(1), 5U);
  const uint32_t inner = enter();
  EXPECT_EQ(lend(1), 5U);
  EXPECT_EQ(trap_of([&] { drop(1); }), ComponentTrap::kHandleLent);
  leave(inner);
  EXPECT_EQ(trap_of([&] { take(1); }), ComponentTrap::kHandleLent);
  leave(outer);
  EXPECT_EQ(take(1), 5U);
}

TEST_F(HandlesTest, WantsBorrowsDroppedBeforeTheirScopeEnds) {
  const uint32_t scope = enter();
  const uint32_t index = mayfly_component_handle_borrow(info(), 1, kType, 9, scope);
  EXPECT_EQ(rep(index, 1), 9U);
  EXPECT_EQ(trap_of([&] { mayfly_component_handle_take(info(), 1, kType, index); }),
            ComponentTrap::kNotOwned);
  EXPECT_EQ(trap_of([&] { leave(scope); }), ComponentTrap::kBorrowsRemain);
  EXPECT_EQ(drop(index, 1), 9U);
  EXPECT_EQ(trap_of([&] { leave(scope); }), std::nullopt);
}

TEST_F(HandlesTest, RefusesToLendOutsideACallAndScopesOutOfOrder) {
  make(5);
  EXPECT_EQ(trap_of([&] { lend(1); }), ComponentTrap::kDamagedState);
  const uint32_t outer = enter();
  enter();
  EXPECT_EQ(trap_of([&] { leave(outer); }), ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { leave(0); }), ComponentTrap::kDamagedState);
  EXPECT_EQ(trap_of([&] { leave(3); }), ComponentTrap::kDamagedState);
}

TEST_F(HandlesTest, SaysThatTheMemoryIsFull) {
  const auto trapped = trap_of([&] {
    for (;;) make(1);
  });
  EXPECT_EQ(trapped, ComponentTrap::kTableFull);
  EXPECT_LE(info()->bytes, info()->bytes_max);
}

TEST_F(HandlesTest, NeedsNoMoreMemoryForHandlesThatComeAndGo) {
  for (uint32_t i = 0; i < 100; ++i) make(i);
  const uint64_t bytes = info()->bytes;
  const uint32_t scope = enter();
  for (uint32_t i = 0; i < 200'000; ++i) drop(make(i));
  leave(scope);
  EXPECT_EQ(info()->bytes, bytes);
  EXPECT_EQ(make(1), 101U);
}

// definitions.py, as plain as that.
class Model {
 public:
  struct Handle {
    uint32_t rep;
    uint32_t type;
    uint32_t scope;  // 0: own
    uint32_t lends;
  };
  struct Table {
    std::vector<std::optional<Handle>> array{std::nullopt};
    std::vector<uint32_t> free;
  };
  uint32_t add(uint32_t table, const Handle& handle) {
    Table& to = tables[table];
    if (to.free.empty()) {
      to.array.push_back(handle);
      return static_cast<uint32_t>(to.array.size() - 1);
    }
    const uint32_t index = to.free.back();
    to.free.pop_back();
    to.array[index] = handle;
    return index;
  }
  std::optional<ComponentTrap> get(uint32_t table, uint32_t type, uint32_t index) const {
    const auto& array = tables[table].array;
    if (index >= array.size() || !array[index]) return ComponentTrap::kUnknownHandle;
    if (array[index]->type != type) return ComponentTrap::kWrongResource;
    return std::nullopt;
  }
  std::optional<ComponentTrap> removal(uint32_t table, uint32_t type, uint32_t index,
                                       bool takes) const {
    if (const auto trap = get(table, type, index)) return trap;
    const Handle& handle = *tables[table].array[index];
    if (handle.lends != 0) return ComponentTrap::kHandleLent;
    if (takes && handle.scope != 0) return ComponentTrap::kNotOwned;
    return std::nullopt;
  }
  Handle remove(uint32_t table, uint32_t index) {
    const Handle handle = *tables[table].array[index];
    if (handle.scope != 0) --borrows[handle.scope - 1];
    tables[table].array[index].reset();
    tables[table].free.push_back(index);
    return handle;
  }

  std::array<Table, kTables> tables;
  std::vector<uint32_t> borrows;  // by scope
  std::vector<std::vector<std::pair<uint32_t, uint32_t>>> lenders;
};

class Comparison {
 public:
  Comparison(MemoryInfo* info, uint32_t seed) : info_(info), random_(seed) {}

  void step() {
    const uint32_t table = below(kTables);
    const uint32_t type = kType + (below(16) == 0 ? 1 : 0);
    const auto size = static_cast<uint32_t>(model_.tables[table].array.size());
    const uint32_t index = below(size + 2);
    const auto rep = static_cast<uint32_t>(random_());
    switch (below(9)) {
      case 0:
      case 1:
      case 2:
        ASSERT_EQ(mayfly_component_handle_new(info_, table, type, rep),
                  model_.add(table, {rep, type, 0, 0}));
        return;
      case 3:
        return remove(table, type, index, true);
      case 4:
        return remove(table, type, index, false);
      case 5:
        return look(table, type, index);
      case 6:
        return lend(table, type, index);
      case 7:
        return borrow(table, type, rep);
      default:
        return scope();
    }
  }

 private:
  uint32_t below(uint32_t end) { return static_cast<uint32_t>(random_()) % end; }

  void remove(uint32_t table, uint32_t type, uint32_t index, bool takes) {
    const auto expected = model_.removal(table, type, index, takes);
    uint64_t got = 0;
    const auto trapped = trap_of([&] {
      got = takes ? mayfly_component_handle_take(info_, table, type, index)
                  : mayfly_component_handle_drop(info_, table, type, index);
    });
    ASSERT_EQ(trapped, expected);
    if (expected) return;
    const Model::Handle handle = model_.remove(table, index);
    const uint64_t own = !takes && handle.scope == 0 ? 1 : 0;
    ASSERT_EQ(got, handle.rep | own << 32);
  }
  void look(uint32_t table, uint32_t type, uint32_t index) {
    const auto expected = model_.get(table, type, index);
    uint32_t rep = 0;
    ASSERT_EQ(trap_of([&] { rep = mayfly_component_handle_rep(info_, table, type, index); }),
              expected);
    if (!expected) {
      ASSERT_EQ(rep, model_.tables[table].array[index]->rep);
    }
  }
  void lend(uint32_t table, uint32_t type, uint32_t index) {
    if (model_.borrows.empty()) return;
    const auto expected = model_.get(table, type, index);
    ASSERT_EQ(trap_of([&] { mayfly_component_handle_lend(info_, table, type, index); }), expected);
    if (expected) return;
    ++model_.tables[table].array[index]->lends;
    model_.lenders.back().emplace_back(table, index);
  }
  void borrow(uint32_t table, uint32_t type, uint32_t rep) {
    if (model_.borrows.empty()) return;
    const uint32_t scope = 1 + below(static_cast<uint32_t>(model_.borrows.size()));
    ++model_.borrows[scope - 1];
    ASSERT_EQ(mayfly_component_handle_borrow(info_, table, type, rep, scope),
              model_.add(table, {rep, type, scope, 0}));
  }
  void scope() {
    const auto depth = static_cast<uint32_t>(model_.borrows.size());
    if (below(2) == 0 && depth < 40) {
      model_.borrows.push_back(0);
      model_.lenders.emplace_back();
      ASSERT_EQ(mayfly_component_scope_enter(info_), depth + 1);
      return;
    }
    if (depth == 0) return;
    const auto trapped = trap_of([&] { mayfly_component_scope_leave(info_, depth); });
    if (model_.borrows.back() != 0) {
      ASSERT_EQ(trapped, ComponentTrap::kBorrowsRemain);
      return;
    }
    ASSERT_EQ(trapped, std::nullopt);
    for (const auto& [table, index] : model_.lenders.back()) {
      --model_.tables[table].array[index]->lends;
    }
    model_.lenders.pop_back();
    model_.borrows.pop_back();
  }

  MemoryInfo* info_;
  std::mt19937 random_;
  Model model_;
};

TEST_F(HandlesTest, DoesAsTheDefinitionsSayWhateverTheOrder) {
  Comparison comparison(info(), 1);
  for (uint32_t i = 0; i < 20'000 && !HasFatalFailure(); ++i) comparison.step();
}

// Under sanitizers a write outside the memory ends the test.
TEST_F(HandlesTest, StaysInsideTheStateMemoryWhateverLiesInIt) {
  std::mt19937 random(2);
  NativeMemory small(1, 2);
  uint64_t trapped = 0;
  constexpr uint32_t kRounds = 2'000;
  for (uint32_t round = 0; round < kRounds; ++round) {
    const auto bytes = small.bytes().first(1024);
    for (uint8_t& byte : bytes) {
      byte = random() % 4 == 0 ? static_cast<uint8_t>(random()) : uint8_t{0};
    }
    const auto any = [&] { return static_cast<uint32_t>(random() >> (random() % 32)); };
    const auto ended = trap_of([&] {
      MemoryInfo* const at = small.info();
      mayfly_component_handle_new(at, any() % 8, kType, any());
      const uint32_t scope = mayfly_component_scope_enter(at);
      mayfly_component_handle_borrow(at, any() % 8, kType, any(), any() % 2 == 0 ? scope : any());
      mayfly_component_handle_lend(at, any(), kType, any());
      mayfly_component_handle_drop(at, any() % 8, kType, any());
      mayfly_component_scope_leave(at, scope);
    });
    trapped += ended ? 1 : 0;
  }
  EXPECT_GT(trapped, kRounds / 2);
}

}  // namespace
}  // namespace mayfly::guest
