// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a restricted process can no longer do. Each rule is tried in a child of its own.
#include "compiler/process.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <thread>

#include "base/fd.h"

namespace mayfly::compiler {
namespace {

// The exit status of a child that is restricted and then returns what `attempt` returns.
int restricted(const ProcessLimits& limits, const std::function<int()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (!restrict_process(limits, 3)) ::_exit(99);
    ::_exit(attempt());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int error_or_zero(int64_t result) { return result < 0 ? errno : 0; }

bool has_landlock() {
  return ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

TEST(RestrictProcess, KeepsALowerLimit) {
  const pid_t child = ::fork();
  if (child == 0) {
    const struct rlimit low = {100, 100};
    if (::setrlimit(RLIMIT_CPU, &low) != 0) ::_exit(98);
    if (!restrict_process({0, std::chrono::seconds(200)}, 3)) ::_exit(99);
    struct rlimit now{};
    ::getrlimit(RLIMIT_CPU, &now);
    ::_exit(static_cast<int>(now.rlim_max));
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 100);
}

TEST(RestrictProcess, TakesTheNetwork) {
  const int error = restricted(
      {}, [] { return error_or_zero(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)); });
  EXPECT_EQ(error, EPERM);
}

TEST(RestrictProcess, TakesOtherPrograms) {
  const int error = restricted({}, [] {
    char* const arguments[] = {nullptr};
    return error_or_zero(::execve("/bin/true", arguments, arguments));
  });
  EXPECT_EQ(error, EPERM);
}

TEST(RestrictProcess, TakesNewProcesses) {
  // vfork would share this process's memory; the C library's fork is clone without CLONE_THREAD.
  const int error = restricted({}, [] { return error_or_zero(::fork()); });
  EXPECT_EQ(error, EPERM);
}

TEST(RestrictProcess, TakesFilesWhereTheKernelCan) {
  if (!has_landlock()) GTEST_SKIP() << "this kernel has no Landlock";
  const int error =
      restricted({}, [] { return error_or_zero(::open("/etc/passwd", O_RDONLY | O_CLOEXEC)); });
  EXPECT_EQ(error, EACCES);
}

TEST(RestrictProcess, LeavesMemoryFilesByTheirPath) {
  const int error = restricted({}, [] {
    const auto file = create_memfd("test", 16);
    if (!file) return 98;
    const std::string path = "/proc/self/fd/" + std::to_string(file->get());
    return error_or_zero(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  });
  EXPECT_EQ(error, 0);
}

TEST(RestrictProcess, LeavesThreads) {
  const int sum = restricted({}, [] {
    int value = 0;
    std::thread([&value] { value = 7; }).join();
    return value;
  });
  EXPECT_EQ(sum, 7);
}

TEST(RestrictProcess, ClosesInheritedDescriptors) {
  const Fd inherited(::open("/dev/null", O_RDONLY));
  const int error =
      restricted({}, [&inherited] { return error_or_zero(::lseek(inherited.get(), 0, SEEK_CUR)); });
  EXPECT_EQ(error, EBADF);
}

TEST(RestrictProcess, LimitsProcessorTime) {
  ProcessLimits limits;
  limits.cpu_time_max = std::chrono::seconds(1);
  const int status = restricted(limits, [] {
    for (volatile uint64_t i = 0;; i = i + 1) {
    }
    return 0;
  });
  EXPECT_EQ(status, 1000 + SIGKILL);
}

}  // namespace
}  // namespace mayfly::compiler
