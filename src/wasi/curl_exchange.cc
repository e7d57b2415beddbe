// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes of a transfer: its buffers, its parts, its end.
#include "wasi/curl_exchange.h"

#include <charconv>
#include <utility>

#include "guest_abi/wasi_ports.h"
#include "wasi/http_client.h"

namespace mayfly::wasi {

using guest_abi::HttpPart;
using guest_abi::wasi::Errno;

namespace {

// rfc 9112 #status.line. nullopt: it is none.
std::optional<uint32_t> parse_status(std::string_view line) {
  const size_t space = line.find(' ');
  if (!line.starts_with("HTTP/") || space == std::string_view::npos) return std::nullopt;
  const std::string_view rest = line.substr(space + 1);
  const std::string_view digits = rest.substr(0, rest.find(' '));
  uint32_t status = 0;
  const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), status);
  const bool is_right = digits.size() == 3 && error == std::errc() &&
                        stop == digits.data() + digits.size() && status >= 100;
  return is_right ? std::optional(status) : std::nullopt;
}

bool is_space(char letter) { return letter == ' ' || letter == '\t'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

Result<std::unique_ptr<CurlExchange>> CurlExchange::create(HttpClient& client,
                                                           HttpRequest request) {
  CURL* const easy = client.curl().easy_init();
  if (easy == nullptr) return Error{ErrorKind::kHost, "HTTP: no memory for a transfer", 0};
  auto exchange = std::make_unique<CurlExchange>(client, easy, std::move(request));
  MAYFLY_TRY(exchange->begin());
  return exchange;
}

CurlExchange::CurlExchange(HttpClient& client, CURL* easy, HttpRequest request)
    : client_(client), curl_(client.curl()), easy_(easy), request_(std::move(request)) {
  client_.add(*this);
}

CurlExchange::~CurlExchange() {
  leave_client();
  curl_.easy_cleanup(easy_);
  curl_.slist_free_all(headers_);
}

Result<void> CurlExchange::begin() {
  out_.push(request_.first_bytes);
  out_has_ended_ = request_.body != HttpBody::kOpen;
  set_options();
  if (curl_.multi_add_handle(client_.multi(), easy_) != CURLM_OK) {
    return Error{ErrorKind::kHost, "HTTP: libcurl does not take the transfer", 0};
  }
  return {};
}

void CurlExchange::leave_client() {
  if (is_done_) return;
  is_done_ = true;
  curl_.multi_remove_handle(client_.multi(), easy_);
  client_.remove(*this);
}

void CurlExchange::fail(HttpError code, std::string message) {
  if (is_done_) return;
  failure_ = code;
  message_ = std::move(message);
  leave_client();
}

void CurlExchange::end(CURLcode result) {
  if (is_done_) return;
  if (result != CURLE_OK && !failure_) {
    failure_ = code_of(result);
    message_ = error_text_[0] != 0 ? error_text_.data() : curl_.easy_strerror(result);
  }
  if (!head_is_there_ && !failure_) failure_ = HttpError::kProtocolError;
  leave_client();
}

bool CurlExchange::is_ready(uint16_t event) {
  switch (event) {
    case guest_abi::kWasiPollHead:
      return head_is_there_ || is_done_;
    case guest_abi::kWasiPollRead:
      return !in_.empty() || is_done_;
    case guest_abi::kWasiPollWrite:
      return is_done_ || out_.size() + guest_abi::kHttpRoomBytes <= kOutBytesMax;
    case guest_abi::kWasiPollTrailers:
      gives_up_body_ = true;
      in_.clear();
      resume();
      return is_done_;
    default:
      return true;
  }
}

// Both directions go on where there is something to do, or room.
void CurlExchange::resume() {
  if (is_done_ || (!in_is_paused_ && !out_is_paused_)) return;
  const bool in_waits = in_is_paused_ && in_.size() > kInBytesMax / 2;
  const bool out_waits = out_is_paused_ && out_.empty() && !out_has_ended_;
  if (in_waits == in_is_paused_ && out_waits == out_is_paused_) return;
  in_is_paused_ = in_waits;
  out_is_paused_ = out_waits;
  // libcurl may call back at once, and pause again.
  curl_.easy_pause(easy_, (in_waits ? CURLPAUSE_RECV : 0) | (out_waits ? CURLPAUSE_SEND : 0));
}

HttpExchange::Moved CurlExchange::read(const std::vector<iovec>& buffers) {
  Moved moved;
  for (const iovec& buffer : buffers) moved.bytes += in_.pop(buffer.iov_base, buffer.iov_len);
  resume();
  if (moved.bytes != 0) return moved;
  if (!is_done_) {
    moved.error = Errno::kAgain;
  } else if (failure_) {
    moved.error = Errno::kIo;
  }
  return moved;
}

HttpExchange::Moved CurlExchange::write(const std::vector<iovec>& buffers) {
  if (failure_) return {Errno::kIo, 0};
  if (is_done_ || out_has_ended_) return {Errno::kPipe, 0};
  Moved moved;
  for (const iovec& buffer : buffers) {
    const size_t room = kOutBytesMax - out_.size();
    const size_t count = std::min(room, buffer.iov_len);
    if (count == 0) continue;
    // A HEAD has no body on the wire, whatever its program thinks.
    if (request_.method != "HEAD") out_.push({static_cast<char*>(buffer.iov_base), count});
    moved.bytes += count;
  }
  if (moved.bytes == 0 && !buffers.empty()) moved.error = Errno::kAgain;
  resume();
  return moved;
}

void CurlExchange::finish(bool is_whole, HttpFields trailers) {
  if (out_has_ended_) return;
  out_has_ended_ = true;
  if (!is_whole) {
    return fail(HttpError::kInternalError, "the request's body was dropped before its end");
  }
  request_.trailers = std::move(trailers);
  resume();
}

HttpExchange::Part CurlExchange::failure() const {
  Part part;
  part.error = Errno::kIo;
  part.code = failure_.value_or(HttpError::kInternalError);
  part.text = message_;
  return part;
}

HttpExchange::Part CurlExchange::take(HttpPart what) {
  Part part;
  switch (what) {
    case HttpPart::kHead:
      if (!head_is_there_) return is_done_ ? failure() : part;
      part.status = status_;
      part.text = bytes_of_fields(head_);
      break;
    case HttpPart::kTrailers:
      if (!is_ready(guest_abi::kWasiPollTrailers)) return part;
      if (failure_) return failure();
      part.text = bytes_of_fields(trailers_);
      break;
    case HttpPart::kFailure:
      return failure();
  }
  part.error = Errno::kSuccess;
  return part;
}

std::optional<CurlExchange::Clock::time_point> CurlExchange::deadline() const {
  if (is_done_ || !connected_at_) return std::nullopt;
  const HttpTimeouts& timeouts = request_.timeouts;
  if (!last_byte_at_) {
    if (!timeouts.first_byte) return std::nullopt;
    return *connected_at_ + *timeouts.first_byte;
  }
  // Bytes that the program leaves here are not late.
  if (!timeouts.between_bytes || in_is_paused_) return std::nullopt;
  return *last_byte_at_ + *timeouts.between_bytes;
}

void CurlExchange::time_out() {
  fail(last_byte_at_ ? HttpError::kConnectionReadTimeout : HttpError::kResponseTimeout,
       last_byte_at_ ? "no byte came in time" : "no answer came in time");
}

size_t CurlExchange::take_body(std::string_view bytes) {
  last_byte_at_ = Clock::now();
  if (gives_up_body_) return bytes.size();
  if (in_.size() + bytes.size() > kInBytesMax) {
    in_is_paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  in_.push(bytes);
  return bytes.size();
}

size_t CurlExchange::give_body(char* to, size_t room) {
  const size_t count = out_.pop(to, room);
  if (count != 0 || out_has_ended_) return count;
  out_is_paused_ = true;
  return CURL_READFUNC_PAUSE;
}

// A status begins a head: the last head is the response's, those before were only information.
size_t CurlExchange::take_header(std::string_view line) {
  const size_t bytes = line.size();
  last_byte_at_ = Clock::now();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.empty()) {
    head_is_there_ = head_is_there_ || status_ >= 200 || status_ == 101;
    status_comes_ = !head_is_there_;
  }
  if (line.empty() || status_comes_) {
    field_goes_on_ = false;
    field_bytes_ = 0;
  }
  if (line.empty()) return bytes;
  const bool is_right = status_comes_ ? take_status(line) : take_field(line);
  return is_right ? bytes : 0;
}

bool CurlExchange::take_status(std::string_view line) {
  const auto status = parse_status(line);
  if (!status) {
    failure_ = HttpError::kProtocolError;
    message_ = "the response does not begin with HTTP and a status of three digits";
    return false;
  }
  status_comes_ = false;
  status_ = *status;
  head_.clear();
  return true;
}

// What is no field, or the connection's, is left out, with the lines that go on with it.
bool CurlExchange::take_field(std::string_view line) {
  HttpFields& fields = head_is_there_ ? trailers_ : head_;
  if (is_space(line.front())) {  // rfc 9112 #line.folding
    const std::string_view more = trimmed(line);
    if (!field_goes_on_) return true;
    if (is_field_value(more)) {
      fields.back().value += " " + std::string(more);
      field_bytes_ += more.size() + 1;
    } else {
      field_goes_on_ = false;
      fields.pop_back();
    }
  } else {
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view() : trimmed(line.substr(colon + 1));
    field_goes_on_ = colon != std::string_view::npos && is_token(name) && is_field_value(value) &&
                     !is_forbidden_field(name);
    if (!field_goes_on_) return true;
    fields.push_back({std::string(name), std::string(value)});
    field_bytes_ += bytes_of_field(fields.back());
  }
  if (field_bytes_ <= guest_abi::kHttpFieldsBytesMax) return true;
  failure_ = head_is_there_ ? HttpError::kResponseTrailerSectionSize
                            : HttpError::kResponseHeaderSectionSize;
  return false;
}

}  // namespace mayfly::wasi
