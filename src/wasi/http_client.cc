// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// libcurl's multi interface with this poll(): it says which sockets and which time it waits for,
// and is told of both.
#include "wasi/http_client.h"

#include <algorithm>
#include <utility>

#include "wasi/curl_exchange.h"

namespace mayfly::wasi {
namespace {

constexpr long kKeptConnectionsMax = 16;

int on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* client, void* /*data*/) {
  static_cast<HttpClient*>(client)->watch_socket(socket, what);
  return 0;
}

int on_timer(CURLM* /*multi*/, long milliseconds, void* client) {
  static_cast<HttpClient*>(client)->set_timer(milliseconds);
  return 0;
}

int events_of(const pollfd& fd) {
  int events = 0;
  if ((fd.revents & (POLLIN | POLLHUP)) != 0) events |= CURL_CSELECT_IN;
  if ((fd.revents & POLLOUT) != 0) events |= CURL_CSELECT_OUT;
  if ((fd.revents & (POLLERR | POLLNVAL)) != 0) events |= CURL_CSELECT_ERR;
  return events;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> HttpClient::create(const HttpGrants& grants,
                                                       std::string ca_file) {
  const CurlLibrary* const curl = MAYFLY_TRY(CurlLibrary::load());
  CURLM* const multi = curl->multi_init();
  if (multi == nullptr) return Error{ErrorKind::kHost, "HTTP: no memory for libcurl", 0};
  return std::make_unique<HttpClient>(*curl, multi, grants, std::move(ca_file));
}

HttpClient::HttpClient(const CurlLibrary& curl, CURLM* multi, const HttpGrants& grants,
                       std::string ca_file)
    : curl_(curl), multi_(multi), grants_(grants), ca_file_(std::move(ca_file)) {
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &on_socket);
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &on_timer);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_.multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kKeptConnectionsMax);
}

HttpClient::~HttpClient() { curl_.multi_cleanup(multi_); }

Result<std::unique_ptr<HttpExchange>> HttpClient::start(HttpRequest request) {
  auto exchange = MAYFLY_TRY(CurlExchange::create(*this, std::move(request)));
  progress();
  return std::unique_ptr<HttpExchange>(std::move(exchange));
}

void HttpClient::watch_socket(curl_socket_t socket, int what) {
  if (what == CURL_POLL_REMOVE) {
    sockets_.erase(socket);
  } else {
    sockets_[socket] = what;
  }
}

void HttpClient::set_timer(long milliseconds) {
  timer_.reset();
  if (milliseconds >= 0) timer_ = Clock::now() + std::chrono::milliseconds(milliseconds);
}

std::optional<HttpClient::Clock::time_point> HttpClient::next_moment() const {
  std::optional<Clock::time_point> first = timer_;
  for (const CurlExchange* exchange : exchanges_) {
    const auto end = exchange->deadline();
    if (end && (!first || *end < *first)) first = end;
  }
  return first;
}

// libcurl may set its timer to now again and again; poll() comes in between.
void HttpClient::run_timers() {
  if (timer_ && *timer_ <= Clock::now()) {
    timer_.reset();
    int running = 0;
    curl_.multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  }
  end_finished();
  const Clock::time_point now = Clock::now();
  const std::vector<CurlExchange*> exchanges = exchanges_;
  for (CurlExchange* exchange : exchanges) {
    if (const auto end = exchange->deadline(); end && *end <= now) exchange->time_out();
  }
}

void HttpClient::end_finished() {
  int left = 0;
  while (const CURLMsg* const message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    void* exchange = nullptr;  // a char* to libcurl
    const CURLcode result = message->data.result;
    curl_.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    static_cast<CurlExchange*>(exchange)->end(result);
  }
}

void HttpClient::add_sockets(std::vector<pollfd>& fds) const {
  for (const auto& [socket, what] : sockets_) {
    short events = 0;
    if ((what & CURL_POLL_IN) != 0) events |= POLLIN;
    if ((what & CURL_POLL_OUT) != 0) events |= POLLOUT;
    if (events != 0) fds.push_back({socket, events, 0});
  }
}

void HttpClient::take_events(const std::vector<pollfd>& fds, size_t first) {
  int running = 0;
  for (size_t i = first; i < fds.size(); ++i) {
    // What libcurl did for another one may have closed this.
    if (fds[i].revents == 0 || !sockets_.contains(fds[i].fd)) continue;
    curl_.multi_socket_action(multi_, fds[i].fd, events_of(fds[i]), &running);
  }
  end_finished();
}

void HttpClient::progress() {
  constexpr int kRoundsMax = 4;  // each may make room for the next
  for (int round = 0; round < kRoundsMax; ++round) {
    run_timers();
    std::vector<pollfd> fds;
    add_sockets(fds);
    const bool is_due = timer_ && *timer_ <= Clock::now();
    if (!fds.empty() && ::poll(fds.data(), fds.size(), 0) > 0) {
      take_events(fds, 0);
    } else if (!is_due) {
      return;
    }
  }
}

WaitResult HttpClient::wait(std::vector<pollfd>& fds,
                            std::optional<std::chrono::nanoseconds> timeout,
                            const runtime::PortContext& context,
                            const std::function<bool()>& is_ready) {
  using std::chrono::nanoseconds;
  const size_t own = fds.size();
  constexpr nanoseconds kForever = std::chrono::hours(24 * 365 * 100);
  std::optional<Clock::time_point> end;
  if (timeout) end = Clock::now() + std::min(*timeout, kForever);
  WaitResult result;
  while (true) {
    run_timers();
    const bool was_ready = is_ready();
    std::optional<Clock::time_point> until = next_moment();
    if (end && (!until || *end < *until)) until = end;
    std::optional<nanoseconds> left;
    if (until) left = std::max(nanoseconds(*until - Clock::now()), nanoseconds(0));
    if (was_ready) left = nanoseconds(0);
    fds.resize(own);
    add_sockets(fds);
    result = wait_for(fds, left, context);
    take_events(fds, own);
    fds.resize(own);
    result.ready_count = static_cast<int>(
        std::ranges::count_if(fds, [](const pollfd& fd) { return fd.revents != 0; }));
    if (result.error != Errno::kSuccess || result.ready_count != 0 || was_ready || is_ready())
      break;
    if (end && *end <= Clock::now()) break;
  }
  return result;
}

}  // namespace mayfly::wasi
