// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ImageDescriber: what an image says of itself. Before the link, which symbols have to be in it;
// after the link, where they are.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "compiler/image_file.h"
#include "compiler/link_image.h"
#include "compiler/linked_file.h"
#include "image/image_metadata.h"

namespace mayfly::compiler {

class ImageDescriber {
 public:
  // The request outlives it.
  explicit ImageDescriber(const LinkRequest& request) : request_(request) {}

  // Symbols that the metadata names: nothing of them may be dropped.
  std::vector<std::string> roots() const;
  // The parts refer to the linked file's bytes.
  Result<ImageFileParts> describe(const LinkedFile& file) const;

 private:
  Result<image::ImageMetadata> metadata(const LinkedFile& file) const;
  Result<image::ImageInstance> instance(const LinkedFile& file, uint32_t step) const;
  Result<image::ImageExport> export_of(const LinkedFile& file, uint32_t step,
                                       const wasm::Export& item) const;
  void collect_links(uint32_t step, image::ImageMetadata& metadata) const;

  const LinkRequest& request_;
};

}  // namespace mayfly::compiler
