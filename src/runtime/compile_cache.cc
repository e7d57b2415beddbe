// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Look, lock, look again, build, keep.
#include "runtime/compile_cache.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/byte_writer.h"
#include "image/cpu_features_x86_64.h"
#include "image/image.h"
#include "runtime/cache_entry.h"

namespace mayfly::runtime {
namespace {

constexpr uint32_t kKeyVersion = 1;
constexpr size_t kPieceBytes = 256 << 10;
constexpr std::string_view kModulePurpose = "mayfly-module";

}  // namespace

Hash cache_key(const CacheInput& input) {
  ByteWriter head;
  head.u32(kKeyVersion);
  head.u32(image::kImageVersion);
  head.string(input.compiler);
  head.string(input.linking);
  head.blob(image::encode(input.request));
  for (const std::string& feature : image::present_cpu_features()) head.string(feature);
  head.u32(static_cast<uint32_t>(input.modules.size()));
  for (const Hash& module : input.modules) head.blob(module);
  Hasher hasher("mayfly-cache-key");
  hasher.update(head.bytes());
  return hasher.finish();
}

Hash module_hash(std::span<const uint8_t> module) {
  Hasher hasher(kModulePurpose);
  hasher.update(module);
  return hasher.finish();
}

Result<Hash> module_hash(int file) {
  Hasher hasher(kModulePurpose);
  std::vector<uint8_t> piece(kPieceBytes);
  for (uint64_t at = 0;;) {
    const ssize_t got = ::pread(file, piece.data(), piece.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return host_error("cannot read");
    if (got == 0) return hasher.finish();
    hasher.update(std::span(piece).first(static_cast<size_t>(got)));
    at += static_cast<uint64_t>(got);
  }
}

Result<CompileCache> CompileCache::open(CacheOptions options) {
  CacheFolder folder = MAYFLY_TRY(CacheFolder::open(options.folder));
  return CompileCache(std::move(folder), std::move(options));
}

Fd CompileCache::take(const Hash& key, std::string* note) const {
  auto found = folder_.find(key);
  if (found && !found->has_value()) return Fd();
  auto verified = found ? verify_cache_entry((*found)->get(), key) : found.error();
  if (verified) {
    folder_.mark_used(**found);
    return std::move(**found);
  }
  *note = verified.error().message;
  folder_.remove(CacheFolder::name_of(key));
  return Fd();
}

void CompileCache::keep(const Hash& key, const Fd& image, std::string* note) const {
  struct stat status{};
  if (::fstat(image.get(), &status) != 0) return;
  if (static_cast<uint64_t>(status.st_size) > options_.bytes_max) {
    *note = "an image of " + std::to_string(status.st_size) + " bytes is past the cache's " +
            std::to_string(options_.bytes_max);
    return;
  }
  if (const auto stored = folder_.store(key, image.get()); !stored) *note = stored.error().message;
  (void)folder_.shrink(options_.bytes_max);
}

Result<CachedImage> CompileCache::get(const Hash& key,
                                      const std::function<Result<Fd>()>& build) const {
  CachedImage cached;
  cached.image = take(key, &cached.note);
  if (cached.image.valid()) return cached;
  const auto lock = folder_.lock(key, options_.wait_max);
  cached.image = take(key, &cached.note);
  if (cached.image.valid()) return cached;
  cached.was_built = true;
  cached.image = MAYFLY_TRY(build());
  keep(key, cached.image, &cached.note);
  return cached;
}

}  // namespace mayfly::runtime
