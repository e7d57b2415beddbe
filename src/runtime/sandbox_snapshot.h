// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SandboxSnapshot: the state of a sandbox between calls, with the program that it is a state of.
#pragma once

#include <memory>

#include "runtime/linked_program.h"
#include "runtime/resource_table.h"
#include "runtime/snapshot.h"

namespace mayfly::runtime {

// Immutable; shareable between threads.
struct SandboxSnapshot {
  std::shared_ptr<const LinkedProgram> program;
  SnapshotPtr state;
  ResourceTable::Mark resources;  // the host's, which are no part of it
};

}  // namespace mayfly::runtime
