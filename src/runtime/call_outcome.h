// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CallOutcome: how a call into a guest ended. Every way is a value: a trap or a deadline is
// normal life for a sandbox, never an error of the host.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "guest_abi/trap.h"
#include "runtime/value.h"

namespace mayfly::runtime {

// Where the guest was, innermost first. A claim of the guest's stack, which it can write.
struct Frame {
  std::string function;
  uint32_t module = 0;             // in Image::module_names
  std::optional<uint64_t> offset;  // from the module's first byte
};

struct Trap {
  guest_abi::TrapCode code = guest_abi::TrapCode::kUnreachable;
  std::string message;  // the spec's wording, then the numbers that decide it
  std::vector<Frame> backtrace;
};

struct CallOutcome {
  enum class Kind : uint8_t {
    kReturned,
    kTrapped,
    kExited,       // proc_exit: no end of the sandbox's life, but no values either
    kDeadline,     // the time for the call was over
    kCancelled,    // another thread ended the call
    kOutOfFuel,    // the image counts fuel, and more was used than there was
    kOutOfMemory,  // the host had no memory for a page of the guest
    kLimit,        // another limit of the sandbox was reached
    kBroken,       // the guest left in a way that no guest of ours does; the VM is gone
  };
  Kind kind = Kind::kReturned;
  std::vector<Value> values;  // kReturned
  Trap trap;                  // kTrapped
  uint32_t exit_code = 0;     // kExited
  // kLimit, kOutOfMemory; kDeadline and kOutOfFuel where it is known: what, with its number.
  std::string message;
  std::vector<Frame> stopped;  // of every kind that names no trap: where, as far as known
  std::string broken;          // kBroken: what the guest did

  bool returned() const { return kind == Kind::kReturned; }
};

// One line without the backtrace: "trap: integer divide by zero", "exit code 3", "deadline".
std::string to_string(const CallOutcome& outcome);
// A line per frame: "  at NAME (MODULE+0x1f4)", with runs of the same frame folded and without the
// thunk that the host entered through. module_names as in the image.
std::string to_string(const std::vector<Frame>& backtrace,
                      const std::vector<std::string>& module_names);

}  // namespace mayfly::runtime
