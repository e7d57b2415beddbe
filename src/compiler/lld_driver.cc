// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One archive holds all objects, so that a link of a thousand instances needs four descriptors.
#include "compiler/lld_driver.h"

#include <fcntl.h>
#include <lld/Common/Driver.h>
#include <llvm/Support/raw_ostream.h>
#include <unistd.h>

#include <array>
#include <cstdio>

#include "base/check.h"
#include "base/fd.h"

LLD_HAS_DRIVER(elf)

namespace mayfly::compiler {
namespace {

constexpr uint64_t kLinkedBytesMax = uint64_t{4} << 30;

// One thread: a build is one of many, and small links are most of them.
constexpr const char* kOptions[] = {"ld.lld",
                                    "-m",
                                    "elf_x86_64",
                                    "-static",
                                    "--threads=1",
                                    "--gc-sections",
                                    "-z",
                                    "nognustack",
                                    "-z",
                                    "max-page-size=4096",
                                    "--build-id=none",
                                    "--entry=0",
                                    "--orphan-handling=error"};

std::string path_of(const Fd& file) { return "/proc/self/fd/" + std::to_string(file.get()); }

std::span<const uint8_t> bytes_of(const std::string& text) {
  // SAFETY: characters as bytes, for as long as the text lives.
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

Result<Fd> file_of(const char* name, std::span<const uint8_t> bytes) {
  Fd file = MAYFLY_TRY(create_memfd(name, 0));
  MAYFLY_TRY(write_whole(file.get(), bytes));
  return file;
}

// The common archive format, in GNU's variant: a name ends in '/'.
Result<Fd> archive_of(const std::vector<std::vector<uint8_t>>& objects) {
  Fd file = MAYFLY_TRY(create_memfd("objects", 0));
  MAYFLY_TRY(write_whole(file.get(), bytes_of("!<arch>\n")));
  for (size_t i = 0; i < objects.size(); ++i) {
    std::array<char, 61> header{};
    const int length =
        std::snprintf(header.data(), header.size(), "%-16s%-12d%-6d%-6d%-8d%-10zu`\n",
                      (std::to_string(i) + ".o/").c_str(), 0, 0, 0, 644, objects[i].size());
    CHECK(length == 60, length, i);
    MAYFLY_TRY(write_whole(file.get(), bytes_of(std::string(header.data(), 60))));
    MAYFLY_TRY(write_whole(file.get(), objects[i]));
    if (objects[i].size() % 2 != 0) MAYFLY_TRY(write_whole(file.get(), bytes_of("\n")));
  }
  return file;
}

// Makes a file this process's standard output for as long as it lives.
class StandardOutput {
 public:
  static Result<StandardOutput> redirect(const Fd& to) {
    Fd saved(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
    if (!saved.valid() || ::dup2(to.get(), STDOUT_FILENO) < 0) return host_error("dup2");
    return StandardOutput(std::move(saved));
  }
  StandardOutput(StandardOutput&&) noexcept = default;
  ~StandardOutput() {
    if (saved_.valid()) CHECK(::dup2(saved_.get(), STDOUT_FILENO) >= 0);
  }

 private:
  explicit StandardOutput(Fd saved) : saved_(std::move(saved)) {}
  Fd saved_;
};

// LLD's first complaint, without its own name.
Error complaint(const std::string& output) {
  std::string line = output.substr(0, output.find('\n'));
  const size_t error = line.find("error: ");
  if (error != std::string::npos) line = line.substr(error + 7);
  constexpr std::string_view kUndefined = "undefined symbol: ";
  if (line.starts_with(kUndefined)) {
    return link_error("the guest library has no function '" + line.substr(kUndefined.size()) + "'");
  }
  return link_error("linking failed: " + line);
}

}  // namespace

Result<std::vector<uint8_t>> run_lld(const LinkInput& input) {
  const Fd objects = MAYFLY_TRY(archive_of(input.objects));
  const Fd archive = MAYFLY_TRY(file_of("guest", input.archive));
  const Fd script = MAYFLY_TRY(file_of("script", bytes_of(input.script)));
  const Fd output = MAYFLY_TRY(create_memfd("linked", 0));
  const std::string objects_path = path_of(objects);
  const std::string archive_path = path_of(archive);
  const std::string script_path = path_of(script);
  std::vector<const char*> arguments(std::begin(kOptions), std::end(kOptions));
  arguments.insert(arguments.end(), {"-T", script_path.c_str(), "-o", "-"});
  arguments.insert(arguments.end(), {"--whole-archive", objects_path.c_str()});
  arguments.insert(arguments.end(), {"--no-whole-archive", archive_path.c_str()});
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  // LLD makes the file beside the output's path and moves it there, but for "-".
  auto redirected = MAYFLY_TRY(StandardOutput::redirect(output));
  const lld::Result result = lld::lldMain(arguments, stream, stream, {{lld::Gnu, &lld::elf::link}});
  stream.flush();
  if (result.retCode != 0) return complaint(messages);
  if (::lseek(output.get(), 0, SEEK_SET) != 0) return host_error("lseek");
  return read_whole(output.get(), kLinkedBytesMax);
}

}  // namespace mayfly::compiler
