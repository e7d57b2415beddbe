// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values and start functions (Explainer.md #value-definitions, #start-definitions). Each value is
// used exactly once.
#include "component/decoder.h"

namespace mayfly::component {

Result<void> Decoder::add_value(ValType type, const Entry& entry, bool is_used, uint64_t offset) {
  if (!features().values) return invalid_at("values are not enabled", offset);
  Entry added = entry;
  added.type = type.bits();
  scope().used_values.push_back(is_used || scope().kind != Scope::Kind::kComponent);
  return add_entry(Space::kValue, added, offset);
}

Result<void> Decoder::use_value(uint32_t index, uint64_t offset) {
  auto& used = scope().used_values;
  if (used[index]) {
    return invalid_at("value " + std::to_string(index) + " is used more than once", offset);
  }
  used[index] = true;
  return {};
}

Result<void> Decoder::check_values_used(uint64_t offset) {
  const auto& used = scope().used_values;
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) return invalid_at("value " + std::to_string(i) + " is never used", offset);
  }
  return {};
}

Result<void> Decoder::read_prim(Prim prim, ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  bool is_valid = true;
  switch (prim) {
    case Prim::kBool:
      is_valid = cursor.u8() <= 1;
      break;
    case Prim::kS8:
    case Prim::kU8:
      cursor.u8();
      break;
    case Prim::kS16: {
      const int32_t value = cursor.s32();
      is_valid = value >= INT16_MIN && value <= INT16_MAX;
      break;
    }
    case Prim::kU16:
      is_valid = cursor.u32() <= UINT16_MAX;
      break;
    case Prim::kS32:
      cursor.s32();
      break;
    case Prim::kU32:
      cursor.u32();
      break;
    case Prim::kS64:
      cursor.s64();
      break;
    case Prim::kU64:
      cursor.u64();
      break;
    case Prim::kF32: {
      const uint32_t bits = cursor.fixed_u32();
      is_valid = (bits & 0x7fff'ffff) <= 0x7f80'0000 || bits == 0x7fc0'0000;
      break;
    }
    case Prim::kF64: {
      const uint64_t bits = cursor.fixed_u64();
      is_valid =
          (bits & ~(uint64_t{1} << 63)) <= 0x7ff0'0000'0000'0000 || bits == 0x7ff8'0000'0000'0000;
      break;
    }
    case Prim::kChar: {
      const uint8_t lead = cursor.peek();
      const uint64_t size = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
      is_valid = wasm::is_utf8(cursor.bytes(size));
      break;
    }
    case Prim::kString:
      cursor.name();
      break;
    case Prim::kErrorContext:
      is_valid = false;
      break;
  }
  if (cursor.failed()) return cursor.error();
  if (!is_valid)
    return invalid_at("malformed value of type " + std::string(to_string(prim)), start);
  return {};
}

Result<void> Decoder::read_value(ValType type, ByteCursor& cursor) {
  if (!type.exists()) return {};
  const ValType plain = types().canonical(type);
  return plain.is_prim() ? read_prim(plain.prim(), cursor) : read_compound(plain.type(), cursor);
}

// Recursion is bounded by the depth of types; each value takes a byte or more.
Result<void> Decoder::read_compound(TypeId type, ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const auto span = types().members(type);
  const std::vector<Member> members(span.begin(), span.end());
  MAYFLY_TRY(types().step(members.size(), start));
  switch (types().kind(type)) {
    case TypeKind::kRecord:
    case TypeKind::kTuple:
      for (const Member& member : members) MAYFLY_TRY(read_value(member.type, cursor));
      return {};
    case TypeKind::kList: {
      uint32_t left = MAYFLY_TRY(count(cursor, "elements", UINT32_MAX));
      for (; left > 0; --left) MAYFLY_TRY(read_value(members[0].type, cursor));
      return {};
    }
    case TypeKind::kFixedList: {
      for (uint32_t left = types().extra(type); left > 0; --left) {
        MAYFLY_TRY(read_value(members[0].type, cursor));
      }
      return {};
    }
    case TypeKind::kVariant:
    case TypeKind::kEnum: {
      const uint32_t which = cursor.u32();
      if (cursor.failed()) return cursor.error();
      if (which >= members.size()) return invalid_at("malformed case of a value", start);
      return read_value(members[which].type, cursor);
    }
    case TypeKind::kFlags:
      cursor.bytes((members.size() + 7) / 8);
      if (cursor.failed()) return cursor.error();
      return {};
    case TypeKind::kOption:
      if (!MAYFLY_TRY(flag(cursor, "option"))) return {};
      return read_value(members[0].type, cursor);
    case TypeKind::kResult: {
      const bool is_error = MAYFLY_TRY(flag(cursor, "result"));
      return read_value(members[is_error ? 1 : 0].type, cursor);
    }
    default:
      return invalid_at("there are no values of type " +
                            std::string(to_string(types().kind(type))) + " in a component",
                        start);
  }
}

Result<void> Decoder::value(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  ValueDef def;
  def.type = MAYFLY_TRY(val_type(cursor));
  const uint32_t size = cursor.u32();
  def.bytes = {cursor.position(), size};
  cursor.bytes(size);
  if (cursor.failed()) return cursor.error();
  ByteCursor contents(bytes_, def.bytes.offset, def.bytes.offset + size);
  MAYFLY_TRY(read_value(def.type, contents));
  if (!contents.at_end()) return invalid_at("bytes past a value's end", contents.position());
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.values.size());
  scope().def.values.push_back(def);
  return add_value(def.type, entry, false, start);
}

Result<void> Decoder::start_function(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  StartDef def;
  def.func = MAYFLY_TRY(index(Space::kFunc, cursor));
  const TypeId func{scope().def.space(Space::kFunc)[def.func].type};
  const auto params = types().params(func);
  const uint32_t arguments = MAYFLY_TRY(count(cursor, "arguments", limits().arguments_max));
  if (arguments != params.size()) {
    return invalid_at("the start function has " + std::to_string(params.size()) +
                          " parameters, not " + std::to_string(arguments),
                      start);
  }
  for (uint32_t i = 0; i < arguments; ++i) {
    const uint64_t at = cursor.position();
    const uint32_t argument = MAYFLY_TRY(index(Space::kValue, cursor));
    MAYFLY_TRY(use_value(argument, at));
    const ValType type = ValType::from_bits(scope().def.space(Space::kValue)[argument].type);
    if (!types().equal(type, params[i].type)) {
      return invalid_at(
          "type mismatch for argument " + std::to_string(i) + " of the start function", at);
    }
    def.arguments.push_back(argument);
  }
  def.results = cursor.u32();
  if (cursor.failed()) return cursor.error();
  const ValType result = types().result(func);
  if (def.results != (result.exists() ? 1 : 0)) {
    return invalid_at(
        "the start function does not have " + std::to_string(def.results) + " results", start);
  }
  const auto number = static_cast<uint32_t>(scope().def.starts.size());
  scope().def.steps.push_back({Step::Kind::kStart, number});
  scope().def.starts.push_back(std::move(def));
  if (!result.exists()) return {};
  Entry entry;
  entry.a = number;
  return add_value(result, entry, false, start);
}

}  // namespace mayfly::component
