// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The functions that Wasm imports are bound to (guest_abi/wasi_functions.inc), in the C ABI:
// the importing instance's memory 0 (null when it has none), then the Wasm arguments.
#pragma once

#include <cstdint>

#include "guest_abi/instance.h"

using mayfly::guest_abi::MemoryInfo;

extern "C" {
uint32_t mayfly_wasi_p1_args_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_args_sizes_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_environ_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_environ_sizes_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_clock_res_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_clock_time_get(MemoryInfo* memory, uint32_t, uint64_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_advise(MemoryInfo* memory, uint32_t, uint64_t, uint64_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_allocate(MemoryInfo* memory, uint32_t, uint64_t, uint64_t);
uint32_t mayfly_wasi_p1_fd_close(MemoryInfo* memory, uint32_t);
uint32_t mayfly_wasi_p1_fd_datasync(MemoryInfo* memory, uint32_t);
uint32_t mayfly_wasi_p1_fd_fdstat_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_fdstat_set_flags(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_fdstat_set_rights(MemoryInfo* memory, uint32_t, uint64_t, uint64_t);
uint32_t mayfly_wasi_p1_fd_filestat_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_filestat_set_size(MemoryInfo* memory, uint32_t, uint64_t);
uint32_t mayfly_wasi_p1_fd_filestat_set_times(MemoryInfo* memory, uint32_t, uint64_t, uint64_t,
                                              uint32_t);
uint32_t mayfly_wasi_p1_fd_pread(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint64_t,
                                 uint32_t);
uint32_t mayfly_wasi_p1_fd_prestat_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_prestat_dir_name(MemoryInfo* memory, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_pwrite(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint64_t,
                                  uint32_t);
uint32_t mayfly_wasi_p1_fd_read(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_readdir(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint64_t,
                                   uint32_t);
uint32_t mayfly_wasi_p1_fd_renumber(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_seek(MemoryInfo* memory, uint32_t, uint64_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_sync(MemoryInfo* memory, uint32_t);
uint32_t mayfly_wasi_p1_fd_tell(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_fd_write(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_create_directory(MemoryInfo* memory, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_filestat_get(MemoryInfo* memory, uint32_t, uint32_t, uint32_t,
                                          uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_filestat_set_times(MemoryInfo* memory, uint32_t, uint32_t, uint32_t,
                                                uint32_t, uint64_t, uint64_t, uint32_t);
uint32_t mayfly_wasi_p1_path_link(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                  uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_open(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                  uint32_t, uint64_t, uint64_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_readlink(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                      uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_remove_directory(MemoryInfo* memory, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_rename(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                    uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_path_symlink(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                     uint32_t);
uint32_t mayfly_wasi_p1_path_unlink_file(MemoryInfo* memory, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_poll_oneoff(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t);
[[noreturn]] void mayfly_wasi_p1_proc_exit(MemoryInfo* memory, uint32_t);
uint32_t mayfly_wasi_p1_proc_raise(MemoryInfo* memory, uint32_t);
uint32_t mayfly_wasi_p1_sched_yield(MemoryInfo* memory);
uint32_t mayfly_wasi_p1_random_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_sock_accept(MemoryInfo* memory, uint32_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_sock_recv(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                  uint32_t, uint32_t);
uint32_t mayfly_wasi_p1_sock_send(MemoryInfo* memory, uint32_t, uint32_t, uint32_t, uint32_t,
                                  uint32_t);
uint32_t mayfly_wasi_p1_sock_shutdown(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_unstable_fd_filestat_get(MemoryInfo* memory, uint32_t, uint32_t);
uint32_t mayfly_wasi_unstable_fd_seek(MemoryInfo* memory, uint32_t, uint64_t, uint32_t, uint32_t);
uint32_t mayfly_wasi_unstable_path_filestat_get(MemoryInfo* memory, uint32_t, uint32_t, uint32_t,
                                                uint32_t, uint32_t);
uint32_t mayfly_wasi_unstable_poll_oneoff(MemoryInfo* memory, uint32_t, uint32_t, uint32_t,
                                          uint32_t);

// The marks of `mayfly run --bench`.
void mayfly_bench_start(MemoryInfo* memory);
void mayfly_bench_end(MemoryInfo* memory);
}
