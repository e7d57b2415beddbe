// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding and validation of every component of the Component Model's test scripts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "component/component.h"

namespace mayfly::component {
namespace {

namespace fs = std::filesystem;

fs::path testdata() {
  const char* chosen = std::getenv("MAYFLY_TESTDATA");
  if (chosen != nullptr) return chosen;
  return fs::path(MAYFLY_SOURCE_DIR) / ".." / "shared" / "testdata";
}

std::vector<uint8_t> read_bytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Tally {
  int scripts = 0;
  int accepted = 0;
  int refused = 0;
  int skipped_text = 0;
};

class Checker {
 public:
  void run_folder(const fs::path& folder) {
    std::vector<fs::path> scripts;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".json") scripts.push_back(entry.path());
    }
    std::sort(scripts.begin(), scripts.end());
    for (const fs::path& script : scripts) run_script(script);
  }
  const Tally& tally() const { return tally_; }

 private:
  void run_script(const fs::path& path) {
    ++tally_.scripts;
    std::ifstream file(path);
    const nlohmann::json script = nlohmann::json::parse(file, nullptr, false);
    ASSERT_FALSE(script.is_discarded()) << path;
    for (const auto& command : script["commands"]) run_command(path.parent_path(), command);
  }

  void run_command(const fs::path& folder, const nlohmann::json& command) {
    if (!command.contains("filename")) return;
    if (command.value("module_type", "") == "text") {
      ++tally_.skipped_text;
      return;
    }
    const std::string type = command["type"].get<std::string>();
    const std::string name = command["filename"].get<std::string>();
    const std::vector<uint8_t> bytes = read_bytes(folder / name);
    const std::string where = name + " (line " + std::to_string(command["line"].get<int>()) + ")";
    const auto component = decode(bytes);
    if (type != "assert_invalid" && type != "assert_malformed") {
      ++tally_.accepted;
      if (!component) ADD_FAILURE() << where << ": refused: " << component.error().message;
      return;
    }
    ++tally_.refused;
    const std::string text = command.value("text", "");
    if (component) {
      ADD_FAILURE() << where << ": accepted, but: " << text;
      return;
    }
    const std::string& message = component.error().message;
    if (std::getenv("MAYFLY_SHOW_MESSAGES") != nullptr) {
      std::printf("%s: %s <- %s\n", where.c_str(), message.c_str(), text.c_str());
    }
    EXPECT_NE(message.find(" at offset 0x"), std::string::npos) << where << ": " << message;
    EXPECT_EQ(message.find(" at offset 0x"), message.rfind(" at offset 0x")) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << where << ": " << message;
  }

  Tally tally_;
};

TEST(ComponentValidation, ScriptsAreAcceptedAndRefusedAsTheySay) {
  if (!fs::exists(testdata() / "component" / "test")) {
    GTEST_SKIP() << "SKIPPED: 63 component scripts: no test data in " << testdata()
                 << "; set MAYFLY_TESTDATA";
  }
  Checker checker;
  checker.run_folder(testdata() / "component" / "test");
  const Tally& tally = checker.tally();
  EXPECT_EQ(tally.scripts, 63);
  std::printf("%d scripts, %d components accepted, %d refused, %d text components SKIPPED\n",
              tally.scripts, tally.accepted, tally.refused, tally.skipped_text);
}

TEST(ComponentValidation, ProgramsOfOtherToolchainsAreAccepted) {
  for (const char* folder : {"wasi-p2", "wasi-p3", "programs", "wac", "wit-cases"}) {
    if (!fs::exists(testdata() / folder)) GTEST_SKIP() << "SKIPPED: no test data in " << testdata();
    int accepted = 0;
    DecodeOptions options;
    options.features.dependency_names = true;  // of compositions with parts left out
    for (const auto& entry : fs::recursive_directory_iterator(testdata() / folder)) {
      if (entry.path().extension() != ".wasm") continue;
      const auto bytes = read_bytes(entry.path());
      if (!is_component(bytes)) continue;
      ++accepted;
      const auto component = decode(bytes, options);
      if (!component) ADD_FAILURE() << entry.path() << ": " << component.error().message;
    }
    std::printf("%s: %d components accepted\n", folder, accepted);
  }
}

}  // namespace
}  // namespace mayfly::component
