// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ways out of a preopened directory, each with both ways to resolve paths.
#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
namespace fs = std::filesystem;

class Escape : public ProgramTest {
 protected:
  void SetUp() override {
    ProgramTest::SetUp();
    fs::create_symlink(outside(), root() / "absolute");
    fs::create_symlink("../outside", root() / "relative");
    fs::create_symlink("../../outside/secret", root() / "dir/to_secret");
    fs::create_symlink("/", root() / "to_root");
    fs::create_symlink("..", root() / "to_parent");
    fs::create_symlink("dir/../../outside", root() / "by_way_of_dir");
    fs::create_symlink("/proc/self/root", root() / "magic");
  }
  void expect_secret_unharmed() {
    EXPECT_EQ(read_file(outside() / "secret"), "secret");
    EXPECT_EQ(std::distance(fs::directory_iterator(outside()), fs::directory_iterator()), 1);
  }
};

TEST_P(Escape, OpenRefusesEachWay) {
  for (const char* path : {"..",
                           "../outside/secret",
                           "/",
                           "/etc/passwd",
                           "dir/../../outside/secret",
                           "./../outside/secret",
                           "dir/nested/../../../outside/secret",
                           "../root/file",
                           "absolute/secret",
                           "relative/secret",
                           "dir/to_secret",
                           "to_root/etc/passwd",
                           "to_parent",
                           "to_parent/outside",
                           "by_way_of_dir/secret",
                           "magic/etc/passwd",
                           "absolute/",
                           "relative/.",
                           "//etc/passwd",
                           "dir/../to_parent/outside/secret",
                           "../",
                           "../."}) {
    EXPECT_EQ(open_following(path), Errno::kPerm) << path;
    EXPECT_EQ(stat(path, true), Errno::kPerm) << path;
  }
  expect_secret_unharmed();
}

TEST_P(Escape, CreateRefusesEachWay) {
  for (const char* path : {"../outside/new", "/tmp/new", "absolute/new", "relative/new",
                           "to_parent/outside/new", "dir/../../outside/new", "by_way_of_dir/new"}) {
    EXPECT_EQ(open(path, {.open_flags = 1, .access = 3, .follow = true}), Errno::kPerm) << path;
    EXPECT_EQ(path_call(WasiPort::kCreateDirectory, path), Errno::kPerm) << path;
    EXPECT_EQ(two_paths(WasiPort::kSymlink, "file", path), Errno::kPerm) << path;
    EXPECT_EQ(two_paths(WasiPort::kLink, "file", path), Errno::kPerm) << path;
    EXPECT_EQ(two_paths(WasiPort::kRename, "file", path), Errno::kPerm) << path;
  }
  expect_secret_unharmed();
}

TEST_P(Escape, RemoveAndTakeRefuseEachWay) {
  for (const char* path : {"../outside/secret", "absolute/secret", "relative/secret",
                           "to_parent/outside/secret", "by_way_of_dir/secret"}) {
    EXPECT_EQ(path_call(WasiPort::kUnlink, path), Errno::kPerm) << path;
    EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, path), Errno::kPerm) << path;
    EXPECT_EQ(two_paths(WasiPort::kRename, path, "taken"), Errno::kPerm) << path;
    EXPECT_EQ(two_paths(WasiPort::kLink, path, "taken"), Errno::kPerm) << path;
  }
  expect_secret_unharmed();
}

TEST_P(Escape, NamesThatAreDotsDoNothing) {
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, ".."), Errno::kPerm);
  EXPECT_EQ(path_call(WasiPort::kUnlink, "../"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kRename, "..", "taken"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kLink, "..", "taken"), Errno::kPerm);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "."), Errno::kInval);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "dir/nested/.."), Errno::kNotEmpty);
}

TEST_P(Escape, LinkDoesNotFollowATrailingSlash) {
  EXPECT_EQ(two_paths(WasiPort::kLink, "absolute/", "taken"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kLink, "dir/to_secret/", "taken"), Errno::kPerm);
}

TEST_P(Escape, ChangingALinkItselfLeavesItsTargetAlone) {
  EXPECT_EQ(two_paths(WasiPort::kRename, "relative", "renamed"), Errno::kSuccess);
  EXPECT_EQ(path_call(WasiPort::kUnlink, "renamed"), Errno::kSuccess);
  expect_secret_unharmed();
}

TEST_P(Escape, OpenWithoutFollowingRefusesALink) {
  EXPECT_EQ(open("dir/to_secret", {}), Errno::kLoop);
  EXPECT_EQ(open("dir/to_secret", {.open_flags = 1, .access = 3}), Errno::kLoop);
  EXPECT_EQ(open("dir/to_secret", {.open_flags = 8, .access = 3, .follow = true}), Errno::kPerm);
  expect_secret_unharmed();
}

TEST_P(Escape, TimesOfALinksTargetOutsideStay) {
  guest_abi::WasiSetTimesRequest request{};
  request.handle = kRoot;
  request.lookup_flags = 1;
  request.path = put("dir/to_secret");
  request.mtim = 1;
  request.set_flags = 4;
  EXPECT_EQ(call(WasiPort::kPathSetTimes, request), Errno::kPerm);
}

TEST_P(Escape, ADirectoryMovedOutKeepsItsWallsAroundItself) {
  uint32_t handle = 0;
  ASSERT_EQ(open("dir/nested", {.open_flags = 2}, &handle), Errno::kSuccess);
  fs::rename(root() / "dir/nested", outside() / "nested");
  EXPECT_EQ(open("../secret", {}, nullptr, handle), Errno::kPerm);
  EXPECT_EQ(open("..", {}, nullptr, handle), Errno::kPerm);
}

TEST_P(Escape, TheParentsInodeDoesNotShow) {
  guest_abi::WasiReadDirectoryRequest request{};
  request.handle = kRoot;
  request.to = room(65536);
  ASSERT_EQ(call(WasiPort::kReadDirectory, request), Errno::kSuccess);
  struct stat parent{};
  ASSERT_EQ(::stat(base_.c_str(), &parent), 0);
  for (uint64_t at = 0; at < request.bytes;) {
    guest_abi::wasi::Dirent dirent{};
    std::memcpy(&dirent, guest_.bytes().data() + at, sizeof dirent);
    EXPECT_NE(dirent.ino, parent.st_ino) << text_at(at + sizeof dirent, dirent.name_bytes);
    at += sizeof dirent + dirent.name_bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, Escape,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk),
                         [](const auto& info) {
                           return info.param == ResolveMethod::kOpenat2 ? "Openat2" : "Walk";
                         });

}  // namespace
}  // namespace mayfly::wasi
