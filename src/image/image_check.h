// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What makes the numbers of an image acceptable: every region in its place, every address of the
// metadata in a region of its kind, every index in its list.
#pragma once

#include "base/result.h"
#include "image/elf_view.h"
#include "image/image_metadata.h"

namespace mayfly::image {

// The text, read-only data and data of an image, from its segments.
// Errors: kInvalid for a segment outside the image's range, not at a page, overlapping another,
// writable and executable, or one of two of a kind.
Result<std::vector<Region>> check_segments(const std::vector<ElfSegment>& segments);

// Precondition: `loaded` came from check_segments(). Errors: kInvalid, with the numbers.
Result<void> check_metadata(const ImageMetadata& metadata, const std::vector<Region>& loaded);

}  // namespace mayfly::image
