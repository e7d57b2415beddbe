// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The child's program, as bytes of the library.
        .section .rodata
        .globl  mayfly_process_child_begin
        .globl  mayfly_process_child_end
mayfly_process_child_begin:
        .incbin MAYFLY_PROCESS_CHILD
mayfly_process_child_end:
        .section .note.GNU-stack, "", @progbits
