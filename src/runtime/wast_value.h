// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a test script expects of a result: exact bits, a class of NaNs, lanes, references.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/value.h"

namespace mayfly::runtime {

// One number, or one lane of a vector.
struct ExpectedLane {
  enum class Kind : uint8_t { kBits, kCanonicalNan, kArithmeticNan };
  Kind kind = Kind::kBits;
  uint64_t bits = 0;
  uint32_t width = 32;  // in bits
};

struct ExpectedValue {
  enum class Kind : uint8_t {
    kNumber,      // one lane
    kVector,      // lanes, the first in the lowest bits
    kNull,        // a null reference
    kNotNull,     // any other reference
    kHostNumber,  // the host's reference with this number
    kEither,      // any of alternatives
  };
  Kind kind = Kind::kNumber;
  std::string type;  // as the script has it, for messages: "f32", "v128 i8", "funcref"
  std::vector<ExpectedLane> lanes;
  uint64_t host_number = 0;
  std::vector<ExpectedValue> alternatives;
};

// One expected value of the script's JSON, broken into parts.
struct ScriptValue {
  std::string type;
  std::string lane_type;           // v128
  bool has_value = false;          // a reference without one: any that is not null
  std::vector<std::string> texts;  // the value, or the lanes
};

// Errors: kInvalid with the type and the text.
Result<ExpectedValue> parse_expected(const ScriptValue& value);
Result<Value> parse_argument(const ScriptValue& value);

bool matches(const ExpectedValue& expected, const Value& actual);
std::string to_string(const ExpectedValue& expected);

}  // namespace mayfly::runtime
