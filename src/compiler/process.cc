// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// seccomp as a list of what is allowed, Landlock with no file allowed, and resource limits.
#include "compiler/process.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <memory>

#include "base/fd.h"

namespace mayfly::compiler {
namespace {

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MAYFLY_HAS_ADDRESS_SANITIZER 1
#endif
#endif

// The value, or the limit that is set already when that is lower: it cannot be raised.
Result<void> set_limit(__rlimit_resource resource, const char* name, uint64_t value) {
  struct rlimit both{};
  if (::getrlimit(resource, &both) != 0) return host_error(std::string("getrlimit ") + name);
  both.rlim_max = std::min<rlim_t>(both.rlim_max, value);
  both.rlim_cur = std::min<rlim_t>(both.rlim_cur, both.rlim_max);
  if (::setrlimit(resource, &both) != 0) return host_error(std::string("setrlimit ") + name);
  return {};
}

Result<void> set_limits(const ProcessLimits& limits) {
  MAYFLY_TRY(set_limit(RLIMIT_CORE, "RLIMIT_CORE", 0));
  const auto seconds = static_cast<uint64_t>(limits.cpu_time_max.count());
  if (seconds != 0) MAYFLY_TRY(set_limit(RLIMIT_CPU, "RLIMIT_CPU", seconds));
#ifndef MAYFLY_HAS_ADDRESS_SANITIZER
  // Sanitizers reserve terabytes of address space.
  if (limits.memory_bytes_max != 0) {
    MAYFLY_TRY(set_limit(RLIMIT_AS, "RLIMIT_AS", limits.memory_bytes_max));
  }
#endif
  return {};
}

// No file of any directory can be opened. Memory files are not in one, so LLD's paths of them
// still work. A kernel without Landlock answers with an error, which changes nothing.
void deny_files() {
  struct landlock_ruleset_attr attributes = {};
  attributes.handled_access_fs =
      LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
      LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
      LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
      LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
      LANDLOCK_ACCESS_FS_MAKE_SYM;
  const Fd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (rules.valid()) ::syscall(SYS_landlock_restrict_self, rules.get(), 0);
}

// What allocation, threads, memory files, clocks and ending take. open, stat and the like are for
// LLD, which uses paths; which files they reach is deny_files()'s business.
constexpr int kAllowedCalls[] = {SCMP_SYS(read),           SCMP_SYS(write),
                                 SCMP_SYS(pread64),        SCMP_SYS(pwrite64),
                                 SCMP_SYS(readv),          SCMP_SYS(writev),
                                 SCMP_SYS(lseek),          SCMP_SYS(fstat),
                                 SCMP_SYS(newfstatat),     SCMP_SYS(stat),
                                 SCMP_SYS(lstat),          SCMP_SYS(statx),
                                 SCMP_SYS(statfs),         SCMP_SYS(fstatfs),
                                 SCMP_SYS(access),         SCMP_SYS(open),
                                 SCMP_SYS(openat),         SCMP_SYS(close),
                                 SCMP_SYS(readlink),       SCMP_SYS(readlinkat),
                                 SCMP_SYS(getcwd),         SCMP_SYS(dup),
                                 SCMP_SYS(dup2),           SCMP_SYS(fcntl),
                                 SCMP_SYS(ftruncate),      SCMP_SYS(memfd_create),
                                 SCMP_SYS(mmap),           SCMP_SYS(munmap),
                                 SCMP_SYS(mprotect),       SCMP_SYS(mremap),
                                 SCMP_SYS(madvise),        SCMP_SYS(brk),
                                 SCMP_SYS(futex),          SCMP_SYS(set_robust_list),
                                 SCMP_SYS(rseq),           SCMP_SYS(set_tid_address),
                                 SCMP_SYS(rt_sigaction),   SCMP_SYS(rt_sigprocmask),
                                 SCMP_SYS(rt_sigreturn),   SCMP_SYS(sigaltstack),
                                 SCMP_SYS(sched_yield),    SCMP_SYS(sched_getaffinity),
                                 SCMP_SYS(getpid),         SCMP_SYS(gettid),
                                 SCMP_SYS(tgkill),         SCMP_SYS(exit),
                                 SCMP_SYS(exit_group),     SCMP_SYS(getrandom),
                                 SCMP_SYS(clock_gettime),  SCMP_SYS(clock_nanosleep),
                                 SCMP_SYS(gettimeofday),   SCMP_SYS(getrusage),
                                 SCMP_SYS(sysinfo),        SCMP_SYS(uname),
                                 SCMP_SYS(restart_syscall)};

// Everything else fails with EPERM.
Result<void> filter_calls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(
      ::seccomp_init(SCMP_ACT_ERRNO(EPERM)), &::seccomp_release);
  if (filter == nullptr) return host_error("seccomp_init");
  int refused = 0;
  for (const int call : kAllowedCalls) {
    refused |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ALLOW, call, 0);
  }
  // Threads only. clone3 hides its flags from a filter, so the C library has to use clone.
  refused |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  const scmp_arg_cmp is_thread = {0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD};
  refused |= ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, &is_thread);
  // Limits can be read.
  const scmp_arg_cmp is_read = {2, SCMP_CMP_EQ, 0, 0};
  refused |=
      ::seccomp_rule_add_array(filter.get(), SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 1, &is_read);
  if (refused != 0) return host_error("seccomp_rule_add");
  const int loaded = ::seccomp_load(filter.get());
  if (loaded != 0) {
    errno = -loaded;
    return host_error("seccomp_load");
  }
  return {};
}

}  // namespace

Result<void> restrict_process(const ProcessLimits& limits, unsigned first_unused) {
  // The build has no reader once the host is gone.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return host_error("prctl(PR_SET_PDEATHSIG)");
  if (::prctl(PR_SET_DUMPABLE, 0) != 0) return host_error("prctl(PR_SET_DUMPABLE)");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return host_error("prctl(PR_SET_NO_NEW_PRIVS)");
  }
  if (::syscall(SYS_close_range, first_unused, ~0U, 0) != 0) return host_error("close_range");
  MAYFLY_TRY(set_limits(limits));
  deny_files();
  return filter_calls();
}

uint64_t peak_memory_bytes() {
  struct rusage usage = {};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace mayfly::compiler
