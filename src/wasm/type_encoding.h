// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The binary form of value, reference, heap and block types, without the check of their indices.
// The decoder, the validator and InstructionReader share these readers.
#pragma once

#include "wasm/byte_cursor.h"
#include "wasm/instruction.h"
#include "wasm/types.h"

namespace mayfly::wasm {

// After a failure they answer any type, and the cursor knows.
HeapType read_heap_type(ByteCursor& cursor);
RefType read_ref_type(ByteCursor& cursor);
ValType read_val_type(ByteCursor& cursor);
ValType read_storage_type(ByteCursor& cursor);  // also i8 and i16
BlockType read_block_type(ByteCursor& cursor);

// Whether the next byte starts a reference type.
bool is_ref_type_ahead(const ByteCursor& cursor);

}  // namespace mayfly::wasm
