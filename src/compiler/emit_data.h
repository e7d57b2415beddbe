// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one object of a module holds beside functions: its data, `instantiate` and the thunks.
#pragma once

namespace mayfly::compiler {

class ModuleEmitter;

// Defines globals, tables, infos, segments and FuncRefs.
void emit_data(ModuleEmitter& module);

// Defines `instantiate`, as wasm-3.0 #exec-instantiation orders it.
void emit_instantiate(ModuleEmitter& module);

// Defines thunk.T for the type of each exported function, and thunk.instantiate.
void emit_thunks(ModuleEmitter& module);

}  // namespace mayfly::compiler
