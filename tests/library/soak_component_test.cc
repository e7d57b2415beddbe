// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Many runs of a component (soak_program.c) that opens files, sockets, lookups, requests, buckets
// and timers, reads, writes, polls and drops some of them, and returns or traps in the middle, all
// at random. Nothing of it may stay behind: handles are the process's descriptors, and memory.
// MAYFLY_SOAK_RUNS says how many (`./dev soak`).
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "held.h"
#include "library_test.h"

namespace mayfly {
namespace {

using namespace std::chrono_literals;
using Kind = CallOutcome::Kind;
using SoakRun = ComponentResult<void, void>();

constexpr int kThreads = 2;

// Takes connections at 127.0.0.1 and ends each at once, so that no port waits for its end.
class Closer {
 public:
  Closer() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address;
    // SAFETY: the sockets' functions take addresses of any family so, with their size.
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(fd_, generic, bytes), 0);
    EXPECT_EQ(::listen(fd_, 128), 0);
    EXPECT_EQ(::getsockname(fd_, generic, &bytes), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { work(); });
  }
  ~Closer() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);  // TIDY: allow(ownership) a test's own
  }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;
  uint16_t port() const { return port_; }

 private:
  void work() const {
    const linger at_once{1, 0};
    while (true) {
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0 && errno == EINVAL) return;  // shut down
      if (fd < 0) continue;
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(fd);  // TIDY: allow(ownership) a test's own
    }
  }
  int fd_;
  uint16_t port_ = 0;
  std::thread thread_;
};

class SoakComponentTest : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    std::string pattern = testing::TempDir() + "/mayfly-soak-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  Policy policy() const {
    return Policy()
        .arg("soak")
        .arg(std::to_string(closer_.port()))
        .preopen(folder_, "/")
        .tcp("127.0.0.1:*")
        .udp("127.0.0.1:*")
        .allow_dns()
        .http("127.0.0.1")
        .keyvalue_in_memory()
        .deadline(20s);
  }

  Closer closer_;
  std::string folder_;
  std::atomic<int64_t> returned_ = 0;
  std::atomic<int64_t> trapped_ = 0;
};
MAYFLY_ON_EACH_DRIVER(SoakComponentTest);

// Threads that look up names may still be there for a moment, each with an end of a socket pair.
Held quiet(size_t threads) {
  for (int i = 0; i < 1000 && Held::now().threads > threads; ++i) {
    std::this_thread::sleep_for(10ms);
  }
  return Held::now();
}

TEST_P(SoakComponentTest, LeavesNothingBehind) {
  const char* const wanted = std::getenv("MAYFLY_SOAK_RUNS");
  const int64_t runs = wanted == nullptr ? 2'000 : std::strtoll(wanted, nullptr, 10);
  auto program = engine().load(SOAK_COMPONENT);
  ASSERT_TRUE(program) << program.error().message;
  auto pool = Pool::create(Linker(engine()), *program, policy(),
                           {.size_min = kThreads, .size_max = kThreads});
  ASSERT_TRUE(pool) << pool.error().message;
  std::atomic<int64_t> next = 1;
  const auto run = [&] {
    auto held = pool->acquire(60s);
    ASSERT_TRUE(held) << held.error().message;
    const auto function = (*held)->component_function<SoakRun>("wasi:cli/run@0.2.0#run");
    ASSERT_TRUE(function) << function.error().message;
    const auto outcome = (*function)();
    ASSERT_TRUE(outcome.kind() == Kind::kReturned || outcome.kind() == Kind::kTrapped)
        << outcome.message();
    ++(outcome.kind() == Kind::kReturned ? returned_ : trapped_);
  };
  const auto run_to = [&](int64_t end) {
    std::vector<std::thread> threads;
    threads.reserve(kThreads);
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        while (next++ <= end && !HasFatalFailure()) run();
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  const size_t threads = Held::now().threads;
  run_to(runs / 4);
  ASSERT_FALSE(HasFatalFailure());
  const Held before = quiet(threads);
  next = runs / 4 + 1;
  run_to(runs);
  const Held after = quiet(before.threads);
  EXPECT_EQ(after.threads, before.threads);
  EXPECT_LE(after.descriptors, before.descriptors + kThreads);
#if !__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer)
  EXPECT_LE(after.resident_bytes, before.resident_bytes + (uint64_t{4} << 20));
#endif
  EXPECT_GT(returned_, runs / 2);
  EXPECT_GT(trapped_, runs / 50);
  EXPECT_EQ(pool->usage().in_use, 0U);
  std::printf("returned %ld, trapped %ld; descriptors %zu to %zu, resident %lu to %lu KiB\n",
              returned_.load(), trapped_.load(), before.descriptors, after.descriptors,
              before.resident_bytes >> 10, after.resident_bytes >> 10);
}

}  // namespace
}  // namespace mayfly
