// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Functions of this program that the guest may call: a plain one, one that reads the guest's memory
// through checks, one that calls back into the guest, and one that may hang.
//   host_functions FILE.wasm
#include <chrono>
#include <cstdio>
#include <thread>

#include "mayfly/mayfly.hh"

namespace {

using mayfly::Caller;
using mayfly::Result;

int fail(const std::string& message) {
  std::fprintf(stderr, "host_functions: %s\n", message.c_str());
  return 1;
}

Result<void> print(Caller& caller, uint32_t address, uint32_t size) {
  auto memory = caller.memory();
  if (!memory) return memory.error();
  auto text = memory->read_string(address, size);
  if (!text) return text.error();
  std::printf("the guest says: %s\n", text->c_str());
  return {};
}

Result<int32_t> twice(Caller& caller, int32_t value) {
  auto inner = caller.call<int32_t>("double", value);
  if (!inner) return mayfly::Error{.message = inner.message()};
  return *inner;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return fail("give a file");
  auto engine = mayfly::Engine::create();
  if (!engine) return fail(engine.error().message);
  auto program = engine->load(argv[1]);
  if (!program) return fail(program.error().message);

  mayfly::Linker linker(*engine);
  linker.define("env", "add", [](int32_t a, int32_t b) { return a + b; })
      .define("env", "print", print)
      .define("env", "twice", twice)
      .define_blocking("env", "ask_server", [](int32_t seconds) {
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        return 0;
      });
  auto sandbox = linker.instantiate(*program, mayfly::Policy().deadline(std::chrono::seconds(1)));
  if (!sandbox) return fail(sandbox.error().message);

  const auto answer = sandbox->call<int32_t>("run");
  if (!answer) return fail(answer.message());
  std::printf("run() = %d\n", *answer);
  std::printf("print_outside(): %s\n", sandbox->call("print_outside").message().c_str());
  if (const auto done = sandbox->reset(); !done) return fail(done.error().message);
  if (const auto done = sandbox->set_deadline(std::chrono::milliseconds(20)); !done) {
    return fail(done.error().message);
  }
  std::printf("ask(2): %s\n", sandbox->call<int32_t>("ask", 2).message().c_str());
  return 0;
}
