// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a file to a state with its program, and back.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "mayfly/snapshot.h"
#include "runtime/engine_state.h"
#include "runtime/linked_program.h"
#include "runtime/sandbox_snapshot.h"

namespace mayfly::runtime {

// The contract of Snapshot::save().
Result<void> save_snapshot(const SandboxSnapshot& snapshot, const std::string& path);

// The contract of Linker::load_snapshot(): the request has the functions, and the component if
// there is one. An image of the same content that the engine has is used, so that the program's
// sandboxes can go to the snapshot. Errors name the path.
Result<std::shared_ptr<const SandboxSnapshot>> load_snapshot(EngineState& engine,
                                                             const LinkRequest& request,
                                                             const std::string& path,
                                                             const SnapshotFileOptions& options);

}  // namespace mayfly::runtime
