// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions of WASI 0.2 (guest_abi/wasi2_functions.inc), in the C ABI: the transfer memory,
// then the flat arguments of the canonical ABI. A result of more than one flat value is the address
// of where it lies in the transfer memory.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"

using mayfly::guest_abi::MemoryInfo;

extern "C" {
uint32_t mayfly_wasi2_get_environment(MemoryInfo* transfer);
uint32_t mayfly_wasi2_get_arguments(MemoryInfo* transfer);
uint32_t mayfly_wasi2_initial_cwd(MemoryInfo* transfer);
void mayfly_wasi2_exit(MemoryInfo* transfer, uint32_t is_error);
void mayfly_wasi2_exit_with_code(MemoryInfo* transfer, uint32_t code);

uint64_t mayfly_wasi2_monotonic_now(MemoryInfo* transfer);
uint64_t mayfly_wasi2_monotonic_resolution(MemoryInfo* transfer);
uint32_t mayfly_wasi2_wall_now(MemoryInfo* transfer);
uint32_t mayfly_wasi2_wall_resolution(MemoryInfo* transfer);

uint32_t mayfly_wasi2_random_bytes(MemoryInfo* transfer, uint64_t length);
uint64_t mayfly_wasi2_random_u64(MemoryInfo* transfer);
uint32_t mayfly_wasi2_insecure_seed(MemoryInfo* transfer);
}
