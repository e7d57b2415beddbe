// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mmap and munmap, owned.
#include "base/mapping.h"

#include <sys/mman.h>

#include "base/check.h"

namespace mayfly {
namespace {

int protection(Mapping::Access access) {
  switch (access) {
    case Mapping::Access::kNone:
      return PROT_NONE;
    case Mapping::Access::kRead:
      return PROT_READ;
    case Mapping::Access::kReadWrite:
      return PROT_READ | PROT_WRITE;
  }
  return PROT_NONE;
}

}  // namespace

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  if (this != &other) {
    unmap();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    before_ = std::exchange(other.before_, 0);
    after_ = std::exchange(other.after_, 0);
  }
  return *this;
}

Mapping::~Mapping() { unmap(); }

void Mapping::unmap() {
  if (data_ == nullptr) return;
  CHECK(::munmap(owned().data(), owned().size()) == 0, size_);
}

Result<Mapping> Mapping::anonymous(uint64_t size_bytes, Access access) {
  void* data = ::mmap(nullptr, size_bytes, protection(access),
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (data == MAP_FAILED) return host_error("mmap of " + std::to_string(size_bytes) + " bytes");
  return Mapping(static_cast<uint8_t*>(data), size_bytes);
}

Result<Mapping> Mapping::anonymous_aligned(uint64_t size_bytes, uint64_t alignment,
                                           uint64_t remainder) {
  Mapping wide = MAYFLY_TRY(anonymous(size_bytes + alignment));
  // SAFETY: only arithmetic on the address of a range that `wide` owns. What lies around the
  // aligned part stays its: giving it back would take a system call that splits the range.
  const auto start = reinterpret_cast<uintptr_t>(wide.data_);
  const uint64_t skipped = (alignment + remainder - start % alignment) % alignment;
  wide.data_ += skipped;
  wide.size_ = size_bytes;
  wide.before_ = skipped;
  wide.after_ = alignment - skipped;
  return wide;
}

Result<Mapping> Mapping::file(int fd, uint64_t offset, uint64_t size_bytes, Access access,
                              Sharing sharing) {
  void* data = ::mmap(nullptr, size_bytes, protection(access),
                      sharing == Sharing::kShared ? MAP_SHARED : MAP_PRIVATE | MAP_NORESERVE, fd,
                      static_cast<off_t>(offset));
  if (data == MAP_FAILED) {
    return host_error("mmap of " + std::to_string(size_bytes) + " bytes at file offset " +
                      std::to_string(offset));
  }
  return Mapping(static_cast<uint8_t*>(data), size_bytes);
}

}  // namespace mayfly
