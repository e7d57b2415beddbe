// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks and branches (wasm-3.0 #valid-instr-control).
#include <algorithm>

#include "wasm/type_encoding.h"
#include "wasm/validate_function.h"

namespace mayfly::wasm {

FunctionValidator::Types FunctionValidator::params_of(const Frame& frame) const {
  if (frame.type_index == kNoIndex) return {};
  return context_.params(frame.type_index);
}

FunctionValidator::Types FunctionValidator::results_of(const Frame& frame) const {
  if (frame.type_index != kNoIndex) return context_.results(frame.type_index);
  if (frame.result.is_bottom()) return {};
  return {&frame.result, 1};
}

FunctionValidator::Types FunctionValidator::label_types(const Frame& frame) const {
  return frame.opcode == Opcode::loop ? params_of(frame) : results_of(frame);
}

// The frame of a label, valid until the next push_frame; null, and a failure, for no label.
FunctionValidator::Frame* FunctionValidator::label(uint32_t depth) {
  if (depth >= frames_.size()) {
    fail_index("unknown label", depth);
    return nullptr;
  }
  return &frames_[frames_.size() - 1 - depth];
}

bool FunctionValidator::read_block_signature(Frame& frame) {
  const BlockType type = read_block_type(cursor_);
  if (cursor_.failed()) return false;
  switch (type.kind) {
    case BlockType::Kind::kEmpty:
      return true;
    case BlockType::Kind::kValue:
      if (!context_.is_known(type.value)) {
        fail_index("unknown type", type.value.ref.heap.type_index);
        return false;
      }
      frame.result = context_.pack(type.value);
      return true;
    case BlockType::Kind::kTypeIndex:
      break;
  }
  frame.type_index = type.type_index;
  return is_func_type(type.type_index);
}

// The operands that the frame takes are popped already; it gets them back on its side.
void FunctionValidator::push_frame(Frame frame) {
  frame.height = static_cast<uint32_t>(stack_.size());
  frame.initialized_height = static_cast<uint32_t>(initialized_.size());
  height_ = frame.height;
  const bool is_function = frames_.empty();
  frames_.push_back(frame);
  if (!is_function) push_list(params_of(frame));
}

// Checks the results at the end of the frame and takes them off; the frame stays.
bool FunctionValidator::close_frame() {
  const Frame& frame = frames_.back();
  pop_list(results_of(frame));
  if (cursor_.failed()) return false;
  if (stack_.size() != height_) {
    fail("type mismatch: " + std::to_string(stack_.size() - height_) +
         " values remain on the stack at the end of the block");
    return false;
  }
  reset_initialized(frame.initialized_height);
  return true;
}

void FunctionValidator::set_unreachable() {
  stack_.set_size(height_);
  frames_.back().is_unreachable = true;
}

void FunctionValidator::block(Opcode opcode) {
  Frame frame{.opcode = opcode};
  if (!read_block_signature(frame)) return;
  pop_list(params_of(frame));
  push_frame(frame);
}

void FunctionValidator::if_block() {
  Frame frame{.opcode = Opcode::if_};
  if (!read_block_signature(frame)) return;
  pop(packed::kI32);
  pop_list(params_of(frame));
  push_frame(frame);
}

void FunctionValidator::else_block() {
  if (frames_.back().opcode != Opcode::if_) return fail("illegal opcode 05: else without if");
  if (!close_frame()) return;
  Frame frame = frames_.back();
  frames_.pop_back();
  frame.opcode = Opcode::else_;
  frame.is_unreachable = false;
  frame.br_table_mark = 0;
  push_frame(frame);
}

void FunctionValidator::end() {
  if (!close_frame()) return;
  const Frame frame = frames_.back();
  // An if without else passes its parameters on.
  if (frame.opcode == Opcode::if_ && !matches(params_of(frame), results_of(frame))) {
    return fail("type mismatch: if without else has parameters and results that differ");
  }
  frames_.pop_back();
  if (frames_.empty()) {
    is_done_ = true;
    return;
  }
  height_ = frames_.back().height;
  push_list(results_of(frame));
}

// wasm-3.0 #valid-catch: labels count from outside the try_table.
void FunctionValidator::catch_clause() {
  const uint8_t kind = cursor_.u8();
  if (kind > static_cast<uint8_t>(CatchKind::kCatchAllRef)) return fail("malformed catch clause");
  const bool has_tag = kind <= static_cast<uint8_t>(CatchKind::kCatchRef);
  const bool has_ref = (kind & 1) != 0;
  const uint32_t tag_index = has_tag ? cursor_.u32() : 0;
  const uint32_t depth = cursor_.u32();
  if (cursor_.failed()) return;
  if (has_tag && tag_index >= context_.module.tags.size()) {
    return fail_index("unknown tag", tag_index);
  }
  const Frame* target = label(depth);
  if (target == nullptr) return;
  Types expected = label_types(*target);
  if (has_ref) {
    const bool has_room = !expected.empty() &&
                          context_.matches(PackedType::ref(false, HeapKind::kExn), expected.back());
    if (!has_room) return fail("type mismatch: label takes no exception reference");
    expected = expected.first(expected.size() - 1);
  }
  const Types caught =
      has_tag ? context_.params(context_.module.tags[tag_index].type_index) : Types{};
  if (!matches(caught, expected)) {
    fail("type mismatch: label does not take what the clause catches");
  }
}

void FunctionValidator::try_table() {
  Frame frame{.opcode = Opcode::try_table};
  if (!read_block_signature(frame)) return;
  const uint32_t clauses = cursor_.u32();
  const uint32_t maximum = context_.options.limits.try_table_catches_max;
  if (clauses > maximum) return fail_limit("too many catch clauses", clauses, maximum);
  for (uint32_t i = 0; i < clauses && !cursor_.failed(); ++i) catch_clause();
  pop_list(params_of(frame));
  push_frame(frame);
}

void FunctionValidator::throw_() {
  const uint32_t tag_index = cursor_.u32();
  if (tag_index >= context_.module.tags.size()) return fail_index("unknown tag", tag_index);
  pop_list(context_.params(context_.module.tags[tag_index].type_index));
  set_unreachable();
}

void FunctionValidator::throw_ref() {
  pop(PackedType::ref(true, HeapKind::kExn));
  set_unreachable();
}

void FunctionValidator::br() {
  const Frame* target = label(cursor_.u32());
  if (target == nullptr) return;
  pop_list(label_types(*target));
  set_unreachable();
}

void FunctionValidator::br_if() {
  const Frame* target = label(cursor_.u32());
  pop(packed::kI32);
  if (target == nullptr) return;
  const Types types = label_types(*target);
  pop_list(types);
  push_list(types);
}

void FunctionValidator::br_table() {
  const uint32_t count = cursor_.u32();
  const uint32_t maximum = context_.options.limits.br_table_targets_max;
  if (count > maximum) return fail_limit("too many br_table targets", count, maximum);
  pop(packed::kI32);
  const uint32_t mark = ++br_table_marks_;
  std::optional<size_t> arity;
  for (uint64_t i = 0; i <= count && !cursor_.failed(); ++i) {
    Frame* target = label(cursor_.u32());
    if (target == nullptr) return;
    if (target->br_table_mark == mark) continue;
    target->br_table_mark = mark;
    const Types types = label_types(*target);
    if (arity.value_or(types.size()) != types.size()) {
      return fail("type mismatch: br_table has labels of " + std::to_string(*arity) + " and of " +
                  std::to_string(types.size()) + " values");
    }
    arity = types.size();
    if (!check_top(types)) return;
  }
  set_unreachable();
}

void FunctionValidator::return_() {
  pop_list(results_of(frames_.front()));
  set_unreachable();
}

void FunctionValidator::br_on_null() {
  const Frame* target = label(cursor_.u32());
  const PackedType ref = pop_ref();
  if (target == nullptr) return;
  const Types types = label_types(*target);
  pop_list(types);
  push_list(types);
  push(ref.as_non_null());
}

void FunctionValidator::br_on_non_null() {
  const Frame* target = label(cursor_.u32());
  const PackedType ref = pop_ref();
  if (target == nullptr) return;
  const Types types = label_types(*target);
  if (types.empty() || !context_.matches(ref.as_non_null(), types.back())) {
    return fail("type mismatch: label does not take a [" + context_.text(ref.as_non_null()) + "]");
  }
  const Types below = types.first(types.size() - 1);
  pop_list(below);
  push_list(below);
}

void FunctionValidator::br_on_cast(Opcode opcode) {
  const uint8_t flags = cursor_.u8();
  if (flags > 3) return fail("malformed br_on_cast flags");
  const Frame* target = label(cursor_.u32());
  const auto from = read_ref((flags & 1) != 0);
  const auto to = read_ref((flags & 2) != 0);
  if (target == nullptr || !from || !to) return;
  if (!context_.matches(*to, *from)) {
    return fail("type mismatch: cast from " + context_.text(*from) + " to " + context_.text(*to));
  }
  const PackedType rest = to->is_nullable() ? from->as_non_null() : *from;
  const bool is_fail = opcode == Opcode::br_on_cast_fail;
  const PackedType sent = is_fail ? rest : *to;
  const Types types = label_types(*target);
  if (types.empty() || !context_.matches(sent, types.back())) {
    return fail("type mismatch: label does not take a [" + context_.text(sent) + "]");
  }
  pop(*from);
  const Types below = types.first(types.size() - 1);
  pop_list(below);
  push_list(below);
  push(is_fail ? *to : rest);
}

}  // namespace mayfly::wasm
