// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Joins the user's key and the mark of a file.
#include "runtime/image_origin.h"

#include <cerrno>

#include "image/origin_mark.h"
#include "runtime/installation_key.h"

namespace mayfly::runtime {

Result<void> check_origin(const image::Image& image) {
  if (!image::has_origin_mark(image.file_bytes())) return invalid("it has no mark of origin");
  auto key = load_installation_key(MAYFLY_TRY(installation_key_folder()));
  if (!key && key.error().errno_value == ENOENT) {
    return invalid("its mark of origin is another installation's, as this one has made none");
  }
  if (!key) return std::move(key).error();
  return image::check_origin_mark(*key, image.file_bytes());
}

Result<void> check_may_run(const image::Image& image, vmm::Driver driver) {
  if (driver != vmm::Driver::kProcess) return {};
  const auto checked = check_origin(image);
  if (checked) return {};
  return unsupported("the process driver runs images that this installation made: " +
                     checked.error().message);
}

}  // namespace mayfly::runtime
