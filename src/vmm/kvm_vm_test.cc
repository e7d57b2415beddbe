// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What only the kvm driver promises: few mappings, memory on demand, its signal, its facts.
#include "vmm/kvm_vm.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <fstream>
#include <string>

#include "vmm/guest_test.h"
#include "vmm/kick_signal.h"
#include "vmm/kvm_host.h"

namespace mayfly::vmm {
namespace {

class KvmVmTest : public testing::Test {
 protected:
  void SetUp() override {
    auto host = KvmHost::open({});
    if (!host) GTEST_SKIP() << "NO DRIVER kvm: " << host.error().message;
    host_ = *std::move(host);
  }
  std::unique_ptr<KvmHost> host_;
};

size_t mapping_count() {
  std::ifstream maps("/proc/self/maps");
  return static_cast<size_t>(
      std::count(std::istreambuf_iterator<char>(maps), std::istreambuf_iterator<char>(), '\n'));
}

// Pages of files are left out: they are code, read when it first runs.
uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  uint64_t of_files_and_shared = 0;
  statm >> total >> resident >> of_files_and_shared;
  std::ifstream status("/proc/self/status");
  uint64_t kib = 0;
  for (std::string name; status >> name;) {
    if (name == "RssShmem:") status >> kib;
  }
  return (resident - of_files_and_shared) * guest_abi::kPageBytes + kib * 1024;
}

TEST_F(KvmVmTest, TakesAtMostFourMappingsEach) {
  const TestImage image(Code().answer_42());
  std::vector<std::unique_ptr<Vm>> vms;
  vms.reserve(64);
  for (int i = 0; i < 4; ++i) vms.push_back(*host_->create_vm(image.config()));
  const size_t before = mapping_count();
  for (int i = 0; i < 40; ++i) {
    vms.push_back(*host_->create_vm(image.config()));
    call(*vms.back());
  }
  EXPECT_LE(mapping_count() - before, 4u * 40 + 8);  // a few of the allocator's own
}

// Writes its address to each page of [kMemory, kMemory + bytes) at a stride, then answers.
Code touch(uint64_t stride, uint64_t bytes) {
  return Code()
      .mov_rdi(kMemory)
      .mov_rcx(kMemory + bytes)
      .bytes({0x48, 0x89, 0x3f, 0x48, 0x81, 0xc7})  // loop: mov [rdi], rdi; add rdi, stride
      .value32(stride)
      .bytes({0x48, 0x39, 0xcf, 0x72, 0xf1})  // cmp rdi, rcx; jb loop
      .answer_42();
}

TEST_F(KvmVmTest, CostsNothingForMemoryThatIsNeverTouched) {
  const TestImage image(Code().answer_42());
  VmConfig config = image.config();
  config.regions[kMemoryRegion].bytes = uint64_t{4} << 30;
  config.regions[kMemoryRegion].bytes_reserved = uint64_t{4} << 30;
  call(**host_->create_vm(config));  // the allocator's own growth
  const uint64_t before = resident_bytes();
  const auto vm = host_->create_vm(config);
  ASSERT_TRUE(vm) << vm.error().message;
  call(**vm);
  EXPECT_LT(resident_bytes() - before, uint64_t{1} << 20);
}

TEST_F(KvmVmTest, BringsEachPageThatIsTouched) {
  constexpr uint64_t kBytes = uint64_t{40} << 20;
  for (const uint64_t stride : {uint64_t{4096}, uint64_t{20480}, uint64_t{3} << 20}) {
    const TestImage image(touch(stride, kBytes));
    VmConfig config = image.config();
    config.regions[kMemoryRegion].bytes = kBytes;
    const auto vm = host_->create_vm(config);
    ASSERT_EQ(call(**vm).kind, Exit::Kind::kPort) << stride;
    ASSERT_EQ(slot0(**vm), 42u);
    for (uint64_t offset = 0; offset < kBytes; offset += stride) {
      std::array<uint8_t, 4> bytes{};
      ASSERT_TRUE((*vm)->read(kMemory + offset, bytes));
      uint64_t value = 0;
      for (size_t i = 0; i < bytes.size(); ++i) value |= uint64_t{bytes[i]} << (8 * i);
      ASSERT_EQ(value, kMemory + offset);
    }
  }
}

TEST_F(KvmVmTest, MapsHostOwnedPagesAndTextReadOnly) {
  const TestImage image(Code().answer_42());
  const auto vm = host_->create_vm(image.config());
  const GuestMemory& memory = static_cast<KvmVm&>(**vm).memory();
  constexpr uint64_t kWritable = 2;
  constexpr uint64_t kUser = 4;
  EXPECT_EQ(memory.tables().leaf(kText) & kWritable, 0u);
  EXPECT_EQ(memory.tables().leaf(guest_abi::kEntryPage) & kWritable, 0u);
  EXPECT_EQ(memory.tables().leaf(guest_abi::kVectorPage) & (kWritable | kUser), 0u);
  EXPECT_EQ(memory.tables().leaf(guest_abi::kDescriptorPages) & (kWritable | kUser), 0u);
  EXPECT_EQ(memory.tables().leaf(guest_abi::kTrapStackPage) & kUser, 0u);
  EXPECT_EQ(memory.tables().leaf(0), 0u);
}

volatile sig_atomic_t kicks_seen = 0;  // NOLINT: a signal handler has nothing else
void count_kick(int) { kicks_seen = kicks_seen + 1; }

// In a child, because a process installs its handler once.
TEST(KickSignal, KeepsTheHandlerThatWasThereBefore) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/proc/self/exe", "vmm_test", "--gtest_also_run_disabled_tests", "--gtest_brief=1",
            "--gtest_filter=KickSignal.DISABLED_InAFreshProcess", nullptr);
    ::_exit(3);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(KickSignal, DISABLED_InAFreshProcess) {
  struct sigaction mine{};
  mine.sa_handler = count_kick;
  ASSERT_EQ(::sigaction(default_kick_signal(), &mine, nullptr), 0);
  ASSERT_TRUE(install_kick_signal(default_kick_signal()));
  ASSERT_EQ(::raise(default_kick_signal()), 0);
  EXPECT_EQ(kicks_seen, 1);
  EXPECT_FALSE(install_kick_signal(default_kick_signal() - 1));
}

TEST_F(KvmVmTest, RefusesToRunInAForkedProcess) {
  const TestImage image(Code().answer_42());
  const auto vm = host_->create_vm(image.config());
  call(**vm);
  const pid_t child = ::fork();
  if (child == 0) ::_exit((*vm)->enter(entry_of_text()).has_value() ? 1 : 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(call(**vm).kind, Exit::Kind::kPort);
}

TEST_F(KvmVmTest, MeasuresItsFacts) {
  bool has_exit_method = false;
  for (const HostFact& fact : host_->facts()) {
    EXPECT_NE(fact.value, "?") << fact.name;
    EXPECT_NE(fact.name, "sandbox") << fact.note;
    has_exit_method = has_exit_method || fact.name == "exit method";
  }
  EXPECT_TRUE(has_exit_method);
}

TEST(HostTest, OpensTheBestDriverAndSaysWhy) {
  std::string why;
  const auto host = Host::open_best(&why);
  ASSERT_TRUE(host) << host.error().message;
  EXPECT_FALSE(why.empty());
}

}  // namespace
}  // namespace mayfly::vmm
