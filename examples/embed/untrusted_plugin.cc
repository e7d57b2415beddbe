// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plug-in of somebody else's: little memory, little time, no files; and after whatever it did,
// a state as good as new.
//   untrusted_plugin FILE.wasm
#include <chrono>
#include <cstdio>

#include "mayfly/mayfly.hh"

namespace {

int fail(const std::string& message) {
  std::fprintf(stderr, "untrusted_plugin: %s\n", message.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("give a file");
  auto engine = mayfly::Engine::create();
  if (!engine) return fail(engine.error().message);
  auto program = engine->load(argv[1]);
  if (!program) return fail(program.error().message);

  mayfly::Limits limits;
  limits.memory_bytes_max = 1 << 20;
  limits.stack_bytes = 1 << 20;
  limits.deadline = std::chrono::milliseconds(50);
  const auto policy = mayfly::Policy().limits(limits).trust_domain({.number = 7});
  auto plugin = mayfly::Linker(*engine).instantiate(*program, policy);
  if (!plugin) return fail(plugin.error().message);

  for (const char* function : {"work", "forever", "hoard", "crash", "recurse", "work"}) {
    const auto answer = plugin->call<int32_t>(function);
    if (answer) {
      std::printf("%s() = %d\n", function, *answer);
      continue;
    }
    // How it ended is a value. The backtrace is the plug-in's claim, of use to its author.
    std::printf("%s(): %s\n", function, answer.message().c_str());
    if (answer.kind() == mayfly::CallOutcome::Kind::kHostError) return 1;  // it was not even called
    if (!answer.end().backtrace.empty()) {
      std::printf("  in %s\n", answer.end().backtrace.front().function.c_str());
    }
    // What ended in the middle of something is refused until it is put back.
    if (const auto done = plugin->reset(); !done) return fail(done.error().message);
  }
  return 0;
}
