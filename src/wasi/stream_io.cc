// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// RWF_NOWAIT makes one read or write non-blocking where the file knows it. Where it does not,
// poll() first says that there is something to read, or room for PIPE_BUF bytes.
#include "wasi/stream_io.h"

#include <pthread.h>
#include <sys/socket.h>

#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

#include "wasi/buffers.h"
#include "wasi/own_socket.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

namespace {

bool is_unsupported(int error) { return error == EOPNOTSUPP || error == EINVAL || error == ENOSYS; }

// Keeps SIGPIPE from this thread while it writes, and takes the one that a write has caused.
class SigpipeGuard {
 public:
  SigpipeGuard() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~SigpipeGuard() {
    const timespec at_once{};
    if (!was_pending_) {
      while (sigtimedwait(&pipe_, nullptr, &at_once) < 0 && errno == EINTR) {
      }
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeGuard(const SigpipeGuard&) = delete;
  SigpipeGuard& operator=(const SigpipeGuard&) = delete;

 private:
  sigset_t pipe_{};
  sigset_t before_{};
  bool was_pending_ = false;
};

// At most PIPE_BUF bytes of the first buffer: after POLLOUT they fit without waiting.
ssize_t write_a_little(int fd, const iovec& buffer) {
  const size_t bytes = std::min<size_t>(buffer.iov_len, PIPE_BUF);
  return write(fd, buffer.iov_base, bytes);
}

msghdr message_of(const iovec* buffers, size_t count) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(buffers);  // NOLINT: sendmsg() only reads it
  message.msg_iovlen = count;
  return message;
}

ssize_t write_at_once(const Handle& handle, const iovec* buffers, size_t count) {
  const int fd = handle.fd.get();
  if (handle.filetype == FileType::kSocketStream) {
    const msghdr message = message_of(buffers, count);
    return sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  const ssize_t written = pwritev2(fd, buffers, static_cast<int>(count), -1, RWF_NOWAIT);
  if (written >= 0 || !is_unsupported(errno)) return written;
  pollfd room = {fd, POLLOUT, 0};
  if (poll(&room, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return write_a_little(fd, buffers[0]);
}

ssize_t read_at_once(int fd, const iovec* buffers, size_t count) {
  const ssize_t bytes = preadv2(fd, buffers, static_cast<int>(count), -1, RWF_NOWAIT);
  if (bytes >= 0 || !is_unsupported(errno)) return bytes;
  pollfd data = {fd, POLLIN, 0};
  if (poll(&data, 1, 0) == 0) {
    errno = EAGAIN;
    return -1;
  }
  return readv(fd, buffers, static_cast<int>(count));
}

}  // namespace

Transferred read_stream(const Handle& handle, std::vector<iovec>& buffers, Blocking blocking,
                        const runtime::PortContext& context) {
  const int fd = handle.fd.get();
  while (true) {
    const ssize_t bytes = read_at_once(fd, buffers.data(), buffers.size());
    if (bytes >= 0) return {Errno::kSuccess, static_cast<uint64_t>(bytes)};
    if (errno == EINTR) continue;
    if (errno != EAGAIN || blocking == Blocking::kNo) return {from_errno(errno), 0};
    const Errno error = wait_for(fd, POLLIN, context);
    if (error != Errno::kSuccess) return {error, 0};
  }
}

Transferred write_stream(const Handle& handle, std::vector<iovec>& buffers, Writing writing,
                         const runtime::PortContext& context) {
  const SigpipeGuard guard;
  const bool may_pass_buffer = writing == Writing::kPermitted &&
                               handle.socket.family != guest_abi::WasiFamily::kNone &&
                               bytes_of(buffers) <= kPermittedBytesMax;
  Transferred result;
  size_t first = 0;
  while (first < buffers.size()) {
    ssize_t bytes = write_at_once(handle, &buffers[first], buffers.size() - first);
    if (bytes < 0 && errno == EAGAIN && may_pass_buffer) {
      bytes =
          send_past_buffer(handle.fd.get(), message_of(&buffers[first], buffers.size() - first));
    }
    if (bytes == 0 && buffers[first].iov_len > 0) break;
    if (bytes >= 0) {
      result.bytes += static_cast<uint64_t>(bytes);
      advance(buffers, first, static_cast<size_t>(bytes));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) {
      result.error = from_errno(errno);
    } else if (writing == Writing::kAtOnce) {
      result.error = Errno::kAgain;
    } else {
      result.error = wait_for(handle.fd.get(), POLLOUT, context);
    }
    if (result.error != Errno::kSuccess) break;
  }
  // What was written counts; the error comes back with the next write.
  if (result.bytes > 0 && result.error != Errno::kIntr) result.error = Errno::kSuccess;
  return result;
}

}  // namespace mayfly::wasi
