// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attack: one hostile guest, the exact end it must have, and the defence that it is about.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/guest_test.h"
#include "vmm/vm.h"
#include "vmm/weakness.h"

namespace mayfly::vmm {

// How an attack ends. What is not set is not compared.
struct End {
  Exit::Kind kind = Exit::Kind::kFault;
  std::optional<uint8_t> vector = {};
  std::optional<uint64_t> address = {};
  std::optional<uint64_t> slot0 = {};
};

struct Attack {
  std::string name;
  Code code;  // called as a thunk; it answers 42 if nothing stopped it
  End end;
  // The defence without which the end is another one.
  Weakness weakness = Weakness::kNone;
  // The process driver's end, where the two differ; its guests are the host kernel's processes.
  std::optional<End> process_end = {};
  // What the host does meanwhile; by default it makes the call once.
  Result<Exit> (*drive)(Vm& vm) = nullptr;
  // With kNone: why there is no defence of ours that could be taken away.
  const char* irremovable = nullptr;
};

// exit_is_store: this host's guests leave by a store, not by `out`.
std::vector<Attack> attacks(bool exit_is_store);

// Runs the attack in a sandbox of its own. Then the same sandbox unless it is broken, a sibling
// that was made before, and a sandbox made afterwards must answer, leave by a port and trap like
// they did before, and the image must be unchanged. Empty, or what was not as it must be, which
// starts with kUnfit when the host cannot even run the innocent.
inline constexpr std::string_view kUnfit = "unfit: ";
std::string run_attack(Host& host, const Attack& attack);

// Whether guests of this host leave by a store to the exit page.
bool exit_is_store(Host& host);

}  // namespace mayfly::vmm
