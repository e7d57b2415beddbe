// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every attack on every driver; and every attack again on a host whose defence was taken away,
// which must be noticed.
#include <gtest/gtest.h>

#include "attack.h"
#include "vmm/kvm_host.h"

namespace mayfly::vmm {
namespace {

class Sandbox : public DriverTest {};
INSTANTIATE_TEST_SUITE_P(Drivers, Sandbox, testing::Values(Driver::kKvm, Driver::kProcess),
                         driver_name);

TEST_P(Sandbox, HoldsEveryAttack) {
  for (const Attack& attack : attacks(exit_is_store(*host_))) {
    EXPECT_EQ(run_attack(*host_, attack), "") << attack.name;
  }
}

TEST(SandboxDefence, IsNoticedWhenItIsMissing) {
  const auto sound = Host::open(Driver::kKvm);
  if (!sound) GTEST_SKIP() << "NO DRIVER kvm: " << sound.error().message;
  const bool is_store = exit_is_store(**sound);
  for (const Attack& attack : attacks(is_store)) {
    if (attack.weakness == Weakness::kNone) continue;
    // A host that ignores the I/O bitmap ignores IOPL, too: there is no defence to remove.
    if (attack.weakness == Weakness::kIoPrivilege && is_store) continue;
    KvmHostOptions options;
    options.weakness = attack.weakness;
    auto weak = KvmHost::open(options);
    ASSERT_TRUE(weak) << weak.error().message;
    EXPECT_NE(run_attack(**weak, attack), "") << attack.name;
  }
}

}  // namespace
}  // namespace mayfly::vmm
