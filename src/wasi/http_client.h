// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HttpClient: the exchanges of one program, over libcurl. It has no thread: an exchange moves while
// the program's own thread is at one of its ports, and sleeps in poll() where that waits. What
// comes in between waits in the kernel's buffers, which hold the other side back.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "runtime/port_handler.h"
#include "wasi/curl_library.h"
#include "wasi/http_exchange.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

class CurlExchange;

// Threads: one at a time. It outlives its exchanges.
class HttpClient {
 public:
  using Clock = std::chrono::steady_clock;

  // The grants outlive the client. ca_file: PEM; empty: the system's. Errors: kHost.
  static Result<std::unique_ptr<HttpClient>> create(const HttpGrants& grants, std::string ca_file);
  HttpClient(const CurlLibrary& curl, CURLM* multi, const HttpGrants& grants, std::string ca_file);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Errors: kHost.
  Result<std::unique_ptr<HttpExchange>> start(HttpRequest request);

  // Moves what can be moved without waiting.
  void progress();
  // Until is_ready says so, one of fds is ready, the timeout is over, or the call has to end
  // (kIntr). ready_count is of fds.
  WaitResult wait(std::vector<pollfd>& fds, std::optional<std::chrono::nanoseconds> timeout,
                  const runtime::PortContext& context, const std::function<bool()>& is_ready);

  const CurlLibrary& curl() const { return curl_; }
  CURLM* multi() const { return multi_; }
  const HttpGrants& grants() const { return grants_; }
  const std::string& ca_file() const { return ca_file_; }
  // Of an exchange: from its start to its end.
  void add(CurlExchange& exchange) { exchanges_.push_back(&exchange); }
  void remove(CurlExchange& exchange) { std::erase(exchanges_, &exchange); }

  // What libcurl says of its sockets and of time.
  void watch_socket(curl_socket_t socket, int what);
  void set_timer(long milliseconds);

 private:
  // The first moment at which something is to be done that no socket announces.
  std::optional<Clock::time_point> next_moment() const;
  void run_timers();
  void end_finished();
  void add_sockets(std::vector<pollfd>& fds) const;
  // The sockets among fds, from `first` on.
  void take_events(const std::vector<pollfd>& fds, size_t first);

  const CurlLibrary& curl_;
  CURLM* multi_;
  const HttpGrants& grants_;
  std::string ca_file_;
  std::map<curl_socket_t, int> sockets_;  // CURL_POLL_...
  std::optional<Clock::time_point> timer_;
  std::vector<CurlExchange*> exchanges_;
};

}  // namespace mayfly::wasi
