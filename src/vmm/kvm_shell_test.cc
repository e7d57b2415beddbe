// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Machines that another guest had before: nothing of that guest is left in them, and whose they
// were decides who gets them.
#include "vmm/kvm_shell.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>
#include <vector>

#include "vmm/guest_test.h"
#include "vmm/kvm_host.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kPageBytes;

// Machines of this process, by their descriptors.
int machine_count() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code error;
    const auto target = std::filesystem::read_symlink(entry.path(), error);
    if (!error && target == "anon_inode:kvm-vm") ++count;
  }
  return count;
}

// 64 bytes that no guest has by chance, where a guest's data is.
constexpr uint64_t kSecret = 0x5ec2'e7a1'b5ec'2e70;
std::vector<uint8_t> secrets() {
  std::vector<uint8_t> bytes;
  for (int i = 0; i < 8; ++i) {
    for (int byte = 0; byte < 8; ++byte) {
      bytes.push_back(static_cast<uint8_t>(kSecret >> (8 * byte)));
    }
  }
  return bytes;
}

// Leaves them in the low half of ymm9 and in xmm0, and a value on the x87 stack.
//   mov rax, kData; movups xmm0, [rax]; movups xmm9, [rax]; fld qword [rax]; ret
Code secret_keeper() {
  return Code().mov_rax(kData).bytes({0x0f, 0x10, 0x00, 0x44, 0x0f, 0x10, 0x08, 0xdd, 0x00}).ret();
}

// slots[0] and [1]: xmm0; [2] and [3]: xmm9; [4] to [7]: the x87 environment.
//   movups [rsi], xmm0; movups [rsi+32], xmm9; fnstenv [rsi+64]; ret
// A slot has 16 bytes.
Code state_reader() {
  return Code().bytes({0x0f, 0x11, 0x06, 0x44, 0x0f, 0x11, 0x4e, 0x20, 0xd9, 0x76, 0x40}).ret();
}

// Adds up the 8-byte words of [slots[0], slots[0] + 8 * slots[1]) into slots[0].
//   mov rdi, [rsi]; mov rcx, [rsi+16]; xor eax, eax
//   loop: or rax, [rdi]; add rdi, 8; dec rcx; jnz loop; mov [rsi], rax; ret
Code gatherer() {
  return Code()
      .bytes({0x48, 0x8b, 0x3e, 0x48, 0x8b, 0x4e, 0x10, 0x31, 0xc0})
      .bytes({0x48, 0x0b, 0x07, 0x48, 0x83, 0xc7, 0x08, 0x48, 0xff, 0xc9, 0x75, 0xf4})
      .store_rax_to_slot0()
      .ret();
}

class KvmShellTest : public testing::TestWithParam<Tracking> {
 protected:
  void SetUp() override { open({}); }
  void open(const KvmHostOptions& options, size_t idle_max = 2) {
    auto host = KvmHost::open(options);
    if (!host) GTEST_SKIP() << "NO DRIVER kvm: " << host.error().message;
    host_ = *std::move(host);
    host_->keep_idle(idle_max);
  }
  std::unique_ptr<Vm> make(const TestImage& image, uint64_t domain = 0) {
    VmConfig config = image.config();
    config.domain = domain;
    config.tracking = GetParam();
    auto vm = host_->create_vm(config);
    EXPECT_TRUE(vm.has_value()) << vm.error().message;
    return vm ? *std::move(vm) : nullptr;
  }
  // What a guest finds in registers where another left secrets.
  std::array<uint64_t, 3> left_behind(Weakness weakness);

  std::unique_ptr<KvmHost> host_;
  const TestImage answer_{Code().answer_42()};
};
INSTANTIATE_TEST_SUITE_P(Tracked, KvmShellTest, testing::Values(Tracking::kOff, Tracking::kOn),
                         [](const auto& info) {
                           return info.param == Tracking::kOn ? "kOn" : "kOff";
                         });

TEST_P(KvmShellTest, RunsAnotherProgramInTheSameMachine) {
  const TestImage other(Code().mov_rax(7).store_rax_to_slot0().ret());
  for (int round = 0; round < 20; ++round) {
    auto vm = make(round % 2 == 0 ? answer_ : other);
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
    EXPECT_EQ(slot0(*vm), round % 2 == 0 ? 42u : 7u) << round;
    EXPECT_EQ(machine_count(), 1) << round;
  }
}

TEST_P(KvmShellTest, ShowsNothingOfTheMemoryBefore) {
  constexpr uint64_t kLarge = uint64_t{8} << 20;
  {
    auto vm = make(answer_);
    ASSERT_TRUE(vm->resize(kMemoryRegion, kLarge));
    const auto memory = vm->view(kMemory, kLarge);
    ASSERT_TRUE(memory);
    std::fill(memory->begin(), memory->end(), 0xa5);
    const auto data = vm->view(kData, 4 * kPageBytes);
    ASSERT_TRUE(data);
    std::fill(data->begin(), data->end(), 0xa5);
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
  }
  const TestImage reader(gatherer());
  auto vm = make(reader);
  ASSERT_EQ(machine_count(), 1);
  ASSERT_TRUE(vm->resize(kMemoryRegion, kLarge));
  const std::pair<uint64_t, uint64_t> kRanges[] = {
      {kMemory, kLarge}, {kData, 4 * kPageBytes}, {guest_abi::kStackTop - 0x1000, 0xf00}};
  for (const auto& [address, bytes] : kRanges) {
    vm->call_page().slots[0].low = address;
    vm->call_page().slots[1].low = bytes / 8;
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
    EXPECT_EQ(slot0(*vm), 0u) << std::hex << address;
  }
}

// Where the machine's memory is not one mapping any more it is mapped anew.
TEST_P(KvmShellTest, ShowsNothingOfAFileBefore) {
  constexpr uint64_t kFilePages = 40;
  auto file = create_memfd("test-data", kFilePages * kPageBytes);
  ASSERT_TRUE(file);
  ASSERT_TRUE(write_whole(file->get(), std::vector<uint8_t>(kFilePages * kPageBytes, 0xa5)));
  {
    VmConfig config = answer_.config();
    config.tracking = GetParam();
    RegionSpec& data = config.regions[kDataRegion];
    data.file = file->get();
    data.file_offset = 0;
    data.bytes = data.file_bytes = kFilePages * kPageBytes;
    auto vm = host_->create_vm(config);
    ASSERT_TRUE(vm) << vm.error().message;
    ASSERT_EQ(call(**vm).kind, Exit::Kind::kPort);
  }
  const TestImage reader(gatherer());
  VmConfig config = reader.config();
  config.tracking = GetParam();
  config.regions[kDataRegion].bytes = kFilePages * kPageBytes;
  config.regions[kDataRegion].file = -1;
  config.regions[kDataRegion].file_bytes = 0;
  auto vm = host_->create_vm(config);
  ASSERT_TRUE(vm) << vm.error().message;
  ASSERT_EQ(machine_count(), 1);
  (*vm)->call_page().slots[0].low = kData;
  (*vm)->call_page().slots[1].low = kFilePages * kPageBytes / 8;
  ASSERT_EQ(call(**vm).kind, Exit::Kind::kPort);
  EXPECT_EQ(slot0(**vm), 0u);
}

std::array<uint64_t, 3> KvmShellTest::left_behind(Weakness weakness) {
  open({.weakness = weakness});
  if (IsSkipped()) return {};
  const TestImage keeper(secret_keeper(), secrets());
  EXPECT_EQ(call(*make(keeper)).kind, Exit::Kind::kPort);
  const TestImage reader(state_reader());
  auto vm = make(reader);
  EXPECT_EQ(machine_count(), 1);
  EXPECT_EQ(call(*vm).kind, Exit::Kind::kPort);
  const auto& slots = vm->call_page().slots;
  return {slots[0].low, slots[2].low, slots[4].high & 0xffff};
}

// The entry code of these hosts clears no register, so that only the shell's clearing does.
TEST_P(KvmShellTest, ShowsNothingOfTheRegistersBefore) {
  host_.reset();
  constexpr uint64_t kTagsEmpty = 0xffff;
  EXPECT_EQ(left_behind(Weakness::kDirtyVectorState), (std::array<uint64_t, 3>{0, 0, kTagsEmpty}));
}

TEST_P(KvmShellTest, WouldShowTheRegistersBefore) {
  host_.reset();
  const auto found = left_behind(Weakness::kDirtyShell);
  EXPECT_EQ(found[0], kSecret);
  EXPECT_EQ(found[1], kSecret);
  EXPECT_NE(found[2], 0xffffu);
}

TEST_P(KvmShellTest, NeverCrossesADomain) {
  ASSERT_EQ(call(*make(answer_, 1)).kind, Exit::Kind::kPort);
  const auto other = make(answer_, 2);
  EXPECT_EQ(machine_count(), 2);
  ASSERT_EQ(call(*other).kind, Exit::Kind::kPort);
  const auto same = make(answer_, 1);
  EXPECT_EQ(machine_count(), 2);
  ASSERT_EQ(call(*same).kind, Exit::Kind::kPort);
}

TEST_P(KvmShellTest, KeepsAsManyAsItIsTold) {
  std::vector<std::unique_ptr<Vm>> vms;
  for (int i = 0; i < 5; ++i) vms.push_back(make(answer_));
  vms.clear();
  EXPECT_EQ(machine_count(), 2);
  EXPECT_FALSE(host_->make_idle(3, 0, GetParam()));
  host_.reset();
  EXPECT_EQ(machine_count(), 0);
  open({}, 0);
  vms.push_back(make(answer_));
  vms.clear();
  EXPECT_EQ(machine_count(), 0);
}

TEST_P(KvmShellTest, StartsInMachinesMadeAhead) {
  ASSERT_TRUE(host_->make_idle(2, 9, GetParam()));
  const int before = machine_count();
  const auto a = make(answer_, 9);
  const auto b = make(answer_, 9);
  EXPECT_EQ(machine_count(), before);
  ASSERT_EQ(call(*a).kind, Exit::Kind::kPort);
  ASSERT_EQ(call(*b).kind, Exit::Kind::kPort);
}

// After a deadline, a fault, or at a port a call is over; after an unknown exit nobody knows what
// KVM still has to do for the guest.
TEST_P(KvmShellTest, KeepsAMachineUnlessItIsBroken) {
  {
    auto vm = make(TestImage(Code().loop_for_ever()));
    vm->set_deadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(5));
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kDeadline);
  }
  {
    auto vm = make(TestImage(Code().mov_rax(0).load_rax_from_rax()));
    ASSERT_EQ(machine_count(), 1);
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kFault);
  }
  {
    auto vm = make(TestImage(Code().hypercall(5).ret()));
    ASSERT_EQ(machine_count(), 1);
    ASSERT_EQ(call(*vm).port, 5u);
  }
  {
    auto vm = make(answer_);
    ASSERT_EQ(machine_count(), 1);
    ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
    EXPECT_EQ(slot0(*vm), 42u);
  }
  {
    auto vm = make(TestImage(Code().mov_rax(guest_abi::kExitPage).load_rax_from_rax()));
    ASSERT_EQ(machine_count(), 1);
    ASSERT_EQ(vm->enter(entry_of_text())->kind, Exit::Kind::kBroken);
  }
  EXPECT_EQ(machine_count(), 0);
}

TEST_P(KvmShellTest, TellsAllPagesThatAreWritten) {
  if (GetParam() == Tracking::kOff) GTEST_SKIP() << "nothing is tracked";
  // mov rdi, [rsi]; mov byte [rdi], 1; ret
  const TestImage writer(Code().bytes({0x48, 0x8b, 0x3e, 0xc6, 0x07, 0x01}).ret());
  for (int round = 0; round < 8; ++round) {
    auto vm = make(writer);
    ASSERT_EQ(machine_count(), 1);
    for (uint64_t page = 0; page <= static_cast<uint64_t>(round); ++page) {
      vm->call_page().slots[0].low = kMemory + page * kPageBytes;
      ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
    }
    const auto touched = vm->touched_pages();
    ASSERT_TRUE(touched);
    int of_memory = 0;
    for (const PageView& page : *touched) of_memory += page.region == kMemoryRegion ? 1 : 0;
    EXPECT_EQ(of_memory, round + 1);
  }
}

TEST_P(KvmShellTest, StaysWithItsProcess) {
  make(answer_).reset();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    VmConfig config = answer_.config();
    config.tracking = GetParam();
    const auto vm = host_->create_vm(config);
    ::_exit(vm && (*vm)->enter(entry_of_text()) ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  auto vm = make(answer_);
  EXPECT_EQ(machine_count(), 1);
  EXPECT_EQ(call(*vm).kind, Exit::Kind::kPort);
}

TEST_P(KvmShellTest, ServesManyThreads) {
  open({}, 4);
  const auto work = [&] {
    for (int i = 0; i < 40; ++i) {
      auto vm = make(answer_, static_cast<uint64_t>(i % 3));
      ASSERT_EQ(call(*vm).kind, Exit::Kind::kPort);
      ASSERT_EQ(slot0(*vm), 42u);
    }
  };
  std::vector<std::thread> threads;
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(machine_count(), 4);
}

}  // namespace
}  // namespace mayfly::vmm
