// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the ELF header, the program headers and the section headers of an image.
#include "image/elf_view.h"

#include <elf.h>

#include <cstring>

namespace mayfly::image {
namespace {

// An image has three segments and about fifteen sections.
constexpr uint32_t kSegmentsMax = 16;
constexpr uint32_t kSectionsMax = 64;

bool in_file(std::span<const uint8_t> file, uint64_t offset, uint64_t bytes) {
  return offset <= file.size() && bytes <= file.size() - offset;
}

std::string range_text(uint64_t offset, uint64_t bytes) {
  return std::to_string(bytes) + " bytes at file offset " + std::to_string(offset);
}

// A copy of one header. Precondition: in_file().
template <typename T>
T copy_header(std::span<const uint8_t> file, uint64_t offset) {
  T header{};
  std::memcpy(&header, file.data() + offset, sizeof header);
  return header;
}

Result<Elf64_Ehdr> read_file_header(std::span<const uint8_t> file) {
  if (!in_file(file, 0, sizeof(Elf64_Ehdr))) {
    return invalid("an image has an ELF header of 64 bytes, this file has " +
                   std::to_string(file.size()));
  }
  const auto header = copy_header<Elf64_Ehdr>(file, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) return invalid("not an ELF file");
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_type != ET_EXEC || header.e_machine != EM_X86_64) {
    return invalid("ELF file is no x86-64 executable: class " +
                   std::to_string(header.e_ident[EI_CLASS]) + ", type " +
                   std::to_string(header.e_type) + ", machine " + std::to_string(header.e_machine));
  }
  if (header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > kSegmentsMax) {
    return invalid("ELF file has " + std::to_string(header.e_phnum) + " program headers of " +
                   std::to_string(header.e_phentsize) + " bytes; at most " +
                   std::to_string(kSegmentsMax) + " of 56 are read");
  }
  if (header.e_shentsize != sizeof(Elf64_Shdr) || header.e_shnum > kSectionsMax ||
      header.e_shstrndx >= header.e_shnum) {
    return invalid("ELF file has " + std::to_string(header.e_shnum) + " section headers of " +
                   std::to_string(header.e_shentsize) + " bytes, names in section " +
                   std::to_string(header.e_shstrndx) + "; at most " + std::to_string(kSectionsMax) +
                   " of 64 are read");
  }
  return header;
}

Result<std::vector<ElfSegment>> read_segments(std::span<const uint8_t> file,
                                              const Elf64_Ehdr& header) {
  const uint64_t bytes = uint64_t{header.e_phnum} * sizeof(Elf64_Phdr);
  if (!in_file(file, header.e_phoff, bytes)) {
    return invalid("program headers are " + range_text(header.e_phoff, bytes) +
                   ", past the file's end " + std::to_string(file.size()));
  }
  std::vector<ElfSegment> segments;
  for (uint32_t i = 0; i < header.e_phnum; ++i) {
    const auto entry = copy_header<Elf64_Phdr>(file, header.e_phoff + i * sizeof(Elf64_Phdr));
    if (entry.p_type != PT_LOAD) continue;
    if (!in_file(file, entry.p_offset, entry.p_filesz) || entry.p_filesz > entry.p_memsz) {
      return invalid("segment " + std::to_string(i) + " is " +
                     range_text(entry.p_offset, entry.p_filesz) + " for " +
                     std::to_string(entry.p_memsz) + " bytes of memory, the file ends at " +
                     std::to_string(file.size()));
    }
    segments.push_back({entry.p_vaddr, entry.p_memsz, entry.p_offset, entry.p_filesz,
                        (entry.p_flags & PF_W) != 0, (entry.p_flags & PF_X) != 0});
  }
  return segments;
}

// The text from `offset` to its NUL, or to the end of the strings.
std::string name_at(std::span<const uint8_t> strings, uint64_t offset) {
  std::string name;
  for (uint64_t i = offset; i < strings.size() && strings[i] != 0; ++i) {
    name.push_back(static_cast<char>(strings[i]));
  }
  return name;
}

Result<std::vector<ElfSection>> read_sections(std::span<const uint8_t> file,
                                              const Elf64_Ehdr& header) {
  const uint64_t bytes = uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
  if (!in_file(file, header.e_shoff, bytes)) {
    return invalid("section headers are " + range_text(header.e_shoff, bytes) +
                   ", past the file's end " + std::to_string(file.size()));
  }
  std::vector<Elf64_Shdr> entries;
  std::vector<ElfSection> sections;
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    const auto entry = copy_header<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
    ElfSection& section = sections.emplace_back();
    entries.push_back(entry);
    if (entry.sh_type == SHT_NULL || entry.sh_type == SHT_NOBITS) continue;
    if (!in_file(file, entry.sh_offset, entry.sh_size)) {
      return invalid("section " + std::to_string(i) + " is " +
                     range_text(entry.sh_offset, entry.sh_size) + ", past the file's end " +
                     std::to_string(file.size()));
    }
    section.bytes = file.subspan(entry.sh_offset, entry.sh_size);
  }
  // Section names are short and few; one that is not cannot be one of ours.
  constexpr uint64_t kNamesBytesMax = 4096;
  const auto names = sections[header.e_shstrndx].bytes;
  if (names.size() > kNamesBytesMax) {
    return invalid("section names take " + std::to_string(names.size()) + " bytes, at most " +
                   std::to_string(kNamesBytesMax) + " are read");
  }
  for (uint32_t i = 0; i < header.e_shnum; ++i) {
    sections[i].name = name_at(names, entries[i].sh_name);
  }
  return sections;
}

}  // namespace

const ElfSection* ElfView::find(std::string_view name) const {
  for (const ElfSection& section : sections) {
    if (section.name == name) return &section;
  }
  return nullptr;
}

Result<ElfView> view_elf(std::span<const uint8_t> file) {
  const Elf64_Ehdr header = MAYFLY_TRY(read_file_header(file));
  ElfView view;
  view.segments = MAYFLY_TRY(read_segments(file, header));
  view.sections = MAYFLY_TRY(read_sections(file, header));
  return view;
}

}  // namespace mayfly::image
