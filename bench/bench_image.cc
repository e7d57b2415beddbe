// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two modules in bytes, and their way to an image.
#include "bench/bench_image.h"

#include "image/build_request.h"
#include "runtime/build.h"

namespace mayfly::bench {
namespace {

void append_leb(std::vector<uint8_t>& to, uint64_t value) {
  do {
    const auto low = static_cast<uint8_t>(value & 0x7f);
    value >>= 7;
    to.push_back(value != 0 ? static_cast<uint8_t>(low | 0x80) : low);
  } while (value != 0);
}

void append_signed_leb(std::vector<uint8_t>& to, int64_t value) {
  for (;;) {
    const auto low = static_cast<uint8_t>(value & 0x7f);
    value >>= 7;
    const bool last = (value == 0 && (low & 0x40) == 0) || (value == -1 && (low & 0x40) != 0);
    to.push_back(last ? low : static_cast<uint8_t>(low | 0x80));
    if (last) return;
  }
}

void append_section(std::vector<uint8_t>& to, uint8_t id, const std::vector<uint8_t>& contents) {
  to.push_back(id);
  append_leb(to, contents.size());
  to.insert(to.end(), contents.begin(), contents.end());
}

// One type () -> (), one function of it exported as "f", and an optional memory.
std::vector<uint8_t> module_of(std::vector<uint8_t> memory, const std::vector<uint8_t>& body) {
  std::vector<uint8_t> bytes = {0, 'a', 's', 'm', 1, 0, 0, 0};
  append_section(bytes, 1, {1, 0x60, 0, 0});
  append_section(bytes, 3, {1, 0});
  if (!memory.empty()) append_section(bytes, 5, memory);
  append_section(bytes, 7, {1, 1, 'f', 0, 0});
  std::vector<uint8_t> code = {1};
  append_leb(code, body.size());
  code.insert(code.end(), body.begin(), body.end());
  append_section(bytes, 10, code);
  return bytes;
}

}  // namespace

std::vector<uint8_t> empty_module() { return module_of({}, {0, 0x0b}); }

std::vector<uint8_t> touching_module(uint32_t pages, uint32_t touched) {
  std::vector<uint8_t> memory = {1, 0};
  append_leb(memory, pages);
  if (touched == 0) return module_of(memory, {0, 0x0b});
  // (local i32) (loop (i32.store8 (local.get 0) (i32.const 1))
  //   (br_if 0 (i32.ne (local.tee 0 (i32.add (local.get 0) (i32.const 4096))) (i32.const SIZE))))
  std::vector<uint8_t> body = {1, 1,    0x7f, 0x03, 0x40, 0x20, 0,    0x41, 1, 0x3a, 0,
                               0, 0x20, 0,    0x41, 0x80, 0x20, 0x6a, 0x22, 0, 0x41};
  append_signed_leb(body, static_cast<int32_t>(touched * 65536));
  body.insert(body.end(), {0x47, 0x0d, 0, 0x0b, 0x0b});
  return module_of(memory, body);
}

Result<std::unique_ptr<image::Image>> bench_image(std::vector<uint8_t> module) {
  image::BuildRequest request;
  request.modules.push_back(std::move(module));
  request.module_names.push_back("bench");
  request.plan.steps.push_back({0, "bench", {}});
  runtime::Built built = MAYFLY_TRY(runtime::build_image(request));
  return image::Image::open(std::move(built.image));
}

}  // namespace mayfly::bench
