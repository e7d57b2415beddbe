// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasm-3.0 #exec-instantiation and #exec-invocation, with the guest doing the work: the host
// passes slots in, answers ports, and turns what the processor reports into a CallOutcome.
#include "runtime/image_runner.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"
#include "guest_abi/instance.h"
#include "image/cpu_features_x86_64.h"
#include "runtime/backtrace.h"
#include "runtime/steady_ticks_x86_64.h"
#include "runtime/trap.h"

namespace mayfly::runtime {
namespace {

vmm::Protection protection_of(image::RegionKind kind) {
  switch (kind) {
    case image::RegionKind::kText:
      return vmm::Protection::kReadExecute;
    case image::RegionKind::kReadOnly:
      return vmm::Protection::kRead;
    case image::RegionKind::kData:
    case image::RegionKind::kMemory:
    case image::RegionKind::kTable:
      return vmm::Protection::kReadWrite;
  }
  return vmm::Protection::kRead;
}

vmm::VmConfig config_of(const image::Image& image, const RunnerOptions& options) {
  vmm::VmConfig config;
  config.stack_bytes = options.stack_bytes;
  config.tracking = options.tracking;
  config.domain = options.domain;
  config.spin_time = options.spin_time;
  config.regions.reserve(image.regions().size());
  for (const image::Region& region : image.regions()) {
    config.regions.push_back({.address = region.address,
                              .bytes = region.bytes,
                              .bytes_reserved = region.bytes_reserved,
                              .protection = protection_of(region.kind),
                              .file = region.file_bytes == 0 ? -1 : image.file(),
                              .file_offset = region.file_offset,
                              .file_bytes = region.file_bytes});
  }
  return config;
}

Result<void> check_limits(const image::Image& image, const RunLimits& limits) {
  uint64_t bytes = 0;
  for (const image::Region& region : image.regions()) {
    const bool counts =
        region.kind == image::RegionKind::kMemory || region.kind == image::RegionKind::kTable;
    if (!counts) continue;
    if (region.bytes > limits.memory_bytes_max - bytes) {
      return limit("the program starts with " + std::to_string(bytes + region.bytes) +
                   " bytes of memory, past the limit of " +
                   std::to_string(limits.memory_bytes_max));
    }
    bytes += region.bytes;
  }
  return {};
}

// That the host is about to write so many slots: few are in what a restore clears anyway.
Result<void> tell_slots(vmm::Vm& vm, size_t count) {
  constexpr uint64_t kSlots = offsetof(guest_abi::CallPage, slots);
  const uint64_t bytes = count * sizeof(guest_abi::Slot);
  if (kSlots + bytes <= vmm::kCallPageBytesTracked) return {};
  MAYFLY_TRY(vm.view(guest_abi::kCallPage + kSlots, bytes));
  return {};
}

guest_abi::ComponentTrapRequest component_request(const guest_abi::CallPage& page) {
  guest_abi::ComponentTrapRequest request;
  std::memcpy(&request, page.request, sizeof request);
  return request;
}

ExitReason reason_of_port(uint32_t port) {
  using guest_abi::Port;
  if (port >= static_cast<uint32_t>(Port::kWasiFirst)) return ExitReason::kWasi;
  switch (static_cast<Port>(port)) {
    case Port::kReturn:
      return ExitReason::kReturn;
    case Port::kGrow:
      return ExitReason::kGrow;
    case Port::kHostCall:
      return ExitReason::kHostCall;
    default:
      return ExitReason::kOtherPort;
  }
}

ExitReason reason_of(const vmm::Exit& exit) {
  switch (exit.kind) {
    case vmm::Exit::Kind::kPort:
      return reason_of_port(exit.port);
    case vmm::Exit::Kind::kFault:
      return ExitReason::kFault;
    case vmm::Exit::Kind::kDeadline:
    case vmm::Exit::Kind::kCancelled:
      return ExitReason::kStopped;
    case vmm::Exit::Kind::kOutOfMemory:
    case vmm::Exit::Kind::kBroken:
      break;
  }
  return ExitReason::kLost;
}

class CallDepth {
 public:
  explicit CallDepth(uint32_t& depth) : depth_(depth) { ++depth_; }
  ~CallDepth() { --depth_; }
  CallDepth(const CallDepth&) = delete;
  CallDepth& operator=(const CallDepth&) = delete;

 private:
  uint32_t& depth_;
};

}  // namespace

std::string to_string(const StepOutcome& outcome) {
  switch (outcome.kind) {
    case StepOutcome::Kind::kInstantiated:
      return "instantiated";
    case StepOutcome::Kind::kUnlinkable:
    case StepOutcome::Kind::kBlocked:
      return outcome.message;
    case StepOutcome::Kind::kStopped:
      return to_string(outcome.call);
  }
  return "";
}

Result<std::unique_ptr<ImageRunner>> ImageRunner::create(vmm::Host& host, const image::Image& image,
                                                         const RunnerOptions& options) {
  MAYFLY_TRY(image.check_cpu());
  MAYFLY_TRY(check_limits(image, options.ports.limits));
  auto vm = MAYFLY_TRY(host.create_vm(config_of(image, options)));
  vm->set_deadline(options.ports.deadline);
  auto runner = std::make_unique<ImageRunner>(Key{}, image, std::move(vm), options);
  MAYFLY_TRY(runner->prepare_call_page());
  return runner;
}

Result<void> ImageRunner::prepare_call_page() {
  guest_abi::CallPage& page = vm_->call_page();
  page.ticks_are_steady = has_steady_ticks() ? 1 : 0;
  static const bool has_avx2 = image::cpu_feature("avx2") == image::CpuFeature::kPresent;
  page.has_avx2 = has_avx2 ? 1 : 0;
  const SeedSource::Seed seed = MAYFLY_TRY(seeds_.next());
  std::memcpy(page.random_seed, seed.bytes, sizeof page.random_seed);
  // Another than whatever the guest's memory remembers.
  page.seed_generation = seed.generation | 1;
  page.fuel = INT64_MAX;
  return {};
}

ImageRunner::ImageRunner(Key, const image::Image& image, std::unique_ptr<vmm::Vm> vm,
                         const RunnerOptions& options)
    : image_(image),
      code_(code_map_of(image)),
      vm_(std::move(vm)),
      stack_bytes_(options.stack_bytes),
      handler_(options.ports.handler),
      ports_(image.regions(), image.host_functions(), *vm_, options.ports),
      instantiated_(image.instances().size()),
      counts_(options.counts == nullptr ? own_counts_ : *options.counts) {
  if (options.measures_time) clock_.emplace(counts_);
}

void ImageRunner::set_deadline(std::optional<std::chrono::steady_clock::time_point> deadline) {
  vm_->set_deadline(deadline);
  ports_.set_deadline(deadline);
}

const image::ImageExport* ImageRunner::find_export(uint32_t instance, std::string_view name) const {
  for (const image::ImageExport& item : image_.instances()[instance].exports) {
    if (item.name == name) return &item;
  }
  return nullptr;
}

Result<std::optional<std::string>> ImageRunner::failed_limit(
    const image::ImageInstance& instance) const {
  static_assert(offsetof(guest_abi::MemoryInfo, bytes) == offsetof(guest_abi::TableInfo, size));
  for (const image::LimitCheck& check : instance.limit_checks) {
    uint64_t size = 0;
    uint8_t bytes[sizeof size];
    MAYFLY_TRY(vm_->read(check.info + offsetof(guest_abi::MemoryInfo, bytes), bytes));
    std::memcpy(&size, bytes, sizeof size);
    if (size < check.min) {
      return std::optional("incompatible import type: \"" + check.import + "\" has size " +
                           std::to_string(size) + ", the import wants at least " +
                           std::to_string(check.min));
    }
  }
  return std::optional<std::string>();
}

Result<StepOutcome> ImageRunner::run_step(uint32_t step) {
  CHECK(step < image_.instances().size(), step, image_.instances().size());
  const image::ImageInstance& instance = image_.instances()[step];
  StepOutcome outcome;
  for (const uint32_t needed : instance.depends_on) {
    if (instantiated_[needed]) continue;
    outcome.kind = StepOutcome::Kind::kBlocked;
    outcome.message =
        instance.name + " needs " + image_.instances()[needed].name + ", which is not instantiated";
    return outcome;
  }
  if (auto message = MAYFLY_TRY(failed_limit(instance))) {
    outcome.kind = StepOutcome::Kind::kUnlinkable;
    outcome.message = std::move(*message);
    return outcome;
  }
  const auto ended = MAYFLY_TRY(enter({instance.instantiate_thunk, instance.instantiate}));
  instantiated_[step] = ended == nullptr;
  if (ended != nullptr) {
    outcome.kind = StepOutcome::Kind::kStopped;
    outcome.call = std::move(*ended);
  }
  return outcome;
}

Result<CallOutcome> ImageRunner::call(const image::FuncExport& function,
                                      std::span<const Value> arguments) {
  const wasm::FuncType& type = function.type;
  if (arguments.size() != type.params.size()) {
    return invalid("the function takes " + std::to_string(type.params.size()) + " arguments, not " +
                   std::to_string(arguments.size()));
  }
  CHECK(type.params.size() <= guest_abi::kSlotsMax && type.results.size() <= guest_abi::kSlotsMax);
  guest_abi::CallPage& page = vm_->call_page();
  MAYFLY_TRY(tell_slots(*vm_, arguments.size()));
  for (size_t i = 0; i < arguments.size(); ++i) {
    page.slots[i] = significant_bits(type.params[i], arguments[i].bits);
  }
  auto ended = MAYFLY_TRY(enter({function.thunk, function.code}));
  if (ended != nullptr) return std::move(*ended);
  CallOutcome outcome;
  outcome.values.reserve(type.results.size());
  for (size_t i = 0; i < type.results.size(); ++i) {
    outcome.values.push_back({type.results[i], significant_bits(type.results[i], page.slots[i])});
  }
  return outcome;
}

std::vector<uint64_t> ImageRunner::region_bytes() const {
  std::vector<uint64_t> bytes;
  bytes.reserve(image_.regions().size());
  for (size_t region = 0; region < image_.regions().size(); ++region) {
    bytes.push_back(vm_->region_bytes(region));
  }
  return bytes;
}

Result<SnapshotPtr> ImageRunner::snapshot() {
  if (broken_) return invalid("no snapshot of a VM that its guest broke: " + broken_->broken);
  Snapshot::Rest rest{&image_, instantiated_, nullptr};
  if (handler_ != nullptr) rest.host = MAYFLY_TRY(handler_->save());
  auto touched = MAYFLY_TRY(vm_->touched_pages());
  auto taken =
      MAYFLY_TRY(Snapshot::create(region_bytes(), reference_, std::move(touched), std::move(rest)));
  MAYFLY_TRY(vm_->set_reference(taken->memory()));
  reference_ = taken;
  return taken;
}

Result<void> ImageRunner::check_restore(const Snapshot& snapshot) const {
  if (snapshot.rest().image != &image_) {
    return invalid("the snapshot is of another program's image");
  }
  return ports_.check_sizes(snapshot.memory().region_bytes);
}

Result<vmm::RestoreCount> ImageRunner::restore(const SnapshotPtr& snapshot) {
  if (broken_) return invalid("a VM that its guest broke cannot be reset: " + broken_->broken);
  MAYFLY_TRY(check_restore(*snapshot));
  const auto restored = vm_->restore(snapshot->memory());
  if (!restored) {
    broken_.emplace();
    broken_->kind = CallOutcome::Kind::kBroken;
    broken_->broken = restored.error().message;
    return restored.error();
  }
  if (handler_ != nullptr) MAYFLY_TRY(handler_->restore(snapshot->rest().host.get()));
  MAYFLY_TRY(prepare_call_page());
  instantiated_ = snapshot->rest().instantiated;
  // Most go back to where they came from: then nobody else's count of owners is touched.
  if (reference_ != snapshot) reference_ = snapshot;
  return *restored;
}

Result<Value> ImageRunner::read_global(const image::GlobalExport& global) const {
  guest_abi::Slot slot;
  uint8_t bytes[sizeof slot] = {};
  const size_t size = global.type.type == wasm::kV128 ? 16 : 8;
  MAYFLY_TRY(vm_->read(global.address, std::span(bytes, size)));
  std::memcpy(&slot, bytes, sizeof slot);
  return Value{global.type.type, significant_bits(global.type.type, slot)};
}

Result<std::unique_ptr<CallOutcome>> ImageRunner::call_slots(const image::FuncExport& function,
                                                             guest_abi::Slot* slots) {
  const wasm::FuncType& type = function.type;
  guest_abi::CallPage& page = vm_->call_page();
  std::copy_n(slots, type.params.size(), page.slots);
  auto ended = MAYFLY_TRY(enter({function.thunk, function.code}));
  if (ended == nullptr) std::copy_n(page.slots, type.results.size(), slots);
  return ended;
}

Result<std::unique_ptr<CallOutcome>> ImageRunner::enter(const vmm::Entry& entry) {
  if (broken_) return std::make_unique<CallOutcome>(*broken_);
  const CallDepth inside(depth_);
  if (clock_ && depth_ == 1) clock_->start();
  if (clock_ && depth_ > 1) clock_->was_host();
  Result<vmm::Exit> exit = depth_ == 1 ? vm_->enter(entry) : vm_->enter_nested(entry);
  for (;;) {
    if (!exit) return std::move(exit).error();
    count_exit(*exit);
    if (exit->kind != vmm::Exit::Kind::kPort) {
      auto broken_rule = ports_.end_call();
      auto outcome = outcome_of(*exit);
      const bool is_for_rule = outcome.kind == CallOutcome::Kind::kCancelled && broken_rule;
      return std::make_unique<CallOutcome>(is_for_rule ? *std::move(broken_rule)
                                                       : std::move(outcome));
    }
    if (exit->port == static_cast<uint32_t>(guest_abi::Port::kReturn)) {
      auto ended = ports_.end_call();
      return ended ? std::make_unique<CallOutcome>(*std::move(ended)) : nullptr;
    }
    auto ended = MAYFLY_TRY(ports_.handle(exit->port));
    if (clock_) clock_->was_host();
    if (ended) {
      ports_.end_call();
      return std::make_unique<CallOutcome>(std::move(*ended));
    }
    exit = vm_->resume();
  }
}

// After each time that the guest ran.
void ImageRunner::count_exit(const vmm::Exit& exit) {
  if (clock_) clock_->was_guest();
  if (exit.is_exitless) {
    counts_.exitless.add(1);
  } else {
    counts_.add_exit(reason_of(exit));
  }
}

CallOutcome ImageRunner::outcome_of(const vmm::Exit& exit) {
  CallOutcome outcome;
  const StackPosition position{exit.fault.rip, exit.fault.rsp, exit.fault.rbp};
  switch (exit.kind) {
    case vmm::Exit::Kind::kPort:
      return outcome;
    case vmm::Exit::Kind::kFault:
      return outcome_of_fault(exit.fault);
    case vmm::Exit::Kind::kDeadline:
      outcome.kind = CallOutcome::Kind::kDeadline;
      outcome.stopped = backtrace(position, code_, *vm_);
      return outcome;
    case vmm::Exit::Kind::kCancelled:
      outcome.kind = CallOutcome::Kind::kCancelled;
      outcome.stopped = backtrace(position, code_, *vm_);
      return outcome;
    case vmm::Exit::Kind::kOutOfMemory:
      outcome.kind = CallOutcome::Kind::kOutOfMemory;
      outcome.message = exit.message;
      outcome.stopped = backtrace(position, code_, *vm_);
      return outcome;
    case vmm::Exit::Kind::kBroken:
      break;
  }
  outcome.kind = CallOutcome::Kind::kBroken;
  outcome.broken = exit.message;
  broken_ = outcome;
  return outcome;
}

Result<void> ImageRunner::set_fuel(uint64_t units) {
  if (!image_.counts_fuel()) return invalid("the image counts no fuel: it was built without");
  if (units > INT64_MAX) return invalid("fuel is at most " + std::to_string(INT64_MAX));
  vm_->call_page().fuel = static_cast<int64_t>(units);
  return {};
}

CallOutcome ImageRunner::outcome_of_fault(const vmm::Fault& fault) {
  const FaultContext context{
      .regions = image_.regions(), .stack_bytes = stack_bytes_, .text_byte = [&](uint64_t address) {
        return image_.text_byte(address);
      }};
  CallOutcome outcome;
  const guest_abi::TrapCode code = classify_fault(fault, context);
  auto frames = backtrace({fault.rip, fault.rsp, fault.rbp}, code_, *vm_);
  if (code == guest_abi::TrapCode::kOutOfFuel) {
    outcome.kind = CallOutcome::Kind::kOutOfFuel;
    outcome.stopped = std::move(frames);
    return outcome;
  }
  outcome.kind = CallOutcome::Kind::kTrapped;
  outcome.trap.code = code;
  outcome.trap.message = code == guest_abi::TrapCode::kComponent
                             ? component_trap_text(component_request(vm_->call_page()))
                             : describe_fault(fault, code);
  outcome.trap.backtrace = std::move(frames);
  return outcome;
}

}  // namespace mayfly::runtime
