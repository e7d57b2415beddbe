// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly bindgen: the world of a WIT file, a folder of them, or a component, as a C++ header.
#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "base/fd.h"
#include "cli/component_link.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "component/cpp_bindings.h"
#include "component/wit_decode.h"
#include "component/wit_files.h"
#include "linker/guest_functions.h"
#include "runtime/printable.h"

namespace mayfly::cli {
namespace {

namespace wit = component::wit;

struct Loaded {
  wit::Model model;
  wit::PackageId root{};
};

Result<Loaded> load(const std::string& file) {
  const bool is_text = std::filesystem::is_directory(file) || file.ends_with(".wit");
  if (is_text) {
    auto resolved = MAYFLY_TRY(wit::load(file));
    return Loaded{std::move(resolved.model), resolved.root};
  }
  const Input input = MAYFLY_TRY(open_input(file, Components::kTaken));
  if (input.kind != FileKind::kComponent) {
    return invalid(file + ": bindgen wants a component, a .wit file or a folder of them");
  }
  const auto bytes = MAYFLY_TRY(read_module(file, input.file));
  auto component = component::decode(bytes);
  if (!component) return with_context(file, std::move(component).error());
  auto decoded = wit::decode_component(*component);
  if (!decoded) return with_context(file, std::move(decoded).error());
  return Loaded{std::move(decoded->model), decoded->root};
}

Result<wit::WorldId> find_world(const BindgenOptions& options, const Loaded& loaded) {
  std::string names;
  const auto& worlds = loaded.model[loaded.root].worlds;
  for (const wit::WorldId id : worlds) {
    const std::string& name = loaded.model[id].name;
    const std::string qualified = loaded.model.qualified_name(id);
    if (options.world == name || options.world == qualified) return id;
    if (options.world == qualified.substr(0, qualified.find('@'))) return id;
    names += (names.empty() ? "" : ", ") + name;
  }
  if (options.world.empty() && worlds.size() == 1) return worlds.front();
  if (worlds.empty()) return invalid(options.file + ": it has no world");
  if (options.world.empty()) {
    return invalid(options.file + ": choose one of its worlds with --world: " + names);
  }
  return invalid(options.file + ": no world " + options.world + "; it has " + names);
}

// Whole or not at all: a compiler may be reading the one before.
Result<void> write(const std::string& path, const std::string& text) {
  const std::string unfinished = path + "." + std::to_string(::getpid()) + ".new";
  {
    const Fd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file.valid()) return host_error(unfinished);
    for (size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(file.get(), text.data() + done, text.size() - done);
      if (count < 0) {
        Error failed = host_error(unfinished);
        (void)::unlink(unfinished.c_str());
        return failed;
      }
      done += static_cast<size_t>(count);
    }
  }
  if (::rename(unfinished.c_str(), path.c_str()) == 0) return {};
  Error failed = host_error(path);
  (void)::unlink(unfinished.c_str());
  return failed;
}

Result<std::string> run(const BindgenOptions& options) {
  const Loaded loaded = MAYFLY_TRY(load(options.file));
  const wit::WorldId world = MAYFLY_TRY(find_world(options, loaded));
  wit::BindingOptions how;
  how.source = runtime::printable(std::filesystem::path(options.file).filename().string()) +
               ", world " + loaded.model.qualified_name(world);
  how.is_provided = [](std::string_view interface) {
    return linker::is_wasi2_interface(interface);
  };
  auto text = wit::cpp_bindings(loaded.model, world, how);
  if (!text) return with_context(options.file, std::move(text).error());
  std::error_code code;
  std::filesystem::create_directories(options.output, code);
  if (code) {
    return Error{ErrorKind::kHost, options.output + ": " + code.message(), code.value()};
  }
  const std::string path =
      (std::filesystem::path(options.output) / (wit::cpp_namespace(loaded.model[world]) + ".h"))
          .string();
  MAYFLY_TRY(write(path, *text));
  return path + "\n";
}

}  // namespace

int bindgen_command(const BindgenOptions& options) {
  const auto answer = run(options);
  return answer ? print(*answer) : report(answer.error());
}

}  // namespace mayfly::cli
