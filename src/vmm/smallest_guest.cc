// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One page in a memfd of its own.
#include "vmm/smallest_guest.h"

#include <string>

namespace mayfly::vmm {

Result<SmallestGuest> SmallestGuest::create(std::span<const uint8_t> code) {
  if (code.size() > guest_abi::kPageBytes) {
    return limit("code of " + std::to_string(code.size()) + " bytes does not fit into a page");
  }
  SmallestGuest guest;
  guest.file = MAYFLY_TRY(create_memfd("mayfly-smallest", guest_abi::kPageBytes));
  MAYFLY_TRY(write_whole(guest.file.get(), code));
  RegionSpec text;
  text.address = guest_abi::kImage;
  text.bytes = text.file_bytes = guest_abi::kPageBytes;
  text.protection = Protection::kReadExecute;
  text.file = guest.file.get();
  guest.config.regions = {text};
  return guest;
}

}  // namespace mayfly::vmm
