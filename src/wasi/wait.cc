// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ppoll over the caller's descriptors and the one that says that the call was cancelled.
#include "wasi/wait.h"

#include <algorithm>
#include <cerrno>

namespace mayfly::wasi {

namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

// Far enough away for any wait, near enough for no sum to overflow.
constexpr nanoseconds kForever = std::chrono::hours(24 * 365 * 100);

struct Limit {
  steady_clock::time_point end;
  bool is_deadline;  // of the call, not the caller's timeout
};

std::optional<Limit> limit_of(std::optional<nanoseconds> timeout,
                              const runtime::PortContext& context) {
  std::optional<Limit> limit;
  if (timeout.has_value()) {
    limit = Limit{steady_clock::now() + std::min(*timeout, kForever), false};
  }
  if (context.deadline.has_value() && (!limit.has_value() || *context.deadline < limit->end)) {
    limit = Limit{*context.deadline, true};
  }
  return limit;
}

timespec remaining(const Limit& limit) {
  const auto left = std::max(nanoseconds(limit.end - steady_clock::now()), nanoseconds(0));
  return {static_cast<time_t>(left.count() / 1'000'000'000),
          static_cast<long>(left.count() % 1'000'000'000)};
}

}  // namespace

WaitResult wait_for(std::vector<pollfd>& fds, std::optional<nanoseconds> timeout,
                    const runtime::PortContext& context) {
  const std::optional<Limit> limit = limit_of(timeout, context);
  if (context.cancel_fd >= 0) fds.push_back({context.cancel_fd, POLLIN, 0});
  WaitResult result;
  while (true) {
    timespec left{};
    if (limit.has_value()) left = remaining(*limit);
    const int count = ppoll(fds.data(), fds.size(), limit.has_value() ? &left : nullptr, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) result.error = from_errno(errno);
    if (count == 0 && limit.has_value() && limit->is_deadline) result.error = Errno::kIntr;
    result.ready_count = std::max(count, 0);
    break;
  }
  if (context.cancel_fd >= 0) {
    if (fds.back().revents != 0) result.error = Errno::kIntr;
    fds.pop_back();
  }
  return result;
}

Errno wait_for(int fd, short events, const runtime::PortContext& context) {
  std::vector<pollfd> fds = {{fd, events, 0}};
  return wait_for(fds, std::nullopt, context).error;
}

}  // namespace mayfly::wasi
