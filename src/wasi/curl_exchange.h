// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CurlExchange: one exchange as a transfer of libcurl. Both bodies pass through buffers of bounded
// size: a full one pauses its direction.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wasi/byte_queue.h"
#include "wasi/curl_library.h"
#include "wasi/http_exchange.h"

namespace mayfly::wasi {

class HttpClient;

// Threads: as its client.
class CurlExchange final : public HttpExchange {
 public:
  using Clock = std::chrono::steady_clock;

  // Errors: kHost.
  static Result<std::unique_ptr<CurlExchange>> create(HttpClient& client, HttpRequest request);
  CurlExchange(HttpClient& client, CURL* easy, HttpRequest request);
  ~CurlExchange() override;
  CurlExchange(const CurlExchange&) = delete;
  CurlExchange& operator=(const CurlExchange&) = delete;

  bool is_ready(uint16_t event) override;
  Moved read(const std::vector<iovec>& buffers) override;
  Moved write(const std::vector<iovec>& buffers) override;
  void finish(bool is_whole, HttpFields trailers) override;
  Part take(guest_abi::HttpPart part) override;

  // When it times out if nothing happens; nullopt: never.
  std::optional<Clock::time_point> deadline() const;
  void time_out();
  // libcurl is done with it.
  void end(CURLcode result);

  // What libcurl calls (curl_exchange_callbacks.cc).
  size_t take_header(std::string_view line);
  size_t take_body(std::string_view bytes);
  size_t give_body(char* to, size_t room);
  int give_trailers(curl_slist** list);
  curl_socket_t open_socket(curlsocktype purpose, const curl_sockaddr& address);
  void is_connected() { connected_at_ = Clock::now(); }

 private:
  static constexpr size_t kInBytesMax = 128 << 10;
  static constexpr size_t kOutBytesMax = 64 << 10;

  Result<void> begin();
  void set_options();
  void set_body_options();
  void set_callbacks();
  void set_headers();
  template <typename Value>
  void set(CURLoption option, Value value);
  // false: the exchange has failed.
  bool take_status(std::string_view line);
  bool take_field(std::string_view line);
  // Ends it for a reason of our own.
  void fail(HttpError code, std::string message);
  void leave_client();
  void resume();
  HttpError code_of(CURLcode result) const;
  HttpError code_of_connect() const;
  HttpError code_of_time() const;
  Part failure() const;

  HttpClient& client_;
  const CurlLibrary& curl_;
  CURL* easy_;
  HttpRequest request_;
  curl_slist* headers_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> error_text_{};

  uint32_t status_ = 0;
  bool status_comes_ = true;    // with the next line
  bool field_goes_on_ = false;  // in the next line, if that is folded
  bool head_is_there_ = false;
  HttpFields head_;
  HttpFields trailers_;
  uint64_t field_bytes_ = 0;  // of the head or the trailers
  ByteQueue in_;
  ByteQueue out_;
  bool out_has_ended_ = true;
  bool gives_up_body_ = false;
  bool in_is_paused_ = false;
  bool out_is_paused_ = false;
  bool is_done_ = false;
  std::optional<HttpError> failure_;
  std::string message_;
  uint32_t addresses_denied_ = 0;
  uint32_t sockets_opened_ = 0;
  std::optional<Clock::time_point> connected_at_;
  std::optional<Clock::time_point> last_byte_at_;
};

}  // namespace mayfly::wasi
