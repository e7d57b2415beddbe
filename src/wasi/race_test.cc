// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Another process swaps a directory for a link to the outside, again and again, while the guest
// opens, creates and removes beneath it. Nothing outside may ever be reached.
#include <atomic>
#include <thread>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
namespace fs = std::filesystem;

class Race : public ProgramTest {
 protected:
  // While it lives, root/swapped is now a directory with its own "secret", now a link outside.
  class Swapper {
   public:
    Swapper(fs::path root, fs::path outside)
        : thread_([this, root = std::move(root), outside = std::move(outside)] {
            while (!stop_.load()) {
              fs::rename(root / "swapped", root / "kept");
              fs::create_symlink(outside, root / "swapped");
              fs::remove(root / "swapped");
              fs::rename(root / "kept", root / "swapped");
            }
          }) {}
    ~Swapper() {
      stop_.store(true);
      thread_.join();
    }
    Swapper(const Swapper&) = delete;
    Swapper& operator=(const Swapper&) = delete;

   private:
    std::atomic<bool> stop_ = false;
    std::thread thread_;
  };

  void SetUp() override {
    ProgramTest::SetUp();
    fs::create_directory(root() / "swapped");
    write_file(root() / "swapped/secret", "inside");
  }
};

TEST_P(Race, NoOpenEverReachesTheOutside) {
  struct stat secret{};
  ASSERT_EQ(::stat((outside() / "secret").c_str(), &secret), 0);
  const Swapper swapper(root(), outside());
  int opened_count = 0;
  for (int i = 0; i < 20000; ++i) {
    uint32_t handle = 0;
    if (open("swapped/secret", {.follow = true}, &handle) != Errno::kSuccess) continue;
    ++opened_count;
    guest_abi::WasiStatRequest request{};
    request.handle = handle;
    ASSERT_EQ(call(WasiPort::kStat, request), Errno::kSuccess);
    ASSERT_NE(request.stat.ino, secret.st_ino);
    guest_abi::WasiHandleRequest close{};
    close.handle = handle;
    ASSERT_EQ(call(WasiPort::kClose, close), Errno::kSuccess);
  }
  EXPECT_GT(opened_count, 0);
}

TEST_P(Race, NoCreateOrRemoveEverReachesTheOutside) {
  {
    const Swapper swapper(root(), outside());
    for (int i = 0; i < 5000; ++i) {
      path_call(WasiPort::kCreateDirectory, "swapped/new");
      open("swapped/created", {.open_flags = 1, .access = 3, .follow = true});
      two_paths(WasiPort::kRename, "swapped/created", "swapped/renamed");
      path_call(WasiPort::kUnlink, "swapped/renamed");
      path_call(WasiPort::kRemoveDirectory, "swapped/new");
      path_call(WasiPort::kUnlink, "swapped/secret");
      context_.reset();
      start(config());
    }
  }
  EXPECT_EQ(read_file(outside() / "secret"), "secret");
  EXPECT_EQ(std::distance(fs::directory_iterator(outside()), fs::directory_iterator()), 1);
}

INSTANTIATE_TEST_SUITE_P(Methods, Race,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk),
                         [](const auto& info) {
                           return info.param == ResolveMethod::kOpenat2 ? "Openat2" : "Walk";
                         });

}  // namespace
}  // namespace mayfly::wasi
