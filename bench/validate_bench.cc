// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding and validating, in MB of module per second of one core, of real modules.
// Fails when a large one is below the bar.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/fd.h"
#include "bench/paired.h"
#include "wasm/module.h"

namespace mayfly::bench {
namespace {

constexpr uint64_t kModuleBytesMax = uint64_t{1} << 30;
constexpr double kBarMegabytesPerSecond = 150;

int run(const std::vector<std::string>& paths) {
  int below = 0;
  std::printf("| module | MB | MB/s | at least |\n|---|---|---|---|\n");
  for (const std::string& path : paths) {
    const auto bytes = read_file(path, kModuleBytesMax);
    if (!bytes) {
      std::fprintf(stderr, "%s\n", bytes.error().message.c_str());
      return 1;
    }
    const auto decode_once = [&] {
      if (!wasm::decode(*bytes)) std::abort();
    };
    std::vector<double> times;
    for (int i = 0; i < 15; ++i) times.push_back(processor_microseconds_of(decode_once));
    const auto megabytes = static_cast<double>(bytes->size()) / 1e6;
    const double rate = megabytes / (median(times) / 1e6);
    std::printf("| %s | %.2f | %.0f | %.0f |\n", path.substr(path.find("bench/") + 6).c_str(),
                megabytes, rate, kBarMegabytesPerSecond);
    if (megabytes > 0.5 && rate < kBarMegabytesPerSecond) ++below;
  }
  if (below != 0) std::printf("%d large modules are below the bar\n", below);
  return below == 0 ? 0 : 1;
}

}  // namespace
}  // namespace mayfly::bench

// Arguments: modules. Without any: the largest of the test data.
int main(int argc, char** argv) {
  std::vector<std::string> paths(argv + 1, argv + argc);
  if (paths.empty()) {
    const char* testdata = std::getenv("MAYFLY_TESTDATA");
    const std::string bench =
        std::string(testdata != nullptr ? testdata : MAYFLY_SOURCE_DIR "/../shared/testdata") +
        "/bench/";
    if (!std::filesystem::exists(bench)) {
      std::printf("SKIPPED: no modules under %s\n", bench.c_str());
      return 0;
    }
    for (const char* name :
         {"rust-compression/benchmark.wasm", "regex/benchmark.wasm", "sqlite3/sqlite3.wasm",
          "rust-html-rewriter/benchmark.wasm", "tinygo/tinygo-json.wasm"}) {
      paths.push_back(bench + name);
    }
  }
  return mayfly::bench::run(paths);
}
