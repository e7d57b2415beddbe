// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of a call: claim, deadline, guest and host functions in turns, then what it left.
#include "runtime/sandbox_state.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <utility>

#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

using std::chrono::steady_clock;

Error state_error(std::string message) { return Error{ErrorKind::kState, std::move(message), 0}; }

Result<void> check_range(std::string_view what, uint64_t value, uint64_t min, uint64_t max) {
  if (value >= min && value <= max) return {};
  return invalid("Limits::" + std::string(what) + " is " + std::to_string(value) +
                 ", but has to be from " + std::to_string(min) + " to " + std::to_string(max));
}

Result<void> check_limits(const Limits& limits, const LinkedProgram& program) {
  constexpr uint64_t kMemoryBytesMax = uint64_t{1} << 46;
  MAYFLY_TRY(check_range("memory_bytes_max", limits.memory_bytes_max, guest_abi::kWasmPageBytes,
                         kMemoryBytesMax));
  MAYFLY_TRY(check_range("stack_bytes", limits.stack_bytes, 65536, guest_abi::kStackBytesMax));
  MAYFLY_TRY(check_range("call_depth_max", limits.call_depth_max, 1, 1000));
  MAYFLY_TRY(check_range("instances_max", limits.instances_max, 1, UINT32_MAX));
  MAYFLY_TRY(check_range("open_handles_max", limits.open_handles_max, 3, UINT32_MAX));
  if (limits.deadline && limits.deadline->count() <= 0) {
    return invalid("Limits::deadline is " + std::to_string(limits.deadline->count()) +
                   " ns, but has to be over 0");
  }
  const size_t instances = program.image->instances().size();
  if (instances > limits.instances_max) {
    return limit("the program has " + std::to_string(instances) + " instances, past the limit of " +
                 std::to_string(limits.instances_max));
  }
  return {};
}

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

std::chrono::nanoseconds thread_cpu_time() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void add(std::atomic<uint64_t>& count, uint64_t more) {
  // One writer: a plain add, without the bus lock.
  count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
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
      state.begin_call();
      return turn;
    }
    if (owner != self) return state_error("the sandbox is in a call on another thread");
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
      : state_(std::exchange(other.state_, nullptr)), was_in_host_(other.was_in_host_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (state_ == nullptr) return;
    state_->in_host_function_ = was_in_host_;
    if (--state_->depth_ > 0) return;
    state_->end_call();
    state_->owner_.store({}, std::memory_order_release);
  }

 private:
  explicit Turn(SandboxState& state) : state_(&state), was_in_host_(state.in_host_function_) {
    ++state.depth_;
    state.in_host_function_ = false;
  }
  SandboxState* state_;
  bool was_in_host_;
};

Result<std::shared_ptr<SandboxState>> SandboxState::create(
    std::shared_ptr<EngineState> engine, std::shared_ptr<const LinkedProgram> program,
    SandboxConfig config) {
  MAYFLY_TRY(engine->check_process());
  MAYFLY_TRY(check_limits(config.limits, *program));
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
}

SandboxState::~SandboxState() {
  EngineCounters& counters = engine_->counters();
  --counters.sandboxes_live;
  counters.calls += calls_;
  counters.host_calls += host_calls_;
  counters.exits += exits_;
}

Result<void> SandboxState::make_machine() {
  runner_ = nullptr;
  if (config_.make_ports && program_->uses_wasi) ports_ = MAYFLY_TRY(config_.make_ports());
  RunnerOptions options;
  options.stack_bytes = config_.limits.stack_bytes;
  options.ports.limits.memory_bytes_max = config_.limits.memory_bytes_max;
  options.ports.limits.table_entries_max = config_.limits.table_entries_max;
  options.ports.handler = ports_.get();
  options.ports.host_calls = this;
  if (ports_ != nullptr) {
    interrupt_event_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!interrupt_event_.valid()) return host_error("eventfd");
    options.ports.cancel_fd = interrupt_event_.get();
  }
  if (config_.is_resettable) options.tracking = vmm::Tracking::kOn;
  runner_ = MAYFLY_TRY(ImageRunner::create(engine_->host(), *program_->image, options));
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
  poison_ = to_string(**outcome);
  poisoned_ = true;
  if (depth_ == 1) {
    engine_->counters().add_end(**outcome);
  } else {
    inner_end_ = std::make_unique<CallOutcome>(**outcome);
  }
  return outcome;
}

void SandboxState::begin_call() {
  add(calls_, 1);
  if (interrupted_.load(std::memory_order_relaxed)) {  // by who came after the last call's end
    interrupted_ = false;
    uint64_t count = 0;
    static_cast<void>(::read(interrupt_event_.get(), &count, sizeof count));
  }
  if (config_.measures_cpu_time) cpu_time_at_begin_ = thread_cpu_time();
  host_calls_before_ = host_calls_.load(std::memory_order_relaxed);
  if (config_.limits.deadline) {
    deadline_ = after(*config_.limits.deadline);
    runner_->set_deadline(deadline_);
  } else if (deadline_) {
    deadline_.reset();
    runner_->set_deadline(deadline_);
  }
}

void SandboxState::end_call() {
  exits_.store(runner_->exits(), std::memory_order_relaxed);
  inner_end_ = nullptr;
  if (has_stop_.load(std::memory_order_relaxed)) {
    engine_->stop_timer().forget(stop_at_deadline_);
    const std::lock_guard lock(stop_mutex_);
    stop_.reset();
    has_stop_ = false;
  }
  if (config_.measures_cpu_time) cpu_time_ns_ += (thread_cpu_time() - cpu_time_at_begin_).count();
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
  add(host_calls_, 1);
  const uint64_t made = host_calls_.load(std::memory_order_relaxed) - host_calls_before_;
  if (made > config_.limits.host_calls_max) {
    return host_trap(limit("the call makes more than " +
                           std::to_string(config_.limits.host_calls_max) + " host calls"));
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
  // Its stop token came before the machine was told: not an instruction of the guest may run.
  if (interrupted_.load(std::memory_order_relaxed)) {
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

Result<void> SandboxState::check_access() const {
  const std::thread::id owner = owner_.load(std::memory_order_acquire);
  if (owner == std::thread::id() || owner == std::this_thread::get_id()) {
    return engine_->check_process();
  }
  return state_error("the sandbox is in a call on another thread");
}

// The machine knows of a call a little later than the sandbox: an interruption in between is not
// lost, but waits for it.
void SandboxState::interrupt() {
  constexpr std::chrono::microseconds kUntilTheMachineKnows{20};
  if (owner_.load() == std::thread::id()) return;
  interrupted_ = true;
  if (interrupt_event_.valid()) {
    const uint64_t one = 1;
    static_cast<void>(::write(interrupt_event_.get(), &one, sizeof one));
  }
  {
    const std::lock_guard lock(stop_mutex_);
    if (stop_) stop_->request_stop();
  }
  while (!runner_->cancel() && owner_.load() != std::thread::id()) {
    std::this_thread::sleep_for(kUntilTheMachineKnows);
  }
}

void SandboxState::StopAtDeadline::deadline_passed(uint64_t /*call*/) {
  const std::lock_guard lock(state_.stop_mutex_);
  if (state_.stop_) state_.stop_->request_stop();
}

std::stop_token SandboxState::stop_token() {
  {
    const std::lock_guard lock(stop_mutex_);
    if (stop_) return stop_->get_token();
    stop_.emplace();
    has_stop_ = true;
    if (interrupted_) stop_->request_stop();
  }
  // Without the lock, which the timer's thread takes while it holds its own.
  const bool is_armed =
      !deadline_ || engine_->stop_timer().arm(stop_at_deadline_, 0, *deadline_).has_value();
  const std::lock_guard lock(stop_mutex_);
  if (!is_armed) stop_->request_stop();  // no timer in this process: rather now than never
  return stop_->get_token();
}

Result<void> SandboxState::set_deadline(std::optional<std::chrono::nanoseconds> per_call) {
  if (per_call && per_call->count() <= 0) {
    return invalid("a deadline of " + std::to_string(per_call->count()) +
                   " ns, but it has to be over 0");
  }
  if (owner_.load() != std::thread::id()) return state_error("the sandbox is in a call");
  config_.limits.deadline = per_call;
  return {};
}

const image::ImageExport* SandboxState::find_export(wasm::ExternKind kind,
                                                    std::string_view name) const {
  const image::ImageExport* found = runner_->find_export(program_->main, name);
  return found != nullptr && found->kind == kind ? found : nullptr;
}

Error SandboxState::no_export(wasm::ExternKind kind, std::string_view name) const {
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
  usage.calls = calls_.load(std::memory_order_relaxed);
  usage.host_calls = host_calls_.load(std::memory_order_relaxed);
  usage.cpu_time = std::chrono::nanoseconds(cpu_time_ns_.load(std::memory_order_relaxed));
  usage.exits = exits_.load(std::memory_order_relaxed);
  usage.memory_bytes = memory_bytes_.load(std::memory_order_relaxed);
  usage.memory_bytes_peak = memory_bytes_peak_.load(std::memory_order_relaxed);
  return usage;
}

}  // namespace mayfly::runtime
