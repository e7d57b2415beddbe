// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Build requests and replies survive the way over bytes; damaged ones are refused.
#include "image/build_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace mayfly::image {
namespace {

using testing::HasSubstr;

BuildRequest two_steps() {
  BuildRequest request;
  request.options.opt_level = OptLevel::kO1;
  request.options.memory_class = MemoryClass::kHigh;
  request.options.memory_bytes_max = 0x1'0000;
  request.options.fuel = true;
  request.modules = {{0, 'a', 's', 'm'}, {}};
  request.module_names = {"a.wasm", "b.wasm"};
  request.plan.host_functions.push_back({"env", "log", {{wasm::kI32, wasm::kFuncref}, {}}});
  request.plan.steps.push_back({0, "a", {}});
  Binding instance;
  instance.definition = {0, 7};
  Binding guest;
  guest.kind = Binding::Kind::kGuest;
  guest.symbol = "mayfly_x";
  guest.memories = {3, kNoMemory, 0};
  Binding host;
  host.kind = Binding::Kind::kHost;
  request.plan.steps.push_back({1, "b", {instance, guest, host}});
  return request;
}

TEST(BuildRequest, SurvivesItsEncoding) {
  const auto decoded = decode_build_request(encode(two_steps()));
  ASSERT_TRUE(decoded.has_value()) << decoded.error().message;
  EXPECT_EQ(decoded->options.opt_level, OptLevel::kO1);
  EXPECT_EQ(decoded->options.memory_class, MemoryClass::kHigh);
  EXPECT_TRUE(decoded->options.fuel);
  EXPECT_EQ(decoded->options.memory_bytes_max, 0x1'0000u);
  EXPECT_EQ(decoded->modules[0], (std::vector<uint8_t>{0, 'a', 's', 'm'}));
  EXPECT_EQ(decoded->module_names[1], "b.wasm");
  EXPECT_EQ(decoded->plan.host_functions[0].type, two_steps().plan.host_functions[0].type);
  const auto& imports = decoded->plan.steps[1].imports;
  ASSERT_EQ(imports.size(), 3u);
  EXPECT_EQ(imports[0].definition, (Definition{0, 7}));
  EXPECT_EQ(imports[1].symbol, "mayfly_x");
  EXPECT_EQ(imports[1].memories, (std::vector<uint32_t>{3, kNoMemory, 0}));
  EXPECT_EQ(imports[2].kind, Binding::Kind::kHost);
}

TEST(BuildRequest, RefusesEveryTruncation) {
  const std::vector<uint8_t> whole = encode(two_steps());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(decode_build_request(std::span(whole).first(size)).has_value()) << size;
  }
}

TEST(BuildRequest, RefusesABindingToALaterStep) {
  BuildRequest request = two_steps();
  request.plan.steps[1].imports[0].definition.instance = 1;
  EXPECT_THAT(decode_build_request(encode(request)).error().message,
              HasSubstr("step 1 binds to step 1, which is not before it"));
}

TEST(BuildRequest, RefusesAHostFunctionThatIsNotListed) {
  BuildRequest request = two_steps();
  request.plan.steps[1].imports[2].host_index = 1;
  EXPECT_THAT(decode_build_request(encode(request)).error().message,
              HasSubstr("step 1 binds to host function 1 of 1"));
}

TEST(BuildRequest, RefusesAStepOfAModuleThatIsNotThere) {
  BuildRequest request = two_steps();
  request.plan.steps[0].module = 2;
  EXPECT_THAT(decode_build_request(encode(request)).error().message,
              HasSubstr("step 0 is of module 2 of 2"));
}

TEST(BuildReply, SurvivesItsEncoding) {
  BuildReply reply;
  reply.error = {ErrorKind::kLink, "no such thing", 5};
  reply.compile_ns = 1;
  reply.link_ns = 2;
  reply.peak_bytes = 3;
  const auto decoded = decode_build_reply(encode(reply));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_FALSE(decoded->ok);
  EXPECT_EQ(decoded->error.kind, ErrorKind::kLink);
  EXPECT_EQ(decoded->error.message, "no such thing");
  EXPECT_EQ(decoded->error.errno_value, 5);
  EXPECT_EQ(decoded->peak_bytes, 3u);
}

TEST(BuildReply, RefusesAnUnknownErrorKind) {
  std::vector<uint8_t> bytes = encode(BuildReply());
  bytes[5] = 200;
  EXPECT_FALSE(decode_build_reply(bytes).has_value());
}

}  // namespace
}  // namespace mayfly::image
