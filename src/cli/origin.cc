// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Joins the user's key (runtime) and the mark of a file (image).
#include "cli/origin.h"

#include <cerrno>

#include "cli/output.h"
#include "image/origin_mark.h"
#include "runtime/installation_key.h"

namespace mayfly::cli {
namespace {

Result<SecretKey> key_for_marks() {
  return runtime::load_or_create_installation_key(MAYFLY_TRY(runtime::installation_key_folder()));
}

}  // namespace

Result<std::vector<uint8_t>> origin_mark_of(std::span<const uint8_t> image) {
  const auto key = key_for_marks();
  if (!key) {
    if (key.error().kind == ErrorKind::kInvalid) return key.error();
    print_error("mayfly: warning: the image gets no mark of origin: " + key.error().message + "\n");
    return std::vector<uint8_t>();
  }
  const auto mark = image::make_origin_mark(*key, image);
  return std::vector<uint8_t>(mark.begin(), mark.end());
}

Result<void> check_origin(const image::Image& image) {
  if (!image::has_origin_mark(image.file_bytes())) return invalid("it has no mark of origin");
  auto key = runtime::load_installation_key(MAYFLY_TRY(runtime::installation_key_folder()));
  if (!key && key.error().errno_value == ENOENT) {
    return invalid("its mark of origin is another installation's, as this one has made none");
  }
  if (!key) return std::move(key).error();
  return image::check_origin_mark(*key, image.file_bytes());
}

}  // namespace mayfly::cli
