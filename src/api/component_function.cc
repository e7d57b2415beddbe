// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handles to functions of a sandbox's component.
#include "mayfly/component_function.h"

#include <utility>

#include "api/moved_from.h"
#include "api/public_values.h"
#include "base/result.h"
#include "component/type_text.h"
#include "mayfly/caller.h"
#include "mayfly/sandbox.h"
#include "runtime/component_call.h"
#include "runtime/linked_component.h"
#include "runtime/printable.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
namespace {

using runtime::ComponentTarget;
using runtime::SandboxState;

const ComponentTarget& target_of(const void* target) {
  return *static_cast<const ComponentTarget*>(target);
}

Result<const ComponentTarget*> find(const SandboxState* state, std::string_view name) {
  if (state == nullptr) return api::moved_from("sandbox");
  const runtime::LinkedComponent* component = state->program().component.get();
  if (component == nullptr) {
    return invalid(
        "the program is no component, or an image, which does not say what types its "
        "component's functions have");
  }
  const ComponentTarget* found = runtime::find_component_export(*component, name);
  if (found == nullptr) return runtime::no_component_export(*component, name);
  return found;
}

}  // namespace

Result<ComponentFunction> Sandbox::component_function(std::string_view name) const {
  return ComponentFunction(state_, MAYFLY_TRY(find(state_.get(), name)));
}

Result<ComponentFunction> Caller::component_function(std::string_view name) const {
  return ComponentFunction(state_->shared_from_this(), MAYFLY_TRY(find(state_, name)));
}

const std::string& ComponentFunction::name() const {
  static const std::string kMovedFrom;
  return state_ == nullptr ? kMovedFrom : target_of(target_).function.export_name;
}

std::string ComponentFunction::type() const {
  if (state_ == nullptr) return "";
  const ComponentTarget& target = target_of(target_);
  if (target.is_drop()) return "func(self: own<resource>)";
  return component::function_text(target.function.file->component.types, target.function.type);
}

Outcome<std::optional<ComponentValue>> ComponentFunction::call(
    std::span<const ComponentValue> arguments) const {
  if (state_ == nullptr) return api::moved_from("function");
  auto call = runtime::DynamicCall::create(target_of(target_), arguments,
                                           state_->config().limits.lifted_bytes_max);
  if (!call) return with_context(runtime::printable(name()), std::move(call).error());
  if (auto end = invoke(call->values()); end != nullptr) return end;
  return call->take_result();
}

Result<void> ComponentFunction::check_type(const ComponentSignature& signature) const {
  if (state_ == nullptr) return api::moved_from("function");
  const ComponentTarget& target = target_of(target_);
  if (runtime::has_signature(*state_->program().component, target, signature)) {
    return {};
  }
  return invalid("the function \"" + runtime::printable(name()) + "\" has the type " + type() +
                 ", but is called as " + to_string(signature));
}

std::unique_ptr<CallOutcome> ComponentFunction::invoke(const detail::TransferCall& call) const {
  Result<std::unique_ptr<runtime::CallOutcome>> ended = api::moved_from("function");
  if (state_ != nullptr) ended = state_->call(target_of(target_), call);
  if (!ended) {
    return std::make_unique<CallOutcome>(api::host_error_outcome(std::move(ended).error()));
  }
  if (*ended == nullptr) return nullptr;
  return std::make_unique<CallOutcome>(
      api::public_outcome(std::move(**ended), *state_->program().image));
}

}  // namespace mayfly
