// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the command line gives a program of the host: directories, variables, listening sockets.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "cli/options.h"
#include "wasi/config.h"

namespace mayfly::cli {

// HOST, HOST::GUEST, and either with :ro at its end.
wasi::Preopen parse_directory(const std::string& text);

// GUEST, or GUEST:SIZE. Errors: kInvalid.
Result<wasi::MemoryDirectory> parse_memory_directory(const std::string& text);

// A socket that listens on ADDRESS:PORT, as 127.0.0.1:8080 or [::1]:8080.
// Errors: kInvalid; kHost.
Result<Fd> listen_on(const std::string& text);

struct Grants {
  wasi::WasiConfig config;
  std::vector<Fd> listeners;  // config names them
};
// Errors: those of listen_on, and of config_values.
Result<Grants> grants_of(const RunOptions& options);

}  // namespace mayfly::cli
