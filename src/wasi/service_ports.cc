// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:logging and wasi:config: what a program says to whoever runs it, and is told by him.
#include <algorithm>
#include <cstring>

#include "wasi/port_call.h"

namespace mayfly::wasi {

namespace {

constexpr uint64_t kContextBytesMax = 1 << 10;
constexpr uint64_t kMessageBytesMax = 1 << 16;
constexpr uint64_t kConfigKeyBytesMax = 1 << 16;

// Longer text is cut off, and says so.
Result<std::string> read_some(PortCall& call, const guest_abi::WasiRange& range,
                              uint64_t bytes_max) {
  std::string text = MAYFLY_TRY(read_text(call, range, bytes_max));
  if (range.bytes > bytes_max) text += "...";
  return text;
}

// All of it or nothing.
PortAnswer give(PortCall& call, guest_abi::WasiConfigRequest& request, std::string_view text) {
  request.bytes = text.size();
  if (text.size() > request.to.bytes) return Errno::kSuccess;
  MAYFLY_TRY(write_text(call, request.to.address, text));
  return Errno::kSuccess;
}

}  // namespace

PortAnswer log_message(PortCall& call, guest_abi::WasiLogRequest& request) {
  const LogConfig& log = call.program.log;
  if (request.level >= guest_abi::kWasiLogLevels) return Errno::kInval;
  const auto level = static_cast<LogLevel>(request.level);
  if (!log.sink) return Errno::kAcces;
  if (level < log.from) return Errno::kSuccess;
  const std::string context = MAYFLY_TRY(read_some(call, request.context, kContextBytesMax));
  const std::string message = MAYFLY_TRY(read_some(call, request.message, kMessageBytesMax));
  MAYFLY_TRY(check_output(call, context.size() + message.size()));
  count_output(call, context.size() + message.size());
  log.sink(level, context, message);
  return Errno::kSuccess;
}

PortAnswer config_value(PortCall& call, guest_abi::WasiConfigRequest& request) {
  if (request.key.bytes > kConfigKeyBytesMax) return Errno::kSuccess;  // no key is so long
  const std::string key = MAYFLY_TRY(read_text(call, request.key, kConfigKeyBytesMax));
  const auto found = call.program.config.find(key);
  if (found == call.program.config.end()) return Errno::kSuccess;
  request.found = 1;
  return give(call, request, found->second);
}

PortAnswer config_values(PortCall& call, guest_abi::WasiConfigRequest& request) {
  std::string bytes;
  for (const auto& [key, value] : call.program.config) {
    const guest_abi::WasiConfigPair sizes{static_cast<uint32_t>(key.size()),
                                          static_cast<uint32_t>(value.size())};
    bytes.resize(bytes.size() + sizeof sizes);
    std::memcpy(bytes.data() + bytes.size() - sizeof sizes, &sizes, sizeof sizes);
    bytes += key;
    bytes += value;
  }
  request.found = static_cast<uint32_t>(call.program.config.size());
  return give(call, request, bytes);
}

}  // namespace mayfly::wasi
