// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// New names go to a new string table at the object's end; symbols are changed in place.
#include "compiler/object_symbols.h"

#include <elf.h>

#include <cstring>

#include "base/check.h"

namespace mayfly::compiler {
namespace {

template <typename T>
T read_at(const std::vector<uint8_t>& bytes, uint64_t offset) {
  CHECK(offset <= bytes.size() && sizeof(T) <= bytes.size() - offset, offset, bytes.size());
  T value{};
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <typename T>
void write_at(std::vector<uint8_t>& bytes, uint64_t offset, const T& value) {
  CHECK(offset <= bytes.size() && sizeof(T) <= bytes.size() - offset, offset, bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

// The text at an offset of a string table.
std::string_view string_at(const std::vector<uint8_t>& bytes, const Elf64_Shdr& table,
                           uint32_t offset) {
  CHECK(table.sh_offset <= bytes.size() && table.sh_size <= bytes.size() - table.sh_offset,
        table.sh_offset);
  CHECK(offset < table.sh_size, offset, table.sh_size);
  // SAFETY: the range was checked; the view is used before `bytes` changes.
  const auto* text = reinterpret_cast<const char*>(bytes.data() + table.sh_offset + offset);
  return {text, ::strnlen(text, table.sh_size - offset)};
}

struct Tables {
  uint64_t symbols_header = 0;  // offset of the section header of .symtab
  uint64_t strings_header = 0;  // and of its string table
};

Tables find_tables(const std::vector<uint8_t>& object) {
  const auto header = read_at<Elf64_Ehdr>(object, 0);
  CHECK(std::memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 && header.e_type == ET_REL);
  Tables tables;
  // e_shnum is 0 when there are too many sections for it; the first header then has the number.
  const auto first = read_at<Elf64_Shdr>(object, header.e_shoff);
  const uint64_t count = header.e_shnum != 0 ? header.e_shnum : first.sh_size;
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t offset = header.e_shoff + i * sizeof(Elf64_Shdr);
    const auto section = read_at<Elf64_Shdr>(object, offset);
    if (section.sh_type != SHT_SYMTAB) continue;
    tables.symbols_header = offset;
    tables.strings_header = header.e_shoff + section.sh_link * sizeof(Elf64_Shdr);
  }
  CHECK(tables.symbols_header != 0);
  return tables;
}

}  // namespace

Result<std::vector<uint8_t>> rename_symbols(std::vector<uint8_t> object, const Renamer& renamer) {
  const Tables tables = find_tables(object);
  const auto symbols = read_at<Elf64_Shdr>(object, tables.symbols_header);
  auto strings = read_at<Elf64_Shdr>(object, tables.strings_header);
  CHECK(strings.sh_offset + strings.sh_size <= object.size(), strings.sh_offset);
  // LLVM keeps the names of sections in the same table: the old one stays in front.
  const auto old_begin = object.begin() + static_cast<ptrdiff_t>(strings.sh_offset);
  std::vector<uint8_t> names(old_begin, old_begin + static_cast<ptrdiff_t>(strings.sh_size));
  for (uint64_t at = symbols.sh_offset; at < symbols.sh_offset + symbols.sh_size;
       at += sizeof(Elf64_Sym)) {
    auto symbol = read_at<Elf64_Sym>(object, at);
    if (symbol.st_name == 0 || ELF64_ST_BIND(symbol.st_info) == STB_LOCAL) continue;
    const bool defined = symbol.st_shndx != SHN_UNDEF;
    const NewSymbol renamed = MAYFLY_TRY(renamer(string_at(object, strings, symbol.st_name),
                                                 defined ? Defined::kYes : Defined::kNo));
    if (renamed.absolute.has_value()) {
      // Weak, because every object that uses the number defines it.
      symbol.st_info = ELF64_ST_INFO(STB_WEAK, STT_NOTYPE);
      symbol.st_shndx = SHN_ABS;
      symbol.st_value = *renamed.absolute;
    }
    symbol.st_name = static_cast<Elf64_Word>(names.size());
    names.insert(names.end(), renamed.name.begin(), renamed.name.end());
    names.push_back(0);
    write_at(object, at, symbol);
  }
  strings.sh_offset = object.size();
  strings.sh_size = names.size();
  object.insert(object.end(), names.begin(), names.end());
  write_at(object, tables.strings_header, strings);
  return object;
}

}  // namespace mayfly::compiler
