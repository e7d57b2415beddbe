// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BenchSubject: sandboxes of one program, and next to them VMs of the smallest guest there is, with
// one method for each thing that `mayfly bench` measures.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "runtime/engine_state.h"
#include "runtime/linked_program.h"
#include "runtime/sandbox_state.h"
#include "vmm/smallest_guest.h"

namespace mayfly::runtime {

class BenchSubject {
 public:
  struct Parts {
    std::string file;  // for messages
    std::unique_ptr<vmm::Host> host;
    std::unique_ptr<image::Image> image;          // the last instance is the program
    const image::FuncExport* function = nullptr;  // of the image
    std::vector<Value> arguments;                 // of the function's type
    SandboxConfig config;
  };
  // Errors: kUnsupported for an image with host functions; kHost.
  static Result<BenchSubject> create(Parts parts);

  // The first sandbox, and one call of it. How the call ended: nullptr for a return.
  Result<std::unique_ptr<CallOutcome>> try_once();
  // After try_once(): whether the function can be called again without a reset.
  bool returns() const { return returns_; }

  // Below, an end other than that of try_once() is an error. All use the one sandbox, but for the
  // first two, which replace a second one.
  Result<void> start();                // a new sandbox, its start functions, a call
  Result<void> start_from_snapshot();  // a new sandbox in the state before the first call, a call
  void drop() { other_.reset(); }
  Result<void> call();
  Result<void> reset() { return sandbox_->reset(); }
  Result<void> snapshot();
  // To the state of the last snapshot() and to that before the first call, in turn.
  Result<void> restore_other();

  Result<void> floor_start();
  void floor_drop() { floor_other_.reset(); }
  Result<void> floor_call();

  // Bytes of the host's memory that a sandbox, or the smallest VM, takes that waits for its first
  // call: the mean of `count`. 0 when something else freed more than they took.
  Result<uint64_t> idle_bytes(int count);
  Result<uint64_t> floor_idle_bytes(int count);

 private:
  BenchSubject(Parts parts, std::shared_ptr<EngineState> engine,
               std::shared_ptr<const LinkedProgram> program)
      : parts_(std::move(parts)), engine_(std::move(engine)), program_(std::move(program)) {}
  Result<std::shared_ptr<SandboxState>> create_started();
  Result<std::shared_ptr<SandboxState>> create_from_snapshot();
  Result<std::unique_ptr<CallOutcome>> call_in(SandboxState& sandbox);
  Result<void> expect_same_end(Result<std::unique_ptr<CallOutcome>> outcome) const;

  Parts parts_;  // without host and image
  std::shared_ptr<EngineState> engine_;
  std::shared_ptr<const LinkedProgram> program_;
  std::vector<guest_abi::Slot> slots_;
  bool returns_ = false;
  std::shared_ptr<SandboxState> sandbox_;
  std::shared_ptr<SandboxState> other_;
  std::shared_ptr<const SandboxSnapshot> first_;
  std::shared_ptr<const SandboxSnapshot> last_;
  bool is_at_first_ = false;
  vmm::SmallestGuest floor_;
  std::unique_ptr<vmm::Vm> floor_vm_;
  std::unique_ptr<vmm::Vm> floor_other_;
};

}  // namespace mayfly::runtime
