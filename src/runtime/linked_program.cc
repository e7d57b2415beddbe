// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only what some module imports becomes a host function of the image, so that a definition that
// nobody uses changes no image.
#include "runtime/linked_program.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "runtime/build.h"
#include "runtime/compile_cache.h"
#include "runtime/linked_component.h"
#include "runtime/plan_builder.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

using Name = std::pair<std::string, std::string>;

wasm::ValType val_type_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kI32:
      return wasm::kI32;
    case ValueKind::kI64:
      return wasm::kI64;
    case ValueKind::kF32:
      return wasm::ValType::of(wasm::ValKind::kF32);
    case ValueKind::kF64:
      return wasm::ValType::of(wasm::ValKind::kF64);
    case ValueKind::kV128:
      return wasm::kV128;
    case ValueKind::kFuncref:
      return wasm::kFuncref;
    case ValueKind::kExternref:
      return wasm::kExternref;
    case ValueKind::kOtherRef:
      break;
  }
  return wasm::ValType::of(wasm::RefType{true, {wasm::HeapKind::kAny, wasm::kNoIndex}});
}

std::string quoted(const HostDefinition& function) {
  return "\"" + printable(function.module) + "\" \"" + printable(function.name) + "\"";
}

Result<void> check_names(const LinkRequest& request) {
  std::set<Name> functions;
  for (const HostDefinition& function : request.functions) {
    if (!functions.emplace(function.module, function.name).second) {
      return invalid("the host function " + quoted(function) + " is defined twice");
    }
  }
  std::set<std::string> instances;
  for (const auto& instance : request.instances) {
    if (!instances.insert(instance.name).second) {
      return invalid("two programs are linked as \"" + printable(instance.name) + "\"");
    }
  }
  return {};
}

// Definitions that some instance imports, in the order in which they were made.
std::vector<const HostDefinition*> used_functions(const LinkRequest& request) {
  std::set<Name> imported;
  for (const auto& instance : request.instances) {
    for (const wasm::Import& import : instance.program->module().imports) {
      imported.emplace(import.module, import.name);
    }
  }
  std::vector<const HostDefinition*> used;
  for (const HostDefinition& function : request.functions) {
    if (function.function.call == nullptr) continue;
    if (imported.contains({function.module, function.name})) used.push_back(&function);
  }
  return used;
}

// What decides the image. Program numbers stand for contents.
std::string key_of(const LinkRequest& request, const std::vector<const HostDefinition*>& used) {
  const auto text = [](const std::string& name) {
    return std::to_string(name.size()) + ":" + name;
  };
  std::string key = request.wasi ? "wasi" : "";
  for (const auto& instance : request.instances) {
    key += "|" + std::to_string(instance.program->number()) + " " + text(instance.name);
  }
  for (const HostDefinition* function : used) {
    key += "|" + text(function->module) + text(function->name) + to_string(function->function.type);
  }
  return key;
}

// Every instance is tried, so that one answer lists all that is missing.
Result<void> add_instances(const LinkRequest& request, PlanBuilder& builder,
                           image::BuildRequest& build) {
  std::map<uint64_t, uint32_t> modules;  // by program number
  for (const auto& instance : request.instances) {
    const ProgramState& program = *instance.program;
    auto [module, is_new] = modules.try_emplace(program.number(), 0);
    if (is_new) {
      module->second = builder.add_module(program.module());
      build.modules.push_back(program.bytes());
      build.module_names.push_back(program.name());
    }
    auto step = builder.instantiate(module->second, instance.name);
    if (!step) return with_context(printable(program.name()), std::move(step).error());
    builder.register_instance(instance.name, *step);
  }
  return {};
}

Result<Fd> compile(EngineState& engine, const image::BuildRequest& request) {
  const TraceSpan span(engine, "compile");
  Built built = MAYFLY_TRY(build_image(request, engine.config().build));
  ++engine.counters().compilations;
  engine.counters().compile_ns += built.reply.compile_ns + built.reply.link_ns;
  return std::move(built.image);
}

Result<Fd> take_or_compile(EngineState& engine, image::BuildRequest& request) {
  const auto& cache = engine.config().cache;
  if (!cache) return compile(engine, request);
  CacheInput input;
  input.compiler = engine.config().builders;
  for (const auto& module : request.modules) input.modules.push_back(module_hash(module));
  auto modules = std::exchange(request.modules, {});  // the key has their hashes
  input.request = request;
  request.modules = std::move(modules);
  auto cached = MAYFLY_TRY(cache->get(cache_key(input), [&] { return compile(engine, request); }));
  if (!cached.was_built) ++engine.counters().cache_hits;
  return std::move(cached.image);
}

Result<std::shared_ptr<const image::Image>> build(EngineState& engine,
                                                  image::BuildRequest& request) {
  Fd file = MAYFLY_TRY(take_or_compile(engine, request));
  return std::shared_ptr<const image::Image>(MAYFLY_TRY(image::Image::open(std::move(file))));
}

// An image is linked already: what is left are the embedder's functions.
Result<std::shared_ptr<const LinkedProgram>> link_image(const LinkRequest& request) {
  const ProgramState& program = *request.instances.back().program;
  auto linked = std::make_shared<LinkedProgram>();
  linked->image = program.image();
  linked->main = static_cast<uint32_t>(linked->image->instances().size() - 1);
  linked->uses_wasi = std::ranges::any_of(linked->image->imports(), [](const auto& import) {
    return import.bound_to == "guest library";
  });
  if (auto known = check_types_known(*linked->image); !known) {
    return with_context(printable(program.name()), std::move(known).error());
  }
  for (const image::HostFunction& wanted : linked->image->host_functions()) {
    const auto found = std::ranges::find_if(request.functions, [&](const HostDefinition& function) {
      return function.function.call != nullptr && function.module == wanted.module &&
             function.name == wanted.name;
    });
    const std::string name = printable(wanted.module) + "." + printable(wanted.name);
    if (found == request.functions.end()) {
      return link_error(printable(program.name()) + ": nothing defines " + name + " " +
                        wasm::to_string(wanted.type));
    }
    if (func_type_of(found->function.type) != wanted.type) {
      return link_error(printable(program.name()) + ": " + name + " is " +
                        to_string(found->function.type) + ", but has to be " +
                        wasm::to_string(wanted.type));
    }
    linked->functions.push_back(found->function);
  }
  return std::shared_ptr<const LinkedProgram>(std::move(linked));
}

bool uses_guest_library(const image::Plan& plan) {
  return std::ranges::any_of(plan.steps, [](const image::InstanceStep& step) {
    return std::ranges::any_of(step.imports, [](const image::Binding& binding) {
      return binding.kind == image::Binding::Kind::kGuest;
    });
  });
}

}  // namespace

Result<std::shared_ptr<const image::Image>> build_image_for(EngineState& engine,
                                                            const std::string& key,
                                                            image::BuildRequest& request) {
  return engine.image_for(key, [&] { return build(engine, request); });
}

ValueKind value_kind_of(wasm::ValType type) {
  switch (type.kind) {
    case wasm::ValKind::kI32:
      return ValueKind::kI32;
    case wasm::ValKind::kI64:
      return ValueKind::kI64;
    case wasm::ValKind::kF32:
      return ValueKind::kF32;
    case wasm::ValKind::kF64:
      return ValueKind::kF64;
    case wasm::ValKind::kV128:
      return ValueKind::kV128;
    default:
      break;
  }
  if (type == wasm::kFuncref) return ValueKind::kFuncref;
  if (type == wasm::kExternref) return ValueKind::kExternref;
  return ValueKind::kOtherRef;
}

wasm::FuncType func_type_of(const FunctionType& type) {
  wasm::FuncType out;
  std::ranges::transform(type.params, std::back_inserter(out.params), val_type_of);
  std::ranges::transform(type.results, std::back_inserter(out.results), val_type_of);
  return out;
}

FunctionType function_type_of(const wasm::FuncType& type) {
  FunctionType out;
  std::ranges::transform(type.params, std::back_inserter(out.params), value_kind_of);
  std::ranges::transform(type.results, std::back_inserter(out.results), value_kind_of);
  return out;
}

Result<std::shared_ptr<const LinkedProgram>> link_program(EngineState& engine,
                                                          const LinkRequest& request) {
  MAYFLY_TRY(engine.check_process());
  MAYFLY_TRY(check_names(request));
  for (const auto& instance : request.instances) {
    const ProgramState& program = *instance.program;
    if (program.image() == nullptr && program.component() == nullptr) continue;
    if (request.instances.size() == 1) {
      return program.image() != nullptr ? link_image(request) : link_component(engine, request);
    }
    return link_error(printable(program.name()) +
                      (program.image() != nullptr
                           ? ": an image is linked already, and cannot be linked to others"
                           : ": a component cannot be linked to other programs"));
  }
  const auto used = used_functions(request);
  auto linked = std::make_shared<LinkedProgram>();
  PlanBuilder builder({.wasi = request.wasi});
  for (const HostDefinition* function : used) {
    builder.define_host_function(function->module, function->name,
                                 func_type_of(function->function.type));
    linked->functions.push_back(function->function);
  }
  image::BuildRequest build_request;
  build_request.options = engine.config().options;
  {
    const TraceSpan span(engine, "link");
    MAYFLY_TRY(add_instances(request, builder, build_request));
    build_request.plan = builder.take_plan();
  }
  linked->main = static_cast<uint32_t>(build_request.plan.steps.size() - 1);
  linked->uses_wasi = uses_guest_library(build_request.plan);
  linked->image = MAYFLY_TRY(build_image_for(engine, key_of(request, used), build_request));
  return std::shared_ptr<const LinkedProgram>(std::move(linked));
}

}  // namespace mayfly::runtime
