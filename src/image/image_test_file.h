// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageTestFile: a small valid image made by hand, for tests and the fuzzer, which break one thing
// of it. Its layout is the example of docs/formats/image.md.
#pragma once

#include <elf.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "image/image_metadata.h"
#include "image/image_tables.h"

namespace mayfly::image {

struct ImageTestFile {
  static constexpr uint64_t kText = 0x40'0000;
  static constexpr uint64_t kData = 0x40'1000;
  static constexpr uint64_t kPartBytes = 0x100;  // of each segment, in the file and in memory
  static constexpr uint64_t kTextOffset = 0x1000;
  static constexpr uint64_t kDataOffset = 0x2000;

  std::array<Elf64_Phdr, 2> segments{};
  ImageMetadata metadata;
  std::vector<FunctionRow> functions = {{0x10, 0x40, 0, 0, 4}};
  std::vector<LocationRow> locations = {{0x10, 0x55}, {0x20, kNoOffset}, {0x28, 0x60}};
  std::vector<InlinedRow> inlined = {{0x28, 0x44, 1, 2}};
  std::vector<UnwindTableRow> unwind = {
      {0x10, UnwindRow{false, 8, std::nullopt}}, {0x11, UnwindRow{true, 16, -16}}, {0x40, {}}};
  std::string names = "main";

  ImageTestFile() {
    segments[0] = segment(kText, kTextOffset, PF_R | PF_X);
    segments[1] = segment(kData, kDataOffset, PF_R | PF_W);
    Region memory;
    memory.kind = RegionKind::kMemory;
    memory.address = 0x4000'0000;
    memory.bytes = 0x1'0000;
    memory.bytes_reserved = 0x2'0000;
    metadata.windows.push_back(memory);
    metadata.module_names.emplace_back("m");
    metadata.host_functions.push_back({"env", "log", {{wasm::kI32}, {}}});
    metadata.imports.push_back({"env", "log", "host"});
    metadata.instances.push_back(instance());
  }

  static Elf64_Phdr segment(uint64_t address, uint64_t offset, uint32_t flags) {
    Elf64_Phdr out{};
    out.p_type = PT_LOAD;
    out.p_flags = flags;
    out.p_offset = offset;
    out.p_vaddr = out.p_paddr = address;
    out.p_filesz = out.p_memsz = kPartBytes;
    out.p_align = 0x1000;
    return out;
  }

  // Exports a function, a memory and a global.
  static ImageInstance instance() {
    ImageInstance out;
    out.name = "main";
    out.instantiate = kText;
    out.instantiate_thunk = kText + 4;
    ImageExport func;
    func.name = "f";
    func.func = {{{}, {wasm::kI32}}, kText + 0x10, kText + 8, kData + 0x20};
    ImageExport memory;
    memory.name = "memory";
    memory.kind = wasm::ExternKind::kMemory;
    memory.memory.type.limits = {1, 2};
    memory.memory.info = kData;
    ImageExport global;
    global.name = "g";
    global.kind = wasm::ExternKind::kGlobal;
    global.global = {{wasm::kV128, true}, kData + 0x30};
    out.exports = {func, memory, global};
    return out;
  }

  // Two segments, then the sections, then their headers.
  std::vector<uint8_t> bytes() const {
    std::vector<uint8_t> out(kDataOffset + kPartBytes);
    for (uint64_t i = 0; i < kPartBytes; ++i) out[kTextOffset + i] = static_cast<uint8_t>(i);
    std::vector<Elf64_Shdr> sections(1);
    std::string section_names(1, '\0');
    const auto add = [&](const std::string& name, const std::vector<uint8_t>& contents) {
      Elf64_Shdr section{};
      section.sh_name = static_cast<uint32_t>(section_names.size());
      section.sh_type = SHT_PROGBITS;
      section.sh_offset = out.size();
      section.sh_size = contents.size();
      section_names += name + '\0';
      out.insert(out.end(), contents.begin(), contents.end());
      sections.push_back(section);
    };
    add(".mayfly.image", encode(metadata));
    add(".mayfly.functions", encode(functions));
    add(".mayfly.locations", encode(locations));
    add(".mayfly.inlined", encode(inlined));
    add(".mayfly.unwind", encode(unwind));
    add(".mayfly.names", {names.begin(), names.end()});
    const std::string all = section_names + ".shstrtab" + '\0';
    add(".shstrtab", {all.begin(), all.end()});
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_phoff = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<Elf64_Half>(segments.size());
    header.e_shoff = out.size();
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<uint16_t>(sections.size());
    header.e_shstrndx = static_cast<uint16_t>(sections.size() - 1);
    std::memcpy(out.data(), &header, sizeof header);
    std::memcpy(out.data() + sizeof header, segments.data(), sizeof segments);
    out.resize(out.size() + sections.size() * sizeof(Elf64_Shdr));
    std::memcpy(out.data() + header.e_shoff, sections.data(), sections.size() * sizeof(Elf64_Shdr));
    return out;
  }
};

}  // namespace mayfly::image
