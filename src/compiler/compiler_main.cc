// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly-compiler: started by the host (src/runtime/build.cc) with three memory files, it reads a
// BuildRequest from the first and writes the image and a BuildReply to the others.
//
//   mayfly-compiler MEMORY_BYTES_MAX CPU_SECONDS_MAX    (0: no limit)
#include <llvm/Support/ErrorHandling.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>

#include "base/fd.h"
#include "base/mapping.h"
#include "compiler/image_builder.h"
#include "compiler/process.h"
#include "image/build_descriptors.h"
#include "image/build_request.h"

namespace mayfly::compiler {
namespace {

constexpr uint64_t kRequestBytesMax = uint64_t{4} << 30;

// Ends the process without destructors: the system takes all of it back, and faster.
[[noreturn]] void leave(const image::BuildReply& reply) {
  const std::vector<uint8_t> bytes = encode(reply);
  const bool written = write_whole(image::kReplyDescriptor, bytes).has_value();
  ::_exit(written ? (reply.ok ? 0 : 1) : 2);
}

[[noreturn]] void leave_with(Error error) {
  image::BuildReply reply;
  reply.error = std::move(error);
  reply.peak_bytes = peak_memory_bytes();
  leave(reply);
}

// LLVM's fatal errors: code that it cannot generate, or memory that it did not get.
void on_llvm_fatal(void* /*data*/, const char* reason, bool /*diagnostics*/) {
  leave_with(unsupported(std::string("LLVM: ") + reason));
}
void on_llvm_bad_alloc(void* /*data*/, const char* /*reason*/, bool /*diagnostics*/) {
  ::_exit(image::kExitOutOfMemory);
}
void on_bad_alloc() { ::_exit(image::kExitOutOfMemory); }

Result<uint64_t> number(const char* text) {
  uint64_t value = 0;
  const char* const end = text + std::strlen(text);
  const auto result = std::from_chars(text, end, value);
  if (result.ec != std::errc() || result.ptr != end) {
    return invalid(std::string("not a number: ") + text);
  }
  return value;
}

Result<image::BuildReply> run() {
  const std::vector<uint8_t> bytes =
      MAYFLY_TRY(read_whole(image::kRequestDescriptor, kRequestBytesMax));
  const image::BuildRequest request = MAYFLY_TRY(image::decode_build_request(bytes));
  const BuiltImage built = MAYFLY_TRY(build(request));
  MAYFLY_TRY(write_whole(image::kImageDescriptor, built.bytes));
  image::BuildReply reply;
  reply.ok = true;
  reply.compile_ns = built.compile_ns;
  reply.link_ns = built.link_ns;
  reply.peak_bytes = peak_memory_bytes();
  return reply;
}

Result<ProcessLimits> read_limits(int count, char** arguments) {
  if (count != 3) return invalid("mayfly-compiler is started by mayfly, not by hand");
  ProcessLimits limits;
  limits.memory_bytes_max = MAYFLY_TRY(number(arguments[1]));
  limits.cpu_time_max = std::chrono::seconds(MAYFLY_TRY(number(arguments[2])));
  return limits;
}

}  // namespace
}  // namespace mayfly::compiler

int main(int argc, char** argv) {
  using namespace mayfly::compiler;
  const auto limits = read_limits(argc, argv);
  if (!limits) {
    std::fprintf(stderr, "%s\n", limits.error().message.c_str());
    return 2;
  }
  std::set_new_handler(&on_bad_alloc);
  llvm::install_fatal_error_handler(&on_llvm_fatal);
  llvm::install_bad_alloc_error_handler(&on_llvm_bad_alloc);
  auto restricted = restrict_process(*limits, mayfly::image::kFirstUnusedDescriptor);
  if (!restricted) leave_with(std::move(restricted).error());
  auto reply = run();
  if (!reply) leave_with(std::move(reply).error());
  leave(*reply);
}
