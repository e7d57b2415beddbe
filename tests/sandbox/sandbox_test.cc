// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every attack on every driver; and every attack again on a host whose defence was taken away,
// which must be noticed.
#include <gtest/gtest.h>

#include <tuple>

#include "attack.h"
#include "vmm/kvm_host.h"

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

class DefenceTest : public testing::TestWithParam<size_t> {};

INSTANTIATE_TEST_SUITE_P(Missing, DefenceTest, testing::ValuesIn(all_attacks()),
                         [](const auto& param_info) {
                           return attacks(true)[param_info.param].name;
                         });

TEST_P(DefenceTest, IsNoticed) {
  const auto sound = Host::open(Driver::kKvm);
  if (!sound) GTEST_SKIP() << "NO DRIVER kvm: " << sound.error().message;
  const bool is_store = exit_is_store(**sound);
  const Attack attack = attacks(is_store)[GetParam()];
  if (attack.weakness == Weakness::kNone) return;  // several defences stand behind it
  // A host that ignores IOPL has no such defence to remove.
  if (attack.weakness == Weakness::kIoPrivilege && is_store) return;
  KvmHostOptions options;
  options.weakness = attack.weakness;
  auto weak = KvmHost::open(options);
  ASSERT_TRUE(weak) << weak.error().message;
  EXPECT_NE(run_attack(**weak, attack), "");
}

}  // namespace
}  // namespace mayfly::vmm
