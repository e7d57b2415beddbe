// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contract of Vm, on every driver: calls, ports, faults, and memory.
// vm_time_test.cc has deadlines, cancelling and threads.
#include "vmm/vm.h"

#include <gtest/gtest.h>

#include <array>

#include "vmm/guest_test.h"

namespace mayfly::vmm {
namespace {

using guest_abi::kLargePageBytes;
using guest_abi::kPageBytes;
using Kind = Exit::Kind;

class VmTest : public DriverTest {
 protected:
  Fault fault_of(const Code& code) {
    const TestImage image(code);
    const auto vm = make(image);
    const Exit exit = call(*vm);
    EXPECT_EQ(exit.kind, Kind::kFault);
    return exit.fault;
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, VmTest, testing::Values(Driver::kKvm, Driver::kProcess),
                         driver_name);

TEST_P(VmTest, ReturnsFortyTwo) {
  const TestImage image(Code().answer_42());
  const auto vm = make(image);
  const Exit exit = call(*vm);
  EXPECT_EQ(exit.kind, Kind::kPort);
  EXPECT_EQ(exit.port, 0u);
  EXPECT_EQ(slot0(*vm), 42u);
}

TEST_P(VmTest, GivesTheThunkItsFunctionAndSlots) {
  // add rdi, [rsi]; mov [rsi], rdi; ret
  const TestImage image(Code().bytes({0x48, 0x03, 0x3e, 0x48, 0x89, 0x3e}).ret());
  const auto vm = make(image);
  vm->call_page().slots[0].low = 40;
  EXPECT_EQ(call(*vm, Entry{kText, 2}).kind, Kind::kPort);
  EXPECT_EQ(slot0(*vm), 42u);
}

TEST_P(VmTest, AlignsTheStackForTheThunk) {
  // lea rax, [rsp + 8]; and eax, 15; mov [rsi], rax; ret
  const TestImage image(
      Code().bytes({0x48, 0x8d, 0x44, 0x24, 0x08, 0x83, 0xe0, 0x0f}).store_rax_to_slot0().ret());
  const auto vm = make(image);
  vm->call_page().slots[0].low = 99;
  call(*vm);
  EXPECT_EQ(slot0(*vm), 0u);
}

TEST_P(VmTest, ResumesAfterPortsWithItsRegisters) {
  const TestImage image(Code()
                            .bytes({0x53, 0xbb, 40, 0, 0, 0})  // push rbx; mov ebx, 40
                            .hypercall(9)
                            .bytes({0xff, 0xc3})  // inc ebx
                            .hypercall(1234567)
                            .bytes({0xff, 0xc3, 0x48, 0x89, 0xd8})  // inc ebx; mov rax, rbx
                            .store_rax_to_slot0()
                            .bytes({0x5b})  // pop rbx
                            .ret());
  const auto vm = make(image);
  EXPECT_EQ(call(*vm).port, 9u);
  const auto second = vm->resume();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->port, 1234567u);
  const auto last = vm->resume();
  ASSERT_TRUE(last);
  EXPECT_EQ(last->port, 0u);
  EXPECT_EQ(slot0(*vm), 42u);
}

TEST_P(VmTest, GivesUpACallThatEnterReplaces) {
  const TestImage image(Code().hypercall(9).answer_42());
  const auto vm = make(image);
  EXPECT_EQ(call(*vm).port, 9u);
  EXPECT_EQ(call(*vm).port, 9u);
  EXPECT_EQ(vm->resume()->port, 0u);
  EXPECT_EQ(slot0(*vm), 42u);
}

TEST_P(VmTest, ReportsTheTrapByteOfAnInvalidOpcode) {
  const TestImage image(Code().bytes({0x90, 0x67, 0x0f, 0xb9, 0x40, 0x05}));  // ud1 5(%eax), %eax
  const auto vm = make(image);
  const Exit exit = call(*vm);
  EXPECT_EQ(exit.kind, Kind::kFault);
  EXPECT_EQ(exit.fault.vector, 6);
  EXPECT_EQ(exit.fault.rip, kText + 1);
  std::array<uint8_t, 5> bytes{};
  ASSERT_TRUE(vm->read(exit.fault.rip, bytes));
  EXPECT_EQ(bytes[4], 5);
}

TEST_P(VmTest, ReportsADivisionByZero) {
  const Fault fault = fault_of(Code().bytes({0x31, 0xc9, 0xf7, 0xf1}));  // xor ecx, ecx; div ecx
  EXPECT_EQ(fault.vector, 0);
  EXPECT_EQ(fault.rip, kText + 2);
}

TEST_P(VmTest, ReportsALoadFromAnAbsentPage) {
  const Fault fault = fault_of(Code().mov_rax(0x123).load_rax_from_rax());
  EXPECT_EQ(fault.vector, 14);
  EXPECT_EQ(fault.address, 0x123u);
  EXPECT_EQ(fault.rip, kText + 10);
}

TEST_P(VmTest, ReportsALoadBeyondTheCanonicalAddresses) {
  EXPECT_EQ(fault_of(Code().mov_rax(uint64_t{1} << 63).load_rax_from_rax()).vector, 13);
}

TEST_P(VmTest, ReportsAJumpIntoData) {
  const Fault fault = fault_of(Code().mov_rax(kData).jump_rax());
  EXPECT_EQ(fault.vector, 14);
  EXPECT_EQ(fault.address, kData);
  EXPECT_EQ(fault.rip, kData);
}

TEST_P(VmTest, ReportsTheStackPointersOfAFault) {
  // push rbp; mov rbp, rsp; sub rsp, 32; ud2
  const Fault fault =
      fault_of(Code().bytes({0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20, 0x0f, 0x0b}));
  EXPECT_EQ(fault.rbp - fault.rsp, 32u);
  EXPECT_LT(fault.rbp, guest_abi::kStackTop);
}

TEST_P(VmTest, EndsRecursionAtTheGuard) {
  const Fault fault = fault_of(Code().bytes({0xe8, 0xfb, 0xff, 0xff, 0xff}));  // call itself
  EXPECT_EQ(fault.vector, 14);
  EXPECT_EQ(fault.address, guest_abi::kStackTop - guest_abi::kStackBytesDefault - 8);
}

TEST_P(VmTest, RunsTheNextCallAfterAFault) {
  // cmp qword [rsi], 0; jne over; ud2; over: 42
  const TestImage image(Code().bytes({0x48, 0x83, 0x3e, 0x00, 0x75, 0x02, 0x0f, 0x0b}).answer_42());
  const auto vm = make(image);
  for (int i = 0; i < 3; ++i) {
    vm->call_page().slots[0].low = 0;
    EXPECT_EQ(call(*vm).kind, Kind::kFault);
    vm->call_page().slots[0].low = 1;
    EXPECT_EQ(call(*vm).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 42u);
  }
}

TEST_P(VmTest, StartsEachCallWithClearRegisters) {
  // movq rax, xmm7; add rax, r12; store; mov r12d, 1; movq xmm7, r12; ret
  const TestImage image(Code()
                            .bytes({0x66, 0x48, 0x0f, 0x7e, 0xf8, 0x4c, 0x01, 0xe0})
                            .store_rax_to_slot0()
                            .bytes({0x41, 0xbc, 1, 0, 0, 0, 0x66, 0x49, 0x0f, 0x6e, 0xfc})
                            .ret());
  const auto vm = make(image);
  call(*vm);
  call(*vm);
  EXPECT_EQ(slot0(*vm), 0u);
}

TEST_P(VmTest, StartsWithTheFilesBytesAndZerosAfterThem) {
  const std::vector<uint8_t> data = {7, 0, 0, 0, 0, 0, 0, 0};
  // rax = [kData] + [kData + 0x2000]
  const TestImage image(Code()
                            .mov_rax(kData)
                            .load_rax_from_rax()
                            .mov_rcx(kData + 2 * kPageBytes)
                            .bytes({0x48, 0x03, 0x01})  // add rax, [rcx]
                            .store_rax_to_slot0()
                            .ret(),
                        data);
  const auto vm = make(image);
  call(*vm);
  EXPECT_EQ(slot0(*vm), 7u);
}

// Both ways to bring a file's bytes into private memory: read at once, and mapped.
TEST_P(VmTest, HidesWhatTheFileHasAfterTheDataOfARegion) {
  constexpr uint64_t kPagesOfFile = 40;
  auto file = create_memfd("test-data", kPagesOfFile * kPageBytes);
  ASSERT_TRUE(file);
  const std::vector<uint8_t> bytes(kPagesOfFile * kPageBytes, 0x5a);
  ASSERT_TRUE(write_whole(file->get(), bytes));
  const TestImage image(Code().answer_42());
  for (const uint64_t size : {uint64_t{1}, 2 * kPageBytes + 100, 30 * kPageBytes + 100}) {
    VmConfig config = image.config();
    RegionSpec& data = config.regions[kDataRegion];
    data.file = file->get();
    data.file_offset = kPageBytes;
    data.file_bytes = size;
    data.bytes = 40 * kPageBytes;
    const auto vm = make(config);
    std::vector<uint8_t> expected(data.bytes);
    std::fill_n(expected.begin(), size, 0x5a);
    std::vector<uint8_t> found(data.bytes, 1);
    ASSERT_TRUE(vm->read(kData, found));
    EXPECT_EQ(found, expected) << size;
    EXPECT_EQ(call(*vm).kind, Exit::Kind::kPort);
  }
}

TEST_P(VmTest, RefusesAFileThatEndsInsideItsData) {
  auto file = create_memfd("test-data", 2 * kPageBytes);
  ASSERT_TRUE(file);
  const TestImage image(Code().answer_42());
  VmConfig config = image.config();
  RegionSpec& data = config.regions[kDataRegion];
  data.file = file->get();
  data.file_offset = kPageBytes;
  data.file_bytes = kPageBytes + 1;
  EXPECT_FALSE(host_->create_vm(config));
  data.file_bytes = kPageBytes;
  EXPECT_TRUE(host_->create_vm(config));
}

TEST_P(VmTest, KeepsItsDataPrivate) {
  const TestImage image(Code()  // inc qword [kData]; load it
                            .mov_rax(kData)
                            .bytes({0x48, 0xff, 0x00})
                            .load_rax_from_rax()
                            .store_rax_to_slot0()
                            .ret());
  const std::vector<uint8_t> before = image.content();
  const auto vm = make(image);
  const auto sibling = make(image);
  call(*vm);
  call(*vm);
  EXPECT_EQ(slot0(*vm), 2u);
  call(*sibling);
  EXPECT_EQ(slot0(*sibling), 1u);
  EXPECT_EQ(image.content(), before);
}

// A guest that loads from the address in slot 0.
Code load_from_slot0() {
  return Code().load_rax_from_slot0().load_rax_from_rax().store_rax_to_slot0().ret();
}

Exit load_at(Vm& vm, uint64_t address) {
  vm.call_page().slots[0].low = address;
  return call(vm);
}

TEST_P(VmTest, GrowsAMemoryThatTheGuestSeesAtOnce) {
  const TestImage image(load_from_slot0());
  const auto vm = make(image);
  EXPECT_EQ(load_at(*vm, kMemory + kMemoryBytes - 8).kind, Kind::kPort);
  const Exit exit = load_at(*vm, kMemory + kMemoryBytes);
  EXPECT_EQ(exit.kind, Kind::kFault);
  EXPECT_EQ(exit.fault.address, kMemory + kMemoryBytes);
  for (const uint64_t bytes : {2 * kMemoryBytes, 3 * kMemoryBytes, kLargePageBytes,
                               7 * kLargePageBytes + kMemoryBytes, kMemoryBytesReserved}) {
    ASSERT_TRUE(vm->resize(kMemoryRegion, bytes));
    EXPECT_EQ(vm->region_bytes(kMemoryRegion), bytes);
    EXPECT_EQ(load_at(*vm, kMemory + bytes - 8).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 0u);
    EXPECT_EQ(load_at(*vm, kMemory + bytes).kind, Kind::kFault);
  }
}

TEST_P(VmTest, RefusesToGrowPastWhatIsReserved) {
  const TestImage image(Code().answer_42());
  const auto vm = make(image);
  const auto result = vm->resize(kMemoryRegion, kMemoryBytesReserved + 1);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::kLimit);
  EXPECT_EQ(vm->region_bytes(kMemoryRegion), kMemoryBytes);
}

TEST_P(VmTest, TakesPagesAwayAndGivesBackZeros) {
  const TestImage image(load_from_slot0());
  const auto vm = make(image);
  const uint64_t large = 5 * kLargePageBytes;
  const uint64_t small = kLargePageBytes + kMemoryBytes;  // inside what was a 2 MiB leaf
  const std::array<uint8_t, 8> sevens = {7, 7, 7, 7, 7, 7, 7, 7};
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(vm->resize(kMemoryRegion, large));
    for (const uint64_t address : {kMemory + small - 8, kMemory + small, kMemory + large - 8}) {
      ASSERT_TRUE(vm->write(address, sevens));
      EXPECT_EQ(load_at(*vm, address).kind, Kind::kPort);
      EXPECT_EQ(slot0(*vm), 0x0707'0707'0707'0707u);
    }
    ASSERT_TRUE(vm->resize(kMemoryRegion, small));
    EXPECT_EQ(load_at(*vm, kMemory + small).kind, Kind::kFault);
    EXPECT_EQ(load_at(*vm, kMemory + large - 8).kind, Kind::kFault);
    EXPECT_EQ(load_at(*vm, kMemory + small - 8).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 0x0707'0707'0707'0707u);
    ASSERT_TRUE(vm->resize(kMemoryRegion, large));
    EXPECT_EQ(load_at(*vm, kMemory + small).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 0u);
    EXPECT_EQ(load_at(*vm, kMemory + large - 8).kind, Kind::kPort);
    EXPECT_EQ(slot0(*vm), 0u);
  }
}

TEST_P(VmTest, HasMemoriesInHighWindows) {
  const TestImage image(load_from_slot0());
  VmConfig config = image.config();
  RegionSpec high;
  high.bytes = kMemoryBytes;
  high.bytes_reserved = uint64_t{4} << 30;
  for (uint64_t i = 0; i < 3; ++i) {
    high.address = guest_abi::kHighWindows + i * guest_abi::kWindowBytes;
    config.regions.push_back(high);
  }
  const auto vm = make(config);
  ASSERT_TRUE(vm->resize(kMemoryRegion + 2, 3 * kLargePageBytes));
  const std::array<uint8_t, 1> seven = {7};
  const uint64_t second = guest_abi::kHighWindows + guest_abi::kWindowBytes;
  ASSERT_TRUE(vm->write(second + 3 * kLargePageBytes - 8, seven));
  EXPECT_EQ(load_at(*vm, second + 3 * kLargePageBytes - 8).kind, Kind::kPort);
  EXPECT_EQ(slot0(*vm), 7u);
  EXPECT_EQ(load_at(*vm, second + 3 * kLargePageBytes).kind, Kind::kFault);
  EXPECT_EQ(load_at(*vm, guest_abi::kHighWindows).kind, Kind::kPort);
  EXPECT_EQ(load_at(*vm, guest_abi::kHighWindows + kMemoryBytes).kind, Kind::kFault);
}

TEST_P(VmTest, CopiesOnlyWhatTheGuestItselfCanReach) {
  const TestImage image(Code().answer_42());
  const auto vm = make(image);
  std::array<uint8_t, 8> bytes{};
  EXPECT_TRUE(vm->read(kText, bytes));
  EXPECT_TRUE(vm->read(kMemory + kMemoryBytes - 8, bytes));
  EXPECT_TRUE(vm->write(guest_abi::kStackTop - 8, bytes));
  EXPECT_TRUE(vm->write(guest_abi::kCallPage, bytes));
  for (const uint64_t address :
       {uint64_t{0}, guest_abi::kEntryPage, guest_abi::kVectorPage, guest_abi::kDescriptorPages,
        guest_abi::kExitPage, guest_abi::kTrapStackPage, guest_abi::kStackTop - 4,
        kMemory + kMemoryBytes - 7, kMemory - 1, ~uint64_t{0}, ~uint64_t{0} - 7}) {
    EXPECT_FALSE(vm->read(address, bytes)) << std::hex << address;
    EXPECT_FALSE(vm->write(address, bytes)) << std::hex << address;
    EXPECT_FALSE(vm->view(address, 8)) << std::hex << address;
  }
  EXPECT_FALSE(vm->write(kText, bytes));
  EXPECT_FALSE(vm->view(kText, 8));
  EXPECT_FALSE(vm->view(kMemory, ~uint64_t{0}));
}

TEST_P(VmTest, RefusesConfigurationsThatOverlapOrLieOutside) {
  const TestImage image(Code().answer_42());
  const VmConfig good = image.config();
  const auto refuses = [&](auto&& change) {
    VmConfig config = good;
    change(config);
    const auto vm = host_->create_vm(config);
    return !vm.has_value();
  };
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].address = kText; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].address += 1; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].address = guest_abi::kCallPage; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].address = guest_abi::kStackGuard; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[2].bytes_reserved = ~uint64_t{0}; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[2].bytes = ~uint64_t{0} - 1; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].file_offset = 1; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.regions[1].file_offset = uint64_t{1} << 40; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.stack_bytes = guest_abi::kStackBytesMax + 1; }));
  EXPECT_TRUE(refuses([](VmConfig& c) { c.stack_bytes = 0; }));
}

TEST_P(VmTest, MakesAThousandVmsOneAfterTheOther) {
  const TestImage image(Code().answer_42());
  const int count = GetParam() == Driver::kKvm ? 1000 : 200;
  for (int i = 0; i < count; ++i) {
    const auto vm = make(image);
    ASSERT_EQ(call(*vm).kind, Kind::kPort);
    ASSERT_EQ(slot0(*vm), 42u);
  }
}

TEST_P(VmTest, RunsManyVmsThatAreAliveAtOnce) {
  const TestImage image(Code().answer_42());
  std::vector<std::unique_ptr<Vm>> vms;
  for (int i = 0; i < 50; ++i) vms.push_back(make(image));
  for (int round = 0; round < 3; ++round) {
    for (const auto& vm : vms) {
      ASSERT_EQ(call(*vm).kind, Kind::kPort);
      ASSERT_EQ(slot0(*vm), 42u);
    }
  }
}

}  // namespace
}  // namespace mayfly::vmm
