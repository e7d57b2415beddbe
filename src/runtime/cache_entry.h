// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CacheEntry: an image in a file of the cache, with a footer that tells whether every byte of it
// is what was written for its key (docs/formats/cache.md).
//
//   image | one CRC-32C for each 16 KiB of it | footer
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "base/hash.h"
#include "base/result.h"

namespace mayfly::runtime {

// Writes the entry of an image to an empty file. Errors: kHost, as when the disk is full.
Result<void> write_cache_entry(int image, const Hash& key, int to);

// Reads all of the entry. Errors: kInvalid when one byte is not as it was written, or when it is
// another key's; kHost.
Result<void> verify_cache_entry(int file, const Hash& key);

}  // namespace mayfly::runtime
