// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The contract of Vm, on every driver.
#include "vmm/vm.h"

#include <gtest/gtest.h>

#include "vmm/guest_test.h"

namespace mayfly::vmm {
namespace {

using Kind = Exit::Kind;

class VmTest : public DriverTest {};
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

}  // namespace
}  // namespace mayfly::vmm
