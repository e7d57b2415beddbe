// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LLD names every target and extension of LLVM, for link-time optimization, which a link of
// finished x86-64 objects never reaches. Empty functions instead of them keep 100 MB of code for
// other processors out of mayfly-compiler.
#include <llvm/Passes/PassPlugin.h>

#include "base/check.h"

// A target without an assembly parser has the other four.
#define MAYFLY_UNUSED_TARGET_WITHOUT_PARSER(name)     \
  extern "C" void LLVMInitialize##name##TargetInfo(); \
  extern "C" void LLVMInitialize##name##Target();     \
  extern "C" void LLVMInitialize##name##TargetMC();   \
  extern "C" void LLVMInitialize##name##AsmPrinter(); \
  void LLVMInitialize##name##TargetInfo() {}          \
  void LLVMInitialize##name##Target() {}              \
  void LLVMInitialize##name##TargetMC() {}            \
  void LLVMInitialize##name##AsmPrinter() {}
#define MAYFLY_UNUSED_TARGET(name)                   \
  MAYFLY_UNUSED_TARGET_WITHOUT_PARSER(name)          \
  extern "C" void LLVMInitialize##name##AsmParser(); \
  void LLVMInitialize##name##AsmParser() {}

MAYFLY_UNUSED_TARGET(AArch64)
MAYFLY_UNUSED_TARGET(AMDGPU)
MAYFLY_UNUSED_TARGET(ARM)
MAYFLY_UNUSED_TARGET(AVR)
MAYFLY_UNUSED_TARGET(BPF)
MAYFLY_UNUSED_TARGET(Hexagon)
MAYFLY_UNUSED_TARGET(Lanai)
MAYFLY_UNUSED_TARGET(LoongArch)
MAYFLY_UNUSED_TARGET(M68k)
MAYFLY_UNUSED_TARGET(MSP430)
MAYFLY_UNUSED_TARGET(Mips)
MAYFLY_UNUSED_TARGET(PowerPC)
MAYFLY_UNUSED_TARGET(RISCV)
MAYFLY_UNUSED_TARGET(Sparc)
MAYFLY_UNUSED_TARGET(SystemZ)
MAYFLY_UNUSED_TARGET(VE)
MAYFLY_UNUSED_TARGET(WebAssembly)
MAYFLY_UNUSED_TARGET(Xtensa)
MAYFLY_UNUSED_TARGET_WITHOUT_PARSER(NVPTX)
MAYFLY_UNUSED_TARGET_WITHOUT_PARSER(XCore)

llvm::PassPluginLibraryInfo getPollyPluginInfo();
llvm::PassPluginLibraryInfo getPollyPluginInfo() {
  CHECK(false, "link-time optimization");
  return {};
}
