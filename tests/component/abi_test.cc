// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowering and lifting by the host, compared byte by byte and trap by trap with the specification's
// executable definitions, on random types and values (abi_oracle.py); and the way of the same
// values to text and back.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "component/host_lift.h"
#include "component/host_lower.h"
#include "component/test_types.h"
#include "component/wave.h"

namespace mayfly::component {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using Values = std::vector<ComponentValue>;

constexpr uint32_t kBase = 64;  // where the oracle begins to allocate

fs::path definitions() {
  const char* chosen = std::getenv("MAYFLY_TESTDATA");
  const fs::path data =
      chosen != nullptr ? fs::path(chosen) : fs::path(MAYFLY_SOURCE_DIR) / "../shared/testdata";
  return data / "component" / "canonical-abi";
}

const std::vector<std::string> kPrims = {"bool", "s8",  "u8",  "s16", "u16",  "s32",   "u32",
                                         "s64",  "u64", "f32", "f64", "char", "string"};

class Types {
 public:
  ValType build(const json& type) {
    if (type.is_null()) return {};
    const auto word = type[0].get<std::string>();
    const auto prim = std::find(kPrims.begin(), kPrims.end(), word);
    if (prim != kPrims.end()) return ValType::of(static_cast<Prim>(prim - kPrims.begin()));
    if (word == "list") return types_.list(build(type[1]));
    if (word == "fixed-list") return types_.fixed_list(build(type[1]), type[2].get<uint32_t>());
    if (word == "map") return types_.map(build(type[1]), build(type[2]));
    if (word == "option") return types_.option(build(type[1]));
    if (word == "result") return types_.result(build(type[1]), build(type[2]));
    if (word == "own") return types_.add(TypeKind::kOwn, {{StringId{kNoIndex}, resource()}});
    if (word == "borrow") return types_.add(TypeKind::kBorrow, {{StringId{kNoIndex}, resource()}});
    return build_members(word, type[1]);
  }
  const TypeArena& arena() const { return types_.arena; }

 private:
  ValType build_members(const std::string& word, const json& parts) {
    std::vector<Member> members;
    for (const json& part : parts) {
      if (word == "tuple") {
        members.push_back({StringId{kNoIndex}, build(part)});
      } else if (part.is_string()) {
        members.push_back(types_.member(part.get<std::string>()));
      } else {
        const ValType inner = build(part[1]);
        members.push_back(types_.member(part[0].get<std::string>(), inner));
      }
    }
    if (word == "tuple") return types_.add(TypeKind::kTuple, std::move(members));
    if (word == "record") return types_.add(TypeKind::kRecord, std::move(members));
    if (word == "variant") return types_.add(TypeKind::kVariant, std::move(members));
    return types_.add(word == "enum" ? TypeKind::kEnum : TypeKind::kFlags, std::move(members));
  }
  ValType resource() { return ValType::of(types_.arena.add_resource({}, 0).value()); }

  TestTypes types_;
};

ComponentValue build_prim(const std::string& word, const json& value) {
  if (word == "bool") return value.get<bool>();
  if (word == "string") return value.get<std::string>();
  if (word == "char") return static_cast<char32_t>(value.get<uint32_t>());
  const auto kind =
      static_cast<ComponentKind>(std::find(kPrims.begin(), kPrims.end(), word) - kPrims.begin());
  const auto text = value.get<std::string>();
  const uint64_t bits = text.starts_with('-')
                            ? static_cast<uint64_t>(std::strtoll(text.c_str(), nullptr, 10))
                            : std::strtoull(text.c_str(), nullptr, 10);
  return ComponentValue::of_bits(kind, bits);
}

ComponentValue build_value(const json& type, const json& value);

ComponentValue build_case(const json& type, const json& value) {
  const auto word = type[0].get<std::string>();
  const auto name = value[0].get<std::string>();
  const bool has_payload = value.size() == 2;
  json part;
  if (word == "variant") {
    for (const json& one : type[1]) {
      if (one[0] == name) part = one[1];
    }
  } else {
    part = name == "error" ? type[2] : type[1];
  }
  if (!has_payload) {
    if (word == "variant") return ComponentValue::variant(name);
    if (word == "option") return ComponentValue::none();
    return name == "ok" ? ComponentValue::ok() : ComponentValue::error();
  }
  ComponentValue payload = build_value(part, value[1]);
  if (word == "variant") return ComponentValue::variant(name, std::move(payload));
  if (word == "option") return ComponentValue::some(std::move(payload));
  return name == "ok" ? ComponentValue::ok(std::move(payload))
                      : ComponentValue::error(std::move(payload));
}

ComponentValue build_value(const json& type, const json& value) {
  const auto word = type[0].get<std::string>();
  if (word == "own") return ComponentValue::own(value.get<uint32_t>());
  if (word == "borrow") return ComponentValue::borrow(value.get<uint32_t>());
  if (word == "enum") return ComponentValue::enumeration(value.get<std::string>());
  if (word == "flags") return ComponentValue::flags(value.get<std::vector<std::string>>());
  if (word == "variant" || word == "option" || word == "result") return build_case(type, value);
  if (type.size() == 1) return build_prim(word, value);
  if (word == "record") {
    std::vector<ComponentValue::Field> fields;
    for (size_t i = 0; i < value.size(); ++i) {
      fields.push_back({type[1][i][0].get<std::string>(), build_value(type[1][i][1], value[i])});
    }
    return ComponentValue::record(std::move(fields));
  }
  Values items;
  for (size_t i = 0; i < value.size(); ++i) {
    if (word == "map") {
      items.push_back(ComponentValue::tuple(
          {build_value(type[1], value[i][0]), build_value(type[2], value[i][1])}));
    } else {
      items.push_back(build_value(word == "tuple" ? type[1][i] : type[1], value[i]));
    }
  }
  return word == "tuple" ? ComponentValue::tuple(std::move(items))
                         : ComponentValue::list(std::move(items));
}

std::vector<uint8_t> from_hex(const std::string& text) {
  std::vector<uint8_t> bytes(text.size() / 2);
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(std::strtoul(text.substr(2 * i, 2).c_str(), nullptr, 16));
  }
  return bytes;
}

std::vector<uint64_t> flat_of(const json& words) {
  std::vector<uint64_t> flat;
  for (const json& word : words) {
    flat.push_back(std::strtoull(word.get<std::string>().c_str(), nullptr, 10));
  }
  return flat;
}

class Comparison {
 public:
  explicit Comparison(const json& oracle) : oracle_(oracle) {
    role_ = oracle["role"] == "argument" ? ValueRole::kArgument : ValueRole::kResult;
    for (const json& type : oracle["types"]) wanted_.push_back(types_.build(type));
  }

  void lower() const {
    const Values values = values_of(oracle_["values"]);
    const auto bytes = lowered_bytes(types_.arena(), wanted_, values, role_);
    ASSERT_TRUE(bytes) << bytes.error().message << "\n" << oracle_["types"];
    std::vector<uint8_t> memory(kBase + *bytes);
    const FlatValues flat = lower_values(types_.arena(), wanted_, values, role_, kBase,
                                         std::span(memory).subspan(kBase));
    const json& expected = oracle_["lifts"][0];
    const std::vector<uint64_t> words(flat.values().begin(), flat.values().end());
    EXPECT_EQ(words, flat_of(expected["flat"])) << oracle_["types"] << oracle_["values"];
    EXPECT_EQ(memory, from_hex(expected["memory"])) << oracle_["types"] << oracle_["values"];
  }

  // What is printed means the same value again.
  void print_and_parse() const {
    const Values values = values_of(oracle_["values"]);
    for (size_t i = 0; i < values.size(); ++i) {
      if (wanted_[i].is_node() && types_.arena().has_resource(wanted_[i].type())) continue;
      const std::string text = to_string(values[i]);
      const auto parsed = parse_wave(types_.arena(), wanted_[i], text);
      ASSERT_TRUE(parsed) << parsed.error().message << "\n" << text << oracle_["types"];
      EXPECT_EQ(*parsed == values[i], true) << text << oracle_["types"];
    }
  }

  // How many of the lifts were traps.
  int lift() const {
    int traps = 0;
    for (const json& one : oracle_["lifts"]) {
      const auto memory = from_hex(one["memory"]);
      const auto values = lift_values(types_.arena(), wanted_, role_, flat_of(one["flat"]), memory);
      EXPECT_EQ(values.has_value(), !one["values"].is_null())
          << (values ? "" : values.error().message) << one << oracle_["types"];
      if (one["values"].is_null()) ++traps;
      if (!values || one["values"].is_null()) continue;
      EXPECT_EQ(*values == values_of(one["values"]), true) << one << oracle_["types"];
      // The guesses of positions, and lists as arrays, lower to the same.
      const auto again = lowered_bytes(types_.arena(), wanted_, *values, role_);
      EXPECT_TRUE(again) << oracle_["types"];
    }
    return traps;
  }

 private:
  Values values_of(const json& values) const {
    Values built;
    for (size_t i = 0; i < values.size(); ++i) {
      built.push_back(build_value(oracle_["types"][i], values[i]));
    }
    return built;
  }

  const json& oracle_;
  ValueRole role_ = ValueRole::kArgument;
  Types types_;
  std::vector<ValType> wanted_;
};

TEST(HostAbi, AgreesWithTheExecutableDefinitions) {
  if (!fs::exists(definitions() / "definitions.py")) {
    GTEST_SKIP() << "no " << definitions() << ": NOTHING WAS COMPARED";
  }
  const std::string command = "python3 " MAYFLY_SOURCE_DIR "/tests/component/abi_oracle.py " +
                              definitions().string() + " 2000 1";
  FILE* oracle = popen(command.c_str(), "r");  // NOLINT(cert-env33-c): python3 of the PATH
  ASSERT_NE(oracle, nullptr);
  char* line = nullptr;
  size_t capacity = 0;
  int cases = 0;
  int traps = 0;
  while (getline(&line, &capacity, oracle) > 0 && !testing::Test::HasFailure()) {
    const json one = json::parse(line, nullptr, false);
    ASSERT_FALSE(one.is_discarded()) << line;
    const Comparison comparison(one);
    comparison.lower();
    comparison.print_and_parse();
    traps += comparison.lift();
    ++cases;
  }
  std::free(line);  // NOLINT(cppcoreguidelines-no-malloc): getline's
  const int status = pclose(oracle);
  EXPECT_TRUE(testing::Test::HasFailure() || status == 0) << status;
  EXPECT_EQ(cases, 2000);
  EXPECT_GT(traps, 1000);
}

}  // namespace
}  // namespace mayfly::component
