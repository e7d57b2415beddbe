// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// By the name of the module first; "env" is everybody's, so there the name of the function decides.
#include "runtime/import_advice.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "runtime/guest_functions.h"
#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

constexpr std::string_view kCurrent = "wasi_snapshot_preview1";

constexpr std::string_view kPreload =
    "a module that exports it can be linked with --preload NAME=FILE, and a host function defined "
    "through the library (Linker::define)";
constexpr std::string_view kThreads =
    "WASI threads are not supported; build it for wasm32-wasip1, without -pthread";
constexpr std::string_view kComponents =
    "an interface of WASI 0.2 and later, which only components import; build it for wasm32-wasip1";
constexpr std::string_view kEmscripten =
    "it was built by Emscripten for JavaScript; build it with -sSTANDALONE_WASM, or with wasi-sdk";
constexpr std::string_view kBindgen =
    "it was built by wasm-bindgen for JavaScript; build it for wasm32-wasip1, without wasm-bindgen";
constexpr std::string_view kGo =
    "it was built by Go for JavaScript; build it with GOOS=wasip1 GOARCH=wasm";
constexpr std::string_view kDynamic =
    "it was built for dynamic linking, which is not supported; link it statically";
constexpr std::string_view kAssemblyScript =
    "it was built by AssemblyScript for JavaScript; build it with --use abort= or with "
    "@assemblyscript/wasi-shim";
constexpr std::string_view kWasiProposal =
    "a proposal of WASI that is not supported; known are wasi_snapshot_preview1 and wasi_unstable";

struct Origin {
  std::string_view start;  // of the module's name, or of the function's in "env"
  std::string_view advice;
};

constexpr auto kModules = std::to_array<Origin>({
    {"wasi:", kComponents},
    {"[export]wasi:", kComponents},
    {"cm32p2", kComponents},
    {"wasi_ephemeral_", kWasiProposal},
    {"__wbindgen", kBindgen},
    {"wbg", kBindgen},
    {"./", kBindgen},
    {"gojs", kGo},
    {"go", kGo},
    {"GOT.", kDynamic},
    {"a", kEmscripten},
});

constexpr auto kEnv = std::to_array<Origin>({
    {"emscripten_", kEmscripten},
    {"_emscripten_", kEmscripten},
    {"__syscall_", kEmscripten},
    {"invoke_", kEmscripten},
    {"__cxa_", kEmscripten},
    {"_embind_", kEmscripten},
    {"abort", kAssemblyScript},
    {"__stack_pointer", kDynamic},
    {"__memory_base", kDynamic},
    {"__table_base", kDynamic},
    {"__indirect_function_table", kDynamic},
});

// How many letters have to be put in, taken out or changed to get from one to the other.
size_t distance(std::string_view from, std::string_view to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i + 1);
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t changed = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row[to.size()];
}

// The known name that is so near that it was meant; empty: there is none. No known one is long.
std::string_view nearest(std::string_view name, const std::vector<std::string_view>& known) {
  constexpr size_t kNameBytesMax = 64;
  constexpr size_t kDistanceMax = 3;
  if (name.size() > kNameBytesMax) return {};
  std::string_view best;
  size_t best_distance = std::min(kDistanceMax, name.size() / 2) + 1;
  for (const std::string_view candidate : known) {
    const size_t found = distance(name, candidate);
    if (found < best_distance) {
      best = candidate;
      best_distance = found;
    }
  }
  return best;
}

std::string quoted(std::string_view name) { return "\"" + printable(std::string(name)) + "\""; }

std::string function_advice(std::string_view module, std::string_view name) {
  std::string text = std::string(module) + " has no such function";
  const std::string_view meant = nearest(name, guest_function_names(module));
  if (find_guest_function(kCurrent, name) != nullptr) {
    return text + ", but " + std::string(kCurrent) + " has: build it with a newer toolchain";
  }
  return meant.empty() ? text : text + "; did you mean " + quoted(meant) + "?";
}

template <size_t Count>
std::string_view find(const std::array<Origin, Count>& origins, std::string_view name) {
  const auto* const found = std::ranges::find_if(origins, [&](const Origin& origin) {
    // Of one or two letters only the whole name says something.
    return origin.start.size() > 2 ? name.starts_with(origin.start) : name == origin.start;
  });
  return found == origins.end() ? std::string_view() : found->advice;
}

}  // namespace

std::string import_advice(std::string_view module, std::string_view name) {
  if (is_guest_module(module)) return function_advice(module, name);
  if (name == "thread-spawn" || name == "thread_spawn") return std::string(kThreads);
  if (const auto advice = find(kModules, module); !advice.empty()) return std::string(advice);
  if (module == "env") {
    if (name == "memory") {
      return "the program should have a memory of its own: link it without --import-memory, and "
             "without -pthread";
    }
    if (const auto advice = find(kEnv, name); !advice.empty()) return std::string(advice);
    return "a function that C code declares and nothing defines becomes such an import: link what "
           "defines it, or " +
           std::string(kPreload);
  }
  if (const auto meant = nearest(module, guest_module_names()); !meant.empty()) {
    return "there is no module " + quoted(module) + "; did you mean " + quoted(meant) + "?";
  }
  if (module.starts_with("wasi")) {
    return "no WASI has this name; known are wasi_snapshot_preview1 and wasi_unstable";
  }
  return "nothing named " + quoted(module) + " is there; " + std::string(kPreload);
}

}  // namespace mayfly::runtime
