// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A running image without its machine, and into another machine. Most of what an idle machine
// takes is the kernel's (a vCPU, page tables, slots, descriptors), so all of it goes.
//
// Its pages come back as writes to the base's: what is frozen goes once it is thawed, and a later
// difference is again one to the base, however often this happens. All of them at once, because a
// guest's touch of a page that waits costs many times the copying of it.
#include <algorithm>
#include <cstring>
#include <utility>

#include "runtime/image_runner.h"

namespace mayfly::runtime {

using guest_abi::kPageBytes;

Result<FrozenRun> ImageRunner::freeze() {
  if (broken_) return invalid("a VM that its guest broke cannot be frozen: " + broken_->broken);
  if (reference_ == nullptr) MAYFLY_TRY(snapshot());
  FrozenRun frozen{reference_, region_bytes(), instantiated_, {}};
  auto touched = MAYFLY_TRY(vm_->touched_pages());
  frozen.changes =
      MAYFLY_TRY(PageChanges::find(frozen.region_bytes, &reference_->memory(), std::move(touched)));
  return frozen;
}

Result<void> ImageRunner::thaw(const FrozenRun& frozen) {
  MAYFLY_TRY(vm_->restore(frozen.base->memory()));
  for (size_t region = 0; region < frozen.region_bytes.size(); ++region) {
    if (vm_->region_bytes(region) == frozen.region_bytes[region]) continue;
    MAYFLY_TRY(vm_->resize(region, frozen.region_bytes[region]));
  }
  for (const vmm::PageRun& page : frozen.changes.pages) {
    const uint64_t address = image_.regions()[page.region].address + page.first * kPageBytes;
    const auto to = MAYFLY_TRY(vm_->view(address, kPageBytes));
    if (page.is_zero()) {
      std::memset(to.data(), 0, kPageBytes);
    } else {
      std::memcpy(to.data(), page.bytes, kPageBytes);
    }
  }
  MAYFLY_TRY(prepare_call_page());
  instantiated_ = frozen.instantiated;
  reference_ = frozen.base;
  return {};
}

}  // namespace mayfly::runtime
