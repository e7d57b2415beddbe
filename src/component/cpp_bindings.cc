// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// In this order, so that each part finds what it needs before it: resources are declared, types are
// defined, resources of the host are defined, types are described, and then come the classes.
#include "component/cpp_bindings.h"

#include <initializer_list>
#include <set>
#include <utility>

#include "component/cpp_names.h"
#include "component/cpp_text.h"
#include "component/cpp_types.h"

namespace mayfly::component::wit {
namespace {

constexpr std::string_view kIncludes =
    "#include <array>\n#include <cstddef>\n#include <cstdint>\n#include <memory>\n"
    "#include <optional>\n#include <string>\n#include <string_view>\n#include <tuple>\n"
    "#include <utility>\n#include <variant>\n#include <vector>\n\n#include \"mayfly/mayfly.hh\"\n";
constexpr size_t kFlagsMax = 32;

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

class Bindings {
 public:
  Bindings(const Model& model, WorldId world, const BindingOptions& options)
      : model_(model), world_(model[world]), options_(options), types_(model, world) {}

  Result<std::string> write() {
    head();
    MAYFLY_TRY(each_type([&](TypeId type, const CppUnit& unit) { return declare(type, unit); }));
    MAYFLY_TRY(
        each_type([&](TypeId type, const CppUnit& unit) { return define(type, unit.side); }));
    MAYFLY_TRY(each_type([&](TypeId type, const CppUnit& unit) { return host_class(type, unit); }));
    MAYFLY_TRY(each_type([&](TypeId type, const CppUnit& unit) { return describe(type, unit); }));
    for (const CppUnit& unit : types_.units()) {
      MAYFLY_TRY(unit.side == CppSide::kImport ? host(unit) : guest(unit));
    }
    imports();
    exports();
    return text_.take();
  }

 private:
  void head() {
    text_.line("// Made by `mayfly bindgen` from " + options_.source + ". Do not edit.");
    text_.line("// clang-format off");
    text_.docs(world_.notes.docs);
    text_.line("#pragma once");
    text_.line();
    text_.raw(kIncludes);
  }

  // The types of a unit, in the order of WIT.
  std::vector<TypeId> types_of(const CppUnit& unit) const {
    if (unit.interface) return model_[*unit.interface].types;
    std::vector<TypeId> found;
    if (unit.side == CppSide::kExport) return found;  // they belong to the world
    for (const WorldItem& item : world_.imports) {
      if (const auto* type = std::get_if<TypeId>(&item.what)) found.push_back(*type);
    }
    return found;
  }

  std::vector<const Function*> functions_of(const CppUnit& unit) const {
    std::vector<const Function*> found;
    if (unit.interface) {
      for (const Function& function : model_[*unit.interface].functions) found.push_back(&function);
      return found;
    }
    for (const WorldItem& item : unit.side == CppSide::kImport ? world_.imports : world_.exports) {
      if (const auto* function = std::get_if<Function>(&item.what)) found.push_back(function);
    }
    return found;
  }

  template <typename Action>
  Result<void> each_type(const Action& action) {
    for (const CppUnit& unit : types_.units()) {
      for (const TypeId type : types_of(unit)) MAYFLY_TRY(action(type, unit));
    }
    return {};
  }

  bool is_provided(const CppUnit& unit) const {
    return unit.side == CppSide::kImport && unit.interface && options_.is_provided &&
           options_.is_provided(unit.name);
  }
  bool is_resource(TypeId type) const { return model_[type].kind == TypeKind::kResource; }

  Result<void> declare(TypeId type, const CppUnit& unit) {
    if (!is_resource(type)) return {};
    text_.enter(unit.space);
    text_.line((unit.side == CppSide::kImport ? "class " : "struct ") + types_.name(type) + ";");
    return {};
  }

  // What a type needs comes before it.
  Result<void> define_needed(ValType type, CppSide from) {
    if (!type.exists() || type.is_prim()) return {};
    const Type& node = model_[type.type()];
    if (!node.name.empty()) return define(type.type(), types_.side_of(type.type(), from));
    if (node.kind == TypeKind::kOwn || node.kind == TypeKind::kBorrow) {
      return define_resource_name(node.fields[0].type.type(), from);
    }
    for (const Field& field : node.fields) MAYFLY_TRY(define_needed(field.type, from));
    return {};
  }
  Result<void> define_resource_name(TypeId type, CppSide from) {
    return is_resource(type) ? Result<void>() : define(type, types_.side_of(type, from));
  }

  Result<void> define(TypeId id, CppSide side) {
    if (is_resource(id) || !defined_.insert({id, side}).second) return {};
    const Type& type = model_[id];
    if (type.kind == TypeKind::kNamed && is_resource(model_.definition(id))) {
      MAYFLY_TRY(define_resource_name(type.fields[0].type.type(), side));
    } else {
      for (const Field& field : type.fields) MAYFLY_TRY(define_needed(field.type, side));
    }
    text_.enter(types_.unit(side, type.owner).space);
    text_.line();
    text_.docs(type.notes.docs);
    switch (type.kind) {
      case TypeKind::kRecord:
        return record(id, side);
      case TypeKind::kVariant:
        return variant(id, side);
      case TypeKind::kEnum:
        return enumeration(id);
      case TypeKind::kFlags:
        return flags(id);
      default: {
        const std::string target = MAYFLY_TRY(alias_target(type, side));
        text_.line("using " + types_.name(id) + " = " + target + ";");
        return {};
      }
    }
  }
  Result<std::string> alias_target(const Type& type, CppSide side) const {
    if (type.kind != TypeKind::kNamed) return types_.expression(type, side);
    const TypeId target = type.fields[0].type.type();
    return types_.qualified(target, types_.side_of(target, side));
  }

  Result<void> record(TypeId id, CppSide side) {
    const Type& type = model_[id];
    text_.line("struct " + types_.name(id) + " {");
    text_.indent();
    for (const Field& field : type.fields) {
      text_.docs(field.docs);
      text_.line(MAYFLY_TRY(types_.value(field.type, side)) + " " + snake_case(field.name) + "{};");
    }
    compare(id);
    text_.dedent("};");
    return {};
  }
  void compare(TypeId id) {
    if (types_.has_own(ValType::of(id))) return;
    text_.line("bool operator==(const " + types_.name(id) + "&) const = default;");
  }

  // By numbers: two cases may have the same payload.
  Result<void> variant(TypeId id, CppSide side) {
    const Type& type = model_[id];
    std::string payloads;
    for (const Field& field : type.fields) {
      payloads += (payloads.empty() ? "" : ", ") + MAYFLY_TRY(types_.payload(field.type, side));
    }
    const std::string name = types_.name(id);
    text_.line("struct " + name + " {");
    text_.indent();
    text_.line("enum class Tag : ::std::size_t {");
    text_.indent();
    for (const Field& field : type.fields) {
      text_.docs(field.docs);
      text_.line("k" + camel_case(field.name) + ",");
    }
    text_.dedent("};");
    text_.line("using Cases = ::std::variant<" + payloads + ">;");
    text_.line("Cases is{};");
    text_.line();
    text_.line("Tag tag() const { return static_cast<Tag>(is.index()); }");
    for (size_t i = 0; i < type.fields.size(); ++i) {
      MAYFLY_TRY(variant_case(name, type.fields[i], std::to_string(i), side));
    }
    compare(id);
    text_.dedent("};");
    return {};
  }
  Result<void> variant_case(const std::string& name, const Field& field, const std::string& number,
                            CppSide side) {
    const std::string label = snake_case(field.name);
    const std::string place = "Cases(::std::in_place_index<" + number + ">";
    if (!field.type.exists()) {
      text_.line("static " + name + " make_" + label + "() { return {" + place + ")}; }");
      return {};
    }
    const std::string payload = MAYFLY_TRY(types_.value(field.type, side));
    text_.line("static " + name + " make_" + label + "(" + payload + " value) { return {" + place +
               ", ::std::move(value))}; }");
    text_.line("// nullptr: it is of another case.");
    text_.line(payload + "* if_" + label + "() { return ::std::get_if<" + number + ">(&is); }");
    text_.line("const " + payload + "* if_" + label + "() const { return ::std::get_if<" + number +
               ">(&is); }");
    return {};
  }

  Result<void> enumeration(TypeId id) {
    const Type& type = model_[id];
    const char* bits = type.fields.size() <= 0x100     ? "8"
                       : type.fields.size() <= 0x10000 ? "16"
                                                       : "32";
    text_.line("enum class " + types_.name(id) + " : ::std::uint" + bits + "_t {");
    text_.indent();
    for (const Field& field : type.fields) {
      text_.docs(field.docs);
      text_.line("k" + camel_case(field.name) + ",");
    }
    text_.dedent("};");
    return {};
  }

  Result<void> flags(TypeId id) {
    const Type& type = model_[id];
    if (type.fields.size() > kFlagsMax) {
      return unsupported("typed calls have at most 32 flags, but " + type.name + " has " +
                         std::to_string(type.fields.size()));
    }
    text_.line("struct " + types_.name(id) + " {");
    text_.indent();
    for (const Field& field : type.fields) {
      text_.docs(field.docs);
      text_.line("bool " + snake_case(field.name) + " = false;");
    }
    compare(id);
    text_.dedent("};");
    return {};
  }

  // What the library has to know of a type.
  Result<void> describe(TypeId id, const CppUnit& unit) {
    const std::string name = types_.qualified(id, unit.side);
    std::string description = MAYFLY_TRY(description_of(id, name, unit));
    if (description.empty()) return {};
    text_.enter("");
    text_.line();
    text_.line("template <>");
    text_.line("inline constexpr auto mayfly::kWit<" + name + "> = ::mayfly::wit::" + description +
               ";");
    return {};
  }
  Result<std::string> description_of(TypeId id, const std::string& name, const CppUnit& unit) {
    const Type& type = model_[id];
    std::string names;
    std::string fields;
    for (const Field& field : type.fields) {
      names += ", \"" + field.name + "\"";
      fields += std::string(fields.empty() ? "" : ", ") + "::mayfly::wit::field(\"" + field.name +
                "\", &" + name + "::" + snake_case(field.name) + ")";
    }
    switch (type.kind) {
      case TypeKind::kRecord:
        return "record(" + fields + ")";
      case TypeKind::kFlags:
        return "flags(" + fields + ")";
      case TypeKind::kEnum:
        return "enumeration(" + names.substr(2) + ")";
      case TypeKind::kVariant:
        return "variant(&" + name + "::is" + names + ")";
      case TypeKind::kResource:
        if (unit.side == CppSide::kImport) return std::string();
        return "resource(\"" + unit.name + "\", \"" + type.name + "\")";
      default:
        return std::string();
    }
  }

  Result<std::string> result_of(const Function& function, CppSide side) const {
    if (function.is_async) {
      return unsupported("typed calls have no async functions, as " + function.name + " is");
    }
    if (!function.result.exists()) return std::string("void");
    return types_.value(function.result, side);
  }

  // "Type name, Type name" behind a comma, and what passes them on: "name, ::std::move(name)".
  struct Parameters {
    std::string declared;
    std::string types;
    std::string passed;
  };
  Result<Parameters> parameters_of(const Function& function, size_t first, CppSide side) const {
    Parameters made;
    NameScope names({"caller", "host", "linker", "sandbox"});
    for (size_t i = first; i < function.params.size(); ++i) {
      const Field& param = function.params[i];
      const std::string type = MAYFLY_TRY(types_.value(param.type, side));
      const std::string name = names.add(snake_case(param.name));
      const char* comma = made.types.empty() ? "" : ", ";
      made.types += comma + type;
      made.declared += comma + declared(param.type, type, side) + name;
      made.passed += comma + (is_moved(param.type, side) ? "::std::move(" + name + ")" : name);
    }
    return made;
  }
  // The host's functions get values of their own; those of the component are called with
  // references.
  std::string declared(ValType param, const std::string& type, CppSide side) const {
    if (side == CppSide::kImport) return type + " ";
    if (types_.has_own(param)) return type + "&& ";
    const bool is_scalar = param.is_prim() && param.prim() != Prim::kString;
    if (param.is_prim() && !is_scalar) return "::std::string_view ";
    return is_scalar ? type + " " : "const " + type + "& ";
  }
  bool is_moved(ValType param, CppSide side) const {
    if (side == CppSide::kExport) return types_.has_own(param);
    return !param.is_prim() || param.prim() == Prim::kString;
  }

  std::string host_name(const Function& function) const {
    if (function.kind == FunctionKind::kFree) return snake_case(function.name);
    const std::string resource = snake_case(model_[function.resource].name);
    if (function.kind == FunctionKind::kConstructor) return "new_" + resource;
    return resource + "_" + snake_case(function.name);
  }

  // Methods are those of the resource's class, the rest is the interface's.
  Result<void> host_class(TypeId id, const CppUnit& unit) {
    if (!is_resource(id) || unit.side != CppSide::kImport || is_provided(unit)) return {};
    const std::string name = types_.name(id);
    text_.enter(unit.space);
    text_.line();
    text_.docs(model_[id].notes.docs);
    text_.line("class " + name + " {");
    text_.line(" public:");
    text_.indent();
    text_.line("virtual ~" + name + "() = default;");
    NameScope names;
    for (const Function* function : functions_of(unit)) {
      if (function->kind != FunctionKind::kMethod || function->resource != id) continue;
      MAYFLY_TRY(virtual_function(*function, names.add(snake_case(function->name)), 1));
    }
    text_.dedent("};");
    return {};
  }
  Result<void> virtual_function(const Function& function, const std::string& name, size_t first) {
    const std::string result = MAYFLY_TRY(result_of(function, CppSide::kImport));
    const Parameters params = MAYFLY_TRY(parameters_of(function, first, CppSide::kImport));
    text_.docs(function.notes.docs);
    text_.line("virtual ::mayfly::Result<" + result + "> " + name + "(::mayfly::Caller& caller" +
               (params.declared.empty() ? "" : ", ") + params.declared + ") = 0;");
    return {};
  }

  Result<void> host(const CppUnit& unit) {
    if (is_provided(unit)) return {};
    const std::vector<const Function*> functions = functions_of(unit);
    if (functions.empty()) return {};
    text_.enter(unit.space);
    text_.line();
    text_.line("// What the component calls. An Error ends its call as a trap.");
    if (unit.interface) text_.docs(model_[*unit.interface].notes.docs);
    text_.line("class Host {");
    text_.line(" public:");
    text_.indent();
    text_.line("virtual ~Host() = default;");
    NameScope names;
    std::vector<std::string> called;
    NameScope methods;
    for (const Function* function : functions) {
      const bool is_method = function->kind == FunctionKind::kMethod;
      called.push_back(is_method ? snake_case(function->name) : names.add(host_name(*function)));
      if (!is_method) MAYFLY_TRY(virtual_function(*function, called.back(), 0));
    }
    text_.dedent("};");
    text_.line();
    text_.line("// The host outlives the linker's sandboxes.");
    text_.line("inline void define(::mayfly::Linker& linker, [[maybe_unused]] Host& host) {");
    text_.indent();
    for (const TypeId type : types_of(unit)) {
      if (!is_resource(type)) continue;
      text_.line("linker.define_resource<" + types_.qualified(type, unit.side) + ">(\"" +
                 unit.name + "\", \"" + model_[type].name + "\");");
    }
    for (size_t i = 0; i < functions.size(); ++i) {
      MAYFLY_TRY(definition(*functions[i], called[i], unit));
    }
    text_.dedent("}");
    hosts_.push_back(&unit);
    return {};
  }

  Result<void> definition(const Function& function, const std::string& called,
                          const CppUnit& unit) {
    const bool is_method = function.kind == FunctionKind::kMethod;
    const std::string result = MAYFLY_TRY(result_of(function, CppSide::kImport));
    const Parameters params =
        MAYFLY_TRY(parameters_of(function, is_method ? 1 : 0, CppSide::kImport));
    std::string taken = "::mayfly::Caller& caller";
    std::string object = "host.";
    if (is_method) {
      taken += ", " + MAYFLY_TRY(types_.value(function.params[0].type, unit.side)) + " host_self";
      object = "host_self->";
    }
    if (!params.declared.empty()) taken += ", " + params.declared;
    text_.line("linker.define(\"" + unit.name + "\", \"" + model_.extern_name(function) + "\",");
    text_.line("              [" + std::string(is_method ? "" : "&host") + "](" + taken +
               ") -> ::mayfly::Result<" + result + "> {");
    text_.line("  return " + object + called + "(caller" + (params.passed.empty() ? "" : ", ") +
               params.passed + ");");
    text_.line("});");
    return {};
  }

  Result<void> guest(const CppUnit& unit) {
    const std::vector<const Function*> functions = functions_of(unit);
    if (functions.empty()) return {};
    text_.enter(unit.space);
    text_.line();
    text_.line("// What the component exports.");
    if (unit.interface) text_.docs(model_[*unit.interface].notes.docs);
    text_.line("class Guest {");
    text_.line(" public:");
    text_.indent();
    text_.line("static ::mayfly::Result<Guest> create(const ::mayfly::Sandbox& sandbox) {");
    text_.indent();
    std::string found;
    const std::string prefix = unit.name.empty() ? "" : unit.name + "#";
    for (size_t i = 0; i < functions.size(); ++i) {
      const std::string local = "function" + std::to_string(i);
      const std::string signature = MAYFLY_TRY(signature_of(*functions[i]));
      text_.line(joined({"auto ", local, " = sandbox.component_function<", signature, ">(\"",
                         prefix, model_.extern_name(*functions[i]), "\");"}));
      text_.line(joined({"if (!", local, ") return ::std::move(", local, ").error();"}));
      found += joined({i == 0 ? "" : ", ", "*::std::move(", local, ")"});
    }
    text_.line("return Guest(" + found + ");");
    text_.dedent("}");
    NameScope names({"create"});
    for (size_t i = 0; i < functions.size(); ++i) {
      MAYFLY_TRY(guest_function(*functions[i], names.add(host_name(*functions[i])), i));
    }
    MAYFLY_TRY(guest_members(functions));
    text_.dedent("};");
    guests_.push_back(&unit);
    return {};
  }
  Result<std::string> signature_of(const Function& function) const {
    const std::string result = MAYFLY_TRY(result_of(function, CppSide::kExport));
    const Parameters params = MAYFLY_TRY(parameters_of(function, 0, CppSide::kExport));
    std::string types;
    for (const Field& param : function.params) {
      const bool is_string = param.type.is_prim() && param.type.prim() == Prim::kString;
      types += (types.empty() ? "" : ", ") +
               (is_string ? std::string("::std::string_view")
                          : MAYFLY_TRY(types_.value(param.type, CppSide::kExport)));
    }
    return result + "(" + types + ")";
  }
  Result<void> guest_function(const Function& function, const std::string& name, size_t number) {
    const std::string result = MAYFLY_TRY(result_of(function, CppSide::kExport));
    const Parameters params = MAYFLY_TRY(parameters_of(function, 0, CppSide::kExport));
    text_.docs(function.notes.docs);
    text_.line("::mayfly::Outcome<" + result + "> " + name + "(" + params.declared +
               ") const { return function" + std::to_string(number) + "_(" + params.passed +
               "); }");
    return {};
  }
  Result<void> guest_members(const std::vector<const Function*>& functions) {
    std::string params;
    std::string inits;
    std::vector<std::string> members;
    for (size_t i = 0; i < functions.size(); ++i) {
      const std::string number = std::to_string(i);
      const std::string type =
          "::mayfly::TypedComponentFunction<" + MAYFLY_TRY(signature_of(*functions[i])) + ">";
      const std::string_view comma = i == 0 ? "" : ", ";
      params += joined({comma, type, " function", number});
      inits += joined({comma, "function", number, "_(::std::move(function", number, "))"});
      members.push_back(joined({type, " function", number, "_;"}));
    }
    text_.dedent("");
    text_.line(" private:");
    text_.indent();
    text_.line("explicit Guest(" + params + ") : " + inits + " {}");
    for (const std::string& member : members) text_.line(member);
    return {};
  }

  // A unit's name among the others: "iface", or with its package where that is not enough.
  static std::string short_name(const CppUnit& unit, NameScope& names) {
    if (unit.name.empty()) return names.add("world");
    const size_t last = unit.space.rfind("::");
    return names.add(unit.space.substr(last + 2));
  }

  void imports() {
    if (hosts_.empty()) return;
    text_.enter(cpp_namespace(world_));
    text_.line();
    text_.line("// All that the component calls.");
    text_.line("struct Imports {");
    text_.indent();
    NameScope names;
    std::vector<std::string> members;
    for (const CppUnit* unit : hosts_) {
      members.push_back(short_name(*unit, names));
      text_.line("::" + unit->space + "::Host& " + members.back() + ";");
    }
    text_.dedent("};");
    text_.line("inline void define(::mayfly::Linker& linker, const Imports& imports) {");
    text_.indent();
    for (size_t i = 0; i < hosts_.size(); ++i) {
      text_.line("::" + hosts_[i]->space + "::define(linker, imports." + members[i] + ");");
    }
    text_.dedent("}");
  }

  void exports() {
    if (!guests_.empty()) {
      text_.enter(cpp_namespace(world_));
      text_.line();
      text_.line("// All that the component exports.");
      text_.line("struct Exports {");
      text_.indent();
      NameScope names({"create"});
      std::vector<std::string> members;
      for (const CppUnit* unit : guests_) {
        members.push_back(short_name(*unit, names));
        text_.line("::" + unit->space + "::Guest " + members.back() + ";");
      }
      text_.line();
      text_.line("static ::mayfly::Result<Exports> create(const ::mayfly::Sandbox& sandbox) {");
      text_.indent();
      std::string found;
      for (size_t i = 0; i < guests_.size(); ++i) {
        const std::string local = "guest" + std::to_string(i);
        text_.line(
            joined({"auto ", local, " = ::", guests_[i]->space, "::Guest::create(sandbox);"}));
        text_.line(joined({"if (!", local, ") return ::std::move(", local, ").error();"}));
        found += joined({i == 0 ? "" : ", ", "*::std::move(", local, ")"});
      }
      text_.line("return Exports{" + found + "};");
      text_.dedent("}");
      text_.dedent("};");
    }
    text_.enter("");
  }

  const Model& model_;
  const World& world_;
  const BindingOptions& options_;
  CppTypes types_;
  CppText text_;
  std::set<std::pair<TypeId, CppSide>> defined_;
  std::vector<const CppUnit*> hosts_;
  std::vector<const CppUnit*> guests_;
};

}  // namespace

std::string cpp_namespace(const World& world) {
  const std::string name = snake_case(world.name);
  return name == "std" || name == "mayfly" || name == "posix" ? name + "_world" : name;
}

Result<std::string> cpp_bindings(const Model& model, WorldId world, const BindingOptions& options) {
  return Bindings(model, world, options).write();
}

}  // namespace mayfly::component::wit
