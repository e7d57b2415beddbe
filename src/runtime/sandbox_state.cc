// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a call: claim, deadline, guest and host functions in turns, then what it left.
#include "runtime/sandbox_state.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "runtime/call_limits.h"
#include "runtime/component_call.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

using std::chrono::steady_clock;

Error state_error(std::string message) { return Error{ErrorKind::kState, std::move(message), 0}; }

// A moment that is not past the clock's end.
steady_clock::time_point after(std::chrono::nanoseconds time) {
  const auto now = steady_clock::now();
  return time > steady_clock::time_point::max() - now ? steady_clock::time_point::max()
                                                      : now + time;
}

std::unique_ptr<CallOutcome> end_of_kind(CallOutcome::Kind kind) {
  auto outcome = std::make_unique<CallOutcome>();
  outcome->kind = kind;
  return outcome;
}

}  // namespace

class SandboxState::Turn {
 public:
  static Result<Turn> take(SandboxState& state) {
    const std::thread::id self = std::this_thread::get_id();
    std::thread::id owner;
    if (state.owner_.compare_exchange_strong(owner, self, std::memory_order_acquire)) {
      Turn turn(state);
      if (state.is_poisoned()) {
        return state_error("the sandbox is poisoned: a call ended with " + state.poison_);
      }
      MAYFLY_TRY(state.engine_->check_process());
      if (auto begun = state.begin_call(); !begun) {
        state.leave_call();
        return std::move(begun).error();
      }
      turn.has_begun_ = true;
      return turn;
    }
    if (owner != self) return state_error("the sandbox is in a call on another thread");
    MAYFLY_TRY(state.engine_->check_process());
    if (!state.in_host_function_) return state_error("the sandbox is in a call already");
    if (state.inner_end_ != nullptr) {
      return state_error("a call inside this one ended with " + state.poison_);
    }
    if (state.depth_ >= state.config_.limits.call_depth_max) {
      return state_error("the call would be " + std::to_string(state.depth_ + 1) +
                         " calls deep, past the limit of " +
                         std::to_string(state.config_.limits.call_depth_max));
    }
    return Turn(state);
  }
  Turn(Turn&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        was_in_host_(other.was_in_host_),
        has_begun_(other.has_begun_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (state_ == nullptr) return;
    state_->in_host_function_ = was_in_host_;
    if (--state_->depth_ > 0) return;
    if (has_begun_) state_->end_call();
    // Nothing that refers to them runs any more, and the component cannot drop them.
    if (has_begun_ && state_->is_poisoned()) state_->resources_.clear();
    state_->owner_.store({}, std::memory_order_release);
  }

 private:
  explicit Turn(SandboxState& state) : state_(&state), was_in_host_(state.in_host_function_) {
    ++state.depth_;
    state.in_host_function_ = false;
  }
  SandboxState* state_;
  bool was_in_host_;
  bool has_begun_ = false;  // the outermost call
};

Result<std::shared_ptr<SandboxState>> SandboxState::create(
    std::shared_ptr<EngineState> engine, std::shared_ptr<const LinkedProgram> program,
    SandboxConfig config) {
  MAYFLY_TRY(engine->check_process());
  MAYFLY_TRY(check_limits(config.limits, *program->image));
  MAYFLY_TRY(check_spin_time(config.spin_time));
  auto state = std::make_shared<SandboxState>(Key(), std::move(engine), std::move(program),
                                              std::move(config));
  const TraceSpan span(*state->engine_, "create");
  MAYFLY_TRY(state->make_machine());
  ++state->engine_->counters().sandboxes;
  return state;
}

SandboxState::SandboxState(Key, std::shared_ptr<EngineState> engine,
                           std::shared_ptr<const LinkedProgram> program, SandboxConfig config)
    : engine_(std::move(engine)), program_(std::move(program)), config_(std::move(config)) {
  ++engine_->counters().sandboxes_live;
  engine_->counters().attach(counts_);
}

SandboxState::~SandboxState() {
  if (!engine_->check_process()) return;  // the counters' lock may be a thread's that is not here
  EngineCounters& counters = engine_->counters();
  --counters.sandboxes_live;
  if (is_frozen()) --counters.sandboxes_frozen;
  counters.detach(counts_);
}

Result<std::unique_ptr<ImageRunner>> SandboxState::make_runner(PortHandler* ports) {
  RunnerOptions options;
  options.stack_bytes = config_.limits.stack_bytes;
  options.ports.limits.memory_bytes_max = config_.limits.memory_bytes_max;
  options.ports.limits.table_entries_max = config_.limits.table_entries_max;
  options.ports.handler = ports;
  options.ports.host_calls = this;
  options.ports.traffic = &traffic_;
  options.domain = config_.domain.number;
  options.counts = &counts_;
  options.measures_time = engine_->config().measures_time;
  // Made once: other threads write to it.
  if (ports != nullptr && !interrupt_event_.valid()) {
    interrupt_event_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!interrupt_event_.valid()) return host_error("eventfd");
  }
  if (ports != nullptr) options.ports.cancel_fd = interrupt_event_.get();
  if (config_.is_resettable) options.tracking = vmm::Tracking::kOn;
  options.spin_time = config_.spin_time;
  return ImageRunner::create(engine_->host(), *program_->image, options);
}

// Without an answer of the host's everything stays as it was: the machine that is lost refuses
// calls, and what asks for its memory finds it.
Result<void> SandboxState::make_machine() {
  std::unique_ptr<PortHandler> ports;
  if (config_.make_ports && program_->uses_wasi) ports = MAYFLY_TRY(config_.make_ports());
  runner_ = MAYFLY_TRY(make_runner(ports.get()));
  ports_ = std::move(ports);
  count_memory();
  return {};
}

Result<std::unique_ptr<CallOutcome>> SandboxState::start() {
  const TraceSpan span(*engine_, "start");
  const Turn turn = MAYFLY_TRY(Turn::take(*this));
  return ended(run_steps());
}

Result<std::unique_ptr<CallOutcome>> SandboxState::run_steps() {
  for (uint32_t step = 0; step < program_->image->instances().size(); ++step) {
    StepOutcome outcome = MAYFLY_TRY(runner_->run_step(step));
    if (outcome.kind == StepOutcome::Kind::kStopped) {
      return std::make_unique<CallOutcome>(std::move(outcome.call));
    }
    if (outcome.kind != StepOutcome::Kind::kInstantiated) return link_error(outcome.message);
  }
  const image::ImageExport* ready = find_export(wasm::ExternKind::kFunc, "_initialize");
  if (ready == nullptr || !ready->func.type.params.empty()) return std::unique_ptr<CallOutcome>();
  std::vector<guest_abi::Slot> slots(ready->func.type.results.size() + 1);
  return runner_->call_slots(ready->func, slots.data());
}

Result<std::unique_ptr<CallOutcome>> SandboxState::call(const image::FuncExport& function,
                                                        guest_abi::Slot* slots) {
  const TraceSpan span(*engine_, "call");
  const Turn turn = MAYFLY_TRY(Turn::take(*this));
  return ended(runner_->call_slots(function, slots));
}

Result<std::unique_ptr<CallOutcome>> SandboxState::call(const ComponentTarget& target,
                                                        const detail::TransferCall& values) {
  const TraceSpan span(*engine_, "call");
  const Turn turn = MAYFLY_TRY(Turn::take(*this));
  if (has_drops_.load(std::memory_order_relaxed)) {
    auto dropped = MAYFLY_TRY(run_drops());
    if (dropped != nullptr) return dropped;
  }
  return run_lowered(target, values);
}

Result<std::unique_ptr<CallOutcome>> SandboxState::run_lowered(const ComponentTarget& target,
                                                               const detail::TransferCall& values) {
  LoweredCall lowered = MAYFLY_TRY(lower_call(*runner_, target, values, transfer_top_));
  return ended(run_call(*runner_, target, values, lowered));
}

// Every end of a call, outer or inner, comes through here.
Result<std::unique_ptr<CallOutcome>> SandboxState::ended(
    Result<std::unique_ptr<CallOutcome>> outcome) {
  if (!outcome) {
    ++engine_->counters().host_errors;
    poison_ = outcome.error().message;
    poisoned_ = true;
    return outcome;
  }
  if (*outcome == nullptr) return outcome;
  if ((*outcome)->kind == CallOutcome::Kind::kCancelled && cpu_limit_.is_used_up() &&
      !interrupted_) {
    (*outcome)->kind = CallOutcome::Kind::kLimit;
    (*outcome)->message = "the call took more than " + to_text(*config_.limits.cpu_time_max) +
                          " of the processor's time";
  }
  name_limit(config_.limits, **outcome);
  poison_ = to_string(**outcome);
  poisoned_ = true;
  if (depth_ == 1) {
    engine_->counters().add_end(**outcome);
  } else {
    inner_end_ = std::make_unique<CallOutcome>(**outcome);
  }
  return outcome;
}

Result<void> SandboxState::begin_call() {
  counts_.calls.add(1);
  take_back_stop();
  inner_end_ = nullptr;
  in_call_.store(true);
  MAYFLY_TRY(thaw());
  if (config_.measures_cpu_time || config_.limits.cpu_time_max) cpu_time_.start(runner_->vm());
  host_calls_before_ = counts_.host_calls.get();
  return apply_limits();
}

Result<void> SandboxState::apply_limits() {
  const Limits& limits = config_.limits;
  if (limits.deadline) {
    deadline_ = after(*limits.deadline);
    runner_->set_deadline(deadline_);
  } else if (deadline_) {
    deadline_.reset();
    runner_->set_deadline(deadline_);
  }
  if (limits.fuel || has_fuel_limit_)
    MAYFLY_TRY(runner_->set_fuel(limits.fuel.value_or(INT64_MAX)));
  has_fuel_limit_ = limits.fuel.has_value();
  traffic_.bytes_out_max = limits.output_bytes_max;
  const uint64_t written = counts_.bytes_out.get();
  traffic_.bytes_out_end = written + std::min(limits.output_bytes_max, UINT64_MAX - written);
  if (!limits.cpu_time_max) return {};
  return cpu_limit_.begin_call(engine_->stop_timer(), *limits.cpu_time_max);
}

// Until nobody interrupts it any more.
void SandboxState::leave_call() {
  in_call_.store(false);
  while (interrupters_.load() != 0) std::this_thread::yield();
}

void SandboxState::end_call() {
  if (config_.limits.cpu_time_max) cpu_limit_.end_call(engine_->stop_timer());
  leave_call();
  if (has_stop_.load(std::memory_order_relaxed)) {
    engine_->stop_timer().forget(stop_at_deadline_);
    const std::lock_guard lock(stop_mutex_);
    stop_.reset();
    has_stop_ = false;
  }
  measure_end();
}

void SandboxState::measure_end() {
  if (config_.measures_cpu_time || config_.limits.cpu_time_max) {
    cpu_time_ns_ += cpu_time_.taken().count();
  }
  fuel_left_.store(has_fuel_limit_ ? runner_->fuel() : INT64_MAX, std::memory_order_relaxed);
  count_memory();
}

void SandboxState::count_memory() {
  const uint64_t bytes = runner_->ports().memory_bytes();
  memory_bytes_.store(bytes, std::memory_order_relaxed);
  if (bytes > memory_bytes_peak_.load(std::memory_order_relaxed)) memory_bytes_peak_ = bytes;
}

std::unique_ptr<CallOutcome> SandboxState::host_trap(const Error& error) const {
  auto outcome = std::make_unique<CallOutcome>();
  outcome->kind = CallOutcome::Kind::kTrapped;
  outcome->trap.code = guest_abi::TrapCode::kHostError;
  outcome->trap.message = "host error: " + printable(error.message);
  return outcome;
}

std::unique_ptr<CallOutcome> SandboxState::call_host(uint32_t index, guest_abi::Slot* slots) {
  const TraceSpan span(*engine_, "host_call");
  counts_.host_calls.add(1);
  const uint64_t made = counts_.host_calls.get() - host_calls_before_;
  if (made > config_.limits.host_calls_max) {
    return std::make_unique<CallOutcome>(
        limit_reached("the call makes more than " + std::to_string(config_.limits.host_calls_max) +
                      " host calls"));
  }
  const detail::HostFunction& function = program_->functions[index];
  const size_t params = function.type.params.size();
  const size_t results = function.type.results.size();
  constexpr size_t kSlotsUsual = 16;
  std::array<detail::Slot, kSlotsUsual> usual;
  std::vector<detail::Slot> many(std::max(params, results) > kSlotsUsual ? std::max(params, results)
                                                                         : 0);
  detail::Slot* const copy = many.empty() ? usual.data() : many.data();
  for (size_t i = 0; i < params; ++i) copy[i] = {slots[i].low, slots[i].high};
  auto end = function.mode == detail::HostMode::kBlocking ? run_blocking(function, copy)
                                                          : run_host(function, copy);
  if (end != nullptr) return end;
  for (size_t i = 0; i < results; ++i) slots[i] = {copy[i].low, copy[i].high};
  return nullptr;
}

std::unique_ptr<CallOutcome> SandboxState::run_host(const detail::HostFunction& function,
                                                    detail::Slot* slots) {
  Caller caller(this);
  in_host_function_ = true;
  const bool ok = function.call(function.callable.get(), caller, slots);
  in_host_function_ = false;
  if (inner_end_ != nullptr) return std::move(inner_end_);
  // The function may have forked: the guest is the parent's.
  if (auto here = engine_->check_process(); !here) return host_trap(here.error());
  // Its stop token came before the machine was told: not an instruction of the guest may run.
  if (interrupted_.load(std::memory_order_relaxed) || cpu_limit_.is_used_up()) {
    return end_of_kind(CallOutcome::Kind::kCancelled);
  }
  return ok ? nullptr : host_trap(caller.take_error());
}

std::unique_ptr<CallOutcome> SandboxState::run_blocking(const detail::HostFunction& function,
                                                        detail::Slot* slots) {
  struct Work {
    detail::HostFunction function;
    std::vector<detail::Slot> slots;
    Caller caller{nullptr};
    bool ok = false;
  };
  const size_t used = std::max(function.type.params.size(), function.type.results.size());
  auto work = std::make_shared<Work>();
  work->function = function;
  work->slots.assign(slots, slots + used);
  const auto end = engine_->blocking_pool().run(
      [work] {
        work->ok =
            work->function.call(work->function.callable.get(), work->caller, work->slots.data());
      },
      deadline_, stop_token());
  if (!end) return host_trap(end.error());
  if (*end != BlockingPool::End::kDone) {
    return end_of_kind(*end == BlockingPool::End::kDeadline ? CallOutcome::Kind::kDeadline
                                                            : CallOutcome::Kind::kCancelled);
  }
  if (!work->ok) return host_trap(work->caller.take_error());
  std::ranges::copy(work->slots, slots);
  return nullptr;
}

Result<void> SandboxState::set_deadline(std::optional<std::chrono::nanoseconds> per_call) {
  MAYFLY_TRY(check_deadline(per_call));
  if (owner_.load() != std::thread::id()) return state_error("the sandbox is in a call");
  config_.limits.deadline = per_call;
  return {};
}

Result<void> SandboxState::set_fuel(std::optional<uint64_t> per_call) {
  MAYFLY_TRY(check_fuel(per_call, *program_->image));
  if (owner_.load() != std::thread::id()) return state_error("the sandbox is in a call");
  config_.limits.fuel = per_call;
  return {};
}

Result<void> SandboxState::set_limits(const Limits& limits) {
  if (owner_.load() != std::thread::id()) return state_error("the sandbox is in a call");
  config_.limits = limits;
  return {};
}

std::optional<int64_t> SandboxState::fuel_left() const {
  const int64_t left = fuel_left_.load(std::memory_order_relaxed);
  return left == INT64_MAX ? std::nullopt : std::optional(left);
}

// Exports of a component's modules are not for calls from outside: only adapters know how.
const image::ImageExport* SandboxState::find_export(wasm::ExternKind kind,
                                                    std::string_view name) const {
  if (program_->component != nullptr) return nullptr;
  for (const image::ImageExport& item : program_->image->instances()[program_->main].exports) {
    if (item.name == name) return item.kind == kind ? &item : nullptr;
  }
  return nullptr;
}

Error SandboxState::no_export(wasm::ExternKind kind, std::string_view name) const {
  if (program_->component != nullptr) {
    return invalid("the program is a component, which has no " + std::string(to_string(kind)) +
                   " \"" + printable(name) + "\": see component_function()");
  }
  constexpr size_t kNamesMax = 20;
  std::string names;
  size_t count = 0;
  for (const image::ImageExport& item : program_->image->instances()[program_->main].exports) {
    if (item.kind != kind) continue;
    if (++count <= kNamesMax) names += (names.empty() ? "" : ", ") + printable(item.name);
  }
  if (count > kNamesMax) names += " and " + std::to_string(count - kNamesMax) + " more";
  return invalid("the program exports no " + std::string(to_string(kind)) + " \"" +
                 printable(name) + "\"; it has " + (names.empty() ? "none" : names));
}

Usage SandboxState::usage() const {
  Usage usage;
  usage.calls = counts_.calls.get();
  usage.host_calls = counts_.host_calls.get();
  usage.cpu_time = std::chrono::nanoseconds(cpu_time_ns_.load(std::memory_order_relaxed));
  usage.exits = counts_.exits_total();
  usage.exitless = counts_.exitless.get();
  usage.bytes_in = counts_.bytes_in.get();
  usage.bytes_out = counts_.bytes_out.get();
  usage.restores = counts_.restores.get();
  usage.pages_copied = counts_.pages_copied.get();
  usage.memory_bytes = memory_bytes_.load(std::memory_order_relaxed);
  usage.frozen_bytes = frozen_bytes_.load(std::memory_order_relaxed);
  usage.memory_bytes_peak = memory_bytes_peak_.load(std::memory_order_relaxed);
  return usage;
}

}  // namespace mayfly::runtime
