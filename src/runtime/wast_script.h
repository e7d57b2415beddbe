// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WastScript: a script of the WebAssembly test suite, read from its JSON form
// (`wasm-tools json-from-wast`). Modules are files next to it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/wast_value.h"

namespace mayfly::runtime {

struct WastAction {
  enum class Kind : uint8_t { kInvoke, kGet };
  Kind kind = Kind::kInvoke;
  std::optional<std::string> module;  // absent: the current instance
  std::string field;
  std::vector<Value> arguments;
  std::string component_arguments;  // the same for a component's function: JSON
};

struct WastCommand {
  enum class Kind : uint8_t {
    kModule,
    kModuleDefinition,
    kModuleInstance,
    kRegister,
    kAction,
    kAssertReturn,
    kAssertTrap,  // with text; assert_exhaustion too
    kAssertException,
    kAssertInvalid,  // assert_malformed too
    kAssertUnlinkable,
    kAssertUninstantiable,
    kOther,  // a command that this runner does not know
  };
  Kind kind = Kind::kOther;
  std::string type;  // as the script has it
  uint32_t line = 0;
  std::optional<std::string> name;      // kModule, kModuleDefinition, kRegister
  std::optional<std::string> instance;  // kModuleInstance
  std::optional<std::string> module;    // kModuleInstance: the definition
  std::string as;                       // kRegister
  // The module's binary form; empty when the script has it as text only.
  std::string filename;
  std::string text;  // the reference's message
  WastAction action;
  std::vector<ExpectedValue> expected;  // kAssertReturn
  std::string component_expected;       // the same for a component's function: JSON
  // Why the arguments or expected values are none that a core function has; empty if they are.
  std::string problem;
};

// Whether its outcome counts as an assertion.
bool is_assertion(WastCommand::Kind kind);

struct WastScript {
  std::string source;  // the .wast that the lines are of
  std::vector<WastCommand> commands;
};

// Errors: kInvalid with the command's place.
Result<WastScript> parse_wast_script(std::span<const uint8_t> json);

}  // namespace mayfly::runtime
