// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A policy grants nothing until it is told to.
#include "api/policy.h"

#include <unistd.h>

#include <utility>

#include "wasi/context.h"

namespace mayfly {
namespace {

static_assert(static_cast<int>(LogLevel::kCritical) == static_cast<int>(wasi::LogLevel::kCritical));

std::unique_ptr<Policy::State> nothing() {
  auto state = std::make_unique<Policy::State>();
  state->wasi.stdin_fd = state->wasi.stdout_fd = state->wasi.stderr_fd = -1;
  return state;
}

}  // namespace

Policy::Policy() : state_(nothing()) {}
Policy::Policy(const Policy& other) : state_(std::make_unique<State>(*other.state_)) {}
// What was moved from grants nothing.
Policy::Policy(Policy&& other) noexcept : state_(std::exchange(other.state_, nothing())) {}
Policy& Policy::operator=(const Policy& other) {
  if (this != &other) *state_ = *other.state_;
  return *this;
}
Policy& Policy::operator=(Policy&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}
Policy::~Policy() = default;

Policy& Policy::arg(std::string text) {
  state_->wasi.args.push_back(std::move(text));
  return *this;
}

Policy& Policy::env(std::string name, std::string value) {
  state_->wasi.environ.push_back(std::move(name) + "=" + std::move(value));
  return *this;
}

Policy& Policy::preopen(std::string host_path, std::string guest_path, Access access) {
  state_->wasi.preopens.push_back(
      {std::move(host_path), std::move(guest_path),
       access == Access::kReadOnly ? wasi::TreeAccess::kReadOnly : wasi::TreeAccess::kReadWrite});
  return *this;
}

Policy& Policy::tmpfs(std::string guest_path, uint64_t bytes_max) {
  state_->wasi.memory_directories.push_back(
      {.guest_path = std::move(guest_path), .bytes_max = bytes_max});
  return *this;
}

Policy& Policy::inherit_stdio() { return stdio(STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO); }

Policy& Policy::stdio(int stdin_fd, int stdout_fd, int stderr_fd) {
  state_->wasi.stdin_fd = stdin_fd;
  state_->wasi.stdout_fd = stdout_fd;
  state_->wasi.stderr_fd = stderr_fd;
  return *this;
}

Policy& Policy::tcp(std::string host_port) {
  state_->wasi.network.tcp_connect.push_back(std::move(host_port));
  return *this;
}

Policy& Policy::tcp_listen(std::string host_port) {
  state_->wasi.network.tcp_listen.push_back(std::move(host_port));
  return *this;
}

Policy& Policy::udp(std::string host_port) {
  state_->wasi.network.udp_send.push_back(std::move(host_port));
  return *this;
}

Policy& Policy::udp_listen(std::string host_port) {
  state_->wasi.network.udp_listen.push_back(std::move(host_port));
  return *this;
}

Policy& Policy::allow_dns() {
  state_->wasi.network.lookups = true;
  return *this;
}

Policy& Policy::inherit_network() {
  state_->wasi.network.everything = true;
  return *this;
}

Policy& Policy::http(std::string host) {
  state_->wasi.http.grants.push_back(std::move(host));
  return *this;
}

Policy& Policy::http_ca_file(std::string path) {
  state_->wasi.http.ca_file = std::move(path);
  return *this;
}

Policy& Policy::logging(LogSink sink, LogLevel from) {
  state_->wasi.log.from = static_cast<wasi::LogLevel>(from);
  state_->wasi.log.sink = nullptr;
  if (sink) {
    state_->wasi.log.sink = [sink = std::move(sink)](wasi::LogLevel level, std::string_view context,
                                                     std::string_view message) {
      sink(static_cast<LogLevel>(level), context, message);
    };
  }
  return *this;
}

Policy& Policy::config(std::string key, std::string value) {
  state_->wasi.config.insert_or_assign(std::move(key), std::move(value));
  return *this;
}

Policy& Policy::keyvalue_in_memory(uint64_t bytes_max) {
  state_->wasi.key_value = {wasi::KeyValueConfig::Kind::kMemory, "", bytes_max};
  return *this;
}

Policy& Policy::keyvalue_file(std::string path, uint64_t bytes_max) {
  state_->wasi.key_value = {wasi::KeyValueConfig::Kind::kFile, std::move(path), bytes_max};
  return *this;
}

Policy& Policy::limits(const Limits& limits) {
  state_->limits = limits;
  return *this;
}

Policy& Policy::deadline(std::chrono::nanoseconds per_call) {
  state_->limits.deadline = per_call;
  return *this;
}

Policy& Policy::trust_domain(TrustDomain domain) {
  state_->domain = domain;
  return *this;
}

Policy& Policy::measure_cpu_time(bool is_measured) {
  state_->measures_cpu_time = is_measured;
  return *this;
}

Policy& Policy::resettable(bool is_resettable) {
  state_->is_resettable = is_resettable;
  return *this;
}

Policy& Policy::spin(std::chrono::nanoseconds time) {
  state_->spin_time = time;
  return *this;
}

Policy& Policy::user_data(void* data) {
  state_->user_data = data;
  return *this;
}

const Limits& Policy::limits() const { return state_->limits; }

namespace api {

runtime::SandboxConfig sandbox_config(const Policy& policy) {
  const Policy::State& state = policy.state();
  runtime::SandboxConfig config;
  config.limits = state.limits;
  config.user_data = state.user_data;
  config.domain = state.domain;
  config.measures_cpu_time = state.measures_cpu_time;
  config.is_resettable = state.is_resettable;
  config.spin_time = state.spin_time;
  config.make_ports =
      [wasi = state.wasi,
       limits = state.limits]() mutable -> Result<std::unique_ptr<runtime::PortHandler>> {
    wasi.limits.open_files_max = limits.open_handles_max;
    wasi.limits.write_bytes_max = limits.file_bytes_max;
    return std::unique_ptr<runtime::PortHandler>(MAYFLY_TRY(wasi::Context::create(wasi)));
  };
  return config;
}

}  // namespace api
}  // namespace mayfly
