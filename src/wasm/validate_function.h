// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FunctionValidator checks bodies and constant expressions, one instruction at a time
// (wasm-3.0 #algo-valid). One object serves a whole module and allocates nothing per instruction.
//
// Invariants:
//  1. stack_.size() >= height_ == frames_.back().height while there is a frame.
//  2. After a failure the cursor is at its end, and what the instruction does until it returns
//     does no harm: every index is checked where it is used.
//  3. The work per byte is bounded: locals stay in groups, a label is checked once per br_table,
//     operands that unreachable code makes up are never counted out one by one, and matching of
//     lists element by element has a budget.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wasm/byte_cursor.h"
#include "wasm/instruction.h"
#include "wasm/module_context.h"
#include "wasm/opcode_rule.h"
#include "wasm/operand_buffer.h"

namespace mayfly::wasm {

class FunctionValidator {
 public:
  // The context outlives the validator.
  explicit FunctionValidator(ModuleContext& context) : context_(context), cursor_({}, 0, 0) {}

  Result<void> validate_body(uint32_t function_index, ByteRange body);
  // Reads a constant expression and leaves the cursor behind its `end`.
  Result<void> validate_const(ByteCursor& cursor, PackedType expected);

 private:
  using Types = std::span<const PackedType>;

  struct Frame {
    Opcode opcode{};
    bool is_unreachable = false;
    PackedType result = packed::kBottom;  // the one result if there is no type; bottom: none
    uint32_t type_index = kNoIndex;
    uint32_t height = 0;
    uint32_t initialized_height = 0;
    uint32_t br_table_mark = 0;
  };

  // validate_function.cc
  void fail(std::string_view what);
  void fail_index(std::string_view what, uint32_t index);
  void fail_limit(std::string_view what, uint64_t value, uint64_t maximum);
  Result<void> outcome();
  void begin(ByteCursor cursor);
  void read_locals(uint32_t function_type_index);
  PackedType slow_local(uint32_t index);
  void run();
  void run_straight();  // validate_straight.cc
  void note_first_locals();
  Types first_locals() const { return Types(first_locals_).first(first_local_count_); }
  void run_const();
  uint32_t read_opcode();
  uint32_t read_prefixed_opcode(uint8_t prefix);
  void apply(uint32_t opcode_value);
  void apply_special(Opcode opcode);
  void apply_signature(const OpcodeRule& rule);
  PackedType read_simple_immediates(Immediates immediates);

  // Operands; inline below, or operand_stack.cc.
  void push(PackedType type) { stack_.push_back(type); }
  void push_list(Types types) {
    if (!types.empty()) push_some(types);
  }
  void push_some(Types types);
  PackedType pop(PackedType expected);
  PackedType pop_any();
  PackedType pop_ref();  // any reference; a bottom reference where the operand is unknown
  void pop_list(Types types) {
    if (!types.empty()) pop_some(types);
  }
  void pop_some(Types types);
  void pop_many(PackedType type, uint32_t count);
  // Checks that types are on top of the stack, and leaves it.
  bool check_top(Types types);
  // The last index at which the lists of one size do not match.
  std::optional<size_t> mismatch(Types found, Types expected);
  bool matches(Types found, Types expected);
  PackedType pop_unequal(PackedType found, PackedType expected);
  PackedType pop_missing(PackedType expected);
  void fail_operand(PackedType expected, PackedType found);
  void fail_missing(PackedType expected);

  // validate_control.cc
  Types params_of(const Frame& frame) const;
  Types results_of(const Frame& frame) const;
  Types label_types(const Frame& frame) const;
  Frame* label(uint32_t depth);
  bool read_block_signature(Frame& frame);
  void push_frame(Frame frame);
  bool close_frame();
  void set_unreachable();
  void block(Opcode opcode);
  void if_block();
  void else_block();
  void try_table();
  void catch_clause();
  void end();
  void br();
  void br_if();
  void br_table();
  void return_();
  void throw_();
  void throw_ref();
  void br_on_null();
  void br_on_non_null();
  void br_on_cast(Opcode opcode);

  // validate_call.cc
  enum class CallKind : uint8_t { kCall, kReturnCall };
  void call(CallKind kind);
  void call_indirect(CallKind kind);
  void call_ref(CallKind kind);
  void finish_call(CallKind kind, uint32_t type_index);
  bool is_func_type(uint32_t type_index);

  // Locals inline below; the rest in validate_variable.cc.
  void drop() { pop_any(); }
  void select();
  void select_t();
  PackedType local_type(uint32_t index);
  void local_get();
  void local_set();
  void local_tee();
  bool is_initialized(uint32_t index) const;
  void mark_initialized(uint32_t index);
  void reset_initialized(uint32_t height);
  void global_get();
  void global_set();

  // validate_memory.cc
  PackedType memory_address(uint32_t memory_index);
  PackedType memarg(uint32_t natural_align_log2, bool is_atomic);
  PackedType memarg_and_lane(uint32_t width_log2);
  void lane(uint32_t lanes);
  void shuffle_lanes();
  bool check_data_index(uint32_t data_index);
  void memory_init();
  void memory_copy();
  void data_drop();

  // validate_table.cc
  const TableType* table(uint32_t table_index);
  const ElementSegment* element(uint32_t element_index);
  void table_get();
  void table_set();
  void table_size();
  void table_grow();
  void table_fill();
  void table_copy();
  void table_init();
  void elem_drop();

  // validate_reference.cc
  std::optional<PackedType> read_ref(bool is_nullable);
  PackedType top_of_type(PackedType type) const;
  void ref_null();
  void ref_is_null();
  void ref_func();
  void ref_eq();
  void ref_as_non_null();
  void ref_test(bool is_nullable);
  void ref_cast(bool is_nullable);
  void ref_i31();
  void i31_get();
  void convert(HeapKind from, HeapKind to);

  // validate_aggregate.cc
  const SubType* aggregate(uint32_t type_index, CompositeKind kind);
  const FieldType* array_element(uint32_t type_index);
  const FieldType* mutable_element(uint32_t type_index);
  enum class Access : uint8_t { kWhole, kExtended };
  bool check_access(const FieldType& field, Access access);
  PackedType unpacked_type(const FieldType& field) const;
  bool is_plain(const FieldType& element) const;
  void struct_new();
  void struct_new_default();
  void struct_get(Access access);
  void struct_set();
  void array_new();
  void array_new_default();
  void array_new_fixed();
  void array_new_data();
  void array_new_elem();
  void array_get(Access access);
  void array_set();
  void array_len();
  void array_fill();
  void array_copy();
  void array_init_data();
  void array_init_elem();

  ModuleContext& context_;
  ByteCursor cursor_;
  uint64_t offset_ = 0;  // of the instruction
  std::optional<Error> error_;
  bool is_done_ = false;
  bool is_const_ = false;
  bool has_plain_memory_ = false;  // memory 0 exists and has 32-bit addresses

  OperandBuffer stack_;
  size_t height_ = 0;
  std::vector<Frame> frames_;
  uint32_t br_table_marks_ = 0;
  uint64_t matches_left_ = 0;

  // Locals: parameters, then as many others one by one as the body's size pays for, then groups.
  struct Group {
    uint32_t end = 0;  // index of the first local after the group, parameters not counted
    PackedType type;
  };
  Types params_;
  std::vector<PackedType> single_locals_;
  std::vector<Group> groups_;
  uint32_t local_count_ = 0;  // parameters not counted
  static constexpr size_t kFirstLocals = 128;
  std::array<PackedType, kFirstLocals> first_locals_{};
  size_t first_local_count_ = 0;
  // Non-nullable locals that have been set: by index the number of the body in which, and in order.
  std::vector<uint32_t> initialized_in_;
  std::vector<uint32_t> initialized_;
  uint32_t body_number_ = 0;
};

inline PackedType FunctionValidator::pop(PackedType expected) {
  if (stack_.size() <= height_) [[unlikely]] {
    return pop_missing(expected);
  }
  const PackedType found = stack_.back();
  stack_.pop_back();
  if (found == expected) [[likely]] {
    return found;
  }
  return pop_unequal(found, expected);
}

inline PackedType FunctionValidator::local_type(uint32_t index) {
  if (index < params_.size()) return params_[index];
  const size_t local = index - params_.size();
  if (local < single_locals_.size()) [[likely]] {
    return single_locals_[local];
  }
  return slow_local(index);
}

inline void FunctionValidator::local_get() {
  const uint32_t index = cursor_.u32();
  const PackedType type = local_type(index);
  if (!type.is_defaultable() && !is_initialized(index)) [[unlikely]] {
    return fail_index("uninitialized local", index);
  }
  push(type);
}

inline void FunctionValidator::local_set() {
  const uint32_t index = cursor_.u32();
  const PackedType type = local_type(index);
  pop(type);
  if (!type.is_defaultable()) [[unlikely]] {
    mark_initialized(index);
  }
}

inline void FunctionValidator::local_tee() {
  const uint32_t index = cursor_.u32();
  const PackedType type = local_type(index);
  pop(type);
  if (!type.is_defaultable()) [[unlikely]] {
    mark_initialized(index);
  }
  push(type);
}

}  // namespace mayfly::wasm
