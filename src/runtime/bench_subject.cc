// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The same steps as the library's Linker, Sandbox and Function take.
#include "runtime/bench_subject.h"

#include <fcntl.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "base/fd.h"

namespace mayfly::runtime {
namespace {

// MemAvailable of /proc/meminfo, in bytes.
Result<uint64_t> available_bytes() {
  const Fd file = MAYFLY_TRY(open_file("/proc/meminfo", O_RDONLY | O_CLOEXEC));
  constexpr uint64_t kBytesMax = 65536;
  const auto bytes = MAYFLY_TRY(read_whole(file.get(), kBytesMax));
  const std::string text(bytes.begin(), bytes.end());
  constexpr std::string_view kName = "MemAvailable:";
  size_t at = text.find(kName);
  if (at == std::string::npos) return unsupported("/proc/meminfo has no MemAvailable");
  at = text.find_first_of("0123456789", at);
  uint64_t kibibytes = 0;
  if (at != std::string::npos) {
    std::from_chars(text.data() + at, text.data() + text.size(), kibibytes);
  }
  return kibibytes * 1024;
}

// What `count` results of make() take that are alive at once, each.
template <typename Make>
Result<uint64_t> bytes_of_each(int count, const Make& make) {
  decltype(make()) first = make();
  if (!first) return std::move(first).error();
  std::vector<typename decltype(first)::value_type> alive;
  alive.reserve(static_cast<size_t>(count));
  const uint64_t before = MAYFLY_TRY(available_bytes());
  for (int i = 0; i < count; ++i) alive.push_back(MAYFLY_TRY(make()));
  const uint64_t after = MAYFLY_TRY(available_bytes());
  return before > after ? (before - after) / static_cast<uint64_t>(count) : 0;
}

}  // namespace

Result<BenchSubject> BenchSubject::create(Parts parts) {
  if (!parts.image->host_functions().empty()) {
    return unsupported(parts.file + ": it imports functions of a program that embeds Mayfly");
  }
  auto program = std::make_shared<LinkedProgram>();
  program->uses_wasi = std::ranges::any_of(parts.image->imports(), [](const auto& import) {
    return import.bound_to == "guest library";
  });
  program->main = static_cast<uint32_t>(parts.image->instances().size() - 1);
  program->image = std::move(parts.image);
  EngineConfig config;
  config.host = std::move(parts.host);
  auto engine = MAYFLY_TRY(EngineState::create(std::move(config)));
  BenchSubject subject(std::move(parts), std::move(engine), std::move(program));
  const wasm::FuncType& type = subject.parts_.function->type;
  subject.slots_.resize(std::max({size_t{1}, type.params.size(), type.results.size()}));
  subject.floor_ = MAYFLY_TRY(vmm::SmallestGuest::create());
  subject.floor_vm_ = MAYFLY_TRY(subject.engine_->host().create_vm(subject.floor_.config));
  return subject;
}

Result<std::unique_ptr<CallOutcome>> BenchSubject::try_once() {
  sandbox_ = MAYFLY_TRY(SandboxState::create(engine_, program_, parts_.config));
  auto started = MAYFLY_TRY(sandbox_->start());
  if (started != nullptr) return started;
  MAYFLY_TRY(sandbox_->keep_first(nullptr));
  first_ = last_ = MAYFLY_TRY(sandbox_->snapshot());
  auto ended = MAYFLY_TRY(call_in(*sandbox_));
  returns_ = ended == nullptr;
  return ended;
}

Result<std::shared_ptr<SandboxState>> BenchSubject::create_started() {
  auto sandbox = MAYFLY_TRY(SandboxState::create(engine_, program_, parts_.config));
  const auto ended = MAYFLY_TRY(sandbox->start());
  if (ended != nullptr)
    return invalid(parts_.file + ": this time, the start ended with " + to_string(*ended));
  return sandbox;
}

Result<std::shared_ptr<SandboxState>> BenchSubject::create_from_snapshot() {
  auto sandbox = MAYFLY_TRY(SandboxState::create(engine_, program_, parts_.config));
  MAYFLY_TRY(sandbox->restore(first_));
  return sandbox;
}

Result<std::unique_ptr<CallOutcome>> BenchSubject::call_in(SandboxState& sandbox) {
  std::ranges::transform(parts_.arguments, slots_.begin(), &Value::bits);
  return sandbox.call(*parts_.function, slots_.data());
}

Result<void> BenchSubject::expect_same_end(Result<std::unique_ptr<CallOutcome>> outcome) const {
  if (!outcome) return std::move(outcome).error();
  const CallOutcome* end = outcome->get();
  if (end == nullptr) return {};
  if (!returns_ && end->kind == CallOutcome::Kind::kExited && end->exit_code == 0) return {};
  return invalid(parts_.file + ": this time, the call ended with " + to_string(*end));
}

Result<void> BenchSubject::start() {
  other_ = MAYFLY_TRY(create_started());
  return expect_same_end(call_in(*other_));
}

Result<void> BenchSubject::start_from_snapshot() {
  other_ = MAYFLY_TRY(create_from_snapshot());
  return expect_same_end(call_in(*other_));
}

Result<void> BenchSubject::call() { return expect_same_end(call_in(*sandbox_)); }

Result<void> BenchSubject::snapshot() {
  last_ = MAYFLY_TRY(sandbox_->snapshot());
  is_at_first_ = false;
  return {};
}

Result<void> BenchSubject::restore_other() {
  is_at_first_ = !is_at_first_;
  return sandbox_->restore(is_at_first_ ? first_ : last_);
}

Result<void> BenchSubject::floor_start() {
  floor_other_ = MAYFLY_TRY(engine_->host().create_vm(floor_.config));
  MAYFLY_TRY(floor_other_->enter(vmm::kEmptyCall));
  return {};
}

Result<void> BenchSubject::floor_call() {
  MAYFLY_TRY(floor_vm_->enter(vmm::kEmptyCall));
  return {};
}

Result<uint64_t> BenchSubject::idle_bytes(int count) {
  return bytes_of_each(count, [this] { return create_from_snapshot(); });
}

Result<uint64_t> BenchSubject::floor_idle_bytes(int count) {
  return bytes_of_each(count, [this] { return engine_->host().create_vm(floor_.config); });
}

}  // namespace mayfly::runtime
