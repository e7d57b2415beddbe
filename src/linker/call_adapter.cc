// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of what a call does is that of definitions.py; lifting and lowering are one step, which
// only a trap half-way could tell apart, and after a trap nobody looks.
#include "linker/call_adapter.h"

#include <utility>

#include "base/check.h"
#include "component/flatten.h"
#include "linker/value_adapter.h"

namespace mayfly::linker {
namespace {

using component::FlatFunction;
using component::FlattenContext;
using component::Layout;
using component::PtrWidth;
using component::ValType;
using guest_abi::ComponentTrap;

// Word of the transfer memory: where its free part begins.
constexpr uint32_t kTransferTop = 0;

Flat flat_of(const wasm::ValType& type) {
  switch (type.kind) {
    case wasm::ValKind::kI64:
      return Flat::kI64;
    case wasm::ValKind::kF32:
      return Flat::kF32;
    case wasm::ValKind::kF64:
      return Flat::kF64;
    default:
      return Flat::kI32;
  }
}

void check_may_leave(AdapterModule& module, CodeWriter& code, uint32_t instance) {
  if (instance == kHostInstance) return;
  code.global_get(module.may_leave(instance)).op(Op::kI32Eqz);
  module.trap_if(code, ComponentTrap::kCannotLeave);
}

void enter(AdapterModule& module, CodeWriter& code, const std::vector<uint32_t>& instances) {
  for (const uint32_t instance : instances) {
    code.global_get(module.may_enter(instance)).op(Op::kI32Eqz);
    module.trap_if(code, ComponentTrap::kCannotEnter);
  }
  for (const uint32_t instance : instances) code.i32(0).global_set(module.may_enter(instance));
}

void leave(AdapterModule& module, CodeWriter& code, const std::vector<uint32_t>& instances) {
  for (const uint32_t instance : instances) code.i32(1).global_set(module.may_enter(instance));
}

// A function of WASI gets the transfer memory and the state memory (guest/wasi2/functions.h).
image::Binding guest_binding(AdapterModule& module, const std::string& symbol) {
  image::Binding binding;
  binding.kind = image::Binding::Kind::kGuest;
  binding.symbol = symbol;
  binding.memories = {module.memory_of(host_side()), module.state_memory()};
  return binding;
}

// Flat values in locals.
struct Locals {
  std::vector<uint32_t> indices;
  std::vector<Flat> types;
  Place place() const { return Place::flat(indices, types); }
};

class CallWriter {
 public:
  CallWriter(AdapterModule& module, const CallSpec& spec)
      : module_(module),
        spec_(spec),
        lowered_(flatten(spec.caller, FlattenContext::kLower)),
        lifted_(flatten(spec.callee, FlattenContext::kLift)),
        code_(static_cast<uint32_t>(type().params.size())) {
    for (const component::Member& param : spec.types->params(spec.func)) {
      params_.push_back(param.type);
      has_borrow_ = has_borrow_ || spec.types->has_borrow(param.type);
    }
    if (spec.types->result(spec.func).exists()) result_.push_back(spec.types->result(spec.func));
  }

  wasm::FuncType type() const {
    return spec_.caller.is_host() ? host_core_type(lowered_.core) : lowered_.core;
  }

  Result<CodeWriter> write() {
    if (spec_.is_missing) {
      module_.trap(code_, ComponentTrap::kMissingImport);
      return std::move(code_);
    }
    scope_ = code_.add_local(Flat::kI32);
    begin();
    const Locals arguments = MAYFLY_TRY(pass_arguments());
    const Locals results = call_target(arguments);
    const Locals returned = MAYFLY_TRY(pass_results(results));
    finish(results);
    for (const uint32_t local : returned.indices) code_.get(local);
    return std::move(code_);
  }

 private:
  FlatFunction flatten(const Side& side, FlattenContext context) const {
    return component::flatten_functype(*spec_.types, spec_.func, side.options, context);
  }

  Locals new_locals(std::span<const wasm::ValType> types) {
    Locals locals;
    for (const wasm::ValType& type : types) {
      locals.types.push_back(flat_of(type));
      locals.indices.push_back(code_.add_local(locals.types.back()));
    }
    return locals;
  }

  uint32_t first_param() const { return spec_.caller.is_host() ? 1 : 0; }

  Layout record(std::span<const ValType> fields) const {
    std::vector<Layout> layouts;
    for (const ValType field : fields) {
      layouts.push_back(spec_.types->layouts(field).of(PtrWidth::k32));
    }
    return component::record_layout(layouts);
  }

  void check_area(const Side& side, uint32_t pointer, const Layout& area) {
    code_.get(pointer)
        .i64(area.size)
        .i32(area.alignment - 1)
        .call(module_.range_check(side, ComponentTrap::kListOutOfBounds));
  }

  uint32_t transfer_memory() { return module_.memory_of(host_side()); }

  void begin() {
    if (spec_.caller.is_host()) {
      code_.i32(kTransferTop).get(0).access(Op::kI32Store, transfer_memory(), 0);
    }
    check_may_leave(module_, code_, spec_.caller.instance);
    enter(module_, code_, spec_.entered);
    if (spec_.callee.is_host()) {
      saved_top_ = code_.add_local(Flat::kI32);
      code_.i32(kTransferTop).access(Op::kI32Load, transfer_memory(), 0).set(saved_top_);
    }
    if (has_borrow_) {
      code_.call(module_.guest_function("scope_enter", {module_.state_memory()})).set(scope_);
    }
  }

  Direction direction(const Side& from, const Side& to) const {
    return {module_, from, to, *spec_.types, spec_.resources, spec_.resource_scope};
  }

  Result<Locals> pass_arguments() {
    Locals given;
    for (uint32_t i = 0; i < lowered_.core.params.size(); ++i) {
      given.indices.push_back(first_param() + i);
      given.types.push_back(flat_of(lowered_.core.params[i]));
    }
    const Layout area = record(params_);
    Place from = given.place();
    if (lowered_.params_in_memory) {
      from = Place::memory(given.indices[0], 0);
      check_area(spec_.caller, from.pointer, area);
    }
    Locals passed = new_locals(lifted_.core.params);
    Place to = passed.place();
    if (lifted_.params_in_memory) {
      to = Place::memory(passed.indices[0], 0);
      code_.i32(0).i32(0).i32(area.alignment).i32(static_cast<uint32_t>(area.size));
      code_.call(module_.allocate(spec_.callee)).set(to.pointer);
    }
    const Direction forth = direction(spec_.caller, spec_.callee);
    MAYFLY_TRY(ValueAdapter(forth, code_, scope_).copy_record(params_, from, to));
    return passed;
  }

  Locals call_target(const Locals& arguments) {
    wasm::FuncType type = lifted_.core;
    image::Binding target = spec_.target;
    if (!spec_.guest_symbol.empty()) {
      target = guest_binding(module_, spec_.guest_symbol);
    } else if (spec_.callee.is_host()) {
      type = host_core_type(std::move(type));
      code_.i32(kTransferTop).access(Op::kI32Load, transfer_memory(), 0);
    }
    for (const uint32_t local : arguments.indices) code_.get(local);
    code_.call(module_.writer().import_function(target, type));
    Locals results = new_locals(lifted_.core.results);
    for (const uint32_t local : results.indices) code_.set(local);
    return results;
  }

  Result<Locals> pass_results(const Locals& results) {
    Locals returned = new_locals(lowered_.core.results);
    if (result_.empty()) return returned;
    const Layout area = record(result_);
    Place from = results.place();
    if (lifted_.results_in_memory) {
      from = Place::memory(results.indices[0], 0);
      check_area(spec_.callee, from.pointer, area);
    }
    Place to = returned.place();
    if (lowered_.results_in_memory) {
      const auto last = static_cast<uint32_t>(lowered_.core.params.size() - 1);
      to = Place::memory(first_param() + last, 0);
      check_area(spec_.caller, to.pointer, area);
    }
    const Direction back = direction(spec_.callee, spec_.caller);
    MAYFLY_TRY(ValueAdapter(back, code_, scope_).copy_record(result_, from, to));
    return returned;
  }

  void finish(const Locals& results) {
    if (has_borrow_) {
      // The host forgets what it borrowed when its function returns.
      if (spec_.callee.is_host()) {
        code_.i32(kHostInstance).get(scope_);
        code_.call(module_.guest_function("scope_forget", {module_.state_memory()}));
      }
      code_.get(scope_);
      code_.call(module_.guest_function("scope_leave", {module_.state_memory()}));
    }
    if (spec_.callee.is_host()) {
      code_.i32(kTransferTop).get(saved_top_).access(Op::kI32Store, transfer_memory(), 0);
    }
    if (spec_.callee.post_return) {
      const uint32_t may_leave = module_.may_leave(spec_.callee.instance);
      code_.i32(0).global_set(may_leave);
      for (const uint32_t local : results.indices) code_.get(local);
      code_.call(
          module_.writer().import_function(*spec_.callee.post_return, {lifted_.core.results, {}}));
      code_.i32(1).global_set(may_leave);
    }
    leave(module_, code_, spec_.entered);
  }

  AdapterModule& module_;
  const CallSpec& spec_;
  FlatFunction lowered_;
  FlatFunction lifted_;
  std::vector<ValType> params_;
  std::vector<ValType> result_;  // one or none
  bool has_borrow_ = false;
  CodeWriter code_;
  uint32_t scope_ = 0;
  uint32_t saved_top_ = 0;
};

}  // namespace

wasm::FuncType host_core_type(wasm::FuncType type) {
  type.params.insert(type.params.begin(), wasm::kI32);
  return type;
}

Result<FunctionRef> add_call(AdapterModule& module, const CallSpec& spec, std::string name) {
  CallWriter call(module, spec);
  const wasm::FuncType type = call.type();
  CodeWriter code = MAYFLY_TRY(call.write());
  const FunctionRef function = module.writer().add_function(type, std::move(name));
  module.writer().set_body(function, std::move(code));
  return function;
}

FunctionRef add_resource_new(AdapterModule& module, uint32_t instance, ResourceRef resource) {
  CodeWriter code(1);
  check_may_leave(module, code, instance);
  code.i32(instance).i32(resource.number).get(0);
  code.call(module.guest_function("handle_new", {module.state_memory()}));
  const FunctionRef function =
      module.writer().add_function({{wasm::kI32}, {wasm::kI32}}, "resource.new");
  module.writer().set_body(function, std::move(code));
  return function;
}

FunctionRef add_resource_rep(AdapterModule& module, uint32_t instance, ResourceRef resource) {
  CodeWriter code(1);
  code.i32(instance).i32(resource.number).get(0);
  code.call(module.guest_function("handle_rep", {module.state_memory()}));
  const FunctionRef function =
      module.writer().add_function({{wasm::kI32}, {wasm::kI32}}, "resource.rep");
  module.writer().set_body(function, std::move(code));
  return function;
}

// A destructor is called as a function of the component that implements the resource is.
FunctionRef add_resource_drop(AdapterModule& module, const DropSpec& spec) {
  const uint32_t first = spec.instance == kHostInstance ? 1 : 0;
  CodeWriter code(first + 1);
  const uint32_t dropped = code.add_local(Flat::kI64);
  if (spec.instance == kHostInstance) {
    code.i32(kTransferTop).get(0).access(Op::kI32Store, module.memory_of(host_side()), 0);
  }
  check_may_leave(module, code, spec.instance);
  code.i32(spec.instance).i32(spec.resource.number).get(first);
  code.call(module.guest_function("handle_drop", {module.state_memory()})).tee(dropped);
  code.i64(32).op(Op::kI64ShrU).op(Op::kI32WrapI64).if_();
  enter(module, code, spec.entered);
  wasm::FuncType destructor_type{{wasm::kI32}, {}};
  if (!spec.guest_destructor.empty()) {
    const image::Binding destructor = guest_binding(module, spec.guest_destructor);
    code.get(dropped).op(Op::kI32WrapI64);
    code.call(module.writer().import_function(destructor, destructor_type));
  } else if (spec.destructor) {
    if (spec.destructor_is_of_host) {
      destructor_type = host_core_type(std::move(destructor_type));
      code.i32(kTransferTop).access(Op::kI32Load, module.memory_of(host_side()), 0);
    }
    code.get(dropped).op(Op::kI32WrapI64);
    code.call(module.writer().import_function(*spec.destructor, destructor_type));
  }
  leave(module, code, spec.entered);
  code.end();
  wasm::FuncType type{{wasm::kI32}, {}};
  if (spec.instance == kHostInstance) type = host_core_type(std::move(type));
  const FunctionRef function = module.writer().add_function(type, "resource.drop");
  module.writer().set_body(function, std::move(code));
  return function;
}

}  // namespace mayfly::linker
