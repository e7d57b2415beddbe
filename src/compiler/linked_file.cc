// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sections and symbols of the linked file.
#include "compiler/linked_file.h"

#include <algorithm>

#include "compiler/linked_file_state.h"

namespace mayfly::compiler {

Error llvm_error(const char* what, llvm::Error error) {
  return link_error(std::string(what) + ": " + llvm::toString(std::move(error)));
}

LinkedFile::LinkedFile(std::unique_ptr<State> state) : state_(std::move(state)) {}
LinkedFile::~LinkedFile() = default;
LinkedFile::LinkedFile(LinkedFile&&) noexcept = default;

Result<LinkedFile> LinkedFile::create(std::span<const uint8_t> bytes) {
  // SAFETY: LLVM's views are of characters; they live as long as `bytes`.
  const llvm::StringRef text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  auto object = llvm::object::ObjectFile::createELFObjectFile({text, "linked"});
  if (!object) return llvm_error("linked file", object.takeError());
  auto state = std::make_unique<State>();
  state->object.reset(llvm::cast<llvm::object::ELFObjectFileBase>(object->release()));
  LinkedFile file(std::move(state));
  MAYFLY_TRY(file.read_sections(bytes));
  MAYFLY_TRY(file.read_symbols());
  return file;
}

Result<void> LinkedFile::read_sections(std::span<const uint8_t> bytes) {
  for (const llvm::object::ELFSectionRef section : state_->object->sections()) {
    auto name = section.getName();
    if (!name) return llvm_error("section", name.takeError());
    const bool is_bss = *name == ".bss";
    LinkedPart part{section.getAddress(), section.getSize(), {}};
    if (part.bytes == 0) continue;
    if (!is_bss) {
      auto contents = section.getContents();
      if (!contents) return llvm_error("section contents", contents.takeError());
      part.contents = {contents->bytes_begin(), contents->size()};
    }
    if (*name == ".text") text_ = part;
    if (*name == ".rodata") read_only_ = part;
    if (*name == ".data") data_ = part;
    if (!is_bss) continue;
    // Directly behind .data, or alone.
    if (data_.bytes == 0) data_.address = part.address;
    data_.bytes = part.address + part.bytes - data_.address;
  }
  if (text_.bytes == 0)
    return link_error("linked file has no text, " + std::to_string(bytes.size()) + " bytes in all");
  return {};
}

Result<void> LinkedFile::read_symbols() {
  const auto inside = [](const LinkedPart& part, uint64_t address) {
    return address >= part.address && address - part.address < part.bytes;
  };
  for (const llvm::object::ELFSymbolRef symbol : state_->object->symbols()) {
    auto name = symbol.getName();
    if (!name) return llvm_error("symbol", name.takeError());
    auto address = symbol.getAddress();
    if (!address) return llvm_error("symbol", address.takeError());
    const bool loaded =
        inside(text_, *address) || inside(read_only_, *address) || inside(data_, *address);
    const uint8_t type = symbol.getELFType();
    if (!loaded || name->empty() || type == llvm::ELF::STT_SECTION || type == llvm::ELF::STT_FILE) {
      continue;
    }
    auto section = symbol.getSection();
    if (!section) return llvm_error("symbol", section.takeError());
    if (*section == state_->object->section_end()) continue;  // absolute: a number
    symbols_.push_back({std::string_view(name->data(), name->size()), *address, symbol.getSize(),
                        type == llvm::ELF::STT_FUNC});
  }
  std::ranges::sort(symbols_, {}, [](const LinkedSymbol& symbol) {
    return std::pair(symbol.name, symbol.address);
  });
  return {};
}

Result<uint64_t> LinkedFile::address_of(const std::string& name) const {
  const auto found =
      std::ranges::lower_bound(symbols_, std::string_view(name), {}, &LinkedSymbol::name);
  if (found == symbols_.end() || found->name != name) {
    return link_error("the image has no symbol '" + name + "'");
  }
  return found->address;
}

}  // namespace mayfly::compiler
