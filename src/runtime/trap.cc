// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A trap is an instruction that the compiler put there (ud1 with the code in it), or an access to
// an address that the layout keeps absent for exactly that purpose (guest_abi/layout.h).
#include "runtime/trap.h"

#include <array>
#include <cstddef>
#include <cstdio>

#include "guest_abi/call_page.h"
#include "guest_abi/layout.h"

namespace mayfly::runtime {
namespace {

using guest_abi::TrapCode;

// Intel SDM 3A, table 6-1.
constexpr uint8_t kInvalidOpcode = 6;
constexpr uint8_t kPageFault = 14;
// Intel SDM 3A, figure 4-12: an instruction fetch.
constexpr uint64_t kPageFaultFetch = 1 << 4;

// `ud1l code(%eax), %eax`: what LLVM makes of ubsantrap.
constexpr std::array<uint8_t, 4> kTrapInstruction = {0x67, 0x0f, 0xb9, 0x40};

std::optional<TrapCode> code_of_instruction(uint64_t rip, const FaultContext& context) {
  for (size_t i = 0; i < kTrapInstruction.size(); ++i) {
    if (context.text_byte(rip + i) != kTrapInstruction[i]) return std::nullopt;
  }
  const auto code = context.text_byte(rip + kTrapInstruction.size());
  if (!code || *code < static_cast<uint8_t>(TrapCode::kUnreachable) ||
      (*code > static_cast<uint8_t>(TrapCode::kGuestAbort) &&
       *code != static_cast<uint8_t>(TrapCode::kComponent) &&
       *code != static_cast<uint8_t>(TrapCode::kOutOfFuel))) {
    return std::nullopt;
  }
  return static_cast<TrapCode>(*code);
}

bool in_memory_window(uint64_t address, const FaultContext& context) {
  for (const image::Region& region : context.regions) {
    if (region.kind == image::RegionKind::kMemory && address >= region.address &&
        address - region.address < guest_abi::kWindowBytes) {
      return true;
    }
  }
  return false;
}

TrapCode classify_page_fault(const vmm::Fault& fault, const FaultContext& context) {
  const uint64_t address = fault.address;
  if ((fault.error_code & kPageFaultFetch) != 0) return TrapCode::kProtection;
  if (address >= guest_abi::kStackGuard && address < guest_abi::kStackTop - context.stack_bytes) {
    return TrapCode::kStackOverflow;
  }
  if (address < guest_abi::kNullEnd) {
    // call_indirect reads the type of the FuncRef before its code; call_ref reads the code only.
    return address == offsetof(guest_abi::FuncRef, type_id) ? TrapCode::kUninitializedElement
                                                            : TrapCode::kNullReference;
  }
  if (in_memory_window(address, context)) return TrapCode::kMemoryOutOfBounds;
  return TrapCode::kProtection;
}

}  // namespace

std::string_view trap_text(TrapCode code) {
  switch (code) {
    case TrapCode::kUnreachable:
      return "unreachable";
    case TrapCode::kMemoryOutOfBounds:
      return "out of bounds memory access";
    case TrapCode::kTableOutOfBounds:
      return "out of bounds table access";
    case TrapCode::kUndefinedElement:
      return "undefined element";
    case TrapCode::kUninitializedElement:
      return "uninitialized element";
    case TrapCode::kIndirectCallTypeMismatch:
      return "indirect call type mismatch";
    case TrapCode::kIntegerOverflow:
      return "integer overflow";
    case TrapCode::kIntegerDivideByZero:
      return "integer divide by zero";
    case TrapCode::kInvalidConversionToInteger:
      return "invalid conversion to integer";
    case TrapCode::kStackOverflow:
      return "call stack exhausted";
    case TrapCode::kNullReference:
      return "null function reference";
    case TrapCode::kHostError:
      return "host error";
    case TrapCode::kGuestAbort:
      return "guest library abort";
    case TrapCode::kInvalidInstruction:
      return "invalid instruction";
    case TrapCode::kProtection:
      return "protection fault";
    case TrapCode::kComponent:
      return "component trap";
    case TrapCode::kOutOfFuel:
      return "out of fuel";
  }
  return "unknown trap";
}

std::string component_trap_text(const guest_abi::ComponentTrapRequest& request) {
  using guest_abi::ComponentTrap;
  const std::string number = std::to_string(request.number);
  switch (static_cast<ComponentTrap>(request.trap)) {
    case ComponentTrap::kCannotLeave:
      return "cannot leave component instance";
    case ComponentTrap::kCannotEnter:
      return "cannot enter component instance";
    case ComponentTrap::kUnalignedPointer:
      return "unaligned pointer";
    case ComponentTrap::kStringOutOfBounds:
      return "string content out-of-bounds";
    case ComponentTrap::kListOutOfBounds:
      return "list content out-of-bounds";
    case ComponentTrap::kReallocUnaligned:
      return "realloc return: result not aligned";
    case ComponentTrap::kReallocOutOfBounds:
      return "realloc return: beyond end of memory";
    case ComponentTrap::kStringTooLong:
      return "string is longer than 268435455 bytes";
    case ComponentTrap::kListTooLong:
      return "list is longer than 268435455 bytes";
    case ComponentTrap::kInvalidDiscriminant:
      return "invalid variant discriminant";
    case ComponentTrap::kInvalidChar:
      return "invalid `char` bit pattern";
    case ComponentTrap::kInvalidUtf8:
      return "invalid utf-8";
    case ComponentTrap::kIncompleteUtf8:
      return "incomplete utf-8 byte sequence";
    case ComponentTrap::kInvalidUtf16:
      return "invalid utf-16";
    case ComponentTrap::kUnknownHandle:
      return "unknown handle index " + number;
    case ComponentTrap::kWrongResource:
      return "handle index " + number +
             " used with the wrong type, expected guest-defined resource but found a different "
             "guest-defined resource";
    case ComponentTrap::kHandleLent:
      return "cannot remove owned resource while borrowed: handle index " + number;
    case ComponentTrap::kNotOwned:
      return "cannot lift own resource from a borrow: handle index " + number;
    case ComponentTrap::kBorrowsRemain:
      return "borrow handles still remain at the end of the call";
    case ComponentTrap::kTableFull:
      return "no room for another handle";
    case ComponentTrap::kMissingImport:
      return "an import was called that nothing provides";
    case ComponentTrap::kDamagedState:
      return "the handle tables are damaged";
    case ComponentTrap::kWriteNotPermitted:
      return "write: more bytes than check-write has permitted";
    case ComponentTrap::kWriteTooLong:
      return "blocking write: more than 4096 bytes";
    case ComponentTrap::kEmptyPoll:
      return "poll: the list is empty";
    case ComponentTrap::kSendNotPermitted:
      return "send: more datagrams than check-send has permitted";
    case ComponentTrap::kChildrenRemain:
      return "a resource of wasi:http was dropped before its children";
    case ComponentTrap::kFieldsTooLarge:
      return "fields of wasi:http have more than 131072 bytes";
  }
  return std::string(trap_text(TrapCode::kComponent)) + " " + std::to_string(request.trap);
}

TrapCode classify_fault(const vmm::Fault& fault, const FaultContext& context) {
  if (fault.vector == kPageFault) return classify_page_fault(fault, context);
  if (fault.vector == kInvalidOpcode) {
    return code_of_instruction(fault.rip, context).value_or(TrapCode::kInvalidInstruction);
  }
  return TrapCode::kInvalidInstruction;
}

std::string describe_fault(const vmm::Fault& fault, TrapCode code) {
  // ref.as_non_null raises it; a call through a null reference faults.
  if (code == TrapCode::kNullReference && fault.vector == kInvalidOpcode) return "null reference";
  std::string text(trap_text(code));
  if (code != TrapCode::kProtection && code != TrapCode::kInvalidInstruction) return text;
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, " (vector %u, code 0x%llx, address 0x%llx, at 0x%llx)",
                unsigned{fault.vector}, static_cast<unsigned long long>(fault.error_code),
                static_cast<unsigned long long>(fault.address),
                static_cast<unsigned long long>(fault.rip));
  return text + numbers;
}

}  // namespace mayfly::runtime
