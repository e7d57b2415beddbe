// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors with their errno and their context.
#include "base/result.h"

#include <system_error>

namespace mayfly {

Error host_error(std::string what) {
  const int saved = errno;
  std::string message = std::move(what) + ": " + std::generic_category().message(saved);
  if (saved == EMFILE) message += " (raise RLIMIT_NOFILE: ulimit -n)";
  return Error{ErrorKind::kHost, std::move(message), saved};
}

Error with_context(std::string context, Error error) {
  error.message = std::move(context) + ": " + error.message;
  return error;
}

}  // namespace mayfly
