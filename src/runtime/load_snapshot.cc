// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file says what its program is; this linker says what the program's imports are.
#include "runtime/load_snapshot.h"

#include <algorithm>
#include <utility>

#include "runtime/linked_component.h"
#include "runtime/printable.h"
#include "runtime/snapshot_file.h"
#include "runtime/snapshot_save.h"

namespace mayfly::runtime {
namespace {

// The functions of the image's imports, in their order.
Result<std::vector<detail::HostFunction>> bind_functions(
    const image::Image& image, std::span<const HostDefinition> functions) {
  MAYFLY_TRY(check_types_known(image));
  std::vector<detail::HostFunction> bound;
  std::string missing;
  for (const image::HostFunction& import : image.host_functions()) {
    const std::string name =
        "\"" + printable(import.module) + "\" \"" + printable(import.name) + "\"";
    const auto found = std::ranges::find_if(functions, [&](const HostDefinition& definition) {
      return definition.function.call != nullptr && definition.module == import.module &&
             definition.name == import.name;
    });
    if (found == functions.end()) {
      missing += (missing.empty() ? "" : "; ") + name + " of type " + to_string(import.type) +
                 " is not defined";
    } else if (func_type_of(found->function.type) != import.type) {
      missing += (missing.empty() ? "" : "; ") + name + " is of type " + to_string(import.type) +
                 ", but was defined as " + to_string(found->function.type);
    } else {
      bound.push_back(found->function);
    }
  }
  if (!missing.empty()) return link_error("the snapshot's host functions: " + missing);
  return bound;
}

Result<void> check_trust(const EngineState& engine, const SnapshotFile& file,
                         const SnapshotFileOptions& options) {
  const bool has_one_wall = engine.host().driver() == vmm::Driver::kProcess;
  if (has_one_wall && !options.trust) {
    const auto checked = file.check_origin();
    if (checked) return {};
    return unsupported("the process driver starts snapshots that this installation made: " +
                       checked.error().message);
  }
  return options.verify ? file.verify() : Result<void>();
}

Result<std::shared_ptr<const SandboxSnapshot>> load(EngineState& engine, const LinkRequest& request,
                                                    const std::shared_ptr<const SnapshotFile>& file,
                                                    const SnapshotFileOptions& options) {
  MAYFLY_TRY(check_trust(engine, *file, options));
  auto program = std::make_shared<LinkedProgram>();
  program->image = MAYFLY_TRY(engine.image_with(
      file->header().image, file->header().image_bytes,
      [&]() -> Result<std::shared_ptr<const image::Image>> {
        return std::shared_ptr<const image::Image>(MAYFLY_TRY(file->open_image()));
      }));
  if (request.instances.empty()) {
    program->functions = MAYFLY_TRY(bind_functions(*program->image, request.functions));
  } else {
    MAYFLY_TRY(bind_component(request, *program));
  }
  auto snapshot = std::make_shared<SandboxSnapshot>();
  snapshot->state = MAYFLY_TRY(Snapshot::create(file, *program->image));
  program->main = file->metadata().main;
  program->uses_wasi = file->metadata().uses_wasi;
  snapshot->program = std::move(program);
  return std::shared_ptr<const SandboxSnapshot>(std::move(snapshot));
}

}  // namespace

Result<void> save_snapshot(const SandboxSnapshot& snapshot, const std::string& path) {
  const LinkedProgram& program = *snapshot.program;
  return save_snapshot(*snapshot.state, {program.image.get(), program.main, program.uses_wasi},
                       path);
}

Result<std::shared_ptr<const SandboxSnapshot>> load_snapshot(EngineState& engine,
                                                             const LinkRequest& request,
                                                             const std::string& path,
                                                             const SnapshotFileOptions& options) {
  MAYFLY_TRY(engine.check_process());
  const TraceSpan span(engine, "load");
  const auto file = MAYFLY_TRY(SnapshotFile::open(path));
  auto loaded = load(engine, request, file, options);
  if (!loaded) return with_context(path, std::move(loaded).error());
  return loaded;
}

}  // namespace mayfly::runtime
