// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module from a file, one function of it, called in a virtual machine of its own.
//   hello FILE.wasm FUNCTION A B
#include <cstdio>
#include <cstdlib>

#include "mayfly/mayfly.hh"

namespace {

mayfly::Result<int32_t> compute(const char* file, const char* function, int32_t a, int32_t b) {
  auto engine = mayfly::Engine::create();
  if (!engine) return engine.error();
  auto program = engine->load(file);
  if (!program) return program.error();
  auto sandbox = mayfly::Linker(*engine).instantiate(*program);
  if (!sandbox) return sandbox.error();
  const auto answer = sandbox->call<int32_t>(function, a, b);
  if (!answer) return mayfly::Error{.message = answer.message()};  // a trap, a wrong name, ...
  return *answer;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: hello FILE.wasm FUNCTION A B\n");
    return 2;
  }
  const auto answer = compute(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  if (!answer) {
    std::fprintf(stderr, "hello: %s\n", answer.error().message.c_str());
    return 1;
  }
  std::printf("%s(%s, %s) = %d\n", argv[2], argv[3], argv[4], *answer);
  return 0;
}
