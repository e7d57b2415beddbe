// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The user's key (runtime) makes the mark of a file (image).
#include "cli/origin.h"

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

}  // namespace mayfly::cli
