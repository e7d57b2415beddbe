// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Handles to a SandboxState: the sandbox itself, its functions, and what a host function sees.
#include "mayfly/sandbox.h"

#include <algorithm>
#include <utility>

#include "api/moved_from.h"
#include "api/public_values.h"
#include "base/result.h"
#include "mayfly/caller.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
namespace {

using image::ImageExport;
using runtime::SandboxState;

const ImageExport& export_of(const void* target) {
  return *static_cast<const ImageExport*>(target);
}

Result<const ImageExport*> find(const SandboxState* state, wasm::ExternKind kind,
                                std::string_view name) {
  if (state == nullptr) return api::moved_from("sandbox");
  const ImageExport* found = state->find_export(kind, name);
  if (found == nullptr) return state->no_export(kind, name);
  return found;
}

std::unique_ptr<CallOutcome> host_error_end(Error error) {
  return std::make_unique<CallOutcome>(api::host_error_outcome(std::move(error)));
}

}  // namespace

Sandbox::Sandbox(std::shared_ptr<SandboxState> state) : state_(std::move(state)) {}
Sandbox::Sandbox(Sandbox&& other) noexcept = default;
Sandbox& Sandbox::operator=(Sandbox&& other) noexcept = default;
Sandbox::~Sandbox() = default;

CallOutcome Sandbox::call_values(std::string_view name, std::span<const Value> arguments) {
  auto found = function(name);
  if (!found) return api::host_error_outcome(std::move(found).error());
  return found->call(arguments);
}

Result<Function> Sandbox::function(std::string_view name) const {
  return Function(state_, MAYFLY_TRY(find(state_.get(), wasm::ExternKind::kFunc, name)));
}

Result<Memory> Sandbox::memory(std::string_view name) const {
  return Memory(state_, MAYFLY_TRY(find(state_.get(), wasm::ExternKind::kMemory, name)));
}

Result<Global> Sandbox::global(std::string_view name) const {
  return Global(state_, MAYFLY_TRY(find(state_.get(), wasm::ExternKind::kGlobal, name)));
}

Result<Table> Sandbox::table(std::string_view name) const {
  return Table(state_, MAYFLY_TRY(find(state_.get(), wasm::ExternKind::kTable, name)));
}

Result<void> Sandbox::set_deadline(std::optional<std::chrono::nanoseconds> per_call) {
  if (state_ == nullptr) return api::moved_from("sandbox");
  return state_->set_deadline(per_call);
}

Result<void> Sandbox::set_fuel(std::optional<uint64_t> per_call) {
  if (state_ == nullptr) return api::moved_from("sandbox");
  return state_->set_fuel(per_call);
}

std::optional<int64_t> Sandbox::fuel_left() const {
  return state_ == nullptr ? std::nullopt : state_->fuel_left();
}

void Sandbox::interrupt() const {
  if (state_ != nullptr) state_->interrupt();
}

bool Sandbox::poisoned() const { return state_ != nullptr && state_->is_poisoned(); }

Usage Sandbox::usage() const { return state_ == nullptr ? Usage() : state_->usage(); }

FunctionType Function::type() const {
  if (state_ == nullptr) return {};
  return runtime::function_type_of(export_of(target_).func.type);
}

const std::string& Function::name() const {
  static const std::string kMovedFrom;
  return state_ == nullptr ? kMovedFrom : export_of(target_).name;
}

CallOutcome Function::call(std::span<const Value> arguments) const {
  if (state_ == nullptr) return api::host_error_outcome(api::moved_from("function"));
  const ImageExport& target = export_of(target_);
  const wasm::FuncType& type = target.func.type;
  if (arguments.size() != type.params.size()) {
    return api::host_error_outcome(invalid(target.name + " takes " +
                                           std::to_string(type.params.size()) + " arguments, not " +
                                           std::to_string(arguments.size())));
  }
  std::vector<guest_abi::Slot> slots(std::max(type.params.size(), type.results.size()));
  for (size_t i = 0; i < arguments.size(); ++i) {
    auto slot = api::slot_of(arguments[i], type.params[i]);
    if (!slot) {
      return api::host_error_outcome(
          with_context(target.name + ", argument " + std::to_string(i), std::move(slot).error()));
    }
    slots[i] = *slot;
  }
  auto ended = state_->call(target.func, slots.data());
  if (!ended) return api::host_error_outcome(std::move(ended).error());
  if (*ended != nullptr) {
    return api::public_outcome(std::move(**ended), *state_->program().image);
  }
  CallOutcome outcome;
  outcome.values.reserve(type.results.size());
  for (size_t i = 0; i < type.results.size(); ++i) {
    outcome.values.push_back(
        api::public_value({type.results[i], runtime::significant_bits(type.results[i], slots[i])}));
  }
  return outcome;
}

Result<void> Function::check_type(std::span<const ValueKind> params,
                                  std::span<const ValueKind> results) const {
  if (state_ == nullptr) return api::moved_from("function");
  const FunctionType actual = type();
  if (std::ranges::equal(params, actual.params) && std::ranges::equal(results, actual.results)) {
    return {};
  }
  const FunctionType wanted{{params.begin(), params.end()}, {results.begin(), results.end()}};
  return invalid("the function \"" + name() + "\" has the type " + to_string(actual) +
                 ", but is called as " + to_string(wanted));
}

std::unique_ptr<CallOutcome> Function::invoke(detail::Slot* slots) const {
  if (state_ == nullptr) return host_error_end(api::moved_from("function"));
  static_assert(sizeof(detail::Slot) == sizeof(guest_abi::Slot) &&
                alignof(detail::Slot) == alignof(guest_abi::Slot) &&
                offsetof(detail::Slot, high) == offsetof(guest_abi::Slot, high));
  // SAFETY: both are the same two numbers, as asserted, and the library is compiled without strict
  // aliasing.
  auto* const own = reinterpret_cast<guest_abi::Slot*>(slots);
  auto ended = state_->call(export_of(target_).func, own);
  if (!ended) return host_error_end(std::move(ended).error());
  if (*ended == nullptr) return nullptr;
  return std::make_unique<CallOutcome>(
      api::public_outcome(std::move(**ended), *state_->program().image));
}

Result<Memory> Caller::memory(std::string_view name) const {
  return Memory(state_->shared_from_this(),
                MAYFLY_TRY(find(state_, wasm::ExternKind::kMemory, name)));
}

Result<Function> Caller::function(std::string_view name) const {
  return Function(state_->shared_from_this(),
                  MAYFLY_TRY(find(state_, wasm::ExternKind::kFunc, name)));
}

void* Caller::user_data() const { return state_->config().user_data; }

std::optional<std::chrono::steady_clock::time_point> Caller::deadline() const {
  return state_->call_deadline();
}

std::stop_token Caller::stop_token() const { return state_->stop_token(); }

}  // namespace mayfly
