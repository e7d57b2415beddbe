// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ports that tell a program what it was given.
#include "wasi/port_call.h"

namespace mayfly::wasi {

namespace {

PortAnswer give(PortCall& call, const std::string& text, const guest_abi::WasiRange& to) {
  if (text.size() > to.bytes) return Errno::kNameTooLong;
  MAYFLY_TRY(write_text(call, to.address, text));
  return Errno::kSuccess;
}

}  // namespace

PortAnswer start(PortCall& call, guest_abi::WasiStartRequest& request) {
  const Program& program = call.program;
  request.handle_count = program.first_handles;
  request.args_count = program.args_count;
  request.environ_count = program.environ_count;
  request.args_bytes = program.args.size();
  request.environ_bytes = program.environ.size();
  return Errno::kSuccess;
}

PortAnswer text(PortCall& call, guest_abi::WasiTextRequest& request) {
  switch (static_cast<guest_abi::WasiText>(request.text)) {
    case guest_abi::WasiText::kArgs:
      return give(call, call.program.args, request.to);
    case guest_abi::WasiText::kEnviron:
      return give(call, call.program.environ, request.to);
    case guest_abi::WasiText::kPreopenName: {
      const Handle* handle = call.find(request.handle);
      if (handle == nullptr || !handle->has(guest_abi::kWasiPreopen)) return Errno::kBadF;
      return give(call, handle->name, request.to);
    }
  }
  return Errno::kInval;
}

PortAnswer describe_handle(PortCall& call, guest_abi::WasiDescribeRequest& request) {
  const Handle* handle = call.find(request.handle);
  if (handle == nullptr) return Errno::kBadF;
  request.description = description_of(request.handle, *handle);
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
