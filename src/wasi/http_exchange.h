// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// HttpExchange: a request and its response, whoever brings them over the wire. Nothing here waits;
// http_client.h does. Its end ends the exchange: what was not sent or received is given up.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <vector>

#include "guest_abi/http.h"
#include "guest_abi/wasi.h"
#include "wasi/http_message.h"

namespace mayfly::wasi {

class HttpExchange {
 public:
  struct Moved {
    guest_abi::wasi::Errno error = guest_abi::wasi::Errno::kSuccess;
    uint64_t bytes = 0;
  };
  // What has come. kAgain: not yet; kIo: `code` and `text`, for people, say why it never will.
  struct Part {
    guest_abi::wasi::Errno error = guest_abi::wasi::Errno::kAgain;
    HttpError code = HttpError::kInternalError;
    uint32_t status = 0;
    std::string text;  // or the bytes of fields
  };

  virtual ~HttpExchange() = default;
  // Whether what kWasiPoll... names can be done without waiting, though it may fail. Waiting for
  // trailers gives up the rest of the body.
  virtual bool is_ready(uint16_t event) = 0;
  // Of the response's body, as much as is there; no bytes: its end. Errors: kAgain, kIo.
  virtual Moved read(const std::vector<iovec>& buffers) = 0;
  // Of the request's body, as much as there is room for. Errors: kAgain; kIo; kPipe, nobody takes
  // it any more.
  virtual Moved write(const std::vector<iovec>& buffers) = 0;
  // The end of the request's body. Not whole: the exchange fails.
  virtual void finish(bool is_whole, HttpFields trailers) = 0;
  virtual Part take(guest_abi::HttpPart part) = 0;
};

}  // namespace mayfly::wasi
