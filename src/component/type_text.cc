// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A walk that stops as soon as the text is long enough.
#include "component/type_text.h"

namespace mayfly::component {
namespace {

class Writer {
 public:
  explicit Writer(const TypeArena& types) : types_(types) {}

  void write(ValType type) {
    if (is_full()) return;
    if (!type.exists()) {
      text_ += '_';
    } else if (type.is_prim()) {
      text_ += to_string(type.prim());
    } else {
      write_node(types_.resolve(type.type()));
    }
  }

  void write_function(TypeId func) {
    text_ += types_.is_async(func) ? "async func(" : "func(";
    write_members(types_.params(func));
    text_ += ')';
    if (!types_.result(func).exists()) return;
    text_ += " -> ";
    write(types_.result(func));
  }

  std::string take() {
    if (is_full()) text_.replace(kTypeTextMax, std::string::npos, "...");
    return std::move(text_);
  }

 private:
  bool is_full() const { return text_.size() > kTypeTextMax; }

  void write_node(TypeId type) {
    switch (types_.kind(type)) {
      case TypeKind::kPrim:
        return write(types_.members(type)[0].type);
      case TypeKind::kRecord:
      case TypeKind::kVariant:
      case TypeKind::kFlags:
      case TypeKind::kEnum:
        text_ += to_string(types_.kind(type));
        text_ += " { ";
        write_members(types_.members(type), types_.kind(type) == TypeKind::kVariant);
        text_ += " }";
        return;
      case TypeKind::kOwn:
      case TypeKind::kBorrow:
        text_ += types_.kind(type) == TypeKind::kOwn ? "own<resource>" : "borrow<resource>";
        return;
      default:
        return write_generic(type);
    }
  }

  // "result<_, string>", "list<u8, 4>"
  void write_generic(TypeId type) {
    const TypeKind kind = types_.kind(type);
    text_ += kind == TypeKind::kFixedList ? "list" : to_string(kind);
    const auto members = types_.members(type);
    const bool has_any = !members.empty() && (members.front().type.exists() ||
                                              (members.size() > 1 && members.back().type.exists()));
    if (!has_any) return;
    text_ += '<';
    for (size_t i = 0; i < members.size() && !is_full(); ++i) {
      if (kind == TypeKind::kResult && i == 1 && !members[i].type.exists()) break;
      if (i != 0) text_ += ", ";
      write(members[i].type);
    }
    if (kind == TypeKind::kFixedList) text_ += ", " + std::to_string(types_.extra(type));
    text_ += '>';
  }

  void write_members(std::span<const Member> members, bool are_cases = false) {
    bool is_first = true;
    for (const Member& member : members) {
      if (is_full()) return;
      if (!is_first) text_ += ", ";
      is_first = false;
      text_ += types_.text(member.label);
      if (!member.type.exists()) continue;
      text_ += are_cases ? "(" : ": ";
      write(member.type);
      if (are_cases) text_ += ')';
    }
  }

  const TypeArena& types_;
  std::string text_;
};

}  // namespace

std::string to_text(const TypeArena& types, ValType type) {
  Writer writer(types);
  writer.write(type);
  return writer.take();
}

std::string function_text(const TypeArena& types, TypeId func) {
  Writer writer(types);
  writer.write_function(func);
  return writer.take();
}

}  // namespace mayfly::component
