// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instructions of which most code consists, with cursor and operand stack in registers. An
// instruction that is not of these, or is not as usual, is left where it is for run(): so nothing
// here fails, and every rule that counts is written down once, elsewhere.
#include "wasm/validate_function.h"

namespace mayfly::wasm {

namespace {

enum class Shape : uint8_t {
  kOther,
  kLocalGet,
  kLocalSet,
  kLocalTee,
  kConst32,
  kConst64,
  kUnary,
  kBinary,
  kLoad,
  kStore,
};

struct StraightRule {
  Shape shape = Shape::kOther;
  uint8_t align_log2_max = 0;  // kLoad, kStore
  PackedType operand;          // kUnary, kBinary: both; kStore: the value
  PackedType result;
};

constexpr uint8_t kNoAlign = 0xFF;

constexpr uint8_t align_of(Immediates immediates) {
  switch (immediates) {
    case Immediates::mem0:
      return 0;
    case Immediates::mem1:
      return 1;
    case Immediates::mem2:
      return 2;
    case Immediates::mem3:
      return 3;
    default:
      return kNoAlign;
  }
}

constexpr StraightRule straight_rule(const OpcodeRule& rule) {
  if (!rule.has_signature) return {};
  if (rule.immediates == Immediates::none && rule.result_count == 1) {
    if (rule.param_count == 1) return {Shape::kUnary, 0, rule.params[0], rule.results[0]};
    if (rule.param_count == 2 && rule.params[0] == rule.params[1]) {
      return {Shape::kBinary, 0, rule.params[0], rule.results[0]};
    }
  }
  const uint8_t align = align_of(rule.immediates);
  if (align == kNoAlign || rule.params[0] != kAddressOfMemory) return {};
  if (rule.param_count == 1 && rule.result_count == 1) {
    return {Shape::kLoad, align, {}, rule.results[0]};
  }
  if (rule.param_count == 2 && rule.result_count == 0) {
    return {Shape::kStore, align, rule.params[1], {}};
  }
  return {};
}

constexpr std::array<StraightRule, 256> kStraightRules = [] {
  std::array<StraightRule, 256> table{};
  for (size_t i = 0; i < 0xFB; ++i) table[i] = straight_rule(kRules[i]);
  table[static_cast<size_t>(Opcode::local_get)].shape = Shape::kLocalGet;
  table[static_cast<size_t>(Opcode::local_set)].shape = Shape::kLocalSet;
  table[static_cast<size_t>(Opcode::local_tee)].shape = Shape::kLocalTee;
  table[static_cast<size_t>(Opcode::i32_const)] = {Shape::kConst32, 0, {}, packed::kI32};
  table[static_cast<size_t>(Opcode::i64_const)] = {Shape::kConst64, 0, {}, packed::kI64};
  return table;
}();

// Passes over a LEB128 number of at most bytes_max bytes, which is less than its type could have:
// so no bit of it can be wrong.
inline bool skip_number(const uint8_t*& next, const uint8_t* end, int bytes_max) {
  for (int i = 0; i < bytes_max && next != end; ++i) {
    if (*next++ < 0x80) return true;
  }
  return false;
}
constexpr int kBytesOf32Max = 4;
constexpr int kBytesOf64Max = 9;

// Alignment without a memory's index, and an offset of less than 2^32.
inline bool skip_memarg(const uint8_t*& next, const uint8_t* end, uint8_t align_log2_max) {
  if (next == end || *next > align_log2_max) return false;
  ++next;
  return skip_number(next, end, kBytesOf32Max);
}

// Cursor and stack. Each method does its instruction and answers true, or leaves the stack alone.
struct Straight {
  const uint8_t* next;
  const uint8_t* end;
  PackedType* stack;
  size_t top;
  size_t floor;
  size_t limit;

  bool has(PackedType type) const { return top > floor && stack[top - 1] == type; }
  bool has(PackedType below, PackedType type) const {
    return top >= floor + 2 && stack[top - 1] == type && stack[top - 2] == below;
  }

  bool get(std::span<const PackedType> locals) {
    if (next == end || *next >= locals.size() || top == limit) return false;
    const PackedType type = locals[*next++];
    if (type.is_bottom()) return false;
    stack[top++] = type;
    return true;
  }
  bool set(std::span<const PackedType> locals, size_t popped) {
    if (next == end || *next >= locals.size()) return false;
    const PackedType type = locals[*next++];
    if (type.is_bottom() || !has(type)) return false;
    top -= popped;
    return true;
  }
  bool constant(const StraightRule& rule, int bytes_max) {
    if (top == limit || !skip_number(next, end, bytes_max)) return false;
    stack[top++] = rule.result;
    return true;
  }
  bool unary(const StraightRule& rule) {
    if (!has(rule.operand)) return false;
    stack[top - 1] = rule.result;
    return true;
  }
  bool binary(const StraightRule& rule) {
    if (!has(rule.operand, rule.operand)) return false;
    stack[--top - 1] = rule.result;
    return true;
  }
  bool load(const StraightRule& rule) {
    if (!has(packed::kI32) || !skip_memarg(next, end, rule.align_log2_max)) return false;
    stack[top - 1] = rule.result;
    return true;
  }
  bool store(const StraightRule& rule) {
    if (!has(packed::kI32, rule.operand) || !skip_memarg(next, end, rule.align_log2_max)) {
      return false;
    }
    top -= 2;
    return true;
  }
};

}  // namespace

// Locals by index, parameters first, as far as a byte names them. Bottom: one that has to be set
// before it is read.
void FunctionValidator::note_first_locals() {
  first_local_count_ = 0;
  const auto note = [this](PackedType type) {
    first_locals_[first_local_count_++] = type.is_defaultable() ? type : packed::kBottom;
  };
  for (size_t i = 0; i < params_.size() && first_local_count_ < kFirstLocals; ++i) note(params_[i]);
  for (size_t i = 0; i < single_locals_.size() && first_local_count_ < kFirstLocals; ++i) {
    note(single_locals_[i]);
  }
}

void FunctionValidator::run_straight() {
  const std::span<const uint8_t> rest = cursor_.rest();
  Straight at{rest.data(), rest.data() + rest.size(), stack_.data(), stack_.size(),
              height_,     stack_.capacity()};
  const uint8_t* done = at.next;  // where the last instruction ends that is done
  const bool has_memory = has_plain_memory_;
  for (bool is_usual = true; at.next != at.end; done = at.next) {
    const StraightRule& rule = kStraightRules[*at.next++];
    switch (rule.shape) {
      case Shape::kOther:
        is_usual = false;
        break;
      case Shape::kLocalGet:
        is_usual = at.get(first_locals());
        break;
      case Shape::kLocalSet:
        is_usual = at.set(first_locals(), 1);
        break;
      case Shape::kLocalTee:
        is_usual = at.set(first_locals(), 0);
        break;
      case Shape::kConst32:
        is_usual = at.constant(rule, kBytesOf32Max);
        break;
      case Shape::kConst64:
        is_usual = at.constant(rule, kBytesOf64Max);
        break;
      case Shape::kUnary:
        is_usual = at.unary(rule);
        break;
      case Shape::kBinary:
        is_usual = at.binary(rule);
        break;
      case Shape::kLoad:
        is_usual = has_memory && at.load(rule);
        break;
      case Shape::kStore:
        is_usual = has_memory && at.store(rule);
        break;
    }
    if (!is_usual) break;
  }
  cursor_.skip(static_cast<uint64_t>(done - rest.data()));
  stack_.set_size(at.top);
}

}  // namespace mayfly::wasm
