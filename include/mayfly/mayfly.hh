// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The C++ library of Mayfly: untrusted WebAssembly in micro virtual machines.
//
// Conventions:
//  1. Errors are values: Result<T> for what the host asks, Outcome<T> and CallOutcome for how a
//     guest ended. No function throws, and no exception of a host function crosses the library.
//  2. Handles (Engine, Program, Sandbox, Function, Memory, ...) keep alive what they need, so they
//     may be destroyed in any order. A moved-from one answers with an Error of kind kState.
//  3. Everything is denied unless Policy grants it, and every number is checked against Limits.
//  4. Bytes come out of the guest and go in as checked copies; strings are bytes and need no zero.
//  5. Times are std::chrono, sizes are in bytes unless the name says otherwise.
//  6. Each header says which objects threads may share.
//
// It cannot compile by itself: mayfly-compiler, installed with it, runs as a process of its own.
#pragma once

#include "mayfly/caller.h"                   // IWYU pragma: export
#include "mayfly/component_function.h"       // IWYU pragma: export
#include "mayfly/component_host_function.h"  // IWYU pragma: export
#include "mayfly/component_result.h"         // IWYU pragma: export
#include "mayfly/component_type.h"           // IWYU pragma: export
#include "mayfly/component_value.h"          // IWYU pragma: export
#include "mayfly/engine.h"                   // IWYU pragma: export
#include "mayfly/function.h"                 // IWYU pragma: export
#include "mayfly/host_function.h"            // IWYU pragma: export
#include "mayfly/limits.h"                   // IWYU pragma: export
#include "mayfly/linker.h"                   // IWYU pragma: export
#include "mayfly/memory.h"                   // IWYU pragma: export
#include "mayfly/outcome.h"                  // IWYU pragma: export
#include "mayfly/policy.h"                   // IWYU pragma: export
#include "mayfly/pool.h"                     // IWYU pragma: export
#include "mayfly/program.h"                  // IWYU pragma: export
#include "mayfly/resource.h"                 // IWYU pragma: export
#include "mayfly/result.h"                   // IWYU pragma: export
#include "mayfly/sandbox.h"                  // IWYU pragma: export
#include "mayfly/snapshot.h"                 // IWYU pragma: export
#include "mayfly/value.h"                    // IWYU pragma: export
