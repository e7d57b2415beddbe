// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ELF headers and one note, each read with its own pread: the file is large, these are not.
#include "runtime/compiler_identity.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/fd.h"

namespace mayfly::runtime {
namespace {

constexpr uint64_t kNotesBytesMax = 4096;
constexpr uint32_t kHeadersMax = 256;

template <typename T>
bool read_struct(const Fd& file, uint64_t offset, T* to) {
  return ::pread(file.get(), to, sizeof *to, static_cast<off_t>(offset)) ==
         static_cast<ssize_t>(sizeof *to);
}

std::string hex(const char* bytes, size_t count) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (size_t i = 0; i < count; ++i) {
    text += kDigits[static_cast<uint8_t>(bytes[i]) >> 4];
    text += kDigits[static_cast<uint8_t>(bytes[i]) & 15];
  }
  return text;
}

// The build id among the notes of one segment; empty when it is not there.
std::string build_id_in(const std::vector<char>& notes) {
  const auto padded = [](uint64_t bytes) { return (bytes + 3) & ~uint64_t{3}; };
  for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= notes.size();) {
    Elf64_Nhdr note{};
    std::memcpy(&note, notes.data() + at, sizeof note);
    const uint64_t description = at + sizeof note + padded(note.n_namesz);
    const uint64_t end = description + padded(note.n_descsz);
    if (description > notes.size() || note.n_descsz > notes.size() - description) break;
    if (note.n_type == NT_GNU_BUILD_ID) return hex(notes.data() + description, note.n_descsz);
    at = end;
  }
  return "";
}

std::string build_id(const Fd& file) {
  Elf64_Ehdr header{};
  if (!read_struct(file, 0, &header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_phentsize != sizeof(Elf64_Phdr)) {
    return "";
  }
  for (uint32_t i = 0; i < std::min<uint32_t>(header.e_phnum, kHeadersMax); ++i) {
    Elf64_Phdr segment{};
    if (!read_struct(file, header.e_phoff + i * sizeof segment, &segment)) return "";
    if (segment.p_type != PT_NOTE || segment.p_filesz > kNotesBytesMax) continue;
    std::vector<char> notes(segment.p_filesz);
    const ssize_t got =
        ::pread(file.get(), notes.data(), notes.size(), static_cast<off_t>(segment.p_offset));
    if (got != static_cast<ssize_t>(notes.size())) return "";
    std::string id = build_id_in(notes);
    if (!id.empty()) return id;
  }
  return "";
}

}  // namespace

Result<std::string> program_identity(const std::string& path) {
  const Fd file = MAYFLY_TRY(open_file(path, O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return host_error("fstat of " + path);
  const std::string size = std::to_string(status.st_size);
  const std::string id = build_id(file);
  if (!id.empty()) return "build " + id + " " + size;
  return "file " + std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) + " " +
         size + " " + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec) + " " + std::to_string(status.st_ctim.tv_sec) +
         "." + std::to_string(status.st_ctim.tv_nsec);
}

}  // namespace mayfly::runtime
