// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A path that a program was refused comes with the flag that would allow it.
#include "wasi/denials.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wasi/program_test.h"

namespace mayfly::wasi {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class DenialsTest : public ProgramTest {
 protected:
  void start_with(TreeAccess access, const std::string& guest_path) {
    WasiConfig config = ProgramTest::config();
    config.preopens = {{root().string(), guest_path, access}};
    config.denied = [this](std::string_view line) { said_.emplace_back(line); };
    start(config);
  }
  static std::string real(const std::filesystem::path& path) {
    return std::filesystem::canonical(path).string();
  }
  static constexpr uint32_t kNowhere = 4;  // behind the only directory
  std::vector<std::string> said_;
};
INSTANTIATE_TEST_SUITE_P(Methods, DenialsTest,
                         testing::Values(ResolveMethod::kOpenat2, ResolveMethod::kWalk));

TEST_P(DenialsTest, NameTheDirectoryThatAPathLeadsTo) {
  start_with(TreeAccess::kReadWrite, "/");
  std::filesystem::create_symlink(outside(), root() / "link");
  EXPECT_EQ(open_following("../outside/secret"), Errno::kPerm);
  EXPECT_EQ(open_following("link/secret"), Errno::kPerm);
  const auto advice = AllOf(HasSubstr("leads out of " + real(root())),
                            HasSubstr("--dir " + real(outside()) + " would allow it"));
  EXPECT_THAT(said_, ElementsAre(advice, advice));
}

TEST_P(DenialsTest, NameTheGrantThatWouldNotBeReadOnly) {
  start_with(TreeAccess::kReadOnly, "/data");
  EXPECT_EQ(path_call(guest_abi::WasiPort::kCreateDirectory, "new"), Errno::kRoFs);
  EXPECT_THAT(said_, ElementsAre(HasSubstr("--dir " + real(root()) +
                                           "::/data without :ro would allow it")));
}

TEST_P(DenialsTest, NameWhatIsInNoDirectory) {
  start_with(TreeAccess::kReadWrite, "/data");
  EXPECT_EQ(open("etc/passwd", {}, nullptr, kNowhere), Errno::kNotCapable);
  EXPECT_EQ(open("x", {.open_flags = guest_abi::wasi::kOpenCreat}, nullptr, kNowhere),
            Errno::kNotCapable);
  EXPECT_THAT(said_, ElementsAre(AllOf(HasSubstr("\"/etc/passwd\""), HasSubstr("HOST::/etc ")),
                                 AllOf(HasSubstr("\"/x\""), HasSubstr("HOST::/ "))));
}

TEST_P(DenialsTest, AreNotWhatIsMissingOrNotAllowedForOthers) {
  start_with(TreeAccess::kReadWrite, "/");
  EXPECT_EQ(open_following("nothing"), Errno::kNoEnt);
  EXPECT_EQ(two_paths(guest_abi::WasiPort::kSymlink, "/etc/passwd", "new"), Errno::kPerm);
  EXPECT_THAT(said_, IsEmpty());
}

TEST_P(DenialsTest, AreSaidOnceAndNotWithoutEnd) {
  start_with(TreeAccess::kReadWrite, "/");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(open_following("../outside"), Errno::kPerm);
  EXPECT_THAT(said_, SizeIs(1));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(open_following("../outside/" + std::to_string(i)), Errno::kPerm);
  }
  EXPECT_THAT(said_, SizeIs(Denials::kSaidMax + 1));
  EXPECT_THAT(said_.back(), HasSubstr("not shown"));
}

TEST_P(DenialsTest, AreLinesWhateverThePathHolds) {
  start_with(TreeAccess::kReadWrite, "/");
  EXPECT_EQ(open_following("../a\nb\x1b[2J"), Errno::kPerm);
  ASSERT_THAT(said_, SizeIs(1));
  EXPECT_EQ(said_.front().find('\n'), said_.front().size() - 1);
  EXPECT_EQ(said_.front().find('\x1b'), std::string::npos);
}

TEST(RootName, IsWhatLibrariesTakeForEverything) {
  for (const char* name : {"/", ".", "./", "//.", ""}) EXPECT_TRUE(is_root_name(name)) << name;
  for (const char* name : {"/a", "a", "..", "./a"}) EXPECT_FALSE(is_root_name(name)) << name;
}

}  // namespace
}  // namespace mayfly::wasi
