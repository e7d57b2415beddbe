// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LinkedProgram: a program with everything that its imports are bound to, as one image and the
// embedder's functions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/build_request.h"
#include "image/image.h"
#include "mayfly/component_host_function.h"
#include "mayfly/host_function.h"
#include "runtime/engine_state.h"
#include "runtime/program_state.h"

namespace mayfly::runtime {

struct LinkedComponent;

struct HostDefinition {
  std::string module;
  std::string name;
  detail::HostFunction function;                // of modules; without `call` there is none
  detail::ComponentHostFunction of_components;  // the same
};

struct LinkRequest {
  struct Instance {
    std::string name;
    std::shared_ptr<const ProgramState> program;
  };
  std::vector<Instance> instances;  // the main program is the last
  std::vector<HostDefinition> functions;
  bool wasi = true;
};

// Immutable, shareable between threads.
struct LinkedProgram {
  std::shared_ptr<const image::Image> image;
  std::vector<detail::HostFunction> functions;  // in the order of Image::host_functions
  uint32_t main = 0;                            // step of the main program
  bool uses_wasi = false;
  std::shared_ptr<const LinkedComponent> component;  // null: it is none, or only its image is known
};

// Errors: kLink with all imports that cannot be met; kInvalid for a name that is defined twice; the
// compiler's.
Result<std::shared_ptr<const LinkedProgram>> link_program(EngineState& engine,
                                                          const LinkRequest& request);

// The image that `key` stands for: one that is in use, cached, or built.
Result<std::shared_ptr<const image::Image>> build_image_for(EngineState& engine,
                                                            const std::string& key,
                                                            image::BuildRequest& request);

// The WebAssembly type of a host function.
wasm::FuncType func_type_of(const FunctionType& type);
FunctionType function_type_of(const wasm::FuncType& type);
ValueKind value_kind_of(wasm::ValType type);

}  // namespace mayfly::runtime
