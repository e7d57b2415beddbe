// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A module is told from a component and an image by its first bytes.
#include "runtime/program_state.h"

#include <array>
#include <cstring>
#include <utility>

#include "runtime/printable.h"

namespace mayfly::runtime {
namespace {

constexpr std::array<uint8_t, 4> kWasm = {0x00, 'a', 's', 'm'};

bool is_component(std::span<const uint8_t> bytes) {
  // Binary.md: version 0x0d, layer 1.
  return bytes.size() >= 8 && std::memcmp(bytes.data(), kWasm.data(), 4) == 0 && bytes[6] == 1;
}

}  // namespace

Result<std::shared_ptr<const ProgramState>> ProgramState::create(std::string name,
                                                                 std::vector<uint8_t> bytes,
                                                                 uint64_t number) {
  const std::string shown = printable(name);
  if (is_component(bytes)) {
    return unsupported(shown + ": components are not supported yet, only core modules");
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
