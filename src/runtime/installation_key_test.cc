// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The key is made once, and refused wherever somebody else may know or have chosen it.
#include "runtime/installation_key.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

namespace mayfly::runtime {
namespace {

using testing::HasSubstr;

class InstallationKeyTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mayfly-key-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    folder_ = root_ + "/share/mayfly";
    key_ = folder_ + "/" + kInstallationKeyFile;
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void make_key() { ASSERT_TRUE(load_or_create_installation_key(folder_)); }
  // Both functions refuse for this reason, and leave what is there as it is.
  void expect_refused(const std::string& part) {
    for (const auto& key :
         {load_installation_key(folder_), load_or_create_installation_key(folder_)}) {
      ASSERT_FALSE(key);
      EXPECT_EQ(key.error().kind, ErrorKind::kInvalid);
      EXPECT_THAT(key.error().message, HasSubstr(part));
    }
  }

  std::string root_;
  std::string folder_;
  std::string key_;
};

bool same(const SecretKey& a, const SecretKey& b) {
  return equal_in_constant_time(a.bytes(), b.bytes());
}

TEST_F(InstallationKeyTest, IsMadeOnceForThisUserOnly) {
  const mode_t before = ::umask(0);
  const auto first = load_or_create_installation_key(folder_);
  ::umask(before);
  ASSERT_TRUE(first) << first.error().message;
  struct stat status{};
  ASSERT_EQ(::stat(key_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(status.st_size, 32);
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  EXPECT_TRUE(same(*first, *load_or_create_installation_key(folder_)));
  EXPECT_TRUE(same(*first, *load_installation_key(folder_)));
  const auto entries = std::filesystem::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(InstallationKeyTest, IsAnotherOneElsewhere) {
  EXPECT_FALSE(same(*load_or_create_installation_key(folder_),
                    *load_or_create_installation_key(root_ + "/other")));
}

TEST_F(InstallationKeyTest, IsNotMadeByLoading) {
  const auto key = load_installation_key(folder_);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().errno_value, ENOENT);
  EXPECT_FALSE(std::filesystem::exists(folder_));
}

TEST_F(InstallationKeyTest, IsTheSameForAllWhoMakeItAtOnce) {
  for (int round = 0; round < 20; ++round) {
    const std::string folder = folder_ + std::to_string(round);
    std::vector<SecretKey> keys(8, SecretKey::random());
    {
      std::vector<std::jthread> threads;
      for (SecretKey& key : keys) {
        threads.emplace_back([&key, &folder] {
          const auto loaded = load_or_create_installation_key(folder);
          if (loaded) key = *loaded;
        });
      }
    }
    for (const SecretKey& key : keys) EXPECT_TRUE(same(key, keys.front()));
    EXPECT_TRUE(same(keys.front(), *load_installation_key(folder)));
  }
}

TEST_F(InstallationKeyTest, IsRefusedWhenOthersMayReadOrWriteIt) {
  make_key();
  ASSERT_EQ(::chmod(key_.c_str(), 0620), 0);
  expect_refused("has mode 620, which lets others write");
  ASSERT_EQ(::chmod(key_.c_str(), 0604), 0);
  expect_refused("has mode 604, which lets others read");
}

TEST_F(InstallationKeyTest, IsRefusedInAFolderThatOthersMayWrite) {
  make_key();
  ASSERT_EQ(::chmod(folder_.c_str(), 0777), 0);
  expect_refused("has mode 777, which lets others write");
}

TEST_F(InstallationKeyTest, IsRefusedBehindASymbolicLink) {
  make_key();
  std::filesystem::rename(key_, root_ + "/moved");
  std::filesystem::create_symlink(root_ + "/moved", key_);
  expect_refused("is a symbolic link");
}

TEST_F(InstallationKeyTest, IsRefusedOfAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "ONLY ROOT can give files away";
  make_key();
  ASSERT_EQ(::chown(key_.c_str(), 12345, 0), 0);
  expect_refused("belongs to user 12345, not to 0");
  ASSERT_EQ(::chown(key_.c_str(), 0, 0), 0);
  ASSERT_EQ(::chown(folder_.c_str(), 12345, 0), 0);
  expect_refused("belongs to user 12345, not to 0");
}

TEST_F(InstallationKeyTest, IsRefusedWithAnotherSize) {
  make_key();
  for (const off_t size : {0, 31, 33}) {
    ASSERT_EQ(::truncate(key_.c_str(), size), 0);
    expect_refused("has " + std::to_string(size) + " bytes, not 32");
  }
}

TEST_F(InstallationKeyTest, IsRefusedWhenItIsNoFile) {
  make_key();
  std::filesystem::remove(key_);
  ASSERT_EQ(::mkfifo(key_.c_str(), 0600), 0);
  expect_refused("is no regular file");
  std::filesystem::remove(key_);
  std::filesystem::create_directory(key_);
  expect_refused("is no regular file");
}

TEST_F(InstallationKeyTest, SaysWhereItCannotBeMade) {
  std::ofstream(root_ + "/share").put('x');
  const auto key = load_or_create_installation_key(folder_);
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().kind, ErrorKind::kHost);
  EXPECT_THAT(key.error().message, HasSubstr(folder_));
}

TEST(InstallationKeyFolder, IsTheDataFolderOfTheUser) {
  ASSERT_EQ(::setenv("HOME", "/home/me", 1), 0);
  ASSERT_EQ(::setenv("XDG_DATA_HOME", "/data", 1), 0);
  EXPECT_EQ(installation_key_folder().value(), "/data/mayfly");
  ASSERT_EQ(::setenv("XDG_DATA_HOME", "relative", 1), 0);
  EXPECT_EQ(installation_key_folder().value(), "/home/me/.local/share/mayfly");
  ASSERT_EQ(::unsetenv("XDG_DATA_HOME"), 0);
  EXPECT_EQ(installation_key_folder().value(), "/home/me/.local/share/mayfly");
  ASSERT_EQ(::unsetenv("HOME"), 0);
  EXPECT_FALSE(installation_key_folder());
}

}  // namespace
}  // namespace mayfly::runtime
