// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentBuilder: components that pass what they are called with to functions of the host, and
// answer what those answer. Written in the binary format, as there is no text to assemble them
// from.
//
// The component imports `host-NAME` and exports `NAME`, both func(x: T) -> T. With an interface,
// NAME is imported from it; a second one is what the exports are in.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "component_types.h"
#include "wat.h"

namespace mayfly {

class ComponentBuilder : public TypeScope {
 public:
  // Empty names: functions of the component's own.
  explicit ComponentBuilder(std::string imported = "", std::string exported = "")
      : imported_(std::move(imported)), exported_(std::move(exported)) {}

  // What WIT only knows by name: a record, variant, enum or flags; or a resource of the host's.
  Bytes named(const std::string& name, const Bytes& type) {
    const Bytes defined = define(type);
    flush_types();
    out_ = std::move(out_) + section(10, vec({extern_name(name) + Bytes{0x03, 0x00} + defined}));
    return index(count_++);
  }
  Bytes record(const std::string& name, const std::vector<std::pair<std::string, Bytes>>& parts) {
    return named(name, Bytes{0x72} + fields(parts));
  }
  // A case without a payload has an empty type.
  Bytes variant(const std::string& name, const std::vector<std::pair<std::string, Bytes>>& cases) {
    std::vector<Bytes> items;
    for (const auto& [label, type] : cases)
      items.push_back(text_of(label) + maybe(type) + Bytes{0});
    return named(name, Bytes{0x71} + vec(items));
  }
  Bytes labels(uint8_t kind, const std::string& name, const std::vector<std::string>& labels) {
    std::vector<Bytes> items;
    for (const std::string& label : labels) items.push_back(text_of(label));
    return named(name, Bytes{kind} + vec(items));
  }
  Bytes enumeration(const std::string& name, const std::vector<std::string>& names) {
    return labels(0x6d, name, names);
  }
  Bytes flags(const std::string& name, const std::vector<std::string>& names) {
    return labels(0x6e, name, names);
  }
  // (sub resource); `own` of it is a type of values.
  Bytes resource(const std::string& name) {
    flush_types();
    out_ = std::move(out_) + section(10, vec({extern_name(name) + Bytes{0x03, 0x01}}));
    return index(count_++);
  }

  // NAME: func(x: T) -> T, whose value is passed as these core types: "i32 i64", or "memory" when
  // they are more than 16.
  ComponentBuilder& echo(const std::string& name, const Bytes& type, const std::string& flat) {
    functions_.push_back({name, type, flat});
    return *this;
  }

  Bytes build();

 private:
  struct Echo {
    std::string name;
    Bytes type;
    std::string flat;
    bool is_in_memory() const { return flat == "memory" || flat.find(' ') != std::string::npos; }
  };
  static Bytes extern_name(std::string_view name) { return Bytes{0x00} + text_of(name); }
  void flush_types() {
    if (!defined_.empty()) out_ = std::move(out_) + section(7, vec(std::exchange(defined_, {})));
  }
  void import_functions();
  std::string module_text() const;
  void lower_and_instantiate();
  void lift_and_export();

  std::string imported_;
  std::string exported_;
  std::vector<Echo> functions_;
  Bytes out_ = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};
  std::vector<Bytes> func_types_;
};

inline void ComponentBuilder::import_functions() {
  if (!imported_.empty()) {
    std::vector<Bytes> declarations;
    size_t types = 0;
    for (const Echo& echo : functions_) {
      declarations.push_back(Bytes{0x01, 0x40} + fields({{"x", echo.type}}) + Bytes{0x00} +
                             echo.type);
      declarations.push_back(Bytes{0x04} + extern_name(echo.name) + Bytes{0x01} + index(types++));
    }
    const Bytes type = define(Bytes{0x42} + vec(declarations));
    flush_types();
    out_ = std::move(out_) + section(10, vec({extern_name(imported_) + Bytes{0x05} + type}));
    std::vector<Bytes> aliases;
    for (const Echo& echo : functions_) {
      aliases.push_back(Bytes{0x01, 0x00, 0x00} + text_of(echo.name));
    }
    out_ = std::move(out_) + section(6, vec(aliases));
  }
  for (const Echo& echo : functions_) func_types_.push_back(func({{"x", echo.type}}, echo.type));
  flush_types();
  if (!imported_.empty()) return;
  std::vector<Bytes> imports;
  for (size_t i = 0; i < functions_.size(); ++i) {
    imports.push_back(extern_name("host-" + functions_[i].name) + Bytes{0x01} + func_types_[i]);
  }
  out_ = std::move(out_) + section(10, vec(imports));
}

// Results of several core values are in memory, behind what realloc has given out.
inline std::string ComponentBuilder::module_text() const {
  std::string text = R"((module (import "libc" "memory" (memory 1)))";
  std::string bodies;
  for (const Echo& echo : functions_) {
    const std::string params = "(param " + (echo.flat == "memory" ? "i32" : echo.flat) + ")";
    text += "(import \"host\" \"" + echo.name + "\" (func $" + echo.name + " " + params +
            (echo.is_in_memory() ? "(param i32)" : "(result " + echo.flat + ")") + "))";
    bodies += "(func (export \"" + echo.name + "\")" + params;
    bodies += echo.is_in_memory() ? "(result i32)" : "(result " + echo.flat + ")";
    const size_t count =
        static_cast<size_t>(std::count(echo.flat.begin(), echo.flat.end(), ' ')) + 1;
    for (size_t i = 0; i < count; ++i) bodies += "(local.get " + std::to_string(i) + ")";
    if (echo.is_in_memory()) bodies += "(i32.const 1024)";
    bodies += "(call $" + echo.name + ")";
    bodies += echo.is_in_memory() ? "(i32.const 1024))" : ")";
  }
  return text + bodies + ")";
}

inline void ComponentBuilder::lower_and_instantiate() {
  const Bytes libc = wasm_of(R"((module (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 4096))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
      (global.set $next (i32.add (local.get $at) (local.get 3)))
      (if (i32.gt_u (global.get $next) (i32.shl (memory.size) (i32.const 16)))
        (then
          (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1))))))
      (local.get $at))))");
  out_ = std::move(out_) + section(1, libc) + section(1, wasm_of(module_text()));
  out_ = std::move(out_) + section(2, vec({Bytes{0x00, 0x00, 0x00}}));
  out_ = std::move(out_) + section(6, vec({Bytes{0x00, 0x02, 0x01, 0x00} + text_of("memory"),
                                           Bytes{0x00, 0x00, 0x01, 0x00} + text_of("realloc")}));
  std::vector<Bytes> lowers;
  std::vector<Bytes> inner;
  for (size_t i = 0; i < functions_.size(); ++i) {
    lowers.push_back(Bytes{0x01, 0x00} + u32_leb(i) + Bytes{0x03, 0x00, 0x03, 0x00, 0x04, 0x00});
    inner.push_back(text_of(functions_[i].name) + Bytes{0x00} + u32_leb(i + 1));
  }
  out_ = std::move(out_) + section(8, vec(lowers));
  out_ = std::move(out_) +
         section(2, vec({Bytes{0x01} + vec(inner),
                         Bytes{0x00, 0x01} + vec({text_of("libc") + Bytes{0x12, 0x00},
                                                  text_of("host") + Bytes{0x12, 0x01}})}));
}

inline void ComponentBuilder::lift_and_export() {
  std::vector<Bytes> aliases;
  std::vector<Bytes> lifts;
  std::vector<Bytes> exports;
  const size_t count = functions_.size();
  for (size_t i = 0; i < count; ++i) {
    aliases.push_back(Bytes{0x00, 0x00, 0x01, 0x02} + text_of(functions_[i].name));
    lifts.push_back(Bytes{0x00, 0x00} + u32_leb(1 + count + i) +
                    Bytes{0x03, 0x00, 0x03, 0x00, 0x04, 0x00} + func_types_[i]);
    exports.push_back(extern_name(functions_[i].name) + Bytes{0x01} + u32_leb(count + i));
  }
  out_ = std::move(out_) + section(6, vec(aliases)) + section(8, vec(lifts));
  if (!exported_.empty()) {
    const uint8_t instance = imported_.empty() ? 0 : 1;
    out_ = std::move(out_) + section(5, vec({Bytes{0x01} + vec(exports)}));
    out_ =
        std::move(out_) + section(11, vec({extern_name(exported_) + Bytes{0x05, instance, 0x00}}));
    return;
  }
  for (Bytes& item : exports) item.push_back(0x00);
  out_ = std::move(out_) + section(11, vec(exports));
}

inline Bytes ComponentBuilder::build() {
  import_functions();
  lower_and_instantiate();
  lift_and_export();
  return out_;
}

}  // namespace mayfly
