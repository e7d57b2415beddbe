// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names of WIT as names of C++: "user-id" as `user_id` and `UserId`.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace mayfly::component::wit {

// For variables, members, functions and namespaces. What C++ or its headers reserve gets a '_'.
std::string snake_case(std::string_view name);
// For types, and behind a 'k' for enumerators.
std::string camel_case(std::string_view name);
// A version as a part of a name: "0.2.1-rc" as `0_2_1_rc`.
std::string version_name(std::string_view version);

// Names of one scope: each is given out once, the next of the same name with a '_' more.
class NameScope {
 public:
  explicit NameScope(std::set<std::string> taken = {}) : taken_(std::move(taken)) {}
  std::string add(std::string name);

 private:
  std::set<std::string> taken_;
};

}  // namespace mayfly::component::wit
