// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a component's side of WASI 0.2. The guest library's functions are called as adapters
// call them, with a transfer memory and a state memory; representations are what they return.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "guest/component/functions.h"
#include "guest/component/native_component.h"
#include "guest/wasi2/functions.h"
#include "program.h"

namespace mayfly {

class Wasi2Program : public Program {
 protected:
  // The first word of the transfer memory is its top.
  static constexpr uint32_t kTop = 16;

  void start() {
    Program::start();
    transfer_ = std::make_unique<guest::NativeMemory>(1, 64);
    state_ = std::make_unique<guest::NativeMemory>(1, 64);
    reset_transfer();
    const auto next = static_cast<uint32_t>(guest_abi::component_state_bytes(1));
    std::memcpy(state_->bytes().data(), &next, sizeof next);
  }
  MemoryInfo* transfer() { return transfer_->info(); }
  MemoryInfo* state() { return state_->info(); }

  template <typename T>
  T at(uint32_t address) {
    T value;
    std::memcpy(&value, transfer_->bytes().data() + address, sizeof value);
    return value;
  }
  std::string text_at(uint32_t address, uint32_t size) {
    const auto* begin = transfer_->bytes().data() + address;
    return {begin, begin + size};
  }
  void reset_transfer() { std::memcpy(transfer_->bytes().data(), &kTop, sizeof kTop); }
  // As an adapter lifts a string.
  uint32_t put(std::string_view text) {
    reset_transfer();
    const uint32_t address =
        mayfly_component_transfer_realloc(transfer(), 0, 0, 1, static_cast<uint32_t>(text.size()));
    std::memcpy(transfer_->bytes().data() + address, text.data(), text.size());
    return address;
  }
  static uint32_t size(std::string_view text) { return static_cast<uint32_t>(text.size()); }

  // The first preopened directory.
  uint32_t root() {
    reset_transfer();
    const uint32_t list = mayfly_wasi2_get_directories(transfer(), state());
    EXPECT_GE(at<uint32_t>(list + 4), 1U);
    return at<uint32_t>(at<uint32_t>(list));
  }
  static constexpr uint32_t kCreate = 1, kDirectory = 2, kExclusive = 4, kTruncate = 8;
  static constexpr uint32_t kRead = 1, kWrite = 2;
  // The error-code, or -1 and the descriptor.
  int open_at(std::string_view path, uint32_t open_flags, uint32_t flags, uint32_t* descriptor,
              uint32_t lookup = 1) {
    const uint32_t directory = root();
    const uint32_t address = put(path);
    const uint32_t result = mayfly_wasi2_open_at(transfer(), state(), directory, lookup, address,
                                                 size(path), open_flags, flags);
    if (at<uint8_t>(result) != 0) return at<uint8_t>(result + 4);
    *descriptor = at<uint32_t>(result + 4);
    return -1;
  }
  uint32_t open_file(std::string_view path, uint32_t open_flags = 0,
                     uint32_t flags = kRead | kWrite) {
    uint32_t descriptor = 0;
    EXPECT_EQ(open_at(path, open_flags, flags, &descriptor), -1) << path;
    return descriptor;
  }
  uint32_t handle_of(uint32_t result) {
    EXPECT_EQ(at<uint8_t>(result), 0) << unsigned{at<uint8_t>(result + 4)};
    return at<uint32_t>(result + 4);
  }

  // What a stream's function came to.
  struct Outcome {
    bool is_closed = false;
    uint32_t error = 0;  // its representation, 0: none
    bool is_ok() const { return !is_closed && error == 0; }
  };
  // payload: 4, or 8 for results of u64.
  Outcome outcome(uint32_t result, uint32_t payload = 4) {
    if (at<uint8_t>(result) == 0) return {};
    if (at<uint8_t>(result + payload) == 1) return {true, 0};
    return {false, at<uint32_t>(result + payload + 4)};
  }
  int code_of(const Outcome& outcome) {
    reset_transfer();
    const uint32_t code = mayfly_wasi2_filesystem_error_code(transfer(), state(), outcome.error);
    EXPECT_EQ(at<uint8_t>(code), 1);
    return at<uint8_t>(code + 1);
  }
  Outcome read(uint32_t stream, uint64_t length, std::string* text, bool blocking = true) {
    reset_transfer();
    const uint32_t result = blocking
                                ? mayfly_wasi2_blocking_read(transfer(), state(), stream, length)
                                : mayfly_wasi2_read(transfer(), state(), stream, length);
    const Outcome came = outcome(result);
    if (came.is_ok()) *text = text_at(at<uint32_t>(result + 4), at<uint32_t>(result + 8));
    return came;
  }
  Outcome write(uint32_t stream, std::string_view text) {
    const uint32_t address = put(text);
    return outcome(mayfly_wasi2_write(transfer(), state(), stream, address, size(text)));
  }
  Outcome write_and_flush(uint32_t stream, std::string_view text) {
    const uint32_t address = put(text);
    return outcome(mayfly_wasi2_write_and_flush(transfer(), state(), stream, address, size(text)));
  }
  // What is permitted; -1: closed or failed.
  int64_t check_write(uint32_t stream) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_check_write(transfer(), state(), stream);
    return at<uint8_t>(result) == 0 ? at<int64_t>(result + 8) : -1;
  }
  std::vector<uint32_t> poll(const std::vector<uint32_t>& pollables) {
    std::string list_bytes(pollables.size() * sizeof(uint32_t), '\0');
    if (!pollables.empty()) {
      std::memcpy(list_bytes.data(), pollables.data(), list_bytes.size());
    }
    const uint32_t list = put(list_bytes);
    const uint32_t result =
        mayfly_wasi2_poll(transfer(), state(), list, static_cast<uint32_t>(pollables.size()));
    std::vector<uint32_t> ready(at<uint32_t>(result + 4));
    for (size_t i = 0; i < ready.size(); ++i) {
      ready[i] = at<uint32_t>(at<uint32_t>(result) + static_cast<uint32_t>(i) * 4);
    }
    return ready;
  }

  std::unique_ptr<guest::NativeMemory> transfer_;
  std::unique_ptr<guest::NativeMemory> state_;
};

}  // namespace mayfly
