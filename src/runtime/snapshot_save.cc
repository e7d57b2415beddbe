// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The header comes first in the file and is written last, when all hashes are known.
#include "runtime/snapshot_save.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "guest_abi/layout.h"
#include "image/origin_mark.h"
#include "image/snapshot_format.h"
#include "runtime/installation_key.h"

namespace mayfly::runtime {
namespace {

using guest_abi::kPageBytes;
using image::SnapshotHeader;
using image::SnapshotMetadata;
using image::SnapshotRun;
using vmm::PageRun;

constexpr uint64_t kPagesAtOnce = 64;

// A file in the same folder that is gone unless it was kept.
class Unfinished {
 public:
  static Result<Unfinished> create(const std::string& path) {
    // Unique among the threads of this process and all others.
    static std::atomic<uint64_t> count = 0;
    const std::string name = path.substr(0, path.rfind('/') + 1) + ".mayfly." +
                             std::to_string(::getpid()) + "." + std::to_string(++count) +
                             ".unfinished";
    Fd file(::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!file.valid()) return host_error("open");
    return Unfinished(name, std::move(file));
  }
  Unfinished(Unfinished&& other) noexcept
      : name_(std::exchange(other.name_, {})), file_(std::move(other.file_)) {}
  Unfinished& operator=(Unfinished&&) = delete;
  ~Unfinished() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  int file() const { return file_.get(); }
  Result<void> keep_as(const std::string& path) {
    if (::rename(name_.c_str(), path.c_str()) != 0) return host_error("rename");
    name_.clear();
    return {};
  }

 private:
  Unfinished(std::string name, Fd file) : name_(std::move(name)), file_(std::move(file)) {}
  std::string name_;
  Fd file_;
};

Result<void> write_at(int file, uint64_t offset, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return host_error("write");
    bytes = bytes.subspan(static_cast<size_t>(count));
    offset += static_cast<uint64_t>(count);
  }
  return {};
}

using RunVisitor = std::function<Result<void>(const PageRun&, std::span<const uint8_t>)>;

// The content of all runs, in parts.
Result<void> for_each_part(const vmm::SavedMemory& memory, const RunVisitor& visit) {
  std::vector<uint8_t> buffer(kPagesAtOnce * kPageBytes);
  for (const PageRun& run : memory.runs) {
    for (uint64_t first = 0; first < run.count; first += kPagesAtOnce) {
      const PageRun part = run.part(first, kPagesAtOnce);
      const auto bytes = std::span(buffer).first(part.count * kPageBytes);
      MAYFLY_TRY(copy_pages(part, bytes.data()));
      MAYFLY_TRY(visit(part, bytes));
    }
  }
  return {};
}

// Whether a page is what the image's file has in its place.
bool is_images(const image::Image& image, uint32_t region_index, uint64_t page,
               const uint8_t* bytes) {
  const image::Region& region = image.regions()[region_index];
  if ((page + 1) * kPageBytes > region.file_bytes) return false;
  const uint8_t* const in_file = image.file_bytes().data() + region.file_offset + page * kPageBytes;
  return std::memcmp(in_file, bytes, kPageBytes) == 0;
}

void add_run(std::vector<SnapshotRun>& runs, const SnapshotRun& run) {
  if (!runs.empty()) {
    SnapshotRun& last = runs.back();
    if (last.kind == run.kind && last.region == run.region &&
        last.first + last.count == run.first) {
      last.count += run.count;
      return;
    }
  }
  runs.push_back(run);
}

// Where each page is to be found: few are compared, those that the image's file has a place for.
Result<std::vector<SnapshotRun>> runs_of(const vmm::SavedMemory& memory,
                                         const image::Image& image) {
  std::vector<SnapshotRun> runs;
  std::vector<uint8_t> page(kPageBytes);
  for (const PageRun& run : memory.runs) {
    const uint64_t pages_in_image = image.regions()[run.region].file_bytes / kPageBytes;
    uint64_t at = run.first;
    for (; at < std::min(run.end(), pages_in_image); ++at) {
      MAYFLY_TRY(copy_pages(run.part(at - run.first, 1), page.data()));
      const bool in_image = is_images(image, run.region, at, page.data());
      add_run(runs, {in_image ? SnapshotRun::Kind::kImage : SnapshotRun::Kind::kStored, run.region,
                     at, 1});
    }
    if (at < run.end()) {
      add_run(runs, {SnapshotRun::Kind::kStored, run.region, at, run.end() - at});
    }
  }
  return runs;
}

uint64_t to_page(uint64_t offset) { return (offset + kPageBytes - 1) / kPageBytes * kPageBytes; }

Result<void> write_pages(int file, const Snapshot& snapshot, const std::vector<SnapshotRun>& runs,
                         SnapshotHeader& header) {
  Hasher hasher(image::kPagesHashPurpose);
  auto next = runs.begin();
  uint64_t offset = header.pages_offset;
  MAYFLY_TRY(for_each_part(
      snapshot.memory(), [&](const PageRun& part, std::span<const uint8_t> bytes) -> Result<void> {
        for (uint64_t done = 0; done < part.count;) {
          const uint64_t page = part.first + done;
          while (next->region < part.region || next->first + next->count <= page) ++next;
          const uint64_t count = std::min(part.count - done, next->first + next->count - page);
          const auto content = bytes.subspan(done * kPageBytes, count * kPageBytes);
          done += count;
          if (next->kind == SnapshotRun::Kind::kImage) continue;
          hasher.update(content);
          MAYFLY_TRY(write_at(file, offset, content));
          offset += content.size();
        }
        return {};
      }));
  header.page_count = (offset - header.pages_offset) / kPageBytes;
  header.pages = hasher.finish();
  return {};
}

Result<void> write_file(int file, const Snapshot& snapshot, const SnapshotProgram& program) {
  SnapshotMetadata metadata;
  metadata.main = program.main;
  metadata.uses_wasi = program.uses_wasi;
  metadata.region_bytes = snapshot.memory().region_bytes;
  metadata.instantiated = snapshot.rest().instantiated;
  metadata.runs = MAYFLY_TRY(runs_of(snapshot.memory(), *program.image));
  const std::vector<uint8_t> encoded = encode(metadata);
  // The snapshot's own mark of origin covers the image.
  const auto image = image::without_origin_mark(program.image->file_bytes());
  SnapshotHeader header;
  header.image_offset = to_page(image::kSnapshotHeaderBytes);
  header.image_bytes = image.size();
  header.metadata_offset = header.image_offset + header.image_bytes;
  header.metadata_bytes = encoded.size();
  header.pages_offset = to_page(header.metadata_offset + encoded.size());
  header.image = image::image_content_hash(image);
  header.metadata = image::snapshot_metadata_hash(encoded);
  MAYFLY_TRY(write_at(file, header.image_offset, image));
  MAYFLY_TRY(write_at(file, header.metadata_offset, encoded));
  MAYFLY_TRY(write_pages(file, snapshot, metadata.runs, header));
  const auto folder = installation_key_folder();
  if (folder) {
    // Without it the file is as good for the kvm driver.
    const auto key = load_or_create_installation_key(*folder);
    if (key) header.origin = image::snapshot_origin(*key, header);
  }
  // Without pages the file would end before where they begin.
  if (::ftruncate(file, static_cast<off_t>(header.pages_offset + header.page_count * kPageBytes)) !=
      0) {
    return host_error("ftruncate");
  }
  return write_at(file, 0, encode(header));
}

Result<void> save(const Snapshot& snapshot, const SnapshotProgram& program,
                  const std::string& path) {
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return invalid("it exists and is no regular file");
  }
  Unfinished file = MAYFLY_TRY(Unfinished::create(path));
  MAYFLY_TRY(write_file(file.file(), snapshot, program));
  return file.keep_as(path);
}

}  // namespace

Result<void> save_snapshot(const Snapshot& snapshot, const SnapshotProgram& program,
                           const std::string& path) {
  if (const auto& host = snapshot.rest().host; host != nullptr && host->open_files() > 0) {
    return Error{ErrorKind::kState,
                 "cannot save to " + path + ": the program has " +
                     std::to_string(host->open_files()) +
                     " files or sockets of its own open, which a file cannot hold",
                 0};
  }
  auto saved = save(snapshot, program, path);
  if (!saved) return with_context("cannot write " + path, std::move(saved).error());
  return {};
}

}  // namespace mayfly::runtime
