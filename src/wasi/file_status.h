// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A file's status and times between the host's and WASI's form.
#pragma once

#include <sys/stat.h>

#include <array>
#include <ctime>

#include "guest_abi/wasi_ports.h"
#include "wasi/errno_map.h"

namespace mayfly::wasi {

guest_abi::WasiStat to_wasi(const struct stat& status);

// For futimens and utimensat: access and modification. Errors: kInval for a time that is both
// given and now.
Errno times_to_set(const guest_abi::WasiSetTimesRequest& request, std::array<timespec, 2>* times);

}  // namespace mayfly::wasi
