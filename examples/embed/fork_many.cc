// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One interpreter that was made ready once, and many forks of it: each has the words that the first
// one learned, and nothing of what another one did.
//   fork_many FILE.wasm FORKS
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "mayfly/mayfly.hh"

namespace {

constexpr const char* kPrelude =
    ": square dup * ; : cube dup square * ; : poly dup cube swap square + 1 + ;";

mayfly::Result<int32_t> evaluate(mayfly::Sandbox& interpreter, const std::string& text) {
  const auto place = interpreter.call<uint32_t>("input");
  if (!place) return mayfly::Error{.message = place.message()};
  auto memory = interpreter.memory();
  if (!memory) return memory.error();
  const auto written = memory->write_string(*place, text + '\0');
  if (!written) return written.error();
  const auto answer = interpreter.call<int32_t>("evaluate");
  if (!answer) return mayfly::Error{.message = "\"" + text + "\": " + answer.message()};
  return *answer;
}

mayfly::Result<void> run(const char* file, int forks) {
  auto engine = mayfly::Engine::create();
  if (!engine) return engine.error();
  auto program = engine->load(file);
  if (!program) return program.error();
  const mayfly::Linker linker(*engine);
  auto first = linker.instantiate(*program);
  if (!first) return first.error();
  if (const auto done = evaluate(*first, kPrelude); !done) return done.error();
  auto ready = first->snapshot();
  if (!ready) return ready.error();

  const auto start = std::chrono::steady_clock::now();
  int right = 0;
  for (int i = 0; i < forks; ++i) {
    auto fork = linker.instantiate(*ready);
    if (!fork) return fork.error();
    const int x = i % 1000;
    // It also teaches its own fork another meaning of square, which no other fork knows.
    const auto answer = evaluate(*fork, std::to_string(x) + " poly : square drop 0 ;");
    if (!answer) return answer.error();
    right += *answer == x * x * x + x * x + 1 ? 1 : 0;
  }
  const std::chrono::duration<double, std::micro> time = std::chrono::steady_clock::now() - start;
  std::printf("%d forks, %d right answers\n", forks, right);
  std::fprintf(stderr, "%.0f us each\n", time.count() / forks);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const int forks = argc == 3 ? std::atoi(argv[2]) : 0;
  if (forks <= 0) {
    std::fprintf(stderr, "usage: fork_many FILE.wasm FORKS\n");
    return 2;
  }
  const auto done = run(argv[1], forks);
  if (!done) std::fprintf(stderr, "fork_many: %s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
