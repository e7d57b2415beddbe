// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks over types inside types; the parser and the decoder of components bound how deep they are.
#include "component/cpp_types.h"

#include <algorithm>

#include "base/check.h"
#include "component/cpp_bindings.h"
#include "component/cpp_names.h"

namespace mayfly::component::wit {
namespace {

const char* prim_type(Prim prim) {
  switch (prim) {
    case Prim::kBool:
      return "bool";
    case Prim::kS8:
      return "::std::int8_t";
    case Prim::kU8:
      return "::std::uint8_t";
    case Prim::kS16:
      return "::std::int16_t";
    case Prim::kU16:
      return "::std::uint16_t";
    case Prim::kS32:
      return "::std::int32_t";
    case Prim::kU32:
      return "::std::uint32_t";
    case Prim::kS64:
      return "::std::int64_t";
    case Prim::kU64:
      return "::std::uint64_t";
    case Prim::kF32:
      return "float";
    case Prim::kF64:
      return "double";
    case Prim::kChar:
      return "char32_t";
    case Prim::kString:
      return "::std::string";
    case Prim::kErrorContext:
      break;
  }
  return nullptr;
}

Error no_type(const std::string& what) {
  return unsupported("typed calls have no " + what + ", which the world uses");
}

}  // namespace

CppTypes::CppTypes(const Model& model, WorldId world)
    : model_(model), world_(model[world]), root_(cpp_namespace(world_)) {
  units_.push_back({CppSide::kImport, std::nullopt, "", root_});
  add_units(world_.imports, CppSide::kImport);
  units_.push_back({CppSide::kExport, std::nullopt, "", root_});
  add_units(world_.exports, CppSide::kExport);
}

void CppTypes::add_units(const std::vector<WorldItem>& items, CppSide side) {
  for (const WorldItem& item : items) {
    const auto* interface = std::get_if<InterfaceId>(&item.what);
    if (interface == nullptr || by_interface_.contains({*interface, side})) continue;
    by_interface_[{*interface, side}] = units_.size();
    units_.push_back({side, *interface,
                      item.name.empty() ? model_.qualified_name(*interface) : item.name,
                      interface_space(*interface, item.name, side)});
  }
}

// With its version only where another version of it is on the same side.
std::string CppTypes::interface_space(InterfaceId id, const std::string& item_name,
                                      CppSide side) const {
  std::string space = root_ + (side == CppSide::kImport ? "::imports" : "::exports");
  if (!item_name.empty()) return space + "::" + snake_case(item_name);
  const Interface& interface = model_[id];
  CHECK(interface.package.has_value());
  const PackageName& package = model_[*interface.package].name;
  space += "::" + snake_case(package.ns) + "::" + snake_case(package.name);
  const auto& items = side == CppSide::kImport ? world_.imports : world_.exports;
  const bool has_other = std::ranges::any_of(items, [&](const WorldItem& item) {
    const auto* other = std::get_if<InterfaceId>(&item.what);
    if (other == nullptr || *other == id || !item.name.empty()) return false;
    const Interface& of = model_[*other];
    return of.name == interface.name && model_[*of.package].name.ns == package.ns &&
           model_[*of.package].name.name == package.name;
  });
  space += "::" + snake_case(interface.name);
  return has_other ? space + "_v" + version_name(package.version) : space;
}

const CppUnit& CppTypes::unit(CppSide side, const Owner& owner) const {
  if (!owner.interface) return units_.front();
  const auto found = by_interface_.find({*owner.interface, side});
  CHECK(found != by_interface_.end());
  return units_[found->second];
}

CppSide CppTypes::side_of(TypeId type, CppSide from) const {
  const auto& interface = model_[type].owner.interface;
  if (!interface) return CppSide::kImport;
  if (!by_interface_.contains({*interface, CppSide::kImport})) return CppSide::kExport;
  return by_interface_.contains({*interface, from}) ? from : CppSide::kImport;
}

std::string CppTypes::name(TypeId type) const {
  const std::string name = camel_case(model_[type].name);
  // What a unit has itself.
  const bool is_taken = name == "Host" || name == "Guest" || name == "Imports" || name == "Exports";
  return is_taken ? name + "_" : name;
}

std::string CppTypes::qualified(TypeId type, CppSide side) const {
  return "::" + unit(side, model_[type].owner).space + "::" + name(type);
}

Result<std::string> CppTypes::value(ValType type, CppSide from) const {
  if (type.is_prim()) {
    const char* name = prim_type(type.prim());
    if (name == nullptr) return no_type("error-context");
    return std::string(name);
  }
  const Type& node = model_[type.type()];
  if (node.name.empty()) return expression(node, from);
  // A resource where a value is wanted stands for own<it>.
  return qualified(type.type(), side_of(type.type(), from));
}

Result<std::string> CppTypes::payload(ValType type, CppSide from) const {
  if (!type.exists()) return std::string("::std::monostate");
  return value(type, from);
}

Result<std::string> CppTypes::handle(const Type& type, CppSide from) const {
  const TypeId resource = model_.definition(type.fields[0].type.type());
  const CppSide side = side_of(resource, from);
  const std::string prefix = side == CppSide::kImport ? "::mayfly::" : "::mayfly::Guest";
  return prefix + (type.kind == TypeKind::kOwn ? "Own<" : "Borrow<") + qualified(resource, side) +
         ">";
}

Result<std::string> CppTypes::arguments(const Type& type, CppSide from) const {
  std::string text;
  for (const Field& field : type.fields) {
    if (!text.empty()) text += ", ";
    text += field.type.exists() ? MAYFLY_TRY(value(field.type, from)) : "void";
  }
  return text;
}

Result<std::string> CppTypes::expression(const Type& type, CppSide from) const {
  switch (type.kind) {
    case TypeKind::kPrim:
    case TypeKind::kNamed:
      return value(type.fields[0].type, from);
    case TypeKind::kOwn:
    case TypeKind::kBorrow:
      return handle(type, from);
    case TypeKind::kList:
      return "::std::vector<" + MAYFLY_TRY(arguments(type, from)) + ">";
    case TypeKind::kFixedList:
      return "::std::array<" + MAYFLY_TRY(arguments(type, from)) + ", " +
             std::to_string(type.length) + ">";
    case TypeKind::kOption:
      return "::std::optional<" + MAYFLY_TRY(arguments(type, from)) + ">";
    case TypeKind::kTuple:
      if (type.fields.empty()) return no_type("tuple without elements");
      return "::std::tuple<" + MAYFLY_TRY(arguments(type, from)) + ">";
    case TypeKind::kResult:
      return "::mayfly::ComponentResult<" + MAYFLY_TRY(arguments(type, from)) + ">";
    default:
      return no_type(std::string(to_string(type.kind)));
  }
}

bool CppTypes::has_own(ValType type) const {
  if (!type.exists() || type.is_prim()) return false;
  const Type& node = model_[type.type()];
  if (node.kind == TypeKind::kOwn) return true;
  if (node.kind == TypeKind::kBorrow || node.kind == TypeKind::kResource) return false;
  if (const auto known = has_own_.find(type.type()); known != has_own_.end()) return known->second;
  const bool has =
      std::ranges::any_of(node.fields, [&](const Field& field) { return has_own(field.type); });
  has_own_[type.type()] = has;
  return has;
}

}  // namespace mayfly::component::wit
