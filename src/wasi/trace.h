// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Trace: one line for each request of a program at the WASI ports, like strace's:
//   open(3, "a.txt", creat|trunc, read|write) = 5 <31 us>
// It stands between the runtime and a handler; without it there is nothing that could cost time.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/port_handler.h"

namespace mayfly::wasi {

// Threads: as the handler's.
class Trace final : public runtime::PortHandler {
 public:
  using Sink = std::function<void(std::string_view line)>;
  // The handler outlives the trace.
  Trace(runtime::PortHandler& handler, Sink sink) : handler_(handler), sink_(std::move(sink)) {}

  Result<runtime::PortOutcome> handle(uint32_t port, runtime::PortContext& context,
                                      std::span<uint8_t> request) override;
  Result<void> settle(runtime::PortContext& context) override;
  Result<std::unique_ptr<const runtime::HostState>> save() override { return handler_.save(); }
  Result<void> restore(const runtime::HostState* state) override { return handler_.restore(state); }

 private:
  runtime::PortHandler& handler_;
  Sink sink_;
};

}  // namespace mayfly::wasi
