// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linker keeps what was defined, and what it has linked so far.
#include "mayfly/linker.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "api/moved_from.h"
#include "api/policy.h"
#include "api/public_values.h"
#include "base/result.h"
#include "runtime/engine_state.h"
#include "runtime/linked_program.h"
#include "runtime/load_snapshot.h"
#include "runtime/printable.h"
#include "runtime/sandbox_state.h"

namespace mayfly {
namespace {

struct DynamicCallable {
  FunctionType type;
  DynamicFunction function;

  static bool call(void* callable, Caller& caller, detail::Slot* slots) {
    const auto& self = *static_cast<const DynamicCallable*>(callable);
    std::vector<Value> arguments;
    arguments.reserve(self.type.params.size());
    for (size_t i = 0; i < self.type.params.size(); ++i) {
      arguments.push_back(Value::of_slot(self.type.params[i], slots[i]));
    }
    auto results = self.function(caller, arguments);
    if (!results) return caller.fail(std::move(results).error()), false;
    const bool fits = std::ranges::equal(*results, self.type.results, {}, &Value::kind);
    if (!fits) {
      caller.fail(invalid("the host function answered other values than its type " +
                          to_string(self.type) + " says"));
      return false;
    }
    for (size_t i = 0; i < results->size(); ++i) slots[i] = (*results)[i].slot();
    return true;
  }
};

}  // namespace

struct Linker::State {
  std::shared_ptr<runtime::EngineState> engine;
  runtime::LinkRequest request;  // without the main program

  std::mutex mutex;  // linked
  struct Linked {
    std::shared_ptr<const runtime::ProgramState> program;
    std::shared_ptr<const runtime::LinkedProgram> linked;
  };
  std::vector<Linked> linked;

  Result<std::shared_ptr<const runtime::LinkedProgram>> find_or_link(const Program& program) {
    if (program.state() == nullptr) return api::moved_from("program");
    {
      const std::lock_guard lock(mutex);
      for (const Linked& item : linked) {
        if (item.program == program.state()) return item.linked;
      }
    }
    runtime::LinkRequest whole = request;
    for (const auto& instance : whole.instances) {
      if (instance.program == nullptr) return api::moved_from("program that is linked by name");
    }
    whole.instances.push_back({"main", program.state()});
    auto made = MAYFLY_TRY(runtime::link_program(*engine, whole));
    const std::lock_guard lock(mutex);
    linked.push_back({program.state(), made});
    return made;
  }
};

Linker::Linker(const Engine& engine) : state_(std::make_unique<State>()) {
  state_->engine = engine.state();
}
Linker::Linker(Linker&& other) noexcept = default;
Linker& Linker::operator=(Linker&& other) noexcept = default;
Linker::~Linker() = default;

Linker& Linker::add(std::string_view module, std::string_view name,
                    detail::DefinedFunction function) {
  if (state_ == nullptr) return *this;
  state_->linked.clear();
  state_->request.functions.push_back({std::string(module), std::string(name),
                                       std::move(function.of_modules),
                                       std::move(function.of_components)});
  return *this;
}

Linker& Linker::define_component(std::string_view interface, std::string_view name,
                                 DynamicComponentFunction function) {
  return add(interface, name,
             {{},
              {std::make_shared<DynamicComponentFunction>(std::move(function)),
               &detail::DynamicComponentAdapter::call}});
}

Linker& Linker::add_resource(std::string_view interface, std::string_view name,
                             const detail::ResourceKind& kind) {
  const auto same = std::make_shared<const detail::ResourceKind*>(&kind);
  return add(interface, "[resource-drop]" + std::string(name),
             {{}, {same, &detail::drop_host_resource, nullptr, &kind}});
}

Linker& Linker::define_dynamic(std::string_view module, std::string_view name, FunctionType type,
                               DynamicFunction function) {
  detail::HostFunction host;
  host.type = type;
  host.callable =
      std::make_shared<DynamicCallable>(DynamicCallable{std::move(type), std::move(function)});
  host.call = &DynamicCallable::call;
  return add(module, name, {std::move(host), {}});
}

Linker& Linker::link(std::string_view name, const Program& program) {
  if (state_ == nullptr) return *this;
  state_->linked.clear();
  state_->request.instances.push_back({std::string(name), program.state()});
  return *this;
}

Linker& Linker::wasi(bool is_known) {
  if (state_ == nullptr) return *this;
  state_->linked.clear();
  state_->request.wasi = is_known;
  return *this;
}

Result<void> Linker::prepare(const Program& program) const {
  if (state_ == nullptr) return api::moved_from("linker");
  if (state_->engine == nullptr) return api::moved_from("engine");
  MAYFLY_TRY(state_->engine->check_process());
  MAYFLY_TRY(state_->find_or_link(program));
  return {};
}

Result<Sandbox> Linker::instantiate(const Program& program, const Policy& policy,
                                    CallOutcome* ended) const {
  MAYFLY_TRY(prepare(program));
  auto linked = MAYFLY_TRY(state_->find_or_link(program));
  auto sandbox = MAYFLY_TRY(runtime::SandboxState::create(state_->engine, std::move(linked),
                                                          api::sandbox_config(policy)));
  auto outcome = MAYFLY_TRY(sandbox->start());
  if (outcome == nullptr) {
    MAYFLY_TRY(sandbox->keep_first(nullptr));
    return Sandbox(std::move(sandbox));
  }
  CallOutcome end = api::public_outcome(std::move(*outcome), *sandbox->program().image);
  Error error{ErrorKind::kState, "the start of " + program.name() + " ended: " + to_string(end), 0};
  if (ended != nullptr) *ended = std::move(end);
  return error;
}

Result<Snapshot> Linker::load_snapshot(std::string_view path,
                                       const SnapshotFileOptions& options) const {
  if (state_ == nullptr) return api::moved_from("linker");
  if (state_->engine == nullptr) return api::moved_from("engine");
  runtime::LinkRequest request;
  request.functions = state_->request.functions;
  return Snapshot(
      MAYFLY_TRY(runtime::load_snapshot(*state_->engine, request, std::string(path), options)));
}

Result<Snapshot> Linker::load_snapshot(std::string_view path, const Program& program,
                                       const SnapshotFileOptions& options) const {
  if (state_ == nullptr) return api::moved_from("linker");
  if (state_->engine == nullptr) return api::moved_from("engine");
  if (program.state() == nullptr) return api::moved_from("program");
  if (!program.is_component()) {
    return invalid(runtime::printable(program.name()) +
                   " is no component: its snapshots are loaded without it");
  }
  runtime::LinkRequest request;
  request.functions = state_->request.functions;
  request.wasi = state_->request.wasi;
  request.instances.push_back({"main", program.state()});
  return Snapshot(
      MAYFLY_TRY(runtime::load_snapshot(*state_->engine, request, std::string(path), options)));
}

Result<Sandbox> Linker::instantiate(const Snapshot& snapshot, const Policy& policy) const {
  if (state_ == nullptr) return api::moved_from("linker");
  if (state_->engine == nullptr) return api::moved_from("engine");
  if (snapshot.state() == nullptr) return api::moved_from("snapshot");
  auto sandbox = MAYFLY_TRY(runtime::SandboxState::create(state_->engine, snapshot.state()->program,
                                                          api::sandbox_config(policy)));
  MAYFLY_TRY(sandbox->restore(snapshot.state()));
  MAYFLY_TRY(sandbox->keep_first(snapshot.state()));
  return Sandbox(std::move(sandbox));
}

}  // namespace mayfly
