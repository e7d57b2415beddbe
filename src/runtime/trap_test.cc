// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which fault is which trap, one rule a test.
#include "runtime/trap.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <string>

namespace mayfly::runtime {
namespace {

using guest_abi::TrapCode;

constexpr uint64_t kText = 0x40'1000;
constexpr std::array kRegions = {
    image::Region{.kind = image::RegionKind::kData, .address = 0x50'0000, .bytes = 4096},
    image::Region{.kind = image::RegionKind::kMemory, .address = 0x4000'0000, .bytes = 65536},
};

FaultContext context_with_text(std::string text) {
  return {.regions = kRegions,
          .stack_bytes = 1 << 20,
          .text_byte = [text](uint64_t address) -> std::optional<uint8_t> {
            if (address < kText || address - kText >= text.size()) return std::nullopt;
            return static_cast<uint8_t>(text[address - kText]);
          }};
}

TrapCode invalid_opcode(const std::string& text) {
  return classify_fault({.vector = 6, .rip = kText}, context_with_text(text));
}

TrapCode page_fault(uint64_t address) {
  return classify_fault({.vector = 14, .address = address, .rip = kText}, context_with_text(""));
}

TEST(ClassifyFault, ReadsTheCodeFromTheTrapInstruction) {
  EXPECT_EQ(invalid_opcode("\x67\x0f\xb9\x40\x08"), TrapCode::kIntegerDivideByZero);
}

TEST(ClassifyFault, RefusesATrapInstructionWithACodeThatNoCompilerEmits) {
  EXPECT_EQ(invalid_opcode("\x67\x0f\xb9\x40\x7f"), TrapCode::kInvalidInstruction);
  EXPECT_EQ(invalid_opcode(std::string("\x67\x0f\xb9\x40\x00", 5)), TrapCode::kInvalidInstruction);
}

TEST(ClassifyFault, NamesARuleOfTheComponentModel) {
  EXPECT_EQ(invalid_opcode("\x67\x0f\xb9\x40\x10"), TrapCode::kComponent);
}

TEST(ComponentTrapText, HasWordsOfItsOwnForEveryReason) {
  std::set<std::string> texts;
  constexpr auto kLast = static_cast<uint32_t>(guest_abi::kComponentTrapLast);
  for (uint32_t trap = 1; trap <= kLast; ++trap) {
    const std::string text = component_trap_text({.trap = trap, .number = 3});
    EXPECT_FALSE(text.starts_with("component trap")) << trap;
    EXPECT_TRUE(texts.insert(text).second) << text;
  }
  EXPECT_EQ(component_trap_text({.trap = kLast + 1, .number = 3}),
            "component trap " + std::to_string(kLast + 1));
}

TEST(ClassifyFault, RefusesATrapInstructionThatIsCutOffByTheEndOfText) {
  EXPECT_EQ(invalid_opcode("\x67\x0f\xb9\x40"), TrapCode::kInvalidInstruction);
}

TEST(ClassifyFault, RefusesAnotherInvalidInstruction) {
  EXPECT_EQ(invalid_opcode("\x0f\x0b"), TrapCode::kInvalidInstruction);
}

TEST(ClassifyFault, NamesAnAccessPastTheEndOfAMemory) {
  EXPECT_EQ(page_fault(0x4001'0000), TrapCode::kMemoryOutOfBounds);
  EXPECT_EQ(page_fault(0x4000'0000 + guest_abi::kWindowBytes - 1), TrapCode::kMemoryOutOfBounds);
}

TEST(ClassifyFault, CallsWhatLiesPastAWindowAProtectionFault) {
  EXPECT_EQ(page_fault(0x4000'0000 + guest_abi::kWindowBytes), TrapCode::kProtection);
}

TEST(ClassifyFault, CallsAWriteToReadOnlyDataAProtectionFault) {
  EXPECT_EQ(page_fault(0x50'0010), TrapCode::kProtection);
}

TEST(ClassifyFault, NamesAnAccessBelowTheStack) {
  EXPECT_EQ(page_fault(guest_abi::kStackTop - (1 << 20) - 8), TrapCode::kStackOverflow);
  EXPECT_EQ(page_fault(guest_abi::kStackGuard), TrapCode::kStackOverflow);
}

TEST(ClassifyFault, TellsANullTableEntryFromANullReference) {
  EXPECT_EQ(page_fault(8), TrapCode::kUninitializedElement);
  EXPECT_EQ(page_fault(0), TrapCode::kNullReference);
}

TEST(ClassifyFault, CallsAJumpToNowhereAProtectionFault) {
  const vmm::Fault fault{.vector = 14, .error_code = 0x14, .address = 0, .rip = 0};
  EXPECT_EQ(classify_fault(fault, context_with_text("")), TrapCode::kProtection);
}

TEST(ClassifyFault, CallsAGeneralProtectionFaultAnInvalidInstruction) {
  EXPECT_EQ(classify_fault({.vector = 13, .rip = kText}, context_with_text("")),
            TrapCode::kInvalidInstruction);
}

TEST(DescribeFault, NamesTheNumbersOfAFaultThatNoCodeOfOursMakes) {
  const vmm::Fault fault{.vector = 14, .error_code = 7, .address = 0x200000, .rip = 0x401000};
  EXPECT_EQ(describe_fault(fault, TrapCode::kProtection),
            "protection fault (vector 14, code 0x7, address 0x200000, at 0x401000)");
}

TEST(DescribeFault, SaysNoMoreThanTheSpecOfAnOrdinaryTrap) {
  EXPECT_EQ(describe_fault({}, TrapCode::kMemoryOutOfBounds), "out of bounds memory access");
}

TEST(DescribeFault, TellsACheckedNullReferenceFromACallThroughOne) {
  EXPECT_EQ(describe_fault({.vector = 6}, TrapCode::kNullReference), "null reference");
  EXPECT_EQ(describe_fault({.vector = 14}, TrapCode::kNullReference), "null function reference");
}

}  // namespace
}  // namespace mayfly::runtime
