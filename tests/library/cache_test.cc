// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs that are not compiled: from the compile cache, and from image files.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

constexpr char kAnswer[] = R"((module
  (import "wasi_snapshot_preview1" "sched_yield" (func $yield (result i32)))
  (memory (export "memory") 1)
  (func (export "answer") (result i32) (i32.add (call $yield) (i32.const 42)))))";

class CacheTest : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    folder_ = testing::TempDir() + "/cache-" + std::to_string(::getpid());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  EngineOptions options() const {
    return {.driver = GetParam(), .optimize = Optimize::kFast, .cache_folder = folder_};
  }
  static uint64_t count(const Engine& engine, std::string_view name) {
    for (const Counter& counter : engine.counters()) {
      if (counter.name == name) return counter.value;
    }
    return UINT64_MAX;
  }
  // Compilations that a new engine needs for the program.
  static uint64_t compilations(const EngineOptions& with) {
    const auto engine = Engine::create(with);
    EXPECT_TRUE(engine) << engine.error().message;
    const auto loaded = engine->load(wasm_of(kAnswer));
    auto guest = Linker(*engine).instantiate(*loaded);
    EXPECT_TRUE(guest) << guest.error().message;
    EXPECT_EQ(guest->call<int32_t>("answer").value(), 42);
    EXPECT_EQ(count(*engine, "compilations") + count(*engine, "cache_hits"), 1U);
    return count(*engine, "compilations");
  }
  std::string folder_;
};
MAYFLY_ON_EACH_DRIVER(CacheTest);

TEST_P(CacheTest, CompilesOnceForAllEngines) {
  EXPECT_EQ(compilations(options()), 1U);
  EXPECT_EQ(compilations(options()), 0U);
  EngineOptions other = options();
  other.count_fuel = true;
  EXPECT_EQ(compilations(other), 1U);
  EXPECT_EQ(compilations(other), 0U);
  other.use_cache = false;
  EXPECT_EQ(compilations(other), 1U);
}

TEST_P(CacheTest, CompilesAnewWhatWasChanged) {
  EXPECT_EQ(compilations(options()), 1U);
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    ::chmod(entry.path().c_str(), 0600);
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(5000);
    file.put('!');
  }
  EXPECT_EQ(compilations(options()), 1U);
  EXPECT_EQ(compilations(options()), 0U);
}

TEST_P(CacheTest, RefusesANamedFolderThatCannotBe) {
  EngineOptions wrong = options();
  wrong.cache_folder = "/proc/nothing";
  const auto engine = Engine::create(wrong);
  ASSERT_FALSE(engine);
  EXPECT_THAT(engine.error().message, HasSubstr("/proc/nothing"));
}

// An image as `mayfly compile` writes it, with this user's mark of origin.
std::string image_file(const std::string& folder) {
  std::filesystem::create_directories(folder);
  const std::string wasm = folder + "/answer.wasm";
  const std::vector<uint8_t> bytes = wasm_of(kAnswer);
  {
    std::ofstream file(wasm, std::ios::binary);
    std::ranges::copy(bytes, std::ostreambuf_iterator<char>(file));
  }
  const std::string mayfly =
      std::filesystem::read_symlink("/proc/self/exe").parent_path().string() + "/mayfly";
  const std::string image = folder + "/answer.image";
  const std::string command = mayfly + " compile -O1 " + wasm + " -o " + image;
  EXPECT_EQ(std::system(command.c_str()), 0);  // NOLINT: the command is the test's own
  return image;
}

TEST_P(CacheTest, RunsAnImageFile) {
  const std::string file = image_file(folder_);
  const auto loaded = engine().load_image(file);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->name(), "answer.image");
  EXPECT_TRUE(loaded->imports().empty());
  ASSERT_EQ(loaded->exports().size(), 2U);
  EXPECT_EQ(loaded->exports()[1].type, "() -> (i32)");
  Linker linker(engine());
  auto guest = linker.instantiate(*loaded);
  ASSERT_TRUE(guest) << guest.error().message;
  EXPECT_EQ(guest->call<int32_t>("answer").value(), 42);
  ASSERT_TRUE(guest->reset());
  EXPECT_EQ(guest->call<int32_t>("answer").value(), 42);
  linker.link("other", program("(module)"));
  EXPECT_THAT(linker.prepare(*loaded).error().message, HasSubstr("an image is linked already"));
}

TEST_P(CacheTest, RunsAForeignImageInAMachineOnly) {
  const std::string file = image_file(folder_);
  constexpr uint64_t kMarkBytes = 1;  // the last byte of the mark is enough
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - kMarkBytes);
  const auto loaded = engine().load_image(file);
  EXPECT_EQ(loaded.has_value(), GetParam() == Driver::kKvm);
  if (!loaded) {
    EXPECT_THAT(loaded.error().message, HasSubstr("images that this installation made"));
  }
  EXPECT_TRUE(engine().load_image(file, ImageTrust::kAnybody));
}

TEST_P(CacheTest, NamesAFileThatIsNoImage) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ + "/text") << "hello";
  EXPECT_THAT(engine().load_image(folder_ + "/text").error().message, HasSubstr("/text: "));
  EXPECT_THAT(engine().load_image(folder_ + "/none").error().message, HasSubstr("/none"));
}

}  // namespace
}  // namespace mayfly
