// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly compile: a module to an image file, which `mayfly run` starts without compiling.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/mapping.h"
#include "cli/options.h"
#include "cli/origin.h"
#include "cli/output.h"
#include "cli/program.h"

namespace mayfly::cli {
namespace {

// Removes an unfinished file unless it was kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string path) : path_(std::move(path)) {}
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  Result<void> keep_as(const std::string& path) {
    if (::rename(path_.c_str(), path.c_str()) != 0) return host_error("rename");
    path_.clear();
    return {};
  }

 private:
  std::string path_;
};

// An image and its mark of origin.
struct Contents {
  std::span<const uint8_t> image;
  std::vector<uint8_t> mark;
};

Result<void> write_contents(int fd, const Contents& contents) {
  MAYFLY_TRY(write_whole(fd, contents.image));
  return write_whole(fd, contents.mark);
}

// The whole file appears at once, or nothing does.
Result<void> replace_file(const std::string& path, const Contents& contents) {
  // In the same folder, under a name that fits wherever the file's own does.
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  const std::string unfinished = folder + ".mayfly." + std::to_string(::getpid()) + ".unfinished";
  const Fd file(::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0777));
  if (!file.valid()) return host_error("open");
  TemporaryFile temporary(unfinished);
  MAYFLY_TRY(write_contents(file.get(), contents));
  return temporary.keep_as(path);
}

// A device or a pipe keeps its place: it is written to, where a file would be replaced.
Result<void> write_output(const std::string& path, const Contents& contents) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode)) {
    return replace_file(path, contents);
  }
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.valid()) return host_error("open");
  return write_contents(file.get(), contents);
}

Result<void> write_image(const Fd& image, const std::string& path) {
  struct stat status{};
  if (::fstat(image.get(), &status) != 0) return host_error("cannot measure the image");
  const auto size = static_cast<uint64_t>(status.st_size);
  const Mapping bytes = MAYFLY_TRY(
      Mapping::file(image.get(), 0, size, Mapping::Access::kRead, Mapping::Sharing::kPrivate));
  const Contents contents{bytes.bytes(), MAYFLY_TRY(origin_mark_of(bytes.bytes()))};
  auto written = write_output(path, contents);
  if (!written) return with_context("cannot write " + path, std::move(written).error());
  return {};
}

Result<void> compile(const CompileCommandOptions& options) {
  Timings timings;
  const Fd image = MAYFLY_TRY(compile_module_file(options.file, options.compile, timings));
  MAYFLY_TRY(write_image(image, options.output));
  timings.mark("write");
  if (options.timings) print_error(timings.line());
  return {};
}

}  // namespace

int compile_command(const CompileCommandOptions& options) {
  const auto done = compile(options);
  return done ? kExitOk : report(done.error());
}

}  // namespace mayfly::cli
