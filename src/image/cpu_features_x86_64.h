// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which features the processor under this process has, by the names of /proc/cpuinfo.
// Asked of the processor itself: /proc/cpuinfo takes longer to read the more processors there are.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mayfly::image {

enum class CpuFeature : uint8_t { kPresent, kAbsent, kUnknownName };

CpuFeature cpu_feature(std::string_view name);

// All names that cpu_feature() knows and this processor has, in the table's order.
std::vector<std::string> present_cpu_features();

}  // namespace mayfly::image
