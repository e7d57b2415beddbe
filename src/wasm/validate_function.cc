// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loop over a body's instructions: locals, opcodes, the table-driven rule, and the switch
// from each instruction with a rule of its own to that rule.
#include "wasm/validate_function.h"

#include <algorithm>
#include <array>

#include "wasm/type_encoding.h"

namespace mayfly::wasm {
namespace {

std::string hex_byte(uint32_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = value > 0xFF ? 12 : 4; shift >= 0; shift -= 4) {
    text += kDigits[(value >> shift) & 0xF];
  }
  return text;
}

// wasm-3.0 #constant-expressions
bool is_constant(Opcode opcode) {
  switch (opcode) {
    case Opcode::end:
    case Opcode::i32_const:
    case Opcode::i64_const:
    case Opcode::f32_const:
    case Opcode::f64_const:
    case Opcode::v128_const:
    case Opcode::i32_add:
    case Opcode::i32_sub:
    case Opcode::i32_mul:
    case Opcode::i64_add:
    case Opcode::i64_sub:
    case Opcode::i64_mul:
    case Opcode::global_get:
    case Opcode::ref_null:
    case Opcode::ref_func:
    case Opcode::ref_i31:
    case Opcode::struct_new:
    case Opcode::struct_new_default:
    case Opcode::array_new:
    case Opcode::array_new_default:
    case Opcode::array_new_fixed:
    case Opcode::any_convert_extern:
    case Opcode::extern_convert_any:
      return true;
    default:
      return false;
  }
}

}  // namespace

void FunctionValidator::fail(std::string_view what) {
  if (cursor_.failed()) return;
  error_ = invalid_at(what, offset_);
  cursor_.fail("", offset_);
}

void FunctionValidator::fail_index(std::string_view what, uint32_t index) {
  fail(std::string(what) + " " + std::to_string(index));
}

void FunctionValidator::fail_limit(std::string_view what, uint64_t value, uint64_t maximum) {
  if (cursor_.failed()) return;
  error_ = limit_at(what, value, maximum, offset_);
  cursor_.fail("", offset_);
}

Result<void> FunctionValidator::outcome() {
  if (error_) return *std::move(error_);
  if (cursor_.failed()) return cursor_.error();
  return {};
}

void FunctionValidator::begin(ByteCursor cursor) {
  cursor_ = cursor;
  offset_ = cursor.position();
  error_.reset();
  is_done_ = false;
  stack_.clear();
  height_ = 0;
  frames_.clear();
  br_table_marks_ = 0;
  constexpr uint64_t kMatchesOfASmallBody = 1'000'000;
  matches_left_ = kMatchesOfASmallBody +
                  cursor.remaining() * context_.options.limits.operand_matches_per_byte_max;
  params_ = {};
  single_locals_.clear();
  groups_.clear();
  local_count_ = 0;
  initialized_.clear();
  ++body_number_;
  const std::vector<MemoryType>& memories = context_.module.memories;
  has_plain_memory_ = !memories.empty() && memories[0].address == AddressType::kI32;
}

Result<void> FunctionValidator::validate_body(uint32_t function_index, ByteRange body) {
  begin(ByteCursor(context_.bytes, body.offset, body.offset + body.size));
  is_const_ = false;
  const uint32_t type_index = context_.module.functions[function_index].type_index;
  read_locals(type_index);
  note_first_locals();
  push_frame({.opcode = Opcode::block, .type_index = type_index});
  run();
  offset_ = cursor_.position();
  if (!cursor_.failed() && !cursor_.at_end()) {
    fail("section size mismatch: END opcode expected, " + std::to_string(cursor_.remaining()) +
         " bytes follow the function's end");
  }
  return outcome();
}

Result<void> FunctionValidator::validate_const(ByteCursor& cursor, PackedType expected) {
  begin(cursor);
  is_const_ = true;
  push_frame({.opcode = Opcode::block, .result = expected});
  run_const();
  cursor = cursor_;
  return outcome();
}

// Locals are kept as they are declared, in groups: six bytes can declare fifty thousand.
void FunctionValidator::read_locals(uint32_t function_type_index) {
  params_ = context_.params(function_type_index);
  const uint64_t single_max = cursor_.remaining();
  const uint32_t group_count = cursor_.u32();
  uint64_t total = 0;
  for (uint32_t i = 0; i < group_count && !cursor_.failed(); ++i) {
    offset_ = cursor_.position();
    const uint32_t count = cursor_.u32();
    const ValType type = read_val_type(cursor_);
    if (cursor_.failed()) return;
    total += count;
    if (total > UINT32_MAX) return fail("too many locals: " + std::to_string(total));
    const uint64_t all = total + params_.size();
    if (all > context_.options.limits.function_locals_max) {
      return fail_limit("too many locals", all, context_.options.limits.function_locals_max);
    }
    if (!context_.is_known(type)) return fail_index("unknown type", type.ref.heap.type_index);
    groups_.push_back({static_cast<uint32_t>(total), context_.pack(type)});
    const uint64_t single = std::min(total, single_max);
    single_locals_.resize(std::max<size_t>(single_locals_.size(), single), groups_.back().type);
  }
  local_count_ = static_cast<uint32_t>(total);
}

PackedType FunctionValidator::slow_local(uint32_t index) {
  const uint32_t local = index - static_cast<uint32_t>(params_.size());
  if (local >= local_count_) {
    fail_index("unknown local", index);
    return packed::kBottom;
  }
  const auto group =
      std::upper_bound(groups_.begin(), groups_.end(), local,
                       [](uint32_t wanted, const Group& entry) { return wanted < entry.end; });
  return group->type;
}

void FunctionValidator::run() {
  while (!is_done_) {
    run_straight();
    if (cursor_.at_end()) [[unlikely]] {
      if (cursor_.failed()) return;
      offset_ = cursor_.end();
      return fail("unexpected end of section or function: END opcode expected");
    }
    apply(read_opcode());
  }
}

void FunctionValidator::run_const() {
  while (!is_done_ && !cursor_.failed()) {
    const uint32_t opcode_value = read_opcode();
    if (cursor_.failed()) return;
    if (!is_constant(static_cast<Opcode>(opcode_value)) &&
        kRules[opcode_value].immediates != Immediates::unknown) {
      const std::string_view name = to_string(static_cast<Opcode>(opcode_value));
      return fail("constant expression required, not " + std::string(name));
    }
    apply(opcode_value);
  }
}

uint32_t FunctionValidator::read_opcode() {
  offset_ = cursor_.position();
  const uint8_t byte = cursor_.u8();
  if (byte < 0xFB) [[likely]] {
    return byte;
  }
  return read_prefixed_opcode(byte);
}

uint32_t FunctionValidator::read_prefixed_opcode(uint8_t byte) {
  const OpcodePrefix prefix = opcode_prefix(byte);
  if (prefix.first == 0) return byte;
  const uint32_t number = cursor_.u32();
  const Features& features = context_.options.features;
  const uint32_t value = prefix.first + number;
  const bool is_known = number < prefix.count && kImmediates[value] != Immediates::unknown;
  const bool is_wide = is_known && value >= static_cast<uint32_t>(Opcode::i64_add128) &&
                       value <= static_cast<uint32_t>(Opcode::i64_mul_wide_u);
  const bool is_off = (byte == 0xFE && !features.threads) || (is_wide && !features.wide_arithmetic);
  if (!is_known || is_off) {
    fail("illegal opcode " + hex_byte(byte) + " " + hex_byte(number));
    return static_cast<uint32_t>(Opcode::nop);
  }
  return value;
}

void FunctionValidator::apply(uint32_t opcode_value) {
  const OpcodeRule& rule = kRules[opcode_value];
  if (rule.has_signature) return apply_signature(rule);
  if (rule.immediates == Immediates::unknown) {
    return fail("illegal opcode " + hex_byte(opcode_value));
  }
  apply_special(static_cast<Opcode>(opcode_value));
}

void FunctionValidator::apply_signature(const OpcodeRule& rule) {
  if (rule.immediates == Immediates::none && rule.result_count == 1 && rule.param_count <= 2) {
    if (rule.param_count == 2) pop(rule.params[1]);
    pop(rule.params[0]);
    push(rule.results[0]);
    return;
  }
  const PackedType address = read_simple_immediates(rule.immediates);
  const auto actual = [&](PackedType type) { return type == kAddressOfMemory ? address : type; };
  for (size_t i = rule.param_count; i-- > 0;) pop(actual(rule.params[i]));
  for (size_t i = 0; i < rule.result_count; ++i) push(actual(rule.results[i]));
}

// Answers the address type of the memory that the immediates name, if they name one.
PackedType FunctionValidator::read_simple_immediates(Immediates immediates) {
  PackedType address = packed::kI32;
  switch (immediates) {
    case Immediates::i32:
      cursor_.s32();
      break;
    case Immediates::i64:
      cursor_.s64();
      break;
    case Immediates::f32:
      cursor_.fixed_u32();
      break;
    case Immediates::f64:
      cursor_.fixed_u64();
      break;
    case Immediates::zero:
      if (cursor_.u8() != 0) fail("zero byte expected");
      break;
    case Immediates::v128:
      cursor_.bytes(16);
      break;
    case Immediates::shuffle:
      shuffle_lanes();
      break;
    case Immediates::lane2:
      lane(2);
      break;
    case Immediates::lane4:
      lane(4);
      break;
    case Immediates::lane8:
      lane(8);
      break;
    case Immediates::lane16:
      lane(16);
      break;
    case Immediates::memory:
      address = memory_address(cursor_.u32());
      break;
    case Immediates::mem0:
      return memarg(0, false);
    case Immediates::mem1:
      return memarg(1, false);
    case Immediates::mem2:
      return memarg(2, false);
    case Immediates::mem3:
      return memarg(3, false);
    case Immediates::mem4:
      return memarg(4, false);
    case Immediates::atomic0:
      return memarg(0, true);
    case Immediates::atomic1:
      return memarg(1, true);
    case Immediates::atomic2:
      return memarg(2, true);
    case Immediates::atomic3:
      return memarg(3, true);
    case Immediates::memlane0:
      return memarg_and_lane(0);
    case Immediates::memlane1:
      return memarg_and_lane(1);
    case Immediates::memlane2:
      return memarg_and_lane(2);
    case Immediates::memlane3:
      return memarg_and_lane(3);
    default:
      break;
  }
  return address;
}

PackedType FunctionValidator::memarg_and_lane(uint32_t width_log2) {
  const PackedType address = memarg(width_log2, false);
  lane(16u >> width_log2);
  return address;
}

void FunctionValidator::apply_special(Opcode opcode) {
  switch (opcode) {
    case Opcode::unreachable:
      return set_unreachable();
    case Opcode::block:
    case Opcode::loop:
      return block(opcode);
    case Opcode::if_:
      return if_block();
    case Opcode::else_:
      return else_block();
    case Opcode::try_table:
      return try_table();
    case Opcode::throw_:
      return throw_();
    case Opcode::throw_ref:
      return throw_ref();
    case Opcode::end:
      return end();
    case Opcode::br:
      return br();
    case Opcode::br_if:
      return br_if();
    case Opcode::br_table:
      return br_table();
    case Opcode::return_:
      return return_();
    case Opcode::call:
      return call(CallKind::kCall);
    case Opcode::return_call:
      return call(CallKind::kReturnCall);
    case Opcode::call_indirect:
      return call_indirect(CallKind::kCall);
    case Opcode::return_call_indirect:
      return call_indirect(CallKind::kReturnCall);
    case Opcode::call_ref:
      return call_ref(CallKind::kCall);
    case Opcode::return_call_ref:
      return call_ref(CallKind::kReturnCall);
    case Opcode::br_on_null:
      return br_on_null();
    case Opcode::br_on_non_null:
      return br_on_non_null();
    case Opcode::br_on_cast:
    case Opcode::br_on_cast_fail:
      return br_on_cast(opcode);
    case Opcode::drop:
      return drop();
    case Opcode::select:
      return select();
    case Opcode::select_t:
      return select_t();
    case Opcode::local_get:
      return local_get();
    case Opcode::local_set:
      return local_set();
    case Opcode::local_tee:
      return local_tee();
    case Opcode::global_get:
      return global_get();
    case Opcode::global_set:
      return global_set();
    case Opcode::memory_init:
      return memory_init();
    case Opcode::memory_copy:
      return memory_copy();
    case Opcode::data_drop:
      return data_drop();
    case Opcode::table_get:
      return table_get();
    case Opcode::table_set:
      return table_set();
    case Opcode::table_size:
      return table_size();
    case Opcode::table_grow:
      return table_grow();
    case Opcode::table_fill:
      return table_fill();
    case Opcode::table_copy:
      return table_copy();
    case Opcode::table_init:
      return table_init();
    case Opcode::elem_drop:
      return elem_drop();
    case Opcode::ref_null:
      return ref_null();
    case Opcode::ref_is_null:
      return ref_is_null();
    case Opcode::ref_func:
      return ref_func();
    case Opcode::ref_eq:
      return ref_eq();
    case Opcode::ref_as_non_null:
      return ref_as_non_null();
    case Opcode::ref_test:
      return ref_test(false);
    case Opcode::ref_test_null:
      return ref_test(true);
    case Opcode::ref_cast:
      return ref_cast(false);
    case Opcode::ref_cast_null:
      return ref_cast(true);
    case Opcode::ref_i31:
      return ref_i31();
    case Opcode::i31_get_s:
    case Opcode::i31_get_u:
      return i31_get();
    case Opcode::any_convert_extern:
      return convert(HeapKind::kExtern, HeapKind::kAny);
    case Opcode::extern_convert_any:
      return convert(HeapKind::kAny, HeapKind::kExtern);
    case Opcode::struct_new:
      return struct_new();
    case Opcode::struct_new_default:
      return struct_new_default();
    case Opcode::struct_get:
      return struct_get(Access::kWhole);
    case Opcode::struct_get_s:
    case Opcode::struct_get_u:
      return struct_get(Access::kExtended);
    case Opcode::struct_set:
      return struct_set();
    case Opcode::array_new:
      return array_new();
    case Opcode::array_new_default:
      return array_new_default();
    case Opcode::array_new_fixed:
      return array_new_fixed();
    case Opcode::array_new_data:
      return array_new_data();
    case Opcode::array_new_elem:
      return array_new_elem();
    case Opcode::array_get:
      return array_get(Access::kWhole);
    case Opcode::array_get_s:
    case Opcode::array_get_u:
      return array_get(Access::kExtended);
    case Opcode::array_set:
      return array_set();
    case Opcode::array_len:
      return array_len();
    case Opcode::array_fill:
      return array_fill();
    case Opcode::array_copy:
      return array_copy();
    case Opcode::array_init_data:
      return array_init_data();
    case Opcode::array_init_elem:
      return array_init_elem();
    default:
      return fail_index("illegal opcode", static_cast<uint32_t>(opcode));
  }
}

}  // namespace mayfly::wasm
