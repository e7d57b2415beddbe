// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// WIT packages of the test data and of WASI: they parse, resolve, print as another tool prints
// them, and what is printed is read to the same text again.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "component/component.h"
#include "component/wit_decode.h"
#include "component/wit_encode.h"
#include "component/wit_files.h"
#include "component/wit_printer.h"
#include "component/wit_resolver.h"

namespace mayfly::component::wit {
namespace {

namespace fs = std::filesystem;

fs::path shared() {
  const char* chosen = std::getenv("MAYFLY_TESTDATA");
  if (chosen != nullptr) return fs::path(chosen) / "..";
  return fs::path(MAYFLY_SOURCE_DIR) / ".." / "shared";
}

std::string read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// One line for each item, in order, so that texts can be compared whose items are in another order.
std::vector<std::string> sorted_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    if (line.find_first_not_of(' ') != std::string::npos) lines.push_back(line);
    at = end + 1;
  }
  std::ranges::sort(lines);
  return lines;
}

void check_round_trip(const std::string& name, const Resolved& resolved) {
  const std::string text = print_package(resolved.model, resolved.root);
  const std::vector<SourceFile> files = {{name, text}};
  const auto again = resolve(files, {SourceGroup{{0}}});
  if (!again) {
    ADD_FAILURE() << again.error().message << "\n" << text;
    return;
  }
  EXPECT_EQ(print_package(again->model, again->root), text) << name;
}

// Docs and feature gates are not in the binary form.
std::string without_notes(const std::string& text) {
  std::string kept;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    const size_t first = line.find_first_not_of(' ');
    const bool is_note =
        first != std::string::npos && (line.compare(first, 3, "///") == 0 || line[first] == '@');
    if (!is_note) kept += line + "\n";
    at = end + 1;
  }
  return kept;
}

void check_binary(const Resolved& resolved, PackageId package) {
  const std::string name = to_string(resolved.model[package].name);
  const std::string text = without_notes(print_package_alone(resolved.model, package));
  const auto component = decode(encode_package(resolved.model, package));
  if (!component) {
    ADD_FAILURE() << name << ": " << component.error().message;
    return;
  }
  ASSERT_TRUE(is_package(*component)) << name;
  const auto decoded = decode_component(*component);
  ASSERT_TRUE(decoded) << name << ": " << decoded.error().message;
  EXPECT_EQ(sorted_lines(print_package_alone(decoded->model, decoded->root)), sorted_lines(text))
      << name;
}

class WitCases : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!fs::exists(shared() / "testdata" / "wit-cases")) {
      GTEST_SKIP() << "SKIPPED: WIT cases: no test data in " << shared();
    }
  }
};

TEST_P(WitCases, PrintAsAnotherToolPrintsThem) {
  const fs::path cases = shared() / "testdata" / "wit-cases";
  const auto resolved = load((cases / GetParam()).string());
  ASSERT_TRUE(resolved) << resolved.error().message;
  check_round_trip(GetParam(), *resolved);
  const std::string expected = read_text(cases / "expected" / (std::string(GetParam()) + ".wit"));
  EXPECT_EQ(sorted_lines(print_package(resolved->model, resolved->root)), sorted_lines(expected));
}

TEST_P(WitCases, AreEncodedAndDecoded) {
  const fs::path cases = shared() / "testdata" / "wit-cases";
  const auto resolved = load((cases / GetParam()).string());
  ASSERT_TRUE(resolved) << resolved.error().message;
  // Two of its names are too much alike for the binary format.
  if (std::string(GetParam()) == "bindgen-test-cases") return;
  check_binary(*resolved, resolved->root);
  const std::string binary = read_text(cases / "expected" / (std::string(GetParam()) + ".wasm"));
  const auto component = decode(std::vector<uint8_t>(binary.begin(), binary.end()));
  ASSERT_TRUE(component) << component.error().message;
  const auto decoded = decode_component(*component);
  ASSERT_TRUE(decoded) << decoded.error().message;
  EXPECT_EQ(sorted_lines(print_package_alone(decoded->model, decoded->root)),
            sorted_lines(without_notes(print_package_alone(resolved->model, resolved->root))));
}

INSTANTIATE_TEST_SUITE_P(All, WitCases,
                         testing::Values("bindgen-test-cases", "component-sample", "runcomponent",
                                         "two-worlds", "witguest", "with-deps"));

class WasiPackages : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!fs::exists(shared() / "reference" / "wit")) {
      GTEST_SKIP() << "SKIPPED: WASI packages: no reference in " << shared();
    }
  }
};

TEST_P(WasiPackages, AreReadPrintedAndReadAgain) {
  const auto resolved = load((shared() / "reference" / "wit" / GetParam()).string());
  ASSERT_TRUE(resolved) << resolved.error().message;
  check_round_trip(GetParam(), *resolved);
  for (size_t i = 0; i < resolved->model.packages.size(); ++i) {
    check_round_trip(resolved->model.packages[i].name.name,
                     {resolved->model, PackageId{static_cast<uint32_t>(i)}});
  }
}

TEST_P(WasiPackages, AreEncodedAndDecoded) {
  const auto resolved = load((shared() / "reference" / "wit" / GetParam()).string());
  ASSERT_TRUE(resolved) << resolved.error().message;
  for (size_t i = 0; i < resolved->model.packages.size(); ++i) {
    check_binary(*resolved, PackageId{static_cast<uint32_t>(i)});
  }
}

// The world of a program that another toolchain made, as WIT that is read again.
TEST(ComponentWorlds, ArePrintedAsWitThatIsReadAgain) {
  int worlds = 0;
  for (const char* folder : {"wasi-p2", "wasi-p3"}) {
    if (!fs::exists(shared() / "testdata" / folder)) GTEST_SKIP() << "SKIPPED: no test data";
    for (const auto& entry : fs::recursive_directory_iterator(shared() / "testdata" / folder)) {
      if (entry.path().extension() != ".wasm") continue;
      const std::string bytes = read_text(entry.path());
      const auto component = decode(std::vector<uint8_t>(bytes.begin(), bytes.end()));
      if (!component) continue;  // a core module
      const auto decoded = decode_component(*component);
      ASSERT_TRUE(decoded) << entry.path() << ": " << decoded.error().message;
      check_round_trip(entry.path().filename(), {decoded->model, decoded->root});
      ++worlds;
    }
  }
  EXPECT_GT(worlds, 80);
}

TEST(WitErrors, AreOneLineWhateverStringsHold) {
  for (const char* text : {"\"\\\n\"", "\"\\\n", "\"a\x1b[2J\rb\"", "\"\\", "\"\n\""}) {
    const auto resolved = resolve({{"input.wit", text}}, {SourceGroup{{0}}});
    ASSERT_FALSE(resolved);
    const std::string& message = resolved.error().message;
    EXPECT_TRUE(message.starts_with("input.wit:1:")) << message;
    EXPECT_TRUE(std::ranges::none_of(message, [](unsigned char c) { return c < 0x20; })) << message;
  }
}

INSTANTIATE_TEST_SUITE_P(All, WasiPackages,
                         testing::Values("wasi-0.2", "wasi-0.3", "wasi-config", "wasi-keyvalue",
                                         "wasi-nn", "hyperlight-witguest.wit"));

}  // namespace
}  // namespace mayfly::component::wit
