// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The jail from inside: each test enters it in a process of its own, and tries what it must not.
#include "cli/jail.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/landlock.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

#include "base/fd.h"

namespace mayfly::cli {
namespace {

bool opens(const std::string& path, int flags) {
  return Fd(::open(path.c_str(), flags | O_CLOEXEC, 0600)).valid();
}

// The number of the first claim that is false, in a process of its own; 0: all are true.
template <typename... Claims>
int first_false(const std::function<void()>& enter, Claims... claims) {
  const pid_t child = ::fork();
  if (child == 0) {
    enter();
    int number = 0;
    int failed = 0;
    ((++number, failed = failed == 0 && !claims() ? number : failed), ...);
    ::_exit(failed);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

class Jail : public testing::Test {
 protected:
  void SetUp() override {
    if (::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION) < 3) {
      GTEST_SKIP() << "NO LANDLOCK of version 3";
    }
    std::string pattern = testing::TempDir() + "/mayfly-jail-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    for (const char* name : {"/given", "/read", "/other"}) {
      std::filesystem::create_directory(folder_ + name);
      ASSERT_TRUE(opens(folder_ + name + "/file", O_WRONLY | O_CREAT));
    }
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::string folder_;
};

TEST_F(Jail, LeavesTheFilesThatWereGiven) {
  const std::string given = folder_ + "/given";
  const std::string read = folder_ + "/read";
  const std::string other = folder_ + "/other";
  const Fd open_before(::open(other.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const auto enter = [&] {
    if (!jail_files({{given, JailAccess::kReadWrite}, {read, JailAccess::kRead}})) ::_exit(100);
  };
  EXPECT_EQ(
      first_false(
          enter, [&] { return opens(given + "/file", O_RDWR | O_TRUNC); },
          [&] { return opens(given + "/new", O_RDWR | O_CREAT); },
          [&] { return ::mkdir((given + "/folder").c_str(), 0700) == 0; },
          // From one directory to another, too.
          [&] { return ::rename((given + "/new").c_str(), (given + "/folder/x").c_str()) == 0; },
          [&] { return opens(read + "/file", O_RDONLY); },
          [&] { return !opens(read + "/file", O_WRONLY); },
          [&] { return ::unlink((read + "/file").c_str()) != 0 && errno == EACCES; },
          [&] { return !opens(other + "/file", O_RDONLY) && errno == EACCES; },
          [&] { return !opens("/etc/passwd", O_RDONLY) && errno == EACCES; },
          [&] { return ::link((given + "/file").c_str(), (other + "/l").c_str()) != 0; },
          // A directory that was open before is no way around.
          [&] { return ::openat(open_before.get(), "file", O_RDONLY) < 0 && errno == EACCES; }),
      0);
}

TEST_F(Jail, RefusesProgramsMountsAndSockets) {
  const auto is_refused = [](long result) { return result < 0 && errno == EPERM; };
  const auto enter = [] {
    if (!jail_files({}) || !jail_calls(/*network=*/false)) ::_exit(100);
  };
  EXPECT_EQ(first_false(
                enter, [&] { return is_refused(::execl("/bin/true", "true", nullptr)); },
                [&] { return is_refused(::syscall(SYS_unshare, 0x10000000)); },
                [&] { return is_refused(::syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr)); },
                [&] { return is_refused(::syscall(SYS_ptrace, 0, 0, 0, 0)); },
                [&] { return is_refused(::syscall(SYS_io_uring_setup, 1, nullptr)); },
                [&] { return is_refused(::socket(AF_INET, SOCK_STREAM, 0)); },
                [&] { return is_refused(::socket(AF_UNIX, SOCK_STREAM, 0)); }),
            0);
}

TEST_F(Jail, LeavesSocketsToWhomTheNetworkWasGiven) {
  const auto enter = [] {
    if (!jail_calls(/*network=*/true)) ::_exit(100);
  };
  EXPECT_EQ(first_false(
                enter, [] { return Fd(::socket(AF_INET, SOCK_STREAM, 0)).valid(); },
                [] { return ::execl("/bin/true", "true", nullptr) < 0 && errno == EPERM; }),
            0);
}

TEST_F(Jail, HoldsForThreadsThatWereThereBefore) {
  EXPECT_EQ(first_false([] {},
                        [] {
                          std::atomic<bool> is_in = false;
                          std::atomic<bool> is_refused = false;
                          std::thread early([&] {
                            while (!is_in) std::this_thread::yield();
                            is_refused = ::socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EPERM;
                          });
                          is_in = jail_calls(/*network=*/false).has_value();
                          early.join();
                          return is_refused.load();
                        }),
            0);
}

TEST(JailPaths, AreWhatTheOptionsGive) {
  RunOptions options;
  options.file = "app.wasm";
  options.directories = {"a::/a", "b::/b:ro"};
  options.keyvalue = "store/kv.db";
  std::string text;
  for (const JailPath& path : jail_paths(options)) {
    text += path.path + (path.access == JailAccess::kRead ? ":r " : ":rw ");
  }
  EXPECT_EQ(text, "app.wasm:r a:rw b:r store:rw ");
  EXPECT_FALSE(has_network(options));
  options.http_hosts = {"example.org"};
  EXPECT_TRUE(has_network(options));
}

}  // namespace
}  // namespace mayfly::cli
