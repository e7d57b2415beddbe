// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// LoopbackListener: for tests, who takes connections at 127.0.0.1 and never says anything.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "base/check.h"
#include "base/fd.h"

namespace mayfly::wasi {

class LoopbackListener {
 public:
  explicit LoopbackListener(int backlog)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address_;
    CHECK(::bind(fd_.get(), generic(), size) == 0, errno);
    CHECK(::listen(fd_.get(), backlog) == 0, errno);
    CHECK(::getsockname(fd_.get(), generic(), &size) == 0, errno);
  }
  std::string authority() const { return "127.0.0.1:" + std::to_string(ntohs(address_.sin_port)); }
  // A connection to it that may still wait to be taken.
  Fd connect() {
    Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int answer = ::connect(fd.get(), generic(), sizeof address_);
    CHECK(answer == 0 || errno == EINPROGRESS, errno);
    return fd;
  }
  // Ends those that were made.
  void hang_up() const {
    while (Fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC)).valid()) {
    }
  }

 private:
  // SAFETY: sockaddr_in is made to be passed as any socket address.
  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&address_); }

  Fd fd_;
  sockaddr_in address_{};
};

}  // namespace mayfly::wasi
