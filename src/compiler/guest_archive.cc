// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The archive is put into this object by the assembler; MAYFLY_GUEST_ARCHIVE is its path.
#include "compiler/guest_archive.h"

// SAFETY: defines two symbols around read-only data, aligned as the archive's members need it.
asm(".section .rodata.mayfly_guest_archive,\"a\",@progbits\n"
    ".balign 16\n"
    ".globl mayfly_guest_archive_begin\n"
    "mayfly_guest_archive_begin:\n"
    ".incbin \"" MAYFLY_GUEST_ARCHIVE
    "\"\n"
    ".globl mayfly_guest_archive_end\n"
    "mayfly_guest_archive_end:\n"
    ".previous\n");

extern "C" {
extern const uint8_t mayfly_guest_archive_begin[];
extern const uint8_t mayfly_guest_archive_end[];
}

namespace mayfly::compiler {

std::span<const uint8_t> guest_archive() {
  return {mayfly_guest_archive_begin, mayfly_guest_archive_end};
}

}  // namespace mayfly::compiler
