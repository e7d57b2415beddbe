// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TrustDomain: whose work a sandbox does.
#pragma once

#include <cstdint>

namespace mayfly {

// Machines and their caches are not shared between two domains. Domain 0 is the default:
// everything that does not say otherwise.
struct TrustDomain {
  uint64_t number = 0;
  bool operator==(const TrustDomain&) const = default;
};

}  // namespace mayfly
