// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The guest library's functions of WASI 0.2 against the WIT files that define them: each has the
// core type that its WIT type flattens to, none is missing, and none is made up.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include "component/component.h"
#include "component/flatten.h"
#include "component/wit_encode.h"
#include "component/wit_files.h"

namespace mayfly::component::wit {
namespace {

namespace fs = std::filesystem;

struct Declared {
  const char* interface;
  const char* name;
  const char* signature;
};
constexpr Declared kDeclared[] = {
#define MAYFLY_WASI2_FUNCTION(interface, name, signature, symbol) {interface, name, signature},
#include "guest_abi/wasi2_functions.inc"
#undef MAYFLY_WASI2_FUNCTION
};

fs::path wit_folder() {
  const char* chosen = std::getenv("MAYFLY_TESTDATA");
  if (chosen != nullptr) return fs::path(chosen) / ".." / "reference" / "wit";
  return fs::path(MAYFLY_SOURCE_DIR) / ".." / "shared" / "reference" / "wit";
}

std::string letters(std::span<const wasm::ValType> types) {
  std::string text;
  for (const wasm::ValType type : types) {
    if (type == wasm::kI32) text += 'i';
    if (type == wasm::kI64) text += 'I';
    if (type == wasm::ValType::of(wasm::ValKind::kF32)) text += 'f';
    if (type == wasm::ValType::of(wasm::ValKind::kF64)) text += 'F';
  }
  return text;
}

// "wasi:io/poll@0.2.12" without the version.
std::string plain(std::string_view name) { return std::string(name.substr(0, name.find('@'))); }

std::string full_name(std::string interface, std::string_view name) {
  return interface.append(" ").append(name);
}

class Functions {
 public:
  // Signatures by "interface name", of all packages of a folder.
  void add_folder(const fs::path& folder) {
    const auto resolved = load(folder.string());
    ASSERT_TRUE(resolved) << resolved.error().message;
    for (const Interface& interface : resolved->model.interfaces) {
      add_resources(resolved->model, interface);
    }
    for (uint32_t package = 0; package < resolved->model.packages.size(); ++package) {
      const auto component = decode(encode_package(resolved->model, PackageId{package}));
      ASSERT_TRUE(component) << component.error().message;
      add_package(*component);
    }
  }
  const std::map<std::string, std::string>& signatures() const { return signatures_; }

 private:
  void add_resources(const Model& model, const Interface& interface) {
    if (!interface.package) return;
    const PackageName& package = model[*interface.package].name;
    for (const TypeId type : interface.types) {
      if (model[type].kind != TypeKind::kResource) continue;
      signatures_[package.ns + ":" + package.name + "/" + interface.name + " [resource-drop]" +
                  model[type].name] = "i:";
    }
  }
  // WIT.md #package-format: each export is a type; an interface's is a component type that exports
  // the instance.
  void add_package(const Component& component) {
    const TypeArena& types = component.types;
    for (const ExportDef& item : component.root().exports) {
      if (item.type.sort != Sort::kType) continue;
      if (types.kind(item.type.type()) != TypeKind::kComponent) continue;
      for (const Declaration& inner : types.component(item.type.type()).exports.items()) {
        if (inner.type.sort == Sort::kInstance) add_instance(types, inner);
      }
    }
  }
  void add_instance(const TypeArena& types, const Declaration& instance) {
    const std::string interface = plain(types.text(instance.name));
    const InstanceType& type = types.instance(instance.type.type());
    for (const Declaration& item : type.exports.items()) {
      const std::string name(types.text(item.name));
      if (item.type.sort == Sort::kFunc) {
        const wasm::FuncType core =
            flatten_functype(types, item.type.type(), {}, FlattenContext::kLift).core;
        signatures_[full_name(interface, name)] =
            letters(core.params) + ":" + letters(core.results);
      }
    }
  }

  std::map<std::string, std::string> signatures_;
};

class Wasi2Signatures : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(wit_folder() / "wasi-0.2")) {
      GTEST_SKIP() << "SKIPPED: signatures of WASI 0.2: no WIT in " << wit_folder();
    }
    for (const char* folder : {"wasi-0.2", "wasi-config", "wasi-keyvalue"}) {
      wit_.add_folder(wit_folder() / folder);
    }
    ASSERT_GT(wit_.signatures().size(), 180U);
  }
  Functions wit_;
};

TEST_F(Wasi2Signatures, AreWhatTheirTypesFlattenTo) {
  // There is no WIT of it, or of its old name, in the folder.
  const std::set<std::string> elsewhere = {"wasi:logging/logging log", "wasi:config/runtime get",
                                           "wasi:config/runtime get-all"};
  for (const Declared& function : kDeclared) {
    const std::string name = full_name(function.interface, function.name);
    const auto found = wit_.signatures().find(name);
    if (found == wit_.signatures().end()) {
      EXPECT_TRUE(elsewhere.contains(name)) << name << " is in no WIT file";
    } else {
      EXPECT_EQ(found->second, function.signature) << name;
    }
  }
}

TEST_F(Wasi2Signatures, AreThoseOfAllFunctions) {
  std::set<std::string> declared;
  for (const Declared& function : kDeclared) {
    declared.insert(full_name(function.interface, function.name));
  }
  std::set<std::string> missing;
  for (const auto& [name, signature] : wit_.signatures()) {
    if (!declared.contains(name)) missing.insert(name);
  }
  // Exports of components, and one that is `@unstable`.
  const std::set<std::string> others = {
      "wasi:cli/run run", "wasi:http/incoming-handler handle", "wasi:keyvalue/watcher on-delete",
      "wasi:keyvalue/watcher on-set",
      "wasi:http/types [method]response-outparam.send-informational"};
  EXPECT_EQ(missing, others);
}

}  // namespace
}  // namespace mayfly::component::wit
