// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decoding and validation against every script of the core specification tests and of the
// proposals: what must be accepted, what must be refused, and with which words.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "wasm/instruction.h"
#include "wasm/module.h"

namespace mayfly::wasm {
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

// Refused for a reason that comes earlier in the file than the one that the script names: the
// reference interpreter reads on past the end that a section declares, and compares sizes later.
const std::set<std::string>& known_other_words() {
  static const std::set<std::string> kNames = {
      // A number crosses the end of its section and would be too long or too large besides.
      "binary-leb128.25.wasm", "binary-leb128.26.wasm", "binary-leb128.36.wasm",
      "binary-leb128.40.wasm", "binary-leb128.43.wasm", "binary-leb128.48.wasm",
      "binary-leb128.49.wasm", "binary-leb128.50.wasm", "binary-leb128.51.wasm",
      "binary-leb128.65.wasm", "binary-leb128.66.wasm", "binary-leb128.71.wasm",
      "binary-leb128.72.wasm",
      // A body, or an export, crosses the end of its section.
      "binary.39.wasm", "binary.89.wasm",
      // The first of two code sections has too few bodies.
      "binary.105.wasm"};
  return kNames;
}

struct Tally {
  int scripts = 0;
  int accepted = 0;
  int refused = 0;
  int refused_in_other_words = 0;
  int skipped_text = 0;
};

class Checker {
 public:
  Checker(const DecodeOptions& options, std::set<std::string> exempt)
      : options_(options), exempt_(std::move(exempt)) {}

  void run_folder(const fs::path& folder) {
    std::vector<fs::path> scripts;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.path().extension() == ".json") scripts.push_back(entry.path());
    }
    std::sort(scripts.begin(), scripts.end());
    for (const fs::path& script : scripts) run_script(script);
  }

  void print(const std::string& name) const {
    std::printf(
        "%s: %d scripts, %d modules accepted, %d refused (%d in other words), "
        "%d text modules SKIPPED\n",
        name.c_str(), tally_.scripts, tally_.accepted, tally_.refused,
        tally_.refused_in_other_words, tally_.skipped_text);
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
    const std::string type = command["type"].get<std::string>();
    const bool is_text = command.value("module_type", "") == "text";
    if (is_text && !command.contains("binary_filename")) {
      ++tally_.skipped_text;
      return;
    }
    const std::string name = command[is_text ? "binary_filename" : "filename"].get<std::string>();
    if (exempt_.contains(name)) return;
    const std::vector<uint8_t> bytes = read_bytes(folder / name);
    const std::string where = name + " (line " + std::to_string(command["line"].get<int>()) + ")";
    if (type == "assert_invalid" || type == "assert_malformed") {
      check_refused(bytes, name, where, command["text"].get<std::string>());
    } else {
      check_accepted(bytes, where);
    }
  }

  void check_accepted(const std::vector<uint8_t>& bytes, const std::string& where) {
    const auto module = decode(bytes, options_);
    if (!module) {
      ADD_FAILURE() << where << ": refused: " << module.error().message;
      return;
    }
    ++tally_.accepted;
    for (const Function& function : module->functions) {
      if (function.body.size == 0) continue;
      InstructionReader reader(bytes, function.body);
      reader.read_locals();
      Opcode last = Opcode::nop;
      while (!reader.at_end()) last = reader.next().opcode;
      EXPECT_EQ(last, Opcode::end) << where;
    }
  }

  void check_refused(const std::vector<uint8_t>& bytes, const std::string& name,
                     const std::string& where, const std::string& text) {
    const auto module = decode(bytes, options_);
    if (module) {
      ADD_FAILURE() << where << ": accepted, but: " << text;
      return;
    }
    ++tally_.refused;
    const std::string& message = module.error().message;
    EXPECT_NE(message.find(" at offset 0x"), std::string::npos) << where << ": " << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << where << ": " << message;
    const bool has_text = message.find(text) != std::string::npos;
    if (!has_text) ++tally_.refused_in_other_words;
    EXPECT_EQ(has_text, !known_other_words().contains(name))
        << where << ": expected: " << text << "; got: " << message;
  }

  DecodeOptions options_;
  std::set<std::string> exempt_;
  Tally tally_;
};

class SpecValidation : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(testdata() / "spec" / "core")) {
      GTEST_SKIP() << "SKIPPED: 1 suite of spec scripts: no test data in " << testdata()
                   << "; set MAYFLY_TESTDATA";
    }
  }
  static Tally run(const std::string& folder, const Features& features,
                   std::set<std::string> exempt = {}) {
    Checker checker({{}, features}, std::move(exempt));
    checker.run_folder(testdata() / "spec" / folder);
    checker.print(folder);
    return checker.tally();
  }
};

TEST_F(SpecValidation, CoreScriptsAreAcceptedAndRefusedAsTheySay) {
  const Tally tally = run("core", {});
  EXPECT_EQ(tally.scripts, 257);
}

// Eight modules of these scripts are invalid only without multiple memories and tables.
TEST_F(SpecValidation, ThreadsScripts) {
  run("proposals/threads", {.threads = true},
      {"imports.47.wasm", "imports.48.wasm", "imports.49.wasm", "imports.73.wasm",
       "imports.74.wasm", "imports.75.wasm", "memory.9.wasm", "memory.10.wasm"});
}

TEST_F(SpecValidation, WideArithmeticScripts) {
  run("proposals/wide-arithmetic", {.wide_arithmetic = true});
}

TEST_F(SpecValidation, CustomPageSizesScripts) {
  run("proposals/custom-page-sizes", {.custom_page_sizes = true});
}

}  // namespace
}  // namespace mayfly::wasm
