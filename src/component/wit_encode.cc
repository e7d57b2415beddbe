// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types are written as declarators, in the order in which the model has them; each declarator scope
// counts its own type indices. Types inside types recurse no deeper than the model lets them nest.
#include "component/wit_encode.h"

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/check.h"
#include "component/binary_writer.h"

namespace mayfly::component::wit {
namespace {

constexpr uint8_t kTypeDecl = 0x01;
constexpr uint8_t kAliasDecl = 0x02;
constexpr uint8_t kImportDecl = 0x03;
constexpr uint8_t kExportDecl = 0x04;

// The declarators of one component or instance type.
class Scope {
 public:
  explicit Scope(const Model& model) : model_(model) {}

  uint32_t type_count() const { return types_; }
  const std::map<TypeId, uint32_t>& named() const { return named_; }
  void bind(TypeId type, uint32_t index) { named_[type] = index; }

  // (alias outer COUNT INDEX (type))
  uint32_t alias_outer(uint32_t count, uint32_t index) {
    declare(kAliasDecl).u8(0x03).u8(0x02).u32(count).u32(index);
    return types_++;
  }
  // (alias export INSTANCE NAME (type))
  uint32_t alias_export(uint32_t instance, const std::string& name) {
    declare(kAliasDecl).u8(0x03).u8(0x00).u32(instance).name(name);
    return types_++;
  }
  uint32_t define(const Bytes& type) {
    declare(kTypeDecl).bytes(type);
    return types_++;
  }
  void extern_func(bool is_import, const std::string& name, const NameParts& parts, uint32_t type) {
    extern_of(is_import, name, parts).u8(0x01).u32(type);
  }
  uint32_t extern_type(bool is_import, const std::string& name, std::optional<uint32_t> bound) {
    BinaryWriter& out = extern_of(is_import, name, {});
    out.u8(0x03);
    if (bound) {
      out.u8(0x00).u32(*bound);
    } else {
      out.u8(0x01);
    }
    return types_++;
  }
  uint32_t extern_instance(bool is_import, const std::string& name, const NameParts& parts,
                           uint32_t type) {
    extern_of(is_import, name, parts).u8(0x05).u32(type);
    return instances_++;
  }
  void extern_component(const std::string& name, uint32_t type) {
    extern_of(false, name, {}).u8(0x04).u32(type);
  }

  // A reference to a value type: a primitive, or the index of a type that is defined if need be.
  Bytes value(ValType type) {
    BinaryWriter out;
    if (type.is_prim()) {
      out.prim(type.prim());
    } else {
      out.s33(index_of(type.type()));
    }
    return out.take();
  }

  uint32_t index_of(TypeId type) {
    const auto known = named_.find(type);
    if (known != named_.end()) return known->second;
    CHECK(model_[type].name.empty(), model_[type].name);
    const uint32_t index = define(definition(type));
    named_[type] = index;
    return index;
  }

  // The type as `deftype`; the types in it are defined before.
  Bytes definition(TypeId id) {
    const Type& type = model_[id];
    std::vector<Bytes> values;
    values.reserve(type.fields.size());
    for (const Field& field : type.fields) {
      values.push_back(field.type.exists() && !is_handle(type.kind) ? value(field.type) : Bytes());
    }
    BinaryWriter out;
    switch (type.kind) {
      case TypeKind::kPrim:
      case TypeKind::kNamed:
        CHECK(type.fields[0].type.is_prim());
        out.prim(type.fields[0].type.prim());
        break;
      case TypeKind::kOwn:
      case TypeKind::kBorrow:
        out.u8(type.kind == TypeKind::kOwn ? 0x69 : 0x68);
        out.u32(index_of(type.fields[0].type.type()));
        break;
      case TypeKind::kRecord:
      case TypeKind::kVariant:
      case TypeKind::kFlags:
      case TypeKind::kEnum:
        labelled(type, values, out);
        break;
      case TypeKind::kTuple:
        out.u8(0x6f).u32(static_cast<uint32_t>(values.size()));
        for (const Bytes& one : values) out.bytes(one);
        break;
      case TypeKind::kResult:
        out.u8(0x6a).optional(values[0]).optional(values[1]);
        break;
      case TypeKind::kStream:
      case TypeKind::kFuture:
        out.u8(type.kind == TypeKind::kStream ? 0x66 : 0x65);
        out.optional(values.empty() ? Bytes() : values[0]);
        break;
      case TypeKind::kMap:
        out.u8(0x63).bytes(values[0]).bytes(values[1]);
        break;
      case TypeKind::kFixedList:
        out.u8(0x67).bytes(values[0]).u32(type.length);
        break;
      default:
        out.u8(type.kind == TypeKind::kList ? 0x70 : 0x6b).bytes(values[0]);
        break;
    }
    return out.take();
  }

  uint32_t function(const Function& function) {
    std::vector<Bytes> params;
    params.reserve(function.params.size());
    for (const Field& param : function.params) params.push_back(value(param.type));
    const Bytes result = function.result.exists() ? value(function.result) : Bytes();
    BinaryWriter out;
    out.u8(function.is_async ? 0x43 : 0x40).u32(static_cast<uint32_t>(params.size()));
    for (size_t i = 0; i < params.size(); ++i) out.name(function.params[i].name).bytes(params[i]);
    if (result.empty()) {
      out.u8(0x01).u8(0x00);
    } else {
      out.u8(0x00).bytes(result);
    }
    return define(out.take());
  }

  // `componenttype` or `instancetype`, by the opcode.
  Bytes finish(uint8_t opcode) {
    BinaryWriter out;
    out.u8(opcode).u32(declarations_).bytes(out_.take());
    return out.take();
  }

 private:
  static bool is_handle(TypeKind kind) {
    return kind == TypeKind::kOwn || kind == TypeKind::kBorrow;
  }
  static void labelled(const Type& type, const std::vector<Bytes>& values, BinaryWriter& out) {
    const bool is_record = type.kind == TypeKind::kRecord;
    const bool is_variant = type.kind == TypeKind::kVariant;
    out.u8(is_record ? 0x72 : is_variant ? 0x71 : type.kind == TypeKind::kFlags ? 0x6e : 0x6d);
    out.u32(static_cast<uint32_t>(type.fields.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      out.name(type.fields[i].name);
      if (is_record) out.bytes(values[i]);
      if (is_variant) out.optional(values[i]).u8(0x00);
    }
  }
  BinaryWriter& declare(uint8_t kind) {
    ++declarations_;
    return out_.u8(kind);
  }
  BinaryWriter& extern_of(bool is_import, const std::string& name, const NameParts& parts) {
    return declare(is_import ? kImportDecl : kExportDecl).extern_name(name, parts);
  }

  const Model& model_;
  BinaryWriter out_;
  uint32_t declarations_ = 0;
  uint32_t types_ = 0;
  uint32_t instances_ = 0;
  std::map<TypeId, uint32_t> named_;
};

enum class Contents : uint8_t { kTypes, kAll };

class Encoder {
 public:
  explicit Encoder(const Model& model) : model_(model) {}

  Bytes package(PackageId id) {
    BinaryWriter out;
    out.bytes({0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00});
    uint32_t types = 0;
    for (const InterfaceId interface : model_[id].interfaces) {
      export_type(out, model_[interface].name, interface_type(interface), types++);
      ++types;
    }
    for (const WorldId world : model_[id].worlds) {
      export_type(out, model_[world].name, world_type(world), types++);
      ++types;
    }
    return out.take();
  }

 private:
  // One type, and its export: which adds an index too.
  static void export_type(BinaryWriter& out, const std::string& name, const Bytes& type,
                          uint32_t index) {
    BinaryWriter definition;
    definition.u32(1).bytes(type);
    out.section(7, definition.take());
    BinaryWriter item;
    item.u32(1).extern_name(name, {}).u8(0x03).u32(index).u8(0x00);
    out.section(11, item.take());
  }

  // Defines a type under its name in an instance or world scope. `outer` has what comes from
  // around.
  void type(Scope& scope, bool is_import, TypeId id, const std::map<TypeId, uint32_t>& outer) {
    const Type& type = model_[id];
    if (type.kind == TypeKind::kResource) {
      scope.bind(id, scope.extern_type(is_import, type.name, std::nullopt));
      return;
    }
    uint32_t index = 0;
    if (type.kind == TypeKind::kNamed && type.fields[0].type.is_node()) {
      const TypeId target = type.fields[0].type.type();
      const auto around = outer.find(target);
      index = around != outer.end() ? scope.alias_outer(1, around->second) : scope.index_of(target);
    } else {
      index = scope.define(scope.definition(id));
    }
    scope.bind(id, scope.extern_type(is_import, type.name, index));
  }

  Bytes instance(InterfaceId id, Contents contents, const std::map<TypeId, uint32_t>& outer) {
    Scope scope(model_);
    for (const TypeId one : model_[id].types) type(scope, false, one, outer);
    if (contents == Contents::kAll) {
      for (const Function& function : model_[id].functions) {
        const uint32_t index = scope.function(function);
        scope.extern_func(false, model_.extern_name(function), parts_of(function.notes), index);
      }
    }
    return scope.finish(0x42);
  }

  static NameParts parts_of(const Notes& notes) { return {std::nullopt, notes.external_id}; }

  // Puts an interface into a component's scope, and names for its types.
  void add_instance(Scope& scope, bool is_import, const std::string& name, const NameParts& parts,
                    InterfaceId id, Contents contents, std::map<TypeId, uint32_t>& visible) {
    const uint32_t type = scope.define(instance(id, contents, visible));
    const uint32_t index = scope.extern_instance(is_import, name, parts, type);
    for (const TypeId one : model_[id].types) {
      visible[one] = scope.alias_export(index, model_[one].name);
    }
  }

  void need(InterfaceId id, std::vector<InterfaceId>& order, std::set<InterfaceId>& seen) const {
    for (const TypeId type : model_[id].types) {
      if (model_[type].kind != TypeKind::kNamed) continue;
      const auto from = model_[model_[type].fields[0].type.type()].owner.interface;
      if (!from || *from == id || !seen.insert(*from).second) continue;
      need(*from, order, seen);
      order.push_back(*from);
    }
  }

  Bytes interface_type(InterfaceId id) {
    Scope scope(model_);
    std::map<TypeId, uint32_t> visible;
    std::vector<InterfaceId> needed;
    std::set<InterfaceId> seen = {id};
    need(id, needed, seen);
    for (const InterfaceId one : needed) {
      add_instance(scope, true, model_.qualified_name(one), {}, one, Contents::kTypes, visible);
    }
    const uint32_t type = scope.define(instance(id, Contents::kAll, visible));
    scope.extern_instance(false, model_.qualified_name(id), {}, type);
    return scope.finish(0x41);
  }

  void world_item(Scope& scope, bool is_import, const WorldItem& item,
                  std::map<TypeId, uint32_t>& visible) {
    if (const auto* interface = std::get_if<InterfaceId>(&item.what)) {
      NameParts parts = parts_of(item.notes);
      const bool is_named = !model_[*interface].name.empty();
      const std::string own = is_named ? model_.qualified_name(*interface) : "";
      if (is_named && !item.name.empty()) parts.implements = own;
      add_instance(scope, is_import, item.name.empty() ? own : item.name, parts, *interface,
                   Contents::kAll, visible);
      return;
    }
    if (const auto* named = std::get_if<TypeId>(&item.what)) {
      const Type& one = model_[*named];
      if (one.kind == TypeKind::kNamed && one.fields[0].type.is_node()) {
        const auto around = visible.find(one.fields[0].type.type());
        if (around != visible.end()) {
          scope.bind(*named, scope.extern_type(is_import, one.name, around->second));
        } else {
          type(scope, is_import, *named, {});
        }
      } else {
        type(scope, is_import, *named, {});
      }
      visible[*named] = scope.named().at(*named);
      return;
    }
    const auto& function = std::get<Function>(item.what);
    const uint32_t index = scope.function(function);
    scope.extern_func(is_import, model_.extern_name(function), parts_of(item.notes), index);
  }

  Bytes world_type(WorldId id) {
    Scope scope(model_);
    std::map<TypeId, uint32_t> visible;
    for (const WorldItem& item : model_[id].imports) world_item(scope, true, item, visible);
    for (const WorldItem& item : model_[id].exports) world_item(scope, false, item, visible);
    Scope wrapper(model_);
    const uint32_t type = wrapper.define(scope.finish(0x41));
    wrapper.extern_component(model_.qualified_name(id), type);
    return wrapper.finish(0x41);
  }

  const Model& model_;
};

}  // namespace

std::vector<uint8_t> encode_package(const Model& model, PackageId package) {
  return Encoder(model).package(package);
}

}  // namespace mayfly::component::wit
