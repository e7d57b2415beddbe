// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An ELF writer for exactly one kind of file.
#include "compiler/image_file.h"

#include <elf.h>

#include <cstring>

#include "guest_abi/layout.h"

namespace mayfly::compiler {
namespace {

class ElfWriter {
 public:
  ElfWriter() {
    bytes_.resize(sizeof(Elf64_Ehdr) + kSegmentsMax * sizeof(Elf64_Phdr));
    sections_.emplace_back();  // number 0 is no section
  }

  // A loaded part, at a page of the file. Returns the number of its section.
  uint16_t add_part(const char* name, const LinkedPart& part, uint32_t flags) {
    if (part.bytes == 0) return SHN_UNDEF;
    bytes_.resize((bytes_.size() + guest_abi::kPageBytes - 1) / guest_abi::kPageBytes *
                  guest_abi::kPageBytes);
    Elf64_Phdr segment{};
    segment.p_type = PT_LOAD;
    segment.p_flags = flags;
    segment.p_offset = bytes_.size();
    segment.p_vaddr = segment.p_paddr = part.address;
    segment.p_filesz = part.contents.size();
    segment.p_memsz = part.bytes;
    segment.p_align = guest_abi::kPageBytes;
    segments_.push_back(segment);
    Elf64_Shdr section{};
    section.sh_type = part.contents.empty() ? SHT_NOBITS : SHT_PROGBITS;
    section.sh_flags = SHF_ALLOC | ((flags & PF_W) != 0 ? uint64_t{SHF_WRITE} : 0) |
                       ((flags & PF_X) != 0 ? uint64_t{SHF_EXECINSTR} : 0);
    section.sh_addr = part.address;
    section.sh_size = part.contents.empty() ? part.bytes : part.contents.size();
    section.sh_addralign = 16;
    const uint16_t number = add(name, section, part.contents);
    if (!part.contents.empty() && part.contents.size() < part.bytes) {
      Elf64_Shdr zeros = section;
      zeros.sh_type = SHT_NOBITS;
      zeros.sh_addr = part.address + part.contents.size();
      zeros.sh_size = part.bytes - part.contents.size();
      zeros.sh_addralign = 1;
      add(".bss", zeros, {});
    }
    return number;
  }

  void add_bytes(const char* name, std::span<const uint8_t> contents, uint32_t type = SHT_PROGBITS,
                 uint32_t link = 0, uint32_t info = 0, uint64_t entry_bytes = 0) {
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    Elf64_Shdr section{};
    section.sh_type = type;
    section.sh_size = contents.size();
    section.sh_link = link;
    section.sh_info = info;
    section.sh_entsize = entry_bytes;
    section.sh_addralign = 8;
    add(name, section, contents);
  }

  uint32_t section_count() const { return static_cast<uint32_t>(sections_.size()); }

  std::vector<uint8_t> finish(uint64_t entry) {
    const uint32_t names_section = section_count();
    const auto names_offset = static_cast<uint32_t>(names_.size());
    names_ += std::string(".shstrtab") + '\0';
    Elf64_Shdr section{};
    section.sh_name = names_offset;
    section.sh_type = SHT_STRTAB;
    section.sh_offset = bytes_.size();
    section.sh_size = names_.size();
    section.sh_addralign = 1;
    sections_.push_back(section);
    bytes_.insert(bytes_.end(), names_.begin(), names_.end());
    bytes_.resize((bytes_.size() + 7) / 8 * 8);
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = ET_EXEC;
    header.e_machine = EM_X86_64;
    header.e_version = EV_CURRENT;
    header.e_entry = entry;
    header.e_phoff = sizeof header;
    header.e_shoff = bytes_.size();
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_phnum = static_cast<uint16_t>(segments_.size());
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = static_cast<uint16_t>(sections_.size());
    header.e_shstrndx = static_cast<uint16_t>(names_section);
    std::memcpy(bytes_.data(), &header, sizeof header);
    std::memcpy(bytes_.data() + sizeof header, segments_.data(),
                segments_.size() * sizeof(Elf64_Phdr));
    append(sections_.data(), sections_.size() * sizeof(Elf64_Shdr));
    return std::move(bytes_);
  }

 private:
  static constexpr size_t kSegmentsMax = 3;

  void append(const void* data, size_t size) {
    const auto* first = static_cast<const uint8_t*>(data);
    bytes_.insert(bytes_.end(), first, first + size);
  }
  uint16_t add(const char* name, Elf64_Shdr section, std::span<const uint8_t> contents) {
    section.sh_name = static_cast<uint32_t>(names_.size());
    names_ += std::string(name) + '\0';
    section.sh_offset = bytes_.size();
    append(contents.data(), contents.size());
    sections_.push_back(section);
    return static_cast<uint16_t>(sections_.size() - 1);
  }

  std::vector<uint8_t> bytes_;
  std::vector<Elf64_Phdr> segments_;
  std::vector<Elf64_Shdr> sections_;
  std::string names_ = std::string(1, '\0');
};

struct SymbolTable {
  std::vector<uint8_t> entries;
  std::vector<uint8_t> strings;
};

// Precondition: numbers are those of the sections of the three parts.
SymbolTable symbol_table(const ImageFileParts& parts, uint16_t text, uint16_t read_only,
                         uint16_t data) {
  std::vector<Elf64_Sym> entries(1);
  SymbolTable table;
  table.strings.push_back(0);
  for (const ImageSymbol& symbol : parts.symbols) {
    Elf64_Sym entry{};
    entry.st_name = static_cast<uint32_t>(table.strings.size());
    table.strings.insert(table.strings.end(), symbol.name.begin(), symbol.name.end());
    table.strings.push_back(0);
    entry.st_info = ELF64_ST_INFO(STB_GLOBAL, symbol.is_function ? STT_FUNC : STT_OBJECT);
    entry.st_shndx = symbol.address - parts.text.address < parts.text.bytes             ? text
                     : symbol.address - parts.read_only.address < parts.read_only.bytes ? read_only
                                                                                        : data;
    entry.st_value = symbol.address;
    entry.st_size = symbol.bytes;
    entries.push_back(entry);
  }
  table.entries.resize(entries.size() * sizeof(Elf64_Sym));
  std::memcpy(table.entries.data(), entries.data(), table.entries.size());
  return table;
}

}  // namespace

std::vector<uint8_t> image_file(const ImageFileParts& parts) {
  ElfWriter writer;
  const uint16_t text = writer.add_part(".text", parts.text, PF_R | PF_X);
  const uint16_t read_only = writer.add_part(".rodata", parts.read_only, PF_R);
  const uint16_t data = writer.add_part(".data", parts.data, PF_R | PF_W);
  writer.add_bytes(".mayfly.image", parts.metadata);
  writer.add_bytes(".mayfly.functions", parts.functions);
  writer.add_bytes(".mayfly.locations", parts.locations);
  writer.add_bytes(".mayfly.inlined", parts.inlined);
  writer.add_bytes(".mayfly.unwind", parts.unwind);
  writer.add_bytes(".mayfly.names", parts.names);
  const SymbolTable symbols = symbol_table(parts, text, read_only, data);
  const uint32_t strings_section = writer.section_count() + 1;
  writer.add_bytes(".symtab", symbols.entries, SHT_SYMTAB, strings_section, 1, sizeof(Elf64_Sym));
  writer.add_bytes(".strtab", symbols.strings, SHT_STRTAB);
  return writer.finish(parts.text.address);
}

}  // namespace mayfly::compiler
