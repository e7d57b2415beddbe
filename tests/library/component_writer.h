// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ComponentWriter: a component piece by piece, in the order of its binary format. Each piece
// answers its index, which later ones refer to.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "component_types.h"
#include "wat.h"

namespace mayfly {

using Fields = std::vector<std::pair<std::string, Bytes>>;

inline Bytes extern_name(std::string_view name) { return Bytes{0x00} + text_of(name); }
// (sub resource)
inline const Bytes kAnyResource{0x03, 0x01};

// The type of an instance: what an interface has.
class InterfaceType : public TypeScope {
 public:
  Bytes define(const Bytes& type) override {
    declarations_.push_back(Bytes{0x01} + type);
    return index(count_++);
  }
  Bytes resource(const std::string& name) {
    declarations_.push_back(Bytes{0x04} + extern_name(name) + kAnyResource);
    return index(count_++);
  }
  InterfaceType& function(const std::string& name, const Fields& params, const Bytes& result) {
    const Bytes type = func(params, result);
    declarations_.push_back(Bytes{0x04} + extern_name(name) + Bytes{0x01} + type);
    return *this;
  }
  Bytes bytes() const { return Bytes{0x42} + vec(declarations_); }

 private:
  std::vector<Bytes> declarations_;
};

// Memory and realloc of a lifted or lowered function, and what frees its results.
struct CanonOptions {
  std::vector<Bytes> options;
  static CanonOptions utf8(uint32_t memory, uint32_t realloc) {
    return {{Bytes{0x00}, Bytes{0x03} + u32_leb(memory), Bytes{0x04} + u32_leb(realloc)}};
  }
  CanonOptions post_return(uint32_t function) const {
    CanonOptions all = *this;
    all.options.push_back(Bytes{0x05} + u32_leb(function));
    return all;
  }
};

class ComponentWriter : public TypeScope {
 public:
  Bytes define(const Bytes& type) override {
    add(7, type);
    return index(count_++);
  }

  uint32_t core_module(const std::string& wat) {
    out_ = std::move(out_) + section(1, wasm_of(wat));
    return core_modules_++;
  }
  uint32_t core_instance(uint32_t module,
                         const std::vector<std::pair<std::string, uint32_t>>& arguments = {}) {
    std::vector<Bytes> items;
    for (const auto& [name, instance] : arguments) {
      items.push_back(text_of(name) + Bytes{0x12} + u32_leb(instance));
    }
    add(2, Bytes{0x00} + u32_leb(module) + vec(items));
    return core_instances_++;
  }
  // Of core functions.
  uint32_t core_exports(const std::vector<std::pair<std::string, uint32_t>>& functions) {
    std::vector<Bytes> items;
    for (const auto& [name, function] : functions) {
      items.push_back(text_of(name) + Bytes{0x00} + u32_leb(function));
    }
    add(2, Bytes{0x01} + vec(items));
    return core_instances_++;
  }
  uint32_t core_function(uint32_t instance, const std::string& name) {
    add(6, Bytes{0x00, 0x00, 0x01} + u32_leb(instance) + text_of(name));
    return core_functions_++;
  }
  uint32_t core_memory(uint32_t instance, const std::string& name) {
    add(6, Bytes{0x00, 0x02, 0x01} + u32_leb(instance) + text_of(name));
    return core_memories_++;
  }

  uint32_t component(const Bytes& bytes) {
    out_ = std::move(out_) + section(4, bytes);
    return components_++;
  }
  // Its arguments are functions.
  uint32_t instance(uint32_t component,
                    const std::vector<std::pair<std::string, uint32_t>>& arguments = {}) {
    std::vector<Bytes> items;
    for (const auto& [name, function] : arguments) {
      items.push_back(text_of(name) + Bytes{0x01} + u32_leb(function));
    }
    add(5, Bytes{0x00} + u32_leb(component) + vec(items));
    return instances_++;
  }

  uint32_t import_instance(const std::string& name, const InterfaceType& type) {
    const Bytes defined = define(type.bytes());
    add(10, extern_name(name) + Bytes{0x05} + defined);
    return instances_++;
  }
  // A type that has to have a name. Its new index.
  Bytes import_type(const std::string& name, const Bytes& type) {
    add(10, extern_name(name) + Bytes{0x03, 0x00} + type);
    return index(count_++);
  }
  uint32_t import_function(const std::string& name, const Bytes& type) {
    add(10, extern_name(name) + Bytes{0x01} + type);
    return functions_++;
  }
  uint32_t function_of(uint32_t instance, const std::string& name) {
    add(6, Bytes{0x01, 0x00} + u32_leb(instance) + text_of(name));
    return functions_++;
  }
  Bytes type_of(uint32_t instance, const std::string& name) {
    add(6, Bytes{0x03, 0x00} + u32_leb(instance) + text_of(name));
    return index(count_++);
  }

  // A resource of the component's own; `destructor` is a core function, or -1.
  Bytes new_resource(int64_t destructor = -1) {
    const Bytes drop =
        destructor < 0 ? Bytes{0x00} : Bytes{0x01} + u32_leb(static_cast<uint64_t>(destructor));
    return define(Bytes{0x3f, 0x7f} + drop);
  }
  uint32_t resource_new(const Bytes& resource) { return canon(Bytes{0x02} + resource); }
  uint32_t resource_drop(const Bytes& resource) { return canon(Bytes{0x03} + resource); }
  uint32_t resource_rep(const Bytes& resource) { return canon(Bytes{0x04} + resource); }

  uint32_t lower(uint32_t function, const CanonOptions& options = {}) {
    return canon(Bytes{0x01, 0x00} + u32_leb(function) + vec(options.options));
  }
  uint32_t lift(uint32_t core_function, const Bytes& type, const CanonOptions& options = {}) {
    add(8, Bytes{0x00, 0x00} + u32_leb(core_function) + vec(options.options) + type);
    return functions_++;
  }

  void export_function(const std::string& name, uint32_t function) {
    add(11, extern_name(name) + Bytes{0x01} + u32_leb(function) + Bytes{0x00});
    ++functions_;
  }
  // Its new index.
  Bytes export_type(const std::string& name, const Bytes& type) {
    add(11, extern_name(name) + Bytes{0x03} + type + Bytes{0x00});
    return index(count_++);
  }
  void export_instance(const std::string& name,
                       const std::vector<std::pair<std::string, uint32_t>>& functions) {
    std::vector<Bytes> items;
    for (const auto& [item, function] : functions) {
      items.push_back(extern_name(item) + Bytes{0x01} + u32_leb(function));
    }
    add(5, Bytes{0x01} + vec(items));
    add(11, extern_name(name) + Bytes{0x05} + u32_leb(instances_) + Bytes{0x00});
    instances_ += 2;
  }

  const Bytes& bytes() const { return out_; }

 private:
  void add(uint8_t id, const Bytes& item) { out_ = std::move(out_) + section(id, vec({item})); }
  uint32_t canon(const Bytes& bytes) {
    add(8, bytes);
    return core_functions_++;
  }

  Bytes out_ = {0x00, 'a', 's', 'm', 0x0d, 0x00, 0x01, 0x00};
  uint32_t components_ = 0;
  uint32_t core_modules_ = 0;
  uint32_t core_instances_ = 0;
  uint32_t core_functions_ = 0;
  uint32_t core_memories_ = 0;
  uint32_t functions_ = 0;
  uint32_t instances_ = 0;
};

}  // namespace mayfly
