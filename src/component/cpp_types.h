// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CppTypes: which C++ type stands for each type of a world, and where it is defined. Types of an
// interface that a world imports and exports are two of C++: their resources differ.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "component/wit_model.h"

namespace mayfly::component::wit {

enum class CppSide : uint8_t { kImport, kExport };

// An interface on one side of a world; or the functions and types of the world itself.
struct CppUnit {
  CppSide side = CppSide::kImport;
  std::optional<InterfaceId> interface;  // nullopt: the world itself
  std::string name;                      // that it is imported or exported by; "": the world itself
  std::string space;                     // "app::imports::ns::pkg::iface"
};

class CppTypes {
 public:
  CppTypes(const Model& model, WorldId world);

  const Model& model() const { return model_; }
  // Imports first, each in the world's order; the world itself before them, once for each side.
  const std::vector<CppUnit>& units() const { return units_; }
  const CppUnit& unit(CppSide side, const Owner& owner) const;
  // On which side a type is that something on side `from` names.
  CppSide side_of(TypeId type, CppSide from) const;

  // Precondition of all: the type has a name.
  std::string name(TypeId type) const;
  std::string qualified(TypeId type, CppSide side) const;  // "::app::imports::...::Point"

  // A value's. Errors: kUnsupported.
  Result<std::string> value(ValType type, CppSide from) const;
  // Of a case: std::monostate where there is no payload.
  Result<std::string> payload(ValType type, CppSide from) const;
  // Whether the type has an own handle in it: then it is moved, not copied, nor compared.
  bool has_own(ValType type) const;
  // Of an anonymous type, or one that needs no struct of its own.
  Result<std::string> expression(const Type& type, CppSide from) const;

 private:
  void add_units(const std::vector<WorldItem>& items, CppSide side);
  std::string interface_space(InterfaceId id, const std::string& item_name, CppSide side) const;
  Result<std::string> handle(const Type& type, CppSide from) const;
  Result<std::string> arguments(const Type& type, CppSide from) const;

  const Model& model_;
  const World& world_;
  std::string root_;
  std::vector<CppUnit> units_;
  std::map<std::pair<InterfaceId, CppSide>, size_t> by_interface_;
  mutable std::map<TypeId, bool> has_own_;
};

}  // namespace mayfly::component::wit
