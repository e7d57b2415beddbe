// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What paths mean that stay inside: the errno of each mistake, slashes, links, dots.
#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
namespace fs = std::filesystem;

class Paths : public ProgramTest {};

TEST_P(Paths, DotsInsideAreFollowed) {
  EXPECT_EQ(open("dir/.//nested/../../dir/nested/../../file", {}), Errno::kSuccess);
  EXPECT_EQ(open(".", {.open_flags = 2}), Errno::kSuccess);
  EXPECT_EQ(open("dir/..", {.open_flags = 2}), Errno::kSuccess);
}

TEST_P(Paths, TextThatIsNoPathIsRefused) {
  EXPECT_EQ(open("", {}), Errno::kNoEnt);
  EXPECT_EQ(open(std::string_view("file\0", 5), {}), Errno::kInval);
  EXPECT_EQ(open("\xFF", {}), Errno::kIlSeq);
  EXPECT_EQ(open("\xC0\x80", {}), Errno::kIlSeq);
  EXPECT_EQ(open("\xED\xA0\x80", {}), Errno::kIlSeq);
  EXPECT_EQ(open("caf\xC3\xA9", {}), Errno::kNoEnt);
  EXPECT_EQ(open(std::string(4096, 'a'), {}), Errno::kNameTooLong);
  EXPECT_EQ(open(std::string(256, 'a'), {}), Errno::kNameTooLong);
}

TEST_P(Paths, ASlashAtTheEndWantsADirectory) {
  EXPECT_EQ(open("file/", {}), Errno::kNotDir);
  EXPECT_EQ(open("file///", {}), Errno::kNotDir);
  EXPECT_EQ(open("dir/", {}), Errno::kSuccess);
  EXPECT_EQ(open("dir///", {}), Errno::kSuccess);
  EXPECT_EQ(stat("file/"), Errno::kNotDir);
  EXPECT_EQ(path_call(WasiPort::kUnlink, "file/"), Errno::kNotDir);
  EXPECT_EQ(path_call(WasiPort::kUnlink, "dir/"), Errno::kIsDir);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "file/"), Errno::kNotDir);
  EXPECT_EQ(path_call(WasiPort::kCreateDirectory, "made/"), Errno::kSuccess);
  EXPECT_EQ(two_paths(WasiPort::kRename, "made/", "moved/"), Errno::kSuccess);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "moved/"), Errno::kSuccess);
}

TEST_P(Paths, OpenFlagsMeanWhatTheySay) {
  EXPECT_EQ(open("file", {.open_flags = 2}), Errno::kNotDir);
  EXPECT_EQ(open("dir", {.open_flags = 2, .access = 3}), Errno::kIsDir);
  EXPECT_EQ(open("file", {.open_flags = 1 | 4, .access = 3}), Errno::kExist);
  EXPECT_EQ(open("new", {}), Errno::kNoEnt);
  EXPECT_EQ(open("new", {.open_flags = 1}), Errno::kSuccess);
  EXPECT_EQ(open("file", {.open_flags = 8, .access = 0}), Errno::kSuccess);
  EXPECT_EQ(read_file(root() / "file"), "");
  EXPECT_EQ(open("new_dir", {.open_flags = 1 | 2}), Errno::kInval);
  EXPECT_EQ(open("file/below", {}), Errno::kNotDir);
}

TEST_P(Paths, LinksInsideAreFollowedWhenAskedTo) {
  fs::create_symlink("dir/nested", root() / "to_dir");
  fs::create_symlink("file", root() / "to_file");
  fs::create_symlink("loop", root() / "loop");
  fs::create_symlink("nothing", root() / "dangling");
  fs::create_symlink("../file", root() / "dir/up");
  EXPECT_EQ(open("to_file", {.follow = true}), Errno::kSuccess);
  EXPECT_EQ(open("to_file", {}), Errno::kLoop);
  EXPECT_EQ(open("to_dir", {.open_flags = 2}), Errno::kNotDir);
  EXPECT_EQ(open("to_dir/", {.open_flags = 2}), Errno::kSuccess);
  EXPECT_EQ(open("to_dir/../up", {.follow = true}), Errno::kSuccess);
  EXPECT_EQ(open("loop", {.follow = true}), Errno::kLoop);
  EXPECT_EQ(open("loop/x", {}), Errno::kLoop);
  EXPECT_EQ(open("dangling", {.follow = true}), Errno::kNoEnt);
  EXPECT_EQ(open("dangling", {.open_flags = 1, .access = 3, .follow = true}), Errno::kSuccess);
  EXPECT_TRUE(fs::exists(root() / "nothing"));
  EXPECT_EQ(stat("to_file"), Errno::kSuccess);
}

TEST_P(Paths, RenameAndLinkAnswerLikePosix) {
  EXPECT_EQ(two_paths(WasiPort::kRename, "file", "dir"), Errno::kIsDir);
  EXPECT_EQ(two_paths(WasiPort::kRename, "dir", "file"), Errno::kNotDir);
  EXPECT_EQ(two_paths(WasiPort::kRename, "dir", "dir/nested/x"), Errno::kInval);
  EXPECT_EQ(two_paths(WasiPort::kRename, "missing", "x"), Errno::kNoEnt);
  EXPECT_EQ(two_paths(WasiPort::kLink, "dir", "linked"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kLink, "file", "file"), Errno::kExist);
  EXPECT_EQ(two_paths(WasiPort::kLink, "file", "linked"), Errno::kSuccess);
  EXPECT_EQ(fs::hard_link_count(root() / "file"), 2U);
  EXPECT_EQ(path_call(WasiPort::kRemoveDirectory, "dir"), Errno::kNotEmpty);
}

TEST_P(Paths, SymlinkTargetsAreRelative) {
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "/etc", "link"), Errno::kPerm);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "", "link"), Errno::kNoEnt);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "file", "link/"), Errno::kNoEnt);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "file", "link"), Errno::kSuccess);
  EXPECT_EQ(two_paths(WasiPort::kSymlink, "file", "link"), Errno::kExist);
}

TEST_P(Paths, ReadLinkFillsWhatThereIsRoomFor) {
  fs::create_symlink("target", root() / "link");
  guest_abi::WasiReadLinkRequest request{};
  request.directory = kRoot;
  request.path = put("link");
  request.to = room(4, 4096);
  EXPECT_EQ(call(WasiPort::kReadLink, request), Errno::kSuccess);
  EXPECT_EQ(request.bytes, 4U);
  EXPECT_EQ(text_at(4096, 6), std::string("targ\0\0", 6));
  request.path = put("file");
  EXPECT_EQ(call(WasiPort::kReadLink, request), Errno::kInval);
}

TEST_P(Paths, AReadOnlyTreeCannotBeChanged) {
  WasiConfig config = this->config();
  config.preopens[0].access = TreeAccess::kReadOnly;
  start(config);
  EXPECT_EQ(open("file", {}), Errno::kSuccess);
  EXPECT_EQ(open("file", {.access = 3}), Errno::kRoFs);
  EXPECT_EQ(open("file", {.open_flags = 8}), Errno::kRoFs);
  EXPECT_EQ(open("new", {.open_flags = 1}), Errno::kRoFs);
  EXPECT_EQ(path_call(WasiPort::kCreateDirectory, "x"), Errno::kRoFs);
  EXPECT_EQ(path_call(WasiPort::kUnlink, "file"), Errno::kRoFs);
  EXPECT_EQ(two_paths(WasiPort::kLink, "file", "x"), Errno::kRoFs);
  EXPECT_EQ(two_paths(WasiPort::kRename, "file", "x"), Errno::kRoFs);
  uint32_t handle = 0;
  ASSERT_EQ(open("dir", {.open_flags = 2}, &handle), Errno::kSuccess);
  EXPECT_EQ(open("x", {.open_flags = 1}, nullptr, handle), Errno::kRoFs);
  guest_abi::WasiSetTimesRequest times{};
  times.handle = handle;
  times.set_flags = 2;
  EXPECT_EQ(call(WasiPort::kSetTimes, times), Errno::kRoFs);
}

TEST_P(Paths, OnlyGivenHandlesHaveNames) {
  EXPECT_EQ(open("file", {}, nullptr, 0), Errno::kBadF);
  EXPECT_EQ(open("file", {}, nullptr, 4), Errno::kBadF);
  EXPECT_EQ(open("file", {}, nullptr, UINT32_MAX), Errno::kBadF);
  uint32_t handle = 0;
  ASSERT_EQ(open("file", {}, &handle), Errno::kSuccess);
  EXPECT_EQ(open("x", {}, nullptr, handle), Errno::kNotDir);
  guest_abi::WasiHandleRequest close{};
  close.handle = handle;
  EXPECT_EQ(call(WasiPort::kClose, close), Errno::kSuccess);
  EXPECT_EQ(call(WasiPort::kClose, close), Errno::kBadF);
}

TEST_P(Paths, OpenFilesHaveAQuota) {
  WasiConfig config = this->config();
  config.limits.open_files_max = 5;
  start(config);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(open("file", {}), Errno::kSuccess);
  EXPECT_EQ(open("file", {}), Errno::kMFile);
  EXPECT_EQ(open("never_made", {.open_flags = 1}), Errno::kMFile);
  EXPECT_FALSE(fs::exists(root() / "never_made"));
}

TEST_P(Paths, OpeningAFifoDoesNotWait) {
  ASSERT_EQ(mkfifo((root() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(open("fifo", {}), Errno::kSuccess);
  start(config());
  EXPECT_EQ(open("fifo", {.access = guest_abi::kWasiWritable}), Errno::kNxIo);
}

INSTANTIATE_TEST_SUITE_P(Methods, Paths,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk),
                         [](const auto& info) {
                           return info.param == ResolveMethod::kOpenat2 ? "Openat2" : "Walk";
                         });

}  // namespace
}  // namespace mayfly::wasi
