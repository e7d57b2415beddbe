// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of WIT in the cases of C++.
#include "component/cpp_names.h"

#include <gtest/gtest.h>

namespace mayfly::component::wit {
namespace {

TEST(CppNames, AreThoseOfWitInOtherCases) {
  EXPECT_EQ(snake_case("user-id"), "user_id");
  EXPECT_EQ(snake_case("HTTP-server2"), "http_server2");
  EXPECT_EQ(camel_case("user-id"), "UserId");
  EXPECT_EQ(camel_case("HTTP-server2"), "HttpServer2");
}

TEST(CppNames, LeaveWhatIsReservedToCpp) {
  EXPECT_EQ(snake_case("class"), "class_");
  EXPECT_EQ(snake_case("xor-eq"), "xor_eq_");
  EXPECT_EQ(snake_case("alignas"), "alignas_");
  EXPECT_EQ(snake_case("errno"), "errno_");
  EXPECT_EQ(snake_case("classes"), "classes");
}

TEST(CppNames, HaveVersionsInThem) { EXPECT_EQ(version_name("0.2.1-rc+X"), "0_2_1_rc_x"); }

TEST(CppNames, AreGivenOutOnce) {
  NameScope names({"create"});
  EXPECT_EQ(names.add("run"), "run");
  EXPECT_EQ(names.add("run"), "run_");
  EXPECT_EQ(names.add("create"), "create_");
}

}  // namespace
}  // namespace mayfly::component::wit
