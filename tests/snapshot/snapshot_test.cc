// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole programs between calls: saved, put back, started again elsewhere, on each driver.
#include <set>

#include "snapshot_fixture.h"

namespace mayfly {
namespace {

INSTANTIATE_TEST_SUITE_P(Drivers, SnapshotTest,
                         testing::Values(vmm::Driver::kKvm, vmm::Driver::kProcess),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST_P(SnapshotTest, PutsBackMemoryGlobalsAndTables) {
  const Running program = start();
  EXPECT_EQ(program.number("count"), 1);
  program.call("store", {Value::i32(4096), Value::i32(77)});
  const auto saved = program.snapshot();
  for (int round = 0; round < 5; ++round) {
    EXPECT_EQ(program.number("count"), 2);
    program.call("store", {Value::i32(4096), Value::i32(78)});
    EXPECT_EQ(program.number("grow", {3}), 2);
    program.call("store", {Value::i32(4 * 65536), Value::i32(79)});
    EXPECT_EQ(program.number("push", {1}), 4);
    EXPECT_EQ(program.number("call_last"), 1);
    program.restore(saved);
    EXPECT_EQ(program.number("load", {4096}), 77);
    EXPECT_EQ(program.number("size"), 2);
    EXPECT_EQ(program.number("table_size"), 4);
    EXPECT_EQ(program.call("load", {Value::i32(4 * 65536)}).kind, CallOutcome::Kind::kTrapped);
    program.restore(saved);
    EXPECT_EQ(program.number("grow", {3}), 2);
    EXPECT_EQ(program.number("load", {4 * 65536}), 0);
    program.restore(saved);
  }
}

TEST_P(SnapshotTest, StartsOthersFromASnapshot) {
  const Running first = start();
  EXPECT_EQ(first.number("grow", {100}), 2);
  first.call("spoil", {Value::i32(8192), Value::i32(5), Value::i32(10)});
  first.call("count");
  const auto saved = first.snapshot();
  for (int fork = 0; fork < 4; ++fork) {
    const Running other = make();
    other.restore(saved);
    EXPECT_EQ(other.number("size"), 102);
    EXPECT_EQ(other.number("load", {4096}), 0);
    EXPECT_EQ(other.number("load", {100 * 65536}), 0x05050505);
    other.call("store", {Value::i32(100 * 65536), Value::i32(static_cast<uint32_t>(fork))});
    EXPECT_EQ(other.number("load", {100 * 65536}), fork);
  }
  EXPECT_EQ(first.number("load", {100 * 65536}), 0x05050505);
}

TEST_P(SnapshotTest, GoesBetweenSnapshotsInAnyDirection) {
  const Running program = start();
  std::vector<SnapshotPtr> saved;
  for (int i = 0; i < 20; ++i) {
    saved.push_back(program.snapshot());
    EXPECT_EQ(program.number("count"), i + 1);
    program.call("store", {Value::i32(4096u * static_cast<uint32_t>(i % 7)),
                           Value::i32(1000u + static_cast<uint32_t>(i))});
  }
  const Running other = make();
  for (const int i : {3, 17, 0, 19, 4, 4, 11, 0, 18, 5}) {
    for (const Running* one : {&program, &other}) {
      one->restore(saved[static_cast<size_t>(i)]);
      EXPECT_EQ(one->number("count"), i + 1);
      for (int page = 0; page < 7; ++page) {
        const int last = i - 1 - ((i - 1 - page) % 7 + 7) % 7;  // that wrote the page before i
        EXPECT_EQ(one->number("load", {4096u * static_cast<uint32_t>(page)}),
                  last < 0 ? 0 : 1000 + last)
            << i << " page " << page;
      }
    }
  }
}

TEST_P(SnapshotTest, SharesPagesAndHoldsNoZeros) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {100}), 2);
  program.call("spoil", {Value::i32(65536), Value::i32(5), Value::i32(0)});
  const auto large = program.snapshot();
  EXPECT_GE(large->page_count(), 1600u);
  program.call("store", {Value::i32(70000), Value::i32(1)});
  const auto next = program.snapshot();
  EXPECT_LE(next->own_page_count(), 4u);
  EXPECT_EQ(next->page_count(), large->page_count());
  program.call("spoil", {Value::i32(65536), Value::i32(0), Value::i32(0)});
  EXPECT_LE(program.snapshot()->page_count(), 32u);
}

TEST_P(SnapshotTest, NeverRepeatsRandomNumbersOrTime) {
  const Running program = start();
  program.number("random");
  const auto saved = program.snapshot();
  std::set<int64_t> seen;
  int64_t last_time = 0;
  const Running other = make();
  for (int i = 0; i < 10; ++i) {
    for (const Running* one : {&program, &other}) {
      one->restore(saved);
      EXPECT_TRUE(seen.insert(one->number("random")).second);
      const int64_t time = one->number("monotonic");
      EXPECT_GE(time, last_time);
      last_time = time;
    }
  }
}

TEST_P(SnapshotTest, TrapsAndDeadlinesLeaveNothingBehind) {
  const Running program = start();
  const auto saved = program.snapshot();
  for (int i = 0; i < 5; ++i) {
    program.call("count");
    EXPECT_EQ(program.call("trap").kind, CallOutcome::Kind::kTrapped);
    program.restore(saved);
    EXPECT_EQ(program.number("count"), 1);
    EXPECT_EQ(program.call("load", {Value::i32(0xffff'0000)}).kind, CallOutcome::Kind::kTrapped);
    program.restore(saved);
    EXPECT_EQ(program.call("spoil", {Value::i32(0), Value::i32(1), Value::i32(1'000'000'000)}).kind,
              CallOutcome::Kind::kTrapped);
    program.restore(saved);
    EXPECT_EQ(program.number("load", {64}), 0x61746164);  // "data"
  }
}

TEST_P(SnapshotTest, KeepsOpenFiles) {
  const Running program = start();
  const int64_t file = program.number("open");
  ASSERT_EQ(file, 4);
  EXPECT_EQ(program.number("read_byte", {4}), 'a');
  const auto saved = program.snapshot();
  EXPECT_EQ(program.number("read_byte", {4}), 'b');
  EXPECT_EQ(program.number("open"), 5);
  EXPECT_EQ(program.number("close", {4}), 0);
  program.restore(saved);
  EXPECT_EQ(program.number("read_byte", {4}), 'b');
  EXPECT_EQ(program.number("read_byte", {5}), -8);
  // A fork has the file, too, and its own position in it.
  const Running other = make();
  other.restore(saved);
  EXPECT_EQ(other.number("read_byte", {4}), 'b');
  EXPECT_EQ(other.number("read_byte", {4}), 'c');
  EXPECT_EQ(program.number("read_byte", {4}), 'c');
  EXPECT_EQ(other.number("close", {4}), 0);
  EXPECT_EQ(program.number("read_byte", {4}), 'd');
}

// What a restore closes is closed: descriptors do not pile up.
TEST_P(SnapshotTest, ClosesWhatWasOpenedSince) {
  const auto open_descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"),
                         std::filesystem::directory_iterator());
  };
  const Running program = start();
  const auto saved = program.snapshot();
  program.restore(saved);
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(program.number("open"), 4);
    EXPECT_EQ(program.number("close", {3}), 0);
    program.restore(saved);
  }
  EXPECT_EQ(open_descriptors(), before);
  EXPECT_EQ(program.number("open"), 4);
}

TEST_P(SnapshotTest, RefusesAnotherImagesSnapshot) {
  const Running program = start();
  runtime::Snapshot::Rest rest;
  const auto foreign = Snapshot::create({}, nullptr, {}, rest);
  ASSERT_TRUE(foreign);
  const auto restored = program.runner->restore(*foreign);
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message.find("another program"), std::string::npos);
  EXPECT_EQ(program.number("count"), 1);
}

}  // namespace
}  // namespace mayfly
