// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshot files of components that call functions of the host: the file does not hold the types of
// WIT, so they come from the component.
#include <filesystem>

#include "component_builder.h"
#include "library_test.h"

namespace mayfly {
namespace {

using testing::HasSubstr;

Bytes echo_component() {
  ComponentBuilder builder;
  return builder.echo("number", kU32, "i32")
      .echo("wide", builder.tuple({kU64, kF32, kString}), "i64 f32 i32 i32")
      .echo("text", kString, "i32 i32")
      .build();
}

class ComponentSnapshotTest : public LibraryTest {
 protected:
  void SetUp() override {
    LibraryTest::SetUp();
    if (IsSkipped()) return;
    std::string pattern = testing::TempDir() + "/mayfly-library-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ::setenv("XDG_DATA_HOME", folder_.c_str(), 1);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/state"; }

  static Program load(Engine& engine, const Bytes& bytes) {
    auto loaded = engine.load(bytes, "echo");
    EXPECT_TRUE(loaded) << loaded.error().message;
    return std::move(*loaded);
  }
  static Linker linker_of(const Engine& engine) {
    Linker linker(engine);
    linker.define("", "host-number", [](uint32_t x) { return x; });
    linker.define_component(
        "", "host-wide",
        [](Caller&, std::span<const ComponentValue> values)
            -> Result<std::optional<ComponentValue>> { return std::optional(values[0]); });
    linker.define("", "host-text", [](std::string_view text) { return std::string(text) + "!"; });
    return linker;
  }
  void save() {
    auto made = linker_of(engine()).instantiate(load(engine(), echo_component()));
    ASSERT_TRUE(made) << made.error().message;
    EXPECT_EQ(*(*made->component_function<std::string(std::string)>("text"))("a"), "a!");
    const auto saved = made->snapshot()->save(path());
    ASSERT_TRUE(saved) << saved.error().message;
  }
  Engine other_engine() {
    auto engine = Engine::create({.driver = GetParam(), .optimize = Optimize::kFast});
    EXPECT_TRUE(engine);
    return std::move(*engine);
  }
  std::string folder_;
};

TEST_P(ComponentSnapshotTest, StartsInAnotherEngineWithItsFunctionsBound) {
  save();
  Engine engine = other_engine();
  const Linker linker = linker_of(engine);
  const auto snapshot = linker.load_snapshot(path(), load(engine, echo_component()));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  const auto sandbox = linker.instantiate(*snapshot);
  ASSERT_TRUE(sandbox) << sandbox.error().message;
  const auto text = sandbox->component_function<std::string(std::string_view)>("text");
  ASSERT_TRUE(text) << text.error().message;
  EXPECT_EQ(*(*text)("ab"), "ab!");
  using Wide = std::tuple<uint64_t, float, std::string>;
  const auto wide = sandbox->component_function<Wide(const Wide&)>("wide");
  ASSERT_TRUE(wide) << wide.error().message;
  EXPECT_EQ(*(*wide)(Wide(1, 0.5F, "w")), Wide(1, 0.5F, "w"));
}

TEST_P(ComponentSnapshotTest, NeedsTheComponentForTheTypes) {
  save();
  const auto loaded = linker_of(engine()).load_snapshot(path());
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().kind, ErrorKind::kLink);
  EXPECT_THAT(loaded.error().message,
              HasSubstr("it is of a component, which alone knows the types of what it imports, "
                        "host-number and the like"));
}

TEST_P(ComponentSnapshotTest, RefusesOtherProgramsAndFunctionsOfOtherTypes) {
  save();
  ComponentBuilder other;
  other.echo("number", kU32, "i32").echo("text", kString, "i32 i32");
  const auto wrong = linker_of(engine()).load_snapshot(path(), load(engine(), other.build()));
  EXPECT_EQ(wrong.error().kind, ErrorKind::kLink);
  EXPECT_THAT(wrong.error().message, HasSubstr("it is not of the component echo"));
  const auto module = linker_of(engine()).load_snapshot(path(), program("(module)"));
  EXPECT_THAT(module.error().message, HasSubstr("is no component"));
  Linker linker(engine());
  linker.define("", "host-number", [](uint64_t x) { return x; });
  const auto unbound = linker.load_snapshot(path(), load(engine(), echo_component()));
  EXPECT_THAT(unbound.error().message, HasSubstr("nothing defines these imports: "));
  EXPECT_THAT(unbound.error().message, HasSubstr("defined as func(u64) -> u64"));
}

MAYFLY_ON_EACH_DRIVER(ComponentSnapshotTest);

}  // namespace
}  // namespace mayfly
