// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contract of Vm::restore(), on every driver: memory is as saved, nothing of the past shows.
#include <gtest/gtest.h>

#include <cstring>

#include "base/mapping.h"
#include "vmm/guest_test.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kPageBytes;

// Writes the byte slots[2] at slots[0], and slots[1] pages of it on.
//   mov rdi, [rsi]; mov rcx, [rsi+16]; mov rax, [rsi+32]
//   loop: mov [rdi], al; add rdi, 4096; dec rcx; jnz loop; ret
Code page_writer() {
  return Code()
      .bytes({0x48, 0x8b, 0x3e, 0x48, 0x8b, 0x4e, 0x10, 0x48, 0x8b, 0x46, 0x20})
      .bytes({0x88, 0x07, 0x48, 0x81, 0xc7, 0x00, 0x10, 0x00, 0x00, 0x48, 0xff, 0xc9})
      .bytes({0x75, 0xf2})
      .ret();
}

// Content that a test keeps: what a snapshot of the runtime will be.
struct Kept {
  SavedMemory state;
  std::vector<std::vector<uint8_t>> pages;
  Fd file;
};

class RestoreTest : public DriverTest {
 protected:
  std::unique_ptr<Vm> make_tracked(const TestImage& image) {
    VmConfig config = image.config();
    config.tracking = Tracking::kOn;
    return make(config);
  }
  static void write_pages(Vm& vm, uint64_t address, uint64_t count, uint8_t value) {
    vm.call_page().slots[0].low = address;
    vm.call_page().slots[1].low = count;
    vm.call_page().slots[2].low = value;
    ASSERT_EQ(call(vm).kind, Exit::Kind::kPort);
  }
  static uint8_t byte_at(Vm& vm, uint64_t address) {
    uint8_t byte = 0xee;
    EXPECT_TRUE(vm.read(address, std::span(&byte, 1)));
    return byte;
  }
  enum class Stays : uint8_t { kNo, kYes };
  void put_together(Stays stays);
  // Everything that is not zero, page by page.
  static Kept keep(Vm& vm) {
    Kept kept;
    for (size_t region = 0; region < 3; ++region) {
      kept.state.region_bytes.push_back(vm.region_bytes(region));
    }
    auto touched = vm.touched_pages();
    EXPECT_TRUE(touched);
    std::sort(touched->begin(), touched->end(), [](const PageView& a, const PageView& b) {
      return std::pair(a.region, a.page) < std::pair(b.region, b.page);
    });
    kept.pages.reserve(touched->size());
    for (const PageView& view : *touched) {
      kept.pages.emplace_back(view.bytes, view.bytes + kPageBytes);
      kept.state.runs.push_back({view.region, view.page, 1, kept.pages.back().data()});
    }
    return kept;
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, RestoreTest, testing::Values(Driver::kKvm, Driver::kProcess),
                         driver_name);

TEST_P(RestoreTest, PutsBackWhatTheGuestWrote) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  ASSERT_NE(vm, nullptr);
  write_pages(*vm, kMemory, 4, 1);
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->set_reference(kept.state));
  for (int round = 0; round < 20; ++round) {
    write_pages(*vm, kMemory + 2 * kPageBytes, 6, 7);
    EXPECT_EQ(byte_at(*vm, kMemory + 7 * kPageBytes), 7);
    ASSERT_TRUE(vm->restore(kept.state));
    for (uint64_t page = 0; page < 16; ++page) {
      EXPECT_EQ(byte_at(*vm, kMemory + page * kPageBytes), page < 4 ? 1 : 0) << page;
    }
  }
}

TEST_P(RestoreTest, PutsBackWhatTheHostWrote) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->restore(kept.state));
  const uint8_t secret[] = {1, 2, 3};
  ASSERT_TRUE(vm->write(kMemory + kPageBytes - 1, secret));
  ASSERT_TRUE(vm->view(kMemory + 8 * kPageBytes, 1));
  ASSERT_TRUE(vm->restore(kept.state));
  EXPECT_EQ(byte_at(*vm, kMemory + kPageBytes - 1), 0);
  EXPECT_EQ(byte_at(*vm, kMemory + kPageBytes), 0);
}

TEST_P(RestoreTest, CountsNoPageAsWrittenThatTheHostReads) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  write_pages(*vm, kMemory, 2, 1);
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->restore(kept.state));
  const auto count = [&] { return vm->touched_pages().value().size(); };
  const size_t before = count();
  const auto read = vm->read_view(kMemory, 8 * kPageBytes);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)[kPageBytes], 1);
  EXPECT_EQ(count(), before);
}

TEST_P(RestoreTest, BringsBackTheImagesData) {
  const std::vector<uint8_t> data(100, 0x55);
  const TestImage image(page_writer(), data);
  const auto vm = make_tracked(image);
  const Kept kept = keep(*vm);
  write_pages(*vm, kData, 2, 9);
  EXPECT_EQ(byte_at(*vm, kData), 9);
  ASSERT_TRUE(vm->restore(kept.state));
  EXPECT_EQ(byte_at(*vm, kData), 0x55);
  EXPECT_EQ(byte_at(*vm, kData + kPageBytes), 0);
}

TEST_P(RestoreTest, ShrinksWhatGrewAndShowsZerosWhenItGrowsAgain) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  const Kept kept = keep(*vm);
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(vm->resize(kMemoryRegion, kMemoryBytes * 4));
    EXPECT_EQ(byte_at(*vm, kMemory + kMemoryBytes * 3), 0);
    write_pages(*vm, kMemory, kMemoryBytes * 4 / kPageBytes, 3);
    ASSERT_TRUE(vm->restore(kept.state));
    EXPECT_EQ(vm->region_bytes(kMemoryRegion), kMemoryBytes);
    vm->call_page().slots[0].low = kMemory + kMemoryBytes;
    vm->call_page().slots[1].low = 1;
    EXPECT_EQ(call(*vm).kind, Exit::Kind::kFault);
    ASSERT_TRUE(vm->restore(kept.state));
  }
}

TEST_P(RestoreTest, StartsAnotherVmFromIt) {
  const TestImage image(page_writer());
  const auto first = make_tracked(image);
  ASSERT_TRUE(first->resize(kMemoryRegion, uint64_t{8} << 20));
  write_pages(*first, kMemory, 2000, 5);
  const Kept kept = keep(*first);
  const auto second = make_tracked(image);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(second->restore(kept.state));
    EXPECT_EQ(second->region_bytes(kMemoryRegion), uint64_t{8} << 20);
    for (uint64_t page = 0; page < 2048; page += 37) {
      ASSERT_EQ(byte_at(*second, kMemory + page * kPageBytes), page < 2000 ? 5 : 0) << page;
    }
    write_pages(*second, kMemory, 2048, 6);
  }
}

TEST_P(RestoreTest, MovesBetweenStatesThatShareContent) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  write_pages(*vm, kMemory, 16, 1);
  const Kept base = keep(*vm);
  // The same, but for pages 3 and 10.
  const std::vector<uint8_t> other(kPageBytes, 2);
  SavedMemory changed = base.state;
  for (PageRun& run : changed.runs) {
    if (run.region == kMemoryRegion && run.first == 3) run.bytes = other.data();
  }
  std::erase_if(changed.runs,
                [](const PageRun& run) { return run.region == kMemoryRegion && run.first == 10; });
  ASSERT_TRUE(vm->set_reference(base.state));
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(vm->restore(changed));
    EXPECT_EQ(byte_at(*vm, kMemory + 3 * kPageBytes), 2);
    EXPECT_EQ(byte_at(*vm, kMemory + 10 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 11 * kPageBytes), 1);
    write_pages(*vm, kMemory, 12, 9);
    ASSERT_TRUE(vm->restore(base.state));
    for (uint64_t page = 0; page < 16; ++page) {
      EXPECT_EQ(byte_at(*vm, kMemory + page * kPageBytes), 1) << page;
    }
  }
}

TEST_P(RestoreTest, MapsLongRunsOfAFileAndKeepsItUnchanged) {
  constexpr uint64_t kPages = 600;
  auto file = create_memfd("state", kPages * kPageBytes);
  ASSERT_TRUE(file);
  std::vector<uint8_t> content(kPages * kPageBytes, 4);
  ASSERT_TRUE(write_whole(file->get(), content));
  const auto mapping = Mapping::file(file->get(), 0, content.size(), Mapping::Access::kRead,
                                     Mapping::Sharing::kPrivate);
  ASSERT_TRUE(mapping);
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  SavedMemory state = keep(*vm).state;
  state.runs.clear();
  state.region_bytes[kMemoryRegion] = uint64_t{4} << 20;
  state.runs.push_back({kMemoryRegion, 100, kPages, mapping->data(), file->get(), 0});
  const SavedMemory empty{state.region_bytes, {}};
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(vm->restore(state));
    EXPECT_EQ(byte_at(*vm, kMemory + 99 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 100 * kPageBytes), 4);
    EXPECT_EQ(byte_at(*vm, kMemory + 699 * kPageBytes + 4095), 4);
    write_pages(*vm, kMemory + 90 * kPageBytes, 700, 8);
    ASSERT_TRUE(vm->restore(empty));
    EXPECT_EQ(byte_at(*vm, kMemory + 100 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 400 * kPageBytes), 0);
  }
  std::vector<uint8_t> now(content.size());
  ASSERT_EQ(::pread(file->get(), now.data(), now.size(), 0), static_cast<ssize_t>(now.size()));
  EXPECT_EQ(now, content);
}

// Most of a region is one file's, some pages are another's, some are zero.
void RestoreTest::put_together(Stays stays) {
  constexpr uint64_t kPages = 600;
  auto file = create_memfd("state", kPages * kPageBytes);
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_whole(file->get(), std::vector<uint8_t>(kPages * kPageBytes, 4)));
  const auto mapping = Mapping::file(file->get(), 0, kPages * kPageBytes, Mapping::Access::kRead,
                                     Mapping::Sharing::kPrivate);
  ASSERT_TRUE(mapping);
  const auto at = [&](uint64_t page) {
    return stays == Stays::kYes ? mapping->data() + page * kPageBytes : nullptr;
  };
  const std::vector<uint8_t> other(kPageBytes, 5);
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  SavedMemory state = keep(*vm).state;
  state.region_bytes[kMemoryRegion] = uint64_t{4} << 20;
  state.runs = {{kMemoryRegion, 10, 200, at(0), file->get(), 0},
                {kMemoryRegion, 210, 1, other.data()},
                {kMemoryRegion, 211, 100, at(201), file->get(), 201 * kPageBytes},
                {kMemoryRegion, 330, 200, at(320), file->get(), 320 * kPageBytes},
                {kMemoryRegion, 900, 1, other.data()}};
  const SavedMemory empty{state.region_bytes, {}};
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(vm->restore(state));
    EXPECT_EQ(byte_at(*vm, kMemory + 9 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 209 * kPageBytes), 4);
    EXPECT_EQ(byte_at(*vm, kMemory + 210 * kPageBytes), 5);
    EXPECT_EQ(byte_at(*vm, kMemory + 310 * kPageBytes), 4);
    EXPECT_EQ(byte_at(*vm, kMemory + 311 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 329 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 529 * kPageBytes), 4);
    EXPECT_EQ(byte_at(*vm, kMemory + 530 * kPageBytes), 0);
    EXPECT_EQ(byte_at(*vm, kMemory + 900 * kPageBytes), 5);
    write_pages(*vm, kMemory, 1000, 9);
    if (round == 1) {
      ASSERT_TRUE(vm->restore(empty));
    }
  }
}

TEST_P(RestoreTest, PutsAnExtentTogetherFromItsPieces) { put_together(Stays::kYes); }
TEST_P(RestoreTest, ReadsAFileThatMayChangeInPieces) { put_together(Stays::kNo); }

// A large state from a file costs what the guest touches of it.
TEST_P(RestoreTest, ReadsAFileWhereItIsTouched) {
  constexpr uint64_t kPages = 16384;
  auto file = create_memfd("state", kPages * kPageBytes);
  ASSERT_TRUE(file);
  for (uint64_t page = 0; page < kPages; ++page) {
    const uint8_t byte = static_cast<uint8_t>(1 + page % 251);
    ASSERT_EQ(::pwrite(file->get(), &byte, 1, static_cast<off_t>(page * kPageBytes)), 1);
  }
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  SavedMemory state = keep(*vm).state;
  state.region_bytes[kMemoryRegion] = kPages * kPageBytes;
  state.runs = {{kMemoryRegion, 0, kPages, nullptr, file->get(), 0}};
  const SavedMemory empty{state.region_bytes, {}};
  const auto expect_content = [&](uint64_t step) {
    for (uint64_t page = 0; page < kPages; page += step) {
      ASSERT_EQ(byte_at(*vm, kMemory + page * kPageBytes), 1 + page % 251) << page;
    }
  };
  ASSERT_TRUE(vm->restore(state));
  write_pages(*vm, kMemory + 5000 * kPageBytes, 100, 0xff);
  EXPECT_EQ(byte_at(*vm, kMemory + 5099 * kPageBytes), 0xff);
  EXPECT_EQ(byte_at(*vm, kMemory + 5100 * kPageBytes), 1 + 5100 % 251);
  ASSERT_TRUE(vm->restore(state));
  expect_content(97);
  const uint8_t one = 0xfe;
  ASSERT_TRUE(vm->write(kMemory + 9001 * kPageBytes, std::span(&one, 1)));
  ASSERT_TRUE(vm->restore(empty));
  for (const uint64_t page : {0u, 5000u, 9001u, 12345u}) {
    ASSERT_EQ(byte_at(*vm, kMemory + page * kPageBytes), 0) << page;
  }
  ASSERT_TRUE(vm->restore(state));
  write_pages(*vm, kMemory, kPages, 0xff);
  ASSERT_TRUE(vm->restore(state));
  expect_content(1);
}

// What another state leaves as it is in a chunk that was never read is that state's all the same.
TEST_P(RestoreTest, ReadsTheStateThatItIsInNow) {
  constexpr uint64_t kPages = 512;
  auto file = create_memfd("state", kPages * kPageBytes);
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_whole(file->get(), std::vector<uint8_t>(kPages * kPageBytes, 4)));
  const std::vector<uint8_t> other(kPageBytes, 5);
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  SavedMemory first = keep(*vm).state;
  first.region_bytes[kMemoryRegion] = kPages * kPageBytes;
  first.runs = {{kMemoryRegion, 0, kPages, nullptr, file->get(), 0}};
  SavedMemory second = first;
  second.runs = {{kMemoryRegion, 0, 300, nullptr, file->get(), 0},
                 {kMemoryRegion, 300, 1, other.data()},
                 {kMemoryRegion, 301, 9, nullptr, file->get(), 301 * kPageBytes}};
  SavedMemory small = second;
  small.region_bytes[kMemoryRegion] = 306 * kPageBytes;
  small.runs[2].count = 5;
  ASSERT_TRUE(vm->restore(first));
  ASSERT_TRUE(vm->restore(second));
  EXPECT_EQ(byte_at(*vm, kMemory + 299 * kPageBytes), 4);
  EXPECT_EQ(byte_at(*vm, kMemory + 300 * kPageBytes), 5);
  EXPECT_EQ(byte_at(*vm, kMemory + 309 * kPageBytes), 4);
  EXPECT_EQ(byte_at(*vm, kMemory + 310 * kPageBytes), 0);
  EXPECT_EQ(byte_at(*vm, kMemory + 511 * kPageBytes), 0);
  const auto another = make_tracked(image);
  for (const SavedMemory* state : {&first, &small}) ASSERT_TRUE(another->restore(*state));
  ASSERT_TRUE(another->resize(kMemoryRegion, kPages * kPageBytes));
  EXPECT_EQ(byte_at(*another, kMemory + 305 * kPageBytes), 4);
  EXPECT_EQ(byte_at(*another, kMemory + 306 * kPageBytes), 0);
  EXPECT_EQ(byte_at(*another, kMemory + 309 * kPageBytes), 0);
  EXPECT_EQ(byte_at(*another, kMemory + 400 * kPageBytes), 0);
}

// Cut short or changed while a guest runs on it: the guest's touch ends the call, and the host
// lives.
TEST_P(RestoreTest, EndsACallWhoseFileChanges) {
  constexpr uint64_t kPages = 512;
  for (const bool is_cut : {true, false}) {
    auto file = create_memfd("state", kPages * kPageBytes);
    ASSERT_TRUE(file);
    const auto stamp = FileStamp::of(file->get());
    ASSERT_TRUE(stamp);
    const TestImage image(page_writer());
    const auto vm = make_tracked(image);
    SavedMemory state = keep(*vm).state;
    state.region_bytes[kMemoryRegion] = kPages * kPageBytes;
    state.runs = {{kMemoryRegion, 0, kPages, nullptr, file->get(), 0, &*stamp}};
    ASSERT_TRUE(vm->restore(state));
    ::usleep(20'000);
    if (is_cut) {
      ASSERT_EQ(::ftruncate(file->get(), 200 * kPageBytes), 0);
    } else {
      ASSERT_EQ(::pwrite(file->get(), "x", 1, 0), 1);
    }
    vm->call_page().slots[0].low = kMemory + 400 * kPageBytes;
    vm->call_page().slots[1].low = 1;
    const auto exit = vm->enter(entry_of_text());
    uint8_t byte = 0;
    const auto read = vm->read(kMemory + 500 * kPageBytes, std::span(&byte, 1));
    if (GetParam() == Driver::kProcess) continue;  // it has read all of it
    ASSERT_FALSE(exit);
    EXPECT_NE(exit.error().message.find(is_cut ? "cut short" : "was changed"), std::string::npos);
    EXPECT_FALSE(read);
    EXPECT_FALSE(vm->restore(state));
  }
}

TEST_P(RestoreTest, RefusesAFileThatWasCutShort) {
  constexpr uint64_t kPages = 16;
  auto file = create_memfd("state", kPages * kPageBytes);
  ASSERT_TRUE(file);
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  SavedMemory state = keep(*vm).state;
  state.runs = {{kMemoryRegion, 0, kPages, nullptr, file->get(), 0}};
  ASSERT_EQ(::ftruncate(file->get(), kPageBytes), 0);
  const auto restored = vm->restore(state);
  ASSERT_FALSE(restored);
  EXPECT_NE(restored.error().message.find("cut short"), std::string::npos);
  // Memory is half of one state and half of another: no way leads on from there.
  if (GetParam() == Driver::kKvm) {
    EXPECT_FALSE(vm->enter(entry_of_text()));
    EXPECT_FALSE(vm->restore(state));
  }
}

// A burst leaves the touched set again, and what it wrote is gone all the same.
TEST_P(RestoreTest, ForgetsALargeBurst) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  ASSERT_TRUE(vm->resize(kMemoryRegion, uint64_t{32} << 20));
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->set_reference(kept.state));
  for (int burst = 0; burst < 2; ++burst) {
    write_pages(*vm, kMemory, 8000, 1);
    ASSERT_TRUE(vm->restore(kept.state));
    RestoreCount count;
    for (int round = 0; round < 10; ++round) {
      write_pages(*vm, kMemory, 4, 1);
      const auto restored = vm->restore(kept.state);
      ASSERT_TRUE(restored);
      count = *restored;
    }
    EXPECT_EQ(byte_at(*vm, kMemory + 7999 * kPageBytes), 0);
    if (GetParam() == Driver::kKvm) {
      EXPECT_LE(count.pages_compared, 32u);
    }
  }
  // What left the set is reported again.
  write_pages(*vm, kMemory + 5000 * kPageBytes, 3, 1);
  ASSERT_TRUE(vm->restore(kept.state));
  EXPECT_EQ(byte_at(*vm, kMemory + 5001 * kPageBytes), 0);
}

// More first writes than KVM's ring has entries.
TEST_P(RestoreTest, SeesEveryPageWhenTheRingIsFull) {
  const TestImage image(page_writer());
  const auto vm = make_tracked(image);
  ASSERT_TRUE(vm->resize(kMemoryRegion, uint64_t{32} << 20));
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->set_reference(kept.state));
  write_pages(*vm, kMemory, 8192, 1);
  ASSERT_TRUE(vm->restore(kept.state));
  for (uint64_t page = 0; page < 8192; ++page) {
    ASSERT_EQ(byte_at(*vm, kMemory + page * kPageBytes), 0) << page;
  }
}

TEST_P(RestoreTest, ClearsTheStackAndTheCallPage) {
  // push rdi's byte pattern far down the stack, fill a slot of the call page
  const TestImage image(Code()
                            .mov_rax(0x5ec7e7)
                            .bytes({0x48, 0x89, 0x84, 0x24})
                            .value32(static_cast<uint64_t>(-0x3000))
                            .bytes({0x48, 0x89, 0x86})
                            .value32(0x4000)
                            .ret());
  const auto vm = make_tracked(image);
  const Kept kept = keep(*vm);
  ASSERT_TRUE(vm->set_reference(kept.state));
  ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
  const uint64_t slots = guest_abi::kCallPage + offsetof(guest_abi::CallPage, slots);
  EXPECT_EQ(byte_at(*vm, slots + 0x4000), 0xe7);
  vm->call_page().slots[0].low = 1;
  ASSERT_TRUE(vm->restore(kept.state));
  EXPECT_EQ(byte_at(*vm, slots + 0x4000), 0);
  EXPECT_EQ(slot0(*vm), 0u);
  std::vector<uint8_t> stack(0x8000);
  ASSERT_TRUE(vm->read(guest_abi::kStackTop - stack.size(), stack));
  EXPECT_EQ(stack, std::vector<uint8_t>(stack.size()));
}

}  // namespace
}  // namespace mayfly::vmm
