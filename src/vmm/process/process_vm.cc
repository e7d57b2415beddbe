// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ProcessVm: laying out the guest's files, taking turns with the child, and checked copies.
#include "vmm/process/process_vm.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"
#include "vmm/process/next_step.h"
#include "vmm/spin_x86_64.h"

namespace mayfly::vmm::process {
namespace {

using std::chrono::steady_clock;
constexpr auto kDeathCheckInterval = std::chrono::milliseconds(50);
constexpr auto kInterruptTime = std::chrono::milliseconds(10);
// Intel SDM 3A, table 6-1 and figure 4-12.
constexpr uint8_t kPageFaultVector = 14;
constexpr uint64_t kPageFaultFetch = 1 << 4;

uint64_t round_up_to_page(uint64_t bytes) {
  return (bytes + guest_abi::kPageBytes - 1) & ~(guest_abi::kPageBytes - 1);
}

bool can_grow(const RegionSpec& spec) {
  return spec.protection == Protection::kReadWrite && spec.file < 0 &&
         round_up_to_page(spec.bytes) < round_up_to_page(spec.bytes_reserved);
}

}  // namespace

Access ProcessVm::child_access(Protection protection) const {
  switch (protection) {
    case Protection::kRead:
      return Access::kRead;
    case Protection::kReadExecute:
      return weakness_ == Weakness::kWritableText ? Access::kAll : Access::kReadExecute;
    case Protection::kReadWrite:
      return weakness_ == Weakness::kExecutableData ? Access::kAll : Access::kReadWrite;
  }
  return Access::kRead;
}

Result<std::unique_ptr<Vm>> ProcessVm::create(const VmConfig& config, Spawner& spawner,
                                              const Fd& program, Weakness weakness) {
  std::unique_ptr<ProcessVm> vm(new ProcessVm(spawner, program, weakness));
  if (config.spin_time.count() > 0 && can_spin()) {
    vm->spin_time_ = config.spin_time;
    vm->spin_ticks_ = ticks_of(config.spin_time);
  }
  MAYFLY_TRY(vm->place_fixed(config));
  MAYFLY_TRY(vm->start_child());
  return std::unique_ptr<Vm>(std::move(vm));
}

// Everything that cannot grow shares one file: call page, stack, then the writable regions.
Result<void> ProcessVm::place_fixed(const VmConfig& config) {
  uint64_t stack_bytes = round_up_to_page(config.stack_bytes);
  if (weakness_ == Weakness::kNoStackGuard) stack_bytes += 4 * guest_abi::kLargePageBytes;
  if (stack_bytes == 0 || stack_bytes > guest_abi::kStackBytesMax) {
    return limit("a stack of " + std::to_string(config.stack_bytes) + " bytes; at most " +
                 std::to_string(guest_abi::kStackBytesMax));
  }
  uint64_t fixed_bytes = guest_abi::kCallPageBytes + stack_bytes;
  for (const RegionSpec& spec : config.regions) {
    if (spec.protection == Protection::kReadWrite && !can_grow(spec)) {
      fixed_bytes += round_up_to_page(spec.bytes);
    }
  }
  fixed_file_ = MAYFLY_TRY(create_memfd("mayfly-guest-memory", fixed_bytes));
  Mapping fixed = MAYFLY_TRY(Mapping::file(fixed_file_.get(), 0, fixed_bytes,
                                           Mapping::Access::kReadWrite, Mapping::Sharing::kShared));
  uint8_t* const host = fixed.data();
  host_mappings_.push_back(std::move(fixed));

  uint64_t fixed_used = guest_abi::kCallPageBytes + stack_bytes;
  region_count_ = config.regions.size();
  ranges_.reserve(region_count_ + 2);
  for (const RegionSpec& spec : config.regions) {
    ranges_.emplace_back();
    MAYFLY_TRY(place_region(spec, ranges_.back(), fixed_used));
  }
  const auto add_fixed = [&](uint64_t address, uint64_t bytes, uint64_t offset) {
    Range& range = ranges_.emplace_back();
    range.address = address;
    range.bytes = range.bytes_reserved = bytes;
    range.writable = true;
    range.host = host + offset;
    range.child = {address, bytes, offset, fixed_file_.get(), child_access(Protection::kReadWrite)};
  };
  add_fixed(guest_abi::kStackTop - stack_bytes, stack_bytes, guest_abi::kCallPageBytes);
  add_fixed(guest_abi::kCallPage, guest_abi::kCallPageBytes, 0);
  // SAFETY: the call page is the first kCallPageBytes of the fixed file's mapping, page aligned,
  // and lives as long as this Vm.
  call_page_ = reinterpret_cast<guest_abi::CallPage*>(host);
  return {};
}

Result<void> ProcessVm::place_region(const RegionSpec& spec, Range& range, uint64_t& fixed_used) {
  range.address = spec.address;
  range.bytes = round_up_to_page(spec.bytes);
  range.bytes_reserved = std::max(range.bytes, round_up_to_page(spec.bytes_reserved));
  range.writable = spec.protection == Protection::kReadWrite;
  const Access access = child_access(spec.protection);
  if (spec.address % guest_abi::kPageBytes != 0 || spec.file_bytes > spec.bytes) {
    return invalid("a region at " + std::to_string(spec.address) + " is not page aligned");
  }
  if (can_grow(spec)) {
    range.own_file = MAYFLY_TRY(create_memfd("mayfly-guest-region", range.bytes));
    Mapping host =
        MAYFLY_TRY(Mapping::file(range.own_file.get(), 0, range.bytes_reserved,
                                 Mapping::Access::kReadWrite, Mapping::Sharing::kShared));
    range.host = host.data();
    host_mappings_.push_back(std::move(host));
    range.child = {range.address, range.bytes_reserved, 0, range.own_file.get(), access};
    return {};
  }
  if (range.bytes == 0) return {};
  if (!range.writable) {
    if (spec.file < 0 || round_up_to_page(spec.file_bytes) != range.bytes) {
      return invalid("a read-only region of " + std::to_string(spec.bytes) + " bytes has " +
                     std::to_string(spec.file_bytes) + " bytes of a file");
    }
    Fd file(::dup(spec.file));
    if (!file.valid()) return host_error("dup of the image");
    Mapping host = MAYFLY_TRY(Mapping::file(file.get(), spec.file_offset, range.bytes,
                                            Mapping::Access::kRead, Mapping::Sharing::kPrivate));
    range.host = host.data();
    host_mappings_.push_back(std::move(host));
    range.child = {range.address, range.bytes, spec.file_offset, file.get(), access};
    image_files_.push_back(std::move(file));
    return {};
  }
  range.host = host_mappings_.front().data() + fixed_used;
  range.child = {range.address, range.bytes, fixed_used, fixed_file_.get(), access};
  fixed_used += range.bytes;
  return read_range(spec.file, spec.file_offset, {range.host, spec.file_bytes}, "the image's file");
}

Result<void> ProcessVm::start_child() {
  std::vector<ChildMapping> mappings;
  for (const Range& range : ranges_) {
    if (range.child.bytes != 0) mappings.push_back(range.child);
  }
  std::optional<Result<ChildProcess>> started;
  const ChildOptions options{weakness_, spin_ticks_};
  spawner_.run([&] { started = ChildProcess::start(program_, mappings, options); });
  ChildProcess child = MAYFLY_TRY(std::move(*started));
  const std::lock_guard lock(cancel_mutex_);
  child_ = std::move(child);
  return {};
}

Result<Exit> ProcessVm::enter(const Entry& entry) {
  if (!child_) MAYFLY_TRY(start_child());
  {
    const std::lock_guard lock(cancel_mutex_);
    in_call_ = true;
    cancelled_ = false;
    nested_ = 0;
  }
  child_->control().thunk = entry.thunk;
  child_->control().function = entry.function;
  child_->control().spin_ticks = spin_choice_.next_call() ? spin_ticks_ : 0;
  return run(Command::kEnter);
}

Result<Exit> ProcessVm::resume() {
  CHECK(in_call_, "resume() without a port to return from");
  return run(Command::kResume);
}

Result<Exit> ProcessVm::enter_nested(const Entry& entry) {
  CHECK(in_call_, "enter_nested() without a port that waits");
  ++nested_;
  child_->control().thunk = entry.thunk;
  child_->control().function = entry.function;
  return run(Command::kNest);
}

bool ProcessVm::deadline_passed() const {
  return deadline_ && weakness_ != Weakness::kNoDeadline && steady_clock::now() >= *deadline_;
}

Result<Exit> ProcessVm::run(Command command) {
  if (deadline_passed()) return end_call(Exit{Exit::Kind::kDeadline, 0, {}, {}});
  if (cancelled_) return end_call(Exit{Exit::Kind::kCancelled, 0, {}, {}});
  child_->control().command = command;
  child_->give_turn();
  const bool is_exitless = poll();
  is_exitless ? spin_choice_.hit() : spin_choice_.miss();
  for (;;) {
    auto until = steady_clock::now() + kDeathCheckInterval;
    if (deadline_) until = std::min(until, *deadline_);
    if (look_at_) until = std::min(until, *look_at_);
    std::optional<Exit> report;
    if (child_->wait_turn(until)) report = read_report();
    if (!report) look_if_due();
    Look look;
    if (report) look.report = report->kind;
    look.is_cancelled = cancelled_;
    look.is_late = deadline_passed();
    look.is_dead = !report && child_->is_dead() && !child_->has_turn();
    switch (next_step(look)) {
      case NextStep::kWait:
        break;
      case NextStep::kReturn:
        report->is_exitless = is_exitless && report->kind == Exit::Kind::kPort;
        if (report->kind == Exit::Kind::kPort && report->port != 0) return *std::move(report);
        if (report->kind == Exit::Kind::kPort && nested_ > 0) {
          --nested_;
          return *std::move(report);
        }
        return end_call(*std::move(report));
      case NextStep::kGiveBack:
        child_->control().command = Command::kResume;
        child_->give_turn();
        break;
      case NextStep::kCancel:
        return stop(Exit::Kind::kCancelled);
      case NextStep::kDeadline:
        return stop(Exit::Kind::kDeadline);
      case NextStep::kDied:
        drop_child();
        return end_call(Exit{Exit::Kind::kBroken, 0, {}, "the guest's process ended by itself"});
    }
  }
}

// Looks out for the child's report without sleeping; whether it came.
bool ProcessVm::poll() const {
  if (spin_time_.count() == 0 || !spin_choice_.polls()) return false;
  auto until = steady_clock::now() + spin_time_;
  if (deadline_) until = std::min(until, *deadline_);
  if (look_at_) until = std::min(until, *look_at_);
  poll_until(until, [this] { return child_->has_turn() || cancelled_; });
  return child_->has_turn();
}

// Ends the call in progress: by a signal, or when that has no answer, with the child.
Result<Exit> ProcessVm::stop(Exit::Kind kind) {
  child_->interrupt();
  const auto until = steady_clock::now() + kInterruptTime;
  while (!child_->wait_turn(until) && steady_clock::now() < until) {
  }
  Exit exit;
  if (child_->has_turn()) {
    exit.fault = read_report().fault;
  } else {
    drop_child();
  }
  exit.kind = kind;
  return end_call(std::move(exit));
}

// cancel() may be waking it.
void ProcessVm::drop_child() {
  const std::lock_guard lock(cancel_mutex_);
  ended_cpu_time_ += child_->cpu_time();
  child_.reset();
}

Exit ProcessVm::end_call(Exit exit) {
  look_at_.reset();
  const std::lock_guard lock(cancel_mutex_);
  in_call_ = false;
  nested_ = 0;
  return exit;
}

Exit ProcessVm::read_report() {
  const Control& control = child_->control();
  Exit exit;
  switch (control.report) {
    case Report::kPort:
      exit.kind = Exit::Kind::kPort;
      exit.port = control.port;
      return exit;
    case Report::kFault:
      exit.kind = Exit::Kind::kFault;
      break;
    case Report::kInterrupted:
      exit.kind = Exit::Kind::kCancelled;
      break;
    default:
      exit.kind = Exit::Kind::kBroken;
      exit.message = "the guest's process reports state " +
                     std::to_string(static_cast<uint32_t>(control.report));
      return exit;
  }
  exit.fault.vector = static_cast<uint8_t>(control.vector);
  exit.fault.error_code = control.error_code;
  exit.fault.address = control.address;
  // The end of its file stops an access to what a range does not hold yet, so a page of the range
  // itself is missing only where the host has none.
  if (exit.kind == Exit::Kind::kFault && exit.fault.vector == kPageFaultVector &&
      (exit.fault.error_code & kPageFaultFetch) == 0 && is_memory(exit.fault.address)) {
    exit.kind = Exit::Kind::kOutOfMemory;
    exit.message = "no memory for the page at guest address " + std::to_string(exit.fault.address);
  }
  exit.fault.rip = control.rip;
  exit.fault.rsp = control.rsp;
  exit.fault.rbp = control.rbp;
  return exit;
}

void ProcessVm::set_deadline(std::optional<steady_clock::time_point> deadline) {
  deadline_ = deadline;
}

bool ProcessVm::cancel() {
  const std::lock_guard lock(cancel_mutex_);
  if (!in_call_) return false;
  cancelled_ = true;
  if (child_) child_->wake();
  return true;
}

Result<void> ProcessVm::look_at(steady_clock::time_point when, GuestWatch& watch) {
  look_at_ = when;
  watch_ = &watch;
  return {};
}

// The child runs on meanwhile.
void ProcessVm::look_if_due() {
  if (!look_at_ || steady_clock::now() < *look_at_) return;
  look_at_.reset();
  watch_->look();
}

std::chrono::nanoseconds ProcessVm::cpu_time() const {
  const std::lock_guard lock(cancel_mutex_);
  return ended_cpu_time_ + (child_ ? child_->cpu_time() : std::chrono::nanoseconds(0));
}

bool ProcessVm::is_memory(uint64_t address) const {
  const Range* const range = find(address, 1);
  return range != nullptr && range->writable;
}

const ProcessVm::Range* ProcessVm::find(uint64_t address, uint64_t bytes) const {
  for (const Range& range : ranges_) {
    if (address >= range.address && address - range.address <= range.bytes &&
        bytes <= range.bytes - (address - range.address)) {
      return &range;
    }
  }
  return nullptr;
}

namespace {
Error outside(uint64_t address, uint64_t bytes) {
  return invalid("guest range of " + std::to_string(bytes) + " bytes at " +
                 std::to_string(address) + " is not the guest's");
}
}  // namespace

Result<void> ProcessVm::read(uint64_t address, std::span<uint8_t> to) const {
  const Range* range = find(address, to.size());
  if (range == nullptr) return outside(address, to.size());
  if (!to.empty()) std::memcpy(to.data(), range->host + (address - range->address), to.size());
  return {};
}

Result<void> ProcessVm::write(uint64_t address, std::span<const uint8_t> from) {
  const auto to = MAYFLY_TRY(view(address, from.size()));
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
  return {};
}

Result<std::span<uint8_t>> ProcessVm::view(uint64_t address, uint64_t bytes) {
  const Range* range = find(address, bytes);
  if (range == nullptr || !range->writable) return outside(address, bytes);
  return std::span<uint8_t>(range->host + (address - range->address), bytes);
}

Result<std::span<const uint8_t>> ProcessVm::read_view(uint64_t address, uint64_t bytes) {
  return std::span<const uint8_t>(MAYFLY_TRY(view(address, bytes)));
}

Result<void> ProcessVm::resize(size_t region, uint64_t bytes) {
  CHECK(region < region_count_, region);
  Range& range = ranges_[region];
  const uint64_t rounded = round_up_to_page(bytes);
  if (bytes > range.bytes_reserved && weakness_ != Weakness::kNoReserveLimit) {
    return limit("region " + std::to_string(region) + " cannot have " + std::to_string(bytes) +
                 " bytes; " + std::to_string(range.bytes_reserved) + " are reserved");
  }
  if (rounded == range.bytes) return {};
  if (!range.own_file.valid()) {
    return unsupported("region " + std::to_string(region) + " has a fixed size");
  }
  if (::ftruncate(range.own_file.get(), static_cast<off_t>(rounded)) != 0) {
    return host_error("ftruncate of a guest's memory to " + std::to_string(rounded) + " bytes");
  }
  range.bytes = rounded;
  return {};
}

uint64_t ProcessVm::region_bytes(size_t region) const {
  CHECK(region < region_count_, region);
  return ranges_[region].bytes;
}

guest_abi::CallPage& ProcessVm::call_page() { return *call_page_; }

}  // namespace mayfly::vmm::process
