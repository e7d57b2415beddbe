// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Resources that cross between C++ and a component: the sandbox has the table of the host's own,
// and drops those of the component.
#include "mayfly/resource.h"

#include <utility>

#include "api/public_values.h"
#include "base/result.h"
#include "mayfly/component_host_function.h"
#include "runtime/linked_component.h"
#include "runtime/sandbox_state.h"

namespace mayfly::detail {

using runtime::SandboxState;

GuestHandle::~GuestHandle() {
  if (target_ == nullptr) return;
  const std::shared_ptr<SandboxState> sandbox = sandbox_.lock();
  if (sandbox == nullptr) return;
  sandbox->drop_guest_soon(
      {static_cast<const runtime::ComponentTarget*>(target_), number_, epoch_});
}

Outcome<void> GuestHandle::drop() {
  if (target_ == nullptr) return invalid("a resource is dropped that was moved or passed on");
  const runtime::GuestDrop drop{
      static_cast<const runtime::ComponentTarget*>(std::exchange(target_, nullptr)), number_,
      epoch_};
  const std::shared_ptr<SandboxState> sandbox = sandbox_.lock();
  if (sandbox == nullptr) return {};
  auto ended = sandbox->drop_guest(drop);
  if (!ended) {
    return std::make_unique<CallOutcome>(api::host_error_outcome(std::move(ended).error()));
  }
  if (*ended == nullptr) return {};
  return std::make_unique<CallOutcome>(
      api::public_outcome(std::move(**ended), *sandbox->program().image));
}

Result<void> GuestHandle::check(const SandboxState* sandbox) const {
  if (target_ == nullptr) return invalid("the resource was moved or passed on before");
  if (sandbox == nullptr || sandbox_.lock().get() != sandbox) {
    return invalid("the resource is of another sandbox");
  }
  if (sandbox->epoch() == epoch_) return {};
  return invalid("the resource is of a state that the sandbox has left");
}

Loans::Loans(SandboxState* sandbox) : sandbox_(sandbox) {
  if (sandbox_ != nullptr) first_ = sandbox_->resources().loans();
}

Loans::~Loans() {
  if (sandbox_ != nullptr) sandbox_->resources().end_loans(first_);
}

Result<void> check_resource(const SandboxState* sandbox, bool is_there, uint64_t more) {
  if (!is_there) return invalid("a resource is empty: it was moved or passed on before");
  if (sandbox == nullptr) return invalid("there is no sandbox for a resource");
  const uint64_t most = sandbox->config().limits.host_resources_max;
  const uint64_t now = sandbox->resources().size();
  if (now <= most && more <= most - now) return {};
  return limit("the component would have " + std::to_string(now + more) +
               " resources of the host, past the limit of " + std::to_string(most));
}

uint64_t lifted_bytes_max(const SandboxState& sandbox) {
  return sandbox.config().limits.lifted_bytes_max;
}

uint32_t give_resource(SandboxState& sandbox, const ResourceKind& kind, void* object) {
  return sandbox.resources().give(kind, object);
}

uint32_t lend_resource(SandboxState& sandbox, const ResourceKind& kind, void* object) {
  return sandbox.resources().lend(kind, object);
}

Result<void*> take_resource(SandboxState& sandbox, const ResourceKind& kind, uint32_t number) {
  return sandbox.resources().take(kind, number);
}

Result<std::shared_ptr<ResourceEntry>> find_resource(SandboxState& sandbox,
                                                     const ResourceKind& kind, uint32_t number) {
  return sandbox.resources().find(kind, number);
}

Result<GuestHandle> guest_handle(SandboxState& sandbox, const wit::Resource& resource,
                                 uint32_t number) {
  const runtime::ComponentTarget* target =
      runtime::find_resource_drop(*sandbox.program().component, resource);
  if (target == nullptr) {
    return invalid("the component exports no resource " + std::string(resource.name));
  }
  return GuestHandle(sandbox.weak_from_this(), target, number, sandbox.epoch());
}

bool drop_host_resource(void* kind, Caller& caller, HostTransfer& transfer) {
  uint64_t number = 0;
  transfer.arguments(&number, 1);
  return is_done(caller.state()->resources().drop(**static_cast<const ResourceKind* const*>(kind),
                                                  static_cast<uint32_t>(number)),
                 caller);
}

}  // namespace mayfly::detail
