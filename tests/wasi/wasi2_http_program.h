// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tests: a component's side of wasi:http, as wasi2_program.h has the rest.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "guest/wasi2/http_functions.h"
#include "guest_abi/http.h"
#include "wasi2_program.h"

namespace mayfly {

using guest_abi::HttpError;
using Header = std::pair<std::string, std::string>;
using Headers = std::vector<Header>;

class Wasi2HttpProgram : public Wasi2Program {
 protected:
  static constexpr int kOk = -1;
  static constexpr int kInvalidSyntax = 0, kForbidden = 1, kImmutable = 2;

  // As an adapter lifts a string, without forgetting what was lifted before.
  uint32_t lift(std::string_view text) {
    const uint32_t address =
        mayfly_component_transfer_realloc(transfer(), 0, 0, 1, static_cast<uint32_t>(text.size()));
    std::memcpy(transfer_->bytes().data() + address, text.data(), text.size());
    return address;
  }
  uint32_t lift_words(const std::vector<uint32_t>& words) {
    const auto bytes = static_cast<uint32_t>(words.size() * sizeof(uint32_t));
    const uint32_t address = mayfly_component_transfer_realloc(transfer(), 0, 0, 4, bytes);
    if (bytes != 0) std::memcpy(transfer_->bytes().data() + address, words.data(), bytes);
    return address;
  }

  uint32_t new_fields() { return mayfly_wasi2_new_fields(transfer(), state()); }
  // The header-error, or kOk.
  int header_error(uint32_t result) {
    return at<uint8_t>(result) == 0 ? kOk : at<uint8_t>(result + 1);
  }
  int append(uint32_t fields, std::string_view name, std::string_view value) {
    reset_transfer();
    const uint32_t name_at = lift(name);
    const uint32_t value_at = lift(value);
    return header_error(mayfly_wasi2_fields_append(transfer(), state(), fields, name_at, size(name),
                                                   value_at, size(value)));
  }
  int set(uint32_t fields, std::string_view name, const std::vector<std::string>& values) {
    reset_transfer();
    std::vector<uint32_t> words;
    for (const std::string& value : values) {
      words.push_back(lift(value));
      words.push_back(size(value));
    }
    const uint32_t name_at = lift(name);
    return header_error(mayfly_wasi2_fields_set(transfer(), state(), fields, name_at, size(name),
                                                lift_words(words),
                                                static_cast<uint32_t>(values.size())));
  }
  int remove(uint32_t fields, std::string_view name) {
    reset_transfer();
    const uint32_t name_at = lift(name);
    return header_error(
        mayfly_wasi2_fields_delete(transfer(), state(), fields, name_at, size(name)));
  }
  bool has(uint32_t fields, std::string_view name) {
    reset_transfer();
    const uint32_t name_at = lift(name);
    return mayfly_wasi2_fields_has(transfer(), state(), fields, name_at, size(name)) != 0;
  }
  std::string text_of(uint32_t place) {
    return text_at(at<uint32_t>(place), at<uint32_t>(place + 4));
  }
  std::vector<std::string> get(uint32_t fields, std::string_view name) {
    reset_transfer();
    const uint32_t name_at = lift(name);
    const uint32_t list = mayfly_wasi2_fields_get(transfer(), state(), fields, name_at, size(name));
    std::vector<std::string> values(at<uint32_t>(list + 4));
    uint32_t place = at<uint32_t>(list);
    for (std::string& value : values) {
      value = text_of(place);
      place += 8;
    }
    return values;
  }
  Headers entries(uint32_t fields) {
    reset_transfer();
    const uint32_t list = mayfly_wasi2_fields_entries(transfer(), state(), fields);
    Headers entries(at<uint32_t>(list + 4));
    uint32_t place = at<uint32_t>(list);
    for (Header& entry : entries) {
      entry = {text_of(place), text_of(place + 8)};
      place += 16;
    }
    return entries;
  }
  // The header-error, or kOk and the fields.
  int from_list(const Headers& headers, uint32_t* fields) {
    reset_transfer();
    std::vector<uint32_t> words;
    for (const auto& [name, value] : headers) {
      for (const std::string& text : {name, value}) {
        words.push_back(lift(text));
        words.push_back(size(text));
      }
    }
    const uint32_t list = lift_words(words);
    const uint32_t result = mayfly_wasi2_fields_from_list(transfer(), state(), list,
                                                          static_cast<uint32_t>(headers.size()));
    if (at<uint8_t>(result) != 0) return at<uint8_t>(result + 4);
    *fields = at<uint32_t>(result + 4);
    return kOk;
  }
  uint32_t fields_of(const Headers& headers) {
    uint32_t fields = 0;
    EXPECT_EQ(from_list(headers, &fields), kOk);
    return fields;
  }

  uint32_t new_request(uint32_t fields) {
    return mayfly_wasi2_new_outgoing_request(transfer(), state(), fields);
  }
  // 0: it was taken before.
  uint32_t taken(uint32_t result) {
    return at<uint8_t>(result) == 0 ? at<uint32_t>(result + 4) : 0;
  }
  uint32_t body_of(uint32_t request) {
    reset_transfer();
    return taken(mayfly_wasi2_outgoing_request_body(transfer(), state(), request));
  }
  uint32_t stream_of(uint32_t body) {
    reset_transfer();
    return taken(mayfly_wasi2_outgoing_body_write(transfer(), state(), body));
  }
  bool set_authority(uint32_t request, std::string_view text) {
    reset_transfer();
    return mayfly_wasi2_set_authority(transfer(), state(), request, 1, lift(text), size(text)) == 0;
  }
  bool set_path(uint32_t request, std::string_view text) {
    reset_transfer();
    return mayfly_wasi2_set_path(transfer(), state(), request, 1, lift(text), size(text)) == 0;
  }
  bool set_method(uint32_t request, uint32_t kind, std::string_view other = "") {
    reset_transfer();
    return mayfly_wasi2_set_method(transfer(), state(), request, kind, lift(other), size(other)) ==
           0;
  }
  bool set_scheme(uint32_t request, uint32_t kind, std::string_view other = "") {
    reset_transfer();
    return mayfly_wasi2_set_scheme(transfer(), state(), request, 1, kind, lift(other),
                                   size(other)) == 0;
  }
  // The error-code of result<_, error-code>, or kOk.
  int finish(uint32_t body, uint32_t trailers = 0) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_outgoing_body_finish(transfer(), state(), body,
                                                              trailers != 0 ? 1 : 0, trailers);
    return at<uint8_t>(result) == 0 ? kOk : at<uint8_t>(result + 8);
  }
  // The error-code of outgoing-handler.handle, or kOk and the future.
  int handle(uint32_t request, uint32_t* future, uint32_t options = 0) {
    reset_transfer();
    const uint32_t result =
        mayfly_wasi2_handle_request(transfer(), state(), request, options != 0 ? 1 : 0, options);
    if (at<uint8_t>(result) != 0) return at<uint8_t>(result + 8);
    *future = at<uint32_t>(result + 8);
    return kOk;
  }
  void drop_fields(uint32_t fields) { mayfly_wasi2_drop_fields(transfer(), state(), fields); }
  static int code(HttpError error) { return static_cast<int>(error); }
  // The error-code in the error of a stream, or -1.
  int http_code_of(const Outcome& outcome) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_http_error_code(transfer(), state(), outcome.error);
    return at<uint8_t>(result) == 0 ? -1 : at<uint8_t>(result + 8);
  }
};

}  // namespace mayfly
