// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Context: the host side of WASI for one program. It opens what the configuration grants, and then
// answers the program's requests at the WASI ports with nothing but that.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "base/result.h"
#include "runtime/port_handler.h"
#include "wasi/config.h"
#include "wasi/denials.h"
#include "wasi/port_call.h"
#include "wasi/write_behind.h"

namespace mayfly::wasi {

// Threads: one at a time.
class Context final : public runtime::PortHandler {
 public:
  Context(Program program, Denials denials)
      : program_(std::move(program)), denials_(std::move(denials)) {}

  // Errors: kHost with the path of a preopen that cannot be opened; kLimit; kInvalid for text
  // that contains a NUL.
  static Result<std::unique_ptr<Context>> create(const WasiConfig& config);
  // The same with a given way to resolve paths, for tests of both.
  static Result<std::unique_ptr<Context>> create(const WasiConfig& config, ResolveMethod method);

  Result<runtime::PortOutcome> handle(uint32_t port, runtime::PortContext& context,
                                      std::span<uint8_t> request) override;

  Result<void> settle(runtime::PortContext& context) override;

  // Open files, which snapshots share; not the standard streams and preopened directories, which
  // each program has from its own configuration.
  Result<std::unique_ptr<const runtime::HostState>> save() override;
  Result<void> restore(const runtime::HostState* state) override;

  // Descriptors of the directories in memory. They are its own.
  std::vector<int> memory_directories();

 private:
  Result<runtime::PortOutcome> answer(uint32_t port, PortCall& call, std::span<uint8_t> request);

  static Result<runtime::PortOutcome> answer_network_port(uint32_t port, PortCall& call,
                                                          std::span<uint8_t> request);
  static Result<runtime::PortOutcome> answer_service_port(uint32_t port, PortCall& call,
                                                          std::span<uint8_t> request);

  Result<void> empty_memory_directories();

  Program program_;
  Denials denials_;
  BehindReader behind_;
  // The state that the handles were last, and their change count then.
  const runtime::HostState* state_ = nullptr;
  uint64_t state_changes_ = 0;
  std::unique_ptr<const runtime::HostState> first_state_;
};

}  // namespace mayfly::wasi
