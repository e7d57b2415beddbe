// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The cache under everything that happens to files: it answers the right image, or builds it again.
#include "runtime/compile_cache.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace mayfly::runtime {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Fd memfd_of(const std::string& text) {
  auto file = create_memfd("image", 0);
  EXPECT_TRUE(file.has_value());
  EXPECT_TRUE(write_whole(file->get(), std::vector<uint8_t>(text.begin(), text.end())));
  return std::move(*file);
}

// The first bytes of a file: an entry's image is in front.
std::string start_of(const Fd& file, size_t bytes) {
  std::string text(bytes, '\0');
  EXPECT_EQ(::pread(file.get(), text.data(), bytes, 0), static_cast<ssize_t>(bytes));
  return text;
}

class CompileCacheTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder()); }
  void TearDown() override { std::filesystem::remove_all(folder()); }

  static std::string folder() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    return testing::TempDir() + "/mayfly-cache-test-" + info->name();
  }
  static CompileCache open(uint64_t bytes_max = 1 << 20) {
    auto cache = CompileCache::open({.folder = folder(), .bytes_max = bytes_max});
    EXPECT_TRUE(cache.has_value()) << (cache ? "" : cache.error().message);
    return std::move(*cache);
  }
  static Hash key(uint8_t number) { return Hash{number}; }
  static std::string path(const Hash& key) { return folder() + "/" + CacheFolder::name_of(key); }
  static std::vector<std::string> files() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }
  // What the cache answers for key 1, which `text` is the image of.
  static CachedImage get(const CompileCache& cache, const std::string& text, uint8_t number = 1) {
    auto got = cache.get(key(number), [&]() -> Result<Fd> { return memfd_of(text); });
    EXPECT_TRUE(got.has_value());
    EXPECT_EQ(start_of(got->image, text.size()), text);
    return std::move(*got);
  }
};

TEST_F(CompileCacheTest, BuildsOnceAndAnswersTheSameAfterwards) {
  const CompileCache cache = open();
  EXPECT_TRUE(get(cache, "image").was_built);
  EXPECT_FALSE(get(cache, "image").was_built);
  EXPECT_FALSE(get(open(), "image").was_built);
  EXPECT_THAT(files(), SizeIs(1));
}

TEST_F(CompileCacheTest, KeepsNothingOfABuildThatFailed) {
  const CompileCache cache = open();
  const auto failed = cache.get(key(1), []() -> Result<Fd> { return invalid("no such thing"); });
  EXPECT_FALSE(failed.has_value());
  EXPECT_THAT(files(), IsEmpty());
  EXPECT_TRUE(get(cache, "image").was_built);
}

TEST_F(CompileCacheTest, BuildsAgainWhateverBitOfAnEntryIsFlipped) {
  const CompileCache cache = open();
  const std::string image(40'000, 'i');
  get(cache, image);
  const auto bytes = std::filesystem::file_size(path(key(1)));
  for (size_t at = 0; at < bytes; at += (at < image.size() ? 1999 : 1)) {
    std::fstream file(path(key(1)), std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(at));
    const auto flipped = static_cast<char>(file.get() ^ (1 << at % 8));
    file.seekp(static_cast<std::streamoff>(at));
    file.put(flipped);
    file.close();
    const CachedImage got = get(cache, image);
    EXPECT_TRUE(got.was_built) << at;
    EXPECT_THAT(got.note, HasSubstr("cache entry"));
  }
}

TEST_F(CompileCacheTest, BuildsAgainWhereverAnEntryIsCutOff) {
  const CompileCache cache = open();
  const std::string image(20'000, 'i');
  get(cache, image);
  const auto whole = std::filesystem::file_size(path(key(1)));
  for (size_t bytes = 0; bytes < whole; bytes += (bytes < image.size() ? 997 : 1)) {
    std::filesystem::resize_file(path(key(1)), bytes);
    EXPECT_TRUE(get(cache, image).was_built) << bytes;
  }
}

TEST_F(CompileCacheTest, TrustsNoEntryOfAnotherKey) {
  const CompileCache cache = open();
  get(cache, "first", 1);
  std::filesystem::copy_file(path(key(1)), path(key(2)));
  EXPECT_TRUE(get(cache, "other", 2).was_built);
}

TEST_F(CompileCacheTest, TrustsNoEntryThatOthersMayWriteAndFollowsNoLink) {
  const CompileCache cache = open();
  get(cache, "image");
  ASSERT_EQ(::chmod(path(key(1)).c_str(), 0666), 0);
  EXPECT_TRUE(get(cache, "image").was_built);
  std::filesystem::rename(path(key(1)), folder() + "/elsewhere");
  std::filesystem::create_symlink(folder() + "/elsewhere", path(key(1)));
  EXPECT_TRUE(get(cache, "image").was_built);
}

TEST_F(CompileCacheTest, RefusesAFolderThatOthersMayWrite) {
  std::filesystem::create_directories(folder());
  ASSERT_EQ(::chmod(folder().c_str(), 0777), 0);
  const auto cache = CompileCache::open({.folder = folder()});
  ASSERT_FALSE(cache.has_value());
  EXPECT_THAT(cache.error().message, HasSubstr("is writable by others"));
  EXPECT_FALSE(CompileCache::open({.folder = "relative"}).has_value());
}

TEST_F(CompileCacheTest, MakesItsFolderPrivate) {
  open();
  struct stat status{};
  ASSERT_EQ(::stat(folder().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(CompileCacheTest, WorksWithoutAnEntryWhenTheDiskIsFull) {
  const CompileCache cache = open();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  const Fd image = memfd_of(std::string(50'000, 'i'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto got = cache.get(key(1), [&] { return image.duplicate(); });
  ::setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(start_of(got->image, 1), "i");
  EXPECT_NE(got->note, "");
  EXPECT_THAT(files(), IsEmpty());
}

TEST_F(CompileCacheTest, BuildsOnceForManyAtTheSameTime) {
  std::atomic<int> builds = 0;
  std::vector<std::thread> threads;
  threads.reserve(8);
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&builds] {
      const CompileCache cache = open();
      const auto got = cache.get(key(1), [&builds]() -> Result<Fd> {
        ++builds;
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        return memfd_of("image");
      });
      ASSERT_TRUE(got.has_value());
      EXPECT_EQ(start_of(got->image, 5), "image");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(builds, 1);
  EXPECT_THAT(files(), SizeIs(1));
}

TEST_F(CompileCacheTest, GoesOnWhenTheProcessThatBuildsIsKilled) {
  const CompileCache cache = open();
  const pid_t child = ::fork();
  if (child == 0) {
    (void)cache.get(key(1), []() -> Result<Fd> {
      ::raise(SIGKILL);
      return Fd();
    });
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_THAT(files(), SizeIs(1));  // its lock
  EXPECT_TRUE(get(cache, "image").was_built);
  EXPECT_THAT(files(), SizeIs(1));  // the entry
}

TEST_F(CompileCacheTest, RemovesWhatDeadProcessesLeftAndNothingOfLivingOnes) {
  const CompileCache cache = open();
  std::ofstream(folder() + "/.new-1-1") << "half an image";
  const auto lock = cache.folder().lock(key(9), std::chrono::milliseconds(0));
  ASSERT_TRUE(lock.has_value());
  EXPECT_FALSE(cache.folder().lock(key(9), std::chrono::milliseconds(30)).has_value());
  get(cache, "image");
  EXPECT_THAT(files(), SizeIs(2));
}

TEST_F(CompileCacheTest, RemovesTheLeastRecentlyUsedWhenItIsFull) {
  const CompileCache cache = open(3000);
  const std::string image(700, 'i');
  for (uint8_t number = 1; number <= 3; ++number) get(cache, image, number);
  // By hand: a file system's clock is too coarse to tell uses of one test apart.
  for (uint8_t number = 1; number <= 3; ++number) {
    const timespec times[2] = {{1'000'000 + number, 0}, {1'000'000 + number, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path(key(number)).c_str(), times, 0), 0);
  }
  EXPECT_FALSE(get(cache, image, 1).was_built);
  get(cache, image, 4);
  EXPECT_TRUE(std::filesystem::exists(path(key(1))));
  EXPECT_FALSE(std::filesystem::exists(path(key(2))));
  EXPECT_TRUE(std::filesystem::exists(path(key(4))));
}

TEST_F(CompileCacheTest, KeepsNoImageThatIsLargerThanTheCache) {
  EXPECT_THAT(get(open(100), std::string(200, 'i')).note, HasSubstr("past the cache's 100"));
  EXPECT_THAT(files(), IsEmpty());
}

TEST(CacheKey, DependsOnEverythingThatDecides) {
  const Hash module = module_hash(std::vector<uint8_t>{1, 2, 3});
  const Hash other = module_hash(std::vector<uint8_t>{1, 2, 4});
  CacheInput input;
  input.modules = {module};
  input.compiler = "compiler";
  input.linking = "main";
  std::vector<Hash> keys = {cache_key(input)};
  input.modules = {other};
  keys.push_back(cache_key(input));
  input.modules = {other, module};
  keys.push_back(cache_key(input));
  input.compiler = "another";
  keys.push_back(cache_key(input));
  input.linking = "main wasi";
  keys.push_back(cache_key(input));
  input.request.options.opt_level = image::OptLevel::kO0;
  keys.push_back(cache_key(input));
  input.request.module_names = {"a.wasm"};
  keys.push_back(cache_key(input));
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
  EXPECT_EQ(cache_key(input), cache_key(input));
}

TEST(CacheKey, OfAFileIsThatOfItsBytes) {
  const std::string text(600'000, 'm');
  const Fd file = memfd_of(text);
  const auto hash = module_hash(file.get());
  ASSERT_TRUE(hash.has_value());
  EXPECT_EQ(*hash, module_hash(std::vector<uint8_t>(text.begin(), text.end())));
}

}  // namespace
}  // namespace mayfly::runtime
