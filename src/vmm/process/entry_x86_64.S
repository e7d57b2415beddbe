// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entry page of the process driver, at layout.h kEntryPage, and the child's own entry points.

        .section .entry, "ax", @progbits

// Calls rdi: thunk with rsi: function, rdx: slots, with a clean processor.
        .macro  clean_call
        pushq   $2
        popfq
        movq    %rdi, %rbx
        movabsq $mayfly_vector_level, %rax
        movl    (%rax), %eax
        cmpl    $1, %eax
        jb      1f
        cmpl    $2, %eax
        ja      3f
        cmpl    $1, %eax
        vzeroall
        je      2f
        .irp    n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
        vpxorq  %zmm\n, %zmm\n, %zmm\n
        .endr
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7
        kxorw   %k\n, %k\n, %k\n
        .endr
        jmp     2f
1:
        .irp    n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
        pxor    %xmm\n, %xmm\n
        .endr
2:
        // The stack of the x87 unit, which fninit only marks as empty: fldz fills all eight.
        fninit
        .rept   8
        fldz
        .endr
        fninit
        ldmxcsr mayfly_mxcsr(%rip)
3:
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        xorl    %eax, %eax
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        xorl    %ebp, %ebp
        xorl    %r8d, %r8d
        xorl    %r9d, %r9d
        xorl    %r10d, %r10d
        xorl    %r11d, %r11d
        xorl    %r12d, %r12d
        xorl    %r13d, %r13d
        xorl    %r14d, %r14d
        xorl    %r15d, %r15d
        callq   *%rbx
        .endm

// enter(rdi: thunk, rsi: function, rdx: slots): a call into the guest.
        .globl  mayfly_enter
mayfly_enter:
        clean_call
        xorl    %edi, %edi
        movabsq $mayfly_leave, %rax
        callq   *%rax
        ud2

// nest(rdi: thunk, rsi: function, rdx: slots): a call inside the one that waits, below its
// stack and its red zone; returns when the inner call does.
mayfly_nested_enter:
        pushq   %rbx
        pushq   %rbp
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        subq    $136, %rsp
        clean_call
        addq    $136, %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        retq

        .balign 4
mayfly_mxcsr:
        .long   0x1f80

// hypercall(edi: port): returns when the host resumes.
        .org    0x800
        .globl  mayfly_hypercall
mayfly_hypercall:
        movabsq $mayfly_leave, %rax
        jmpq    *%rax

        .text

// The child's first instruction: the stack holds argc, argv.
        .globl  _start
_start:
        xorl    %ebp, %ebp
        movq    %rsp, %rdi
        andq    $-16, %rsp
        callq   mayfly_child_main
        ud2

// mayfly_jump_to_guest(rdi: thunk, rsi: function, rdx: slots, rcx: stack top); never returns.
        .globl  mayfly_jump_to_guest
mayfly_jump_to_guest:
        movq    %rcx, %rsp
        movabsq $mayfly_enter, %rax
        jmpq    *%rax

// The child's code lies too far away for a direct call.
        .globl  mayfly_nest
mayfly_nest:
        movabsq $mayfly_nested_enter, %rax
        jmpq    *%rax

        .globl  mayfly_signal_return
mayfly_signal_return:
        movl    $15, %eax
        syscall
        ud2

        .section .note.GNU-stack, "", @progbits
