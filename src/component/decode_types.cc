// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Type definitions (Binary.md #type-definitions), except the insides of component and instance
// types, which are frames of their own.
#include "component/decoder.h"
#include "component/names.h"
#include "component/type_difference.h"

namespace mayfly::component {
namespace {

constexpr uint8_t kFunc = 0x40;
constexpr uint8_t kAsyncFunc = 0x43;
constexpr uint8_t kComponentType = 0x41;
constexpr uint8_t kInstanceType = 0x42;
constexpr uint8_t kResource = 0x3f;

std::optional<Prim> prim_of(uint8_t opcode, const Features& features) {
  if (opcode >= 0x73 && opcode <= 0x7f) return static_cast<Prim>(0x7f - opcode);
  if (opcode == 0x64 && features.error_context) return Prim::kErrorContext;
  return std::nullopt;
}

bool is_key_type(const TypeArena& types, ValType type) {
  const ValType plain = types.canonical(type);
  return plain.is_prim() && plain.prim() != Prim::kF32 && plain.prim() != Prim::kF64 &&
         plain.prim() != Prim::kErrorContext;
}

}  // namespace

Result<ValType> Decoder::val_type(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  if ((cursor.peek() & 0xC0) == 0x40) {
    const uint8_t opcode = cursor.u8();
    const auto prim = prim_of(opcode, features());
    if (!prim) return invalid_at("malformed value type " + std::to_string(opcode), start);
    return ValType::of(*prim);
  }
  const int64_t index = cursor.s33();
  if (cursor.failed()) return cursor.error();
  if (index < 0) return invalid_at("malformed value type", start);
  const Entry found =
      MAYFLY_TRY(entry_at(scope(), Space::kType, static_cast<uint32_t>(index), start));
  if (!types().is_value(TypeId{found.type})) {
    return invalid_at("type " + std::to_string(index) + " is not a defined value type", start);
  }
  return ValType::of(TypeId{found.type});
}

Result<ValType> Decoder::optional_val_type(ByteCursor& cursor) {
  if (!MAYFLY_TRY(flag(cursor, "optional value type"))) return ValType();
  return val_type(cursor);
}

Result<StringId> Decoder::label(ByteCursor& cursor, std::string_view what,
                                std::set<std::string>& known) {
  const uint64_t start = cursor.position();
  const StringId id = MAYFLY_TRY(name(cursor));
  const std::string_view label = types().text(id);
  if (label.empty()) return invalid_at(std::string(what) + " name cannot be empty", start);
  if (!is_label(label)) {
    return invalid_at(std::string(what) + " name `" + std::string(label) + "` is not in kebab case",
                      start);
  }
  if (!known.insert(label_key(label)).second) {
    return invalid_at(
        std::string(what) + " name `" + std::string(label) + "` conflicts with a previous one",
        start);
  }
  return id;
}

// Records, flags and enumerations: labels, with types in records only.
Result<TypeId> Decoder::labelled(TypeKind kind, ByteCursor& cursor, uint64_t start) {
  const bool has_types = kind == TypeKind::kRecord;
  const std::string_view what = kind == TypeKind::kRecord  ? "record field"
                                : kind == TypeKind::kFlags ? "flag"
                                                           : "enum tag";
  uint32_t left = MAYFLY_TRY(count(cursor, what, limits().fields_max));
  if (left == 0) return invalid_at("a type must have at least one " + std::string(what), start);
  if (kind == TypeKind::kFlags && left > 32) {
    return invalid_at("cannot have more than 32 flags: " + std::to_string(left), start);
  }
  std::vector<Member> members;
  std::set<std::string> known;
  for (; left > 0; --left) {
    Member member;
    member.label = MAYFLY_TRY(label(cursor, what, known));
    if (has_types) member.type = MAYFLY_TRY(val_type(cursor));
    members.push_back(member);
  }
  return types().add(kind, std::move(members), 0, start);
}

Result<TypeId> Decoder::variant(ByteCursor& cursor, uint64_t start) {
  uint32_t left = MAYFLY_TRY(count(cursor, "variant cases", limits().fields_max));
  if (left == 0) return invalid_at("variant type must have at least one case", start);
  std::vector<Member> members;
  std::set<std::string> known;
  for (; left > 0; --left) {
    Member member;
    member.label = MAYFLY_TRY(label(cursor, "variant case", known));
    member.type = MAYFLY_TRY(optional_val_type(cursor));
    const uint64_t zero = cursor.position();
    if (cursor.u8() != 0) return invalid_at("zero byte required after a case", zero);
    members.push_back(member);
  }
  return types().add(TypeKind::kVariant, std::move(members), 0, start);
}

Result<TypeId> Decoder::tuple(ByteCursor& cursor, uint64_t start) {
  uint32_t left = MAYFLY_TRY(count(cursor, "tuple elements", limits().fields_max));
  if (left == 0) return invalid_at("tuple type must have at least one type", start);
  std::vector<Member> members;
  for (; left > 0; --left) members.push_back({StringId{kNoIndex}, MAYFLY_TRY(val_type(cursor))});
  return types().add(TypeKind::kTuple, std::move(members), 0, start);
}

Result<TypeId> Decoder::fixed_list(ByteCursor& cursor, uint64_t start) {
  if (!features().fixed_length_lists) {
    return invalid_at("fixed-length lists are not enabled", start);
  }
  const ValType element = MAYFLY_TRY(val_type(cursor));
  const uint32_t length = cursor.u32();
  if (cursor.failed()) return cursor.error();
  if (length == 0) return invalid_at("a fixed-length list must have elements", start);
  return types().add(TypeKind::kFixedList, {{StringId{kNoIndex}, element}}, length, start);
}

Result<TypeId> Decoder::map(ByteCursor& cursor, uint64_t start) {
  const ValType key = MAYFLY_TRY(val_type(cursor));
  const ValType value = MAYFLY_TRY(val_type(cursor));
  if (!is_key_type(types(), key)) {
    return invalid_at("a map cannot have keys of type " + std::string(describe(types(), key)),
                      start);
  }
  return types().add(TypeKind::kMap, {{StringId{kNoIndex}, key}, {StringId{kNoIndex}, value}}, 0,
                     start);
}

Result<TypeId> Decoder::handle(TypeKind kind, ByteCursor& cursor, uint64_t start) {
  const TypeId resource = MAYFLY_TRY(type_of_kind(TypeKind::kResource, cursor));
  return types().add(kind, {{StringId{kNoIndex}, ValType::of(resource)}}, 0, start);
}

// Streams and futures.
Result<TypeId> Decoder::channel(TypeKind kind, ByteCursor& cursor, uint64_t start) {
  const ValType element = MAYFLY_TRY(optional_val_type(cursor));
  if (types().has_borrow(element)) {
    return invalid_at(std::string(to_string(kind)) + " cannot contain a `borrow` type", start);
  }
  if (kind == TypeKind::kStream && types().equal(element, ValType::of(Prim::kChar))) {
    return invalid_at("`stream<char>` is not valid at this time", start);
  }
  std::vector<Member> members;
  if (element.exists()) members.push_back({StringId{kNoIndex}, element});
  return types().add(kind, std::move(members), 0, start);
}

Result<ValType> Decoder::result_list(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.u8();
  if (byte == 0x00) return val_type(cursor);
  if (byte != 0x01 || cursor.u8() != 0x00) {
    return invalid_at("malformed result of a function", start);
  }
  return ValType();
}

Result<TypeId> Decoder::func(bool is_async, ByteCursor& cursor, uint64_t start) {
  uint32_t left = MAYFLY_TRY(count(cursor, "function parameters", limits().params_max));
  std::vector<Member> members;
  std::set<std::string> known;
  for (; left > 0; --left) {
    Member member;
    member.label = MAYFLY_TRY(label(cursor, "function parameter", known));
    member.type = MAYFLY_TRY(val_type(cursor));
    members.push_back(member);
  }
  const ValType result = MAYFLY_TRY(result_list(cursor));
  if (cursor.failed()) return cursor.error();
  if (types().has_borrow(result)) {
    return invalid_at("function result cannot contain a `borrow` type", start);
  }
  members.push_back({StringId{kNoIndex}, result});
  return types().add(TypeKind::kFunc, std::move(members), is_async ? 1 : 0, start);
}

Result<void> Decoder::resource(ByteCursor& cursor, uint64_t start) {
  if (scope().kind != Scope::Kind::kComponent) {
    return invalid_at("resources can only be defined within a concrete component", start);
  }
  const uint8_t rep = cursor.u8();
  if (rep != 0x7f && !(rep == 0x7e && features().memory64)) {
    return invalid_at("resources can only be represented by i32 or i64", start);
  }
  ResourceInfo info{scope().number, rep == 0x7e, kNoIndex};
  if (MAYFLY_TRY(flag(cursor, "optional destructor"))) {
    info.dtor = MAYFLY_TRY(index(Space::kCoreFunc, cursor));
    const wasm::FuncType wanted{{info.rep_is_64 ? wasm::kI64 : wasm::kI32}, {}};
    MAYFLY_TRY(check_core_func(info.dtor, wanted, "a destructor", start));
  }
  if (cursor.failed()) return cursor.error();
  const TypeId type = MAYFLY_TRY(types().add_resource(info, start));
  scope().own_resources.push_back(type);
  return add_type(type, start);
}

Result<TypeId> Decoder::value_definition(uint8_t opcode, ByteCursor& cursor, uint64_t start) {
  const StringId none{kNoIndex};
  if (const auto prim = prim_of(opcode, features())) {
    return types().add(TypeKind::kPrim, {{none, ValType::of(*prim)}}, 0, start);
  }
  switch (opcode) {
    case 0x72:
      return labelled(TypeKind::kRecord, cursor, start);
    case 0x71:
      return variant(cursor, start);
    case 0x70:
      return types().add(TypeKind::kList, {{none, MAYFLY_TRY(val_type(cursor))}}, 0, start);
    case 0x67:
      return fixed_list(cursor, start);
    case 0x63:
      return map(cursor, start);
    case 0x6f:
      return tuple(cursor, start);
    case 0x6e:
      return labelled(TypeKind::kFlags, cursor, start);
    case 0x6d:
      return labelled(TypeKind::kEnum, cursor, start);
    case 0x6b:
      return types().add(TypeKind::kOption, {{none, MAYFLY_TRY(val_type(cursor))}}, 0, start);
    case 0x6a: {
      const ValType ok = MAYFLY_TRY(optional_val_type(cursor));
      const ValType error = MAYFLY_TRY(optional_val_type(cursor));
      return types().add(TypeKind::kResult, {{none, ok}, {none, error}}, 0, start);
    }
    case 0x69:
      return handle(TypeKind::kOwn, cursor, start);
    case 0x68:
      return handle(TypeKind::kBorrow, cursor, start);
    case 0x66:
      return channel(TypeKind::kStream, cursor, start);
    case 0x65:
      return channel(TypeKind::kFuture, cursor, start);
    default:
      return invalid_at("malformed type " + std::to_string(opcode), start);
  }
}

Result<void> Decoder::add_type(TypeId type, uint64_t offset) {
  Entry entry;
  entry.type = static_cast<uint32_t>(type);
  entry.a = entry.type;
  return add_entry(Space::kType, entry, offset);
}

Result<void> Decoder::type_definition(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t opcode = cursor.u8();
  if (cursor.failed()) return cursor.error();
  switch (opcode) {
    case kFunc:
    case kAsyncFunc:
      return add_type(MAYFLY_TRY(func(opcode == kAsyncFunc, cursor, start)), start);
    case kResource:
      return resource(cursor, start);
    case kComponentType:
    case kInstanceType: {
      const uint32_t left = MAYFLY_TRY(count(cursor, "declarations", UINT32_MAX));
      MAYFLY_TRY(push_scope(
          opcode == kComponentType ? Scope::Kind::kComponentType : Scope::Kind::kInstanceType,
          start));
      const size_t cursor_frame = frames_.back().cursor_frame;
      frames_.push_back({Frame::Kind::kDeclarations, cursor, left, cursor_frame});
      return {};
    }
    default:
      return add_type(MAYFLY_TRY(value_definition(opcode, cursor, start)), start);
  }
}

}  // namespace mayfly::component
