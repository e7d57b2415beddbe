// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module is told from a component and an image by its first bytes.
#include "runtime/program_state.h"

#include <utility>

#include "runtime/printable.h"

namespace mayfly::runtime {
Result<std::shared_ptr<const ProgramState>> ProgramState::create(std::string name,
                                                                 std::vector<uint8_t> bytes,
                                                                 uint64_t number) {
  const std::string shown = printable(name);
  if (component::is_component(bytes)) {
    auto file = std::make_shared<linker::ComponentFile>();
    file->name = name;
    auto component = component::decode(bytes);
    if (!component) return with_context(shown, std::move(component).error());
    file->component = std::move(*component);
    file->bytes = std::move(bytes);
    return std::shared_ptr<const ProgramState>(
        std::make_shared<ProgramState>(Key(), std::move(name), std::move(file), number));
  }
  auto module = wasm::decode(bytes);
  if (!module) return with_context(shown, std::move(module).error());
  return std::shared_ptr<const ProgramState>(std::make_shared<ProgramState>(
      Key(), std::move(name), std::move(bytes), std::move(*module), number));
}

std::shared_ptr<const ProgramState> ProgramState::of_image(
    std::string name, std::shared_ptr<const image::Image> image, uint64_t number) {
  return std::make_shared<ProgramState>(Key(), std::move(name), std::move(image), number);
}

}  // namespace mayfly::runtime
