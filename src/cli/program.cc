// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What kind of file it is decides what is done with it.
#include "cli/program.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "base/fd.h"
#include "cli/module_compiler.h"
#include "cli/quantity.h"
#include "image/snapshot_format.h"

namespace mayfly::cli {
namespace {

constexpr uint64_t kFileBytesMax = uint64_t{1} << 30;

// Reads from the start until the buffer is full or the file ends.
Result<size_t> read_start(int fd, std::span<uint8_t> to) {
  size_t used = 0;
  while (used < to.size()) {
    const ssize_t count = ::read(fd, to.data() + used, to.size() - used);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error("read");
    if (count == 0) break;
    used += static_cast<size_t>(count);
  }
  return used;
}

// What was read of a stream and what follows, as a file.
Result<Fd> copy_of_stream(std::span<const uint8_t> start, const Fd& stream) {
  const auto rest = MAYFLY_TRY(read_whole(stream.get(), kFileBytesMax));
  Fd copy = MAYFLY_TRY(create_memfd("mayfly-program", 0));
  MAYFLY_TRY(write_whole(copy.get(), start));
  MAYFLY_TRY(write_whole(copy.get(), rest));
  if (::lseek(copy.get(), 0, SEEK_SET) != 0) return host_error("lseek");
  return copy;
}

}  // namespace

void Timings::mark(std::string_view phase) {
  const auto now = std::chrono::steady_clock::now();
  phases_.emplace_back(phase, now - last_);
  last_ = now;
}

std::string Timings::line() const {
  std::string text = "timings:";
  for (const auto& [phase, time] : phases_) {
    text += " " + phase + " " + format_milliseconds(time) + ",";
  }
  return text + " total " + format_milliseconds(std::chrono::steady_clock::now() - started_) + "\n";
}

FileKind file_kind(std::span<const uint8_t> bytes) {
  if (image::is_snapshot(bytes)) return FileKind::kSnapshot;
  static constexpr std::array<uint8_t, 4> kWasm = {0x00, 'a', 's', 'm'};
  static constexpr std::array<uint8_t, 4> kElf = {0x7f, 'E', 'L', 'F'};
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), kElf.data(), 4) == 0) return FileKind::kImage;
  if (bytes.size() >= 4 && std::memcmp(bytes.data(), kWasm.data(), 4) == 0) {
    // Binary.md: version 0x0d, layer 1.
    return bytes.size() >= 8 && bytes[6] == 1 ? FileKind::kComponent : FileKind::kModule;
  }
  return FileKind::kOther;
}

Result<Input> open_input(const std::string& file, Components components) {
  Input input;
  input.file = MAYFLY_TRY(open_file(file, O_RDONLY | O_CLOEXEC));
  std::array<uint8_t, 8> start{};
  const auto got = read_start(input.file.get(), start);
  if (!got) return with_context(file, got.error());
  input.kind = file_kind(std::span(start).first(*got));
  if (input.kind == FileKind::kComponent && components == Components::kRefused) {
    return unsupported(file + ": this is a component; a core module is wanted here");
  }
  if (input.kind == FileKind::kOther) {
    return invalid(file +
                   ": neither a WebAssembly module (00 61 73 6d) nor a Mayfly image or snapshot");
  }
  const bool is_module = input.kind == FileKind::kModule || input.kind == FileKind::kComponent;
  if (::lseek(input.file.get(), 0, SEEK_SET) != 0 && is_module) {
    auto copy = copy_of_stream(std::span(start).first(*got), input.file);
    if (!copy) return with_context(file, std::move(copy).error());
    input.file = *std::move(copy);
  }
  return input;
}

Result<std::vector<uint8_t>> read_module(const std::string& file, const Fd& module) {
  auto bytes = read_whole(module.get(), kFileBytesMax);
  if (!bytes) return with_context(file, std::move(bytes).error());
  return bytes;
}

namespace {

Result<Program> load_snapshot(Fd opened) {
  Program program;
  program.origin = Origin::kImageFile;
  program.file = MAYFLY_TRY(runtime::SnapshotFile::open(std::move(opened)));
  program.image = MAYFLY_TRY(program.file->open_image());
  program.snapshot = MAYFLY_TRY(runtime::Snapshot::create(program.file, *program.image));
  return program;
}

}  // namespace

Result<Program> load_program(const std::string& file, const CompileOptions& options,
                             const CacheUse& cache, Timings& timings) {
  Input input = MAYFLY_TRY(open_input(file, Components::kTaken));
  if (input.kind == FileKind::kSnapshot) {
    auto program = load_snapshot(std::move(input.file));
    if (!program) return with_context(file, std::move(program).error());
    timings.mark("snapshot");
    return program;
  }
  Program program;
  if (input.kind == FileKind::kImage) {
    program.origin = Origin::kImageFile;
  } else {
    input.file = MAYFLY_TRY(compile_module(file, std::move(input.file), options, cache, timings));
  }
  auto image = image::Image::open(std::move(input.file));
  if (!image) return with_context(file, std::move(image).error());
  program.image = std::move(*image);
  timings.mark("image");
  return program;
}

Result<Fd> compile_module_file(const std::string& file, const CompileOptions& options,
                               Timings& timings) {
  Input input = MAYFLY_TRY(open_input(file, Components::kTaken));
  if (input.kind != FileKind::kModule && input.kind != FileKind::kComponent) {
    return invalid(file + ": an image or a snapshot, which is compiled already");
  }
  return compile_module(file, std::move(input.file), options, CacheUse(), timings);
}

}  // namespace mayfly::cli
