// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every attack on every driver; and every attack again on a host whose defence was taken away,
// which must be noticed.
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "attack.h"
#include "vmm/kvm_host.h"
#include "vmm/process_host.h"

namespace mayfly::vmm {
namespace {

std::vector<size_t> all_attacks() {
  std::vector<size_t> indexes(attacks(true).size());
  for (size_t i = 0; i < indexes.size(); ++i) indexes[i] = i;
  return indexes;
}

class SandboxTest : public testing::TestWithParam<std::tuple<Driver, size_t>> {};

INSTANTIATE_TEST_SUITE_P(Holds, SandboxTest,
                         testing::Combine(testing::Values(Driver::kKvm, Driver::kProcess),
                                          testing::ValuesIn(all_attacks())),
                         [](const auto& param_info) {
                           return attacks(true)[std::get<1>(param_info.param)].name + "_" +
                                  std::string(to_string(std::get<0>(param_info.param)));
                         });

TEST_P(SandboxTest, Attack) {
  const auto [driver, index] = GetParam();
  const auto host = Host::open(driver);
  if (!host) GTEST_SKIP() << "NO DRIVER " << to_string(driver) << ": " << host.error().message;
  EXPECT_EQ(run_attack(**host, attacks(exit_is_store(**host))[index]), "");
}

class DefenceTest : public testing::TestWithParam<std::tuple<Driver, size_t>> {};

INSTANTIATE_TEST_SUITE_P(Missing, DefenceTest,
                         testing::Combine(testing::Values(Driver::kKvm, Driver::kProcess),
                                          testing::ValuesIn(all_attacks())),
                         [](const auto& param_info) {
                           return attacks(true)[std::get<1>(param_info.param)].name + "_" +
                                  std::string(to_string(std::get<0>(param_info.param)));
                         });

Result<std::unique_ptr<Host>> open_weak(Driver driver, Weakness weakness) {
  if (driver == Driver::kProcess) return open_process_host(weakness);
  KvmHostOptions options;
  options.weakness = weakness;
  return std::unique_ptr<Host>(MAYFLY_TRY(KvmHost::open(options)));
}

// What the kernel or the processor refuses whatever Mayfly tells it. kvm_pvm, whose guests leave by
// a store, looks neither at IOPL nor at gates nor at EFER.SCE.
bool is_the_hosts(Weakness weakness, Driver driver, bool is_store) {
  if (driver == Driver::kProcess) return !process_host_knows(weakness);
  return is_store && (weakness == Weakness::kIoPrivilege || weakness == Weakness::kOpenGates ||
                      weakness == Weakness::kSystemCalls);
}

TEST_P(DefenceTest, IsNoticed) {
  const auto [driver, index] = GetParam();
  const auto sound = Host::open(driver);
  if (!sound) GTEST_SKIP() << "NO DRIVER " << to_string(driver) << ": " << sound.error().message;
  const bool is_store = exit_is_store(**sound);
  const Attack attack = attacks(is_store)[index];
  if (attack.weakness == Weakness::kNone) {
    EXPECT_NE(attack.irremovable, nullptr) << "an attack on nothing";
    return;
  }
  if (is_the_hosts(attack.weakness, driver, is_store)) return;
  auto weak = open_weak(driver, attack.weakness);
  ASSERT_TRUE(weak) << weak.error().message;
  const std::string noticed = run_attack(**weak, attack);
  EXPECT_NE(noticed, "");
  EXPECT_FALSE(noticed.starts_with(kUnfit)) << noticed;
}

// Why a broken VM is never entered again: KVM finishes the load that broke it, and the next call
// goes on where the load was. 66 is a port of the attack, not of the call that was made.
TEST(BrokenVm, WouldLetItsGuestHaveTheNextCall) {
  const auto weak = open_weak(Driver::kKvm, Weakness::kBrokenRuns);
  if (!weak) GTEST_SKIP() << "NO DRIVER kvm: " << weak.error().message;
  const Code answer = Code().answer_42();
  Code code;  // cmp edi, 0; jne past the answer
  code.bytes({0x83, 0xff, 0, 0x75, static_cast<uint8_t>(answer.get().size())});
  for (const uint8_t byte : answer.get()) code.bytes({byte});
  code.mov_rcx(guest_abi::kExitPage).bytes({0x8b, 0x01}).hypercall(66).ret();  // mov eax, [rcx]
  const TestImage image(code);
  const auto vm = (*weak)->create_vm(image.config());
  ASSERT_TRUE(vm);
  ASSERT_EQ((*vm)->enter(Entry{kText, 1})->kind, Exit::Kind::kBroken);
  const auto hijacked = (*vm)->enter(Entry{kText, 0});
  ASSERT_TRUE(hijacked);
  EXPECT_EQ(hijacked->port, 66u);
}

}  // namespace
}  // namespace mayfly::vmm
