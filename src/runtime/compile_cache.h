// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CompileCache: images by what they were compiled from, on disk. What it answers is what the
// compiler would make; whatever happens to its files costs time and nothing else.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"
#include "image/build_request.h"
#include "runtime/cache_folder.h"

namespace mayfly::runtime {

// Everything that decides about an image.
struct CacheInput {
  image::BuildRequest request;  // its modules are empty
  std::vector<Hash> modules;    // module_hash of each
  // How the plan is made from the modules, where request.plan is not made yet.
  std::string linking;
  // Of the compiler and of this program, which made the plan (compiler_identity.h).
  std::string compiler;
};
Hash cache_key(const CacheInput& input);

// About 1 ms for each MiB.
Hash module_hash(std::span<const uint8_t> module);
// Of all of a file, which is never in memory as a whole. Errors: kHost.
Result<Hash> module_hash(int file);

struct CacheOptions {
  std::string folder;
  uint64_t bytes_max = uint64_t{4} << 30;  // of all entries together
  // For another process that builds the same.
  std::chrono::milliseconds wait_max{std::chrono::minutes(10)};
};

struct CachedImage {
  Fd image;  // not yet checked: Image::open does that
  bool was_built = false;
  std::string note;  // why the cache was of no use, if so
};

// Threads: any number at once; so may processes.
class CompileCache {
 public:
  // Errors: as CacheFolder::open.
  static Result<CompileCache> open(CacheOptions options);

  // The entry of key when every byte of it is as it was written, else what `build` makes, which
  // becomes the entry. Errors: those of build only.
  Result<CachedImage> get(const Hash& key, const std::function<Result<Fd>()>& build) const;

  const CacheFolder& folder() const { return folder_; }

 private:
  CompileCache(CacheFolder folder, CacheOptions options)
      : folder_(std::move(folder)), options_(std::move(options)) {}
  // Invalid when there is no entry, or none to trust.
  Fd take(const Hash& key, std::string* note) const;
  void keep(const Hash& key, const Fd& image, std::string* note) const;

  CacheFolder folder_;
  CacheOptions options_;
};

}  // namespace mayfly::runtime
