// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bulk operations that instructions and `instantiate` share. All counts and positions are i64.
#pragma once

#include "compiler/function_emitter.h"

namespace mayfly::compiler {

// Traps unless start + count <= size.
void trap_if_past(FunctionEmitter& f, llvm::Value* start, llvm::Value* count, llvm::Value* size,
                  guest_abi::TrapCode code);

void emit_memory_init(FunctionEmitter& f, uint32_t memory, uint32_t segment, llvm::Value* to,
                      llvm::Value* from, llvm::Value* count);
void emit_table_init(FunctionEmitter& f, uint32_t table, uint32_t segment, llvm::Value* to,
                     llvm::Value* from, llvm::Value* count);
void emit_table_fill(FunctionEmitter& f, uint32_t table, llvm::Value* start, llvm::Value* value,
                     llvm::Value* count);

// The address of entry `index` (as popped), which is checked against the table's size.
llvm::Value* table_entry(FunctionEmitter& f, uint32_t table, llvm::Value* index,
                         guest_abi::TrapCode code);

}  // namespace mayfly::compiler
