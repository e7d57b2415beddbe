// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// poll_oneoff: clocks are computed here, descriptors are waited for by the host, in one port call.
// The caller's array of events is also the host's array of entries until the host has answered:
// both have 32 bytes, and there is never more of one than of the other.
#include "guest/wasi/clock.h"
#include "guest/wasi/fd_table.h"
#include "guest/wasi/functions.h"
#include "guest/wasi/linear_memory.h"
#include "guest/wasi/port_call.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiPollEntry;
static_assert(sizeof(WasiPollEntry) == sizeof(wasi::Event));

const wasi::SubscriptionClock& clock_of(const wasi::Subscription& subscription) {
  return subscription.clock;
}
const wasi::SubscriptionClock& clock_of(const wasi::SubscriptionUnstable& subscription) {
  return subscription.clock.clock;
}

constexpr bool is_type(uint8_t tag, wasi::EventType type) {
  return tag == static_cast<uint8_t>(type);
}

template <typename Subscription>
class Poll {
 public:
  Poll(const LinearMemory& memory, uint32_t in, uint32_t out, uint32_t count)
      : memory_(memory), in_(in), out_(out), count_(count) {}

  uint32_t run(uint32_t count_to) {
    if (count_ == 0) return answer(wasi::Errno::kInval);
    if (!memory_.contains_array<Subscription>(in_, count_) ||
        !memory_.contains_array<wasi::Event>(out_, count_) || !memory_.contains(count_to, 4)) {
      return answer(wasi::Errno::kFault);
    }
    started_ns_ = monotonic_ns();
    for (uint32_t i = 0; i < count_; ++i) prepare(i);
    MAYFLY_WASI_TRY(wait());
    for (uint32_t i = 0; i < entry_count_; ++i) report_entry(i);
    elapsed_ns_ = monotonic_ns() - started_ns_;
    for (uint32_t i = 0; i < count_; ++i) report_rest(i);
    memory_.store(count_to, event_count_);
    return answer(wasi::Errno::kSuccess);
  }

 private:
  static uint64_t monotonic_ns() {
    return read_clock(static_cast<uint32_t>(wasi::ClockId::kMonotonic)).nanoseconds;
  }

  Subscription subscription(uint32_t index) const {
    return memory_.load<Subscription>(in_ + index * uint32_t{sizeof(Subscription)});
  }
  uint32_t slot(uint32_t index) const { return out_ + index * uint32_t{sizeof(wasi::Event)}; }

  // How long from the start a clock has to wait.
  wasi::Errno remaining(const wasi::SubscriptionClock& clock, uint64_t* nanoseconds) const {
    if ((clock.flags & ~wasi::kClockAbstime) != 0) return wasi::Errno::kInval;
    const ClockReading now = read_clock(clock.id);
    if (now.error != wasi::Errno::kSuccess) return now.error;
    *nanoseconds = clock.timeout;
    if ((clock.flags & wasi::kClockAbstime) != 0) {
      *nanoseconds = clock.timeout > now.nanoseconds ? clock.timeout - now.nanoseconds : 0;
    }
    return wasi::Errno::kSuccess;
  }

  static wasi::Errno check_descriptor(const Subscription& subscription, Descriptor** descriptor) {
    if (is_type(subscription.tag, wasi::EventType::kFdRead)) {
      return find_fd(subscription.fd, wasi::kPollFdReadwrite | wasi::kFdRead, descriptor);
    }
    if (is_type(subscription.tag, wasi::EventType::kFdWrite)) {
      return find_fd(subscription.fd, wasi::kPollFdReadwrite | wasi::kFdWrite, descriptor);
    }
    return wasi::Errno::kInval;
  }

  // A listener is readable when a connection waits, without a right to read.
  static wasi::Errno check(const Subscription& subscription, Descriptor** descriptor) {
    const wasi::Errno error = check_descriptor(subscription, descriptor);
    const bool is_listener = error == wasi::Errno::kNotCapable &&
                             (*descriptor)->has(guest_abi::kWasiListener) &&
                             ((*descriptor)->rights_base & wasi::kPollFdReadwrite) != 0;
    return is_listener ? wasi::Errno::kSuccess : error;
  }

  void limit_wait(uint64_t nanoseconds) {
    if (!has_timeout_ || nanoseconds < timeout_ns_) timeout_ns_ = nanoseconds;
    has_timeout_ = true;
  }

  void prepare(uint32_t index) {
    const Subscription item = subscription(index);
    if (is_type(item.tag, wasi::EventType::kClock)) {
      uint64_t nanoseconds = 0;
      const bool ok = remaining(clock_of(item), &nanoseconds) == wasi::Errno::kSuccess;
      return limit_wait(ok ? nanoseconds : 0);
    }
    Descriptor* descriptor = nullptr;
    if (check(item, &descriptor) != wasi::Errno::kSuccess) return limit_wait(0);
    WasiPollEntry entry{};
    entry.handle = descriptor->handle();
    entry.events = is_type(item.tag, wasi::EventType::kFdRead) ? guest_abi::kWasiPollRead
                                                               : guest_abi::kWasiPollWrite;
    entry.tag = index;
    memory_.store(slot(entry_count_), entry);
    ++entry_count_;
  }

  wasi::Errno wait() {
    auto& request = new_request<guest_abi::WasiPollRequest>();
    request.entries =
        memory_.range(out_, entry_count_ * static_cast<uint32_t>(sizeof(WasiPollEntry)));
    request.timeout_ns = timeout_ns_;
    request.has_timeout = has_timeout_ ? 1 : 0;
    const wasi::Errno error = call_port(guest_abi::WasiPort::kPoll, request);
    timed_out_ = request.ready_count == 0;
    return error;
  }

  // The event goes to a slot at or before the entry's own.
  void report_entry(uint32_t index) {
    const auto entry = memory_.load<WasiPollEntry>(slot(index));
    if (entry.ready == 0 && entry.error == 0) return;
    if (entry.tag >= count_) return;
    const Subscription item = subscription(entry.tag);
    wasi::Event event{};
    event.bytes = entry.bytes;
    event.flags = (entry.ready & guest_abi::kWasiPollHangup) != 0 ? wasi::kEventHangup : 0;
    Descriptor* descriptor = nullptr;
    if (check(item, &descriptor) == wasi::Errno::kSuccess && descriptor->has_position()) {
      event.bytes = entry.bytes > descriptor->position ? entry.bytes - descriptor->position : 0;
    }
    report(item, static_cast<wasi::Errno>(entry.error), event);
  }

  void report_rest(uint32_t index) {
    const Subscription item = subscription(index);
    if (is_type(item.tag, wasi::EventType::kClock)) {
      report_clock(item);
      return;
    }
    Descriptor* descriptor = nullptr;
    const wasi::Errno error = check(item, &descriptor);
    if (error != wasi::Errno::kSuccess) report(item, error, wasi::Event{});
  }

  void report_clock(const Subscription& item) {
    const wasi::SubscriptionClock& clock = clock_of(item);
    uint64_t nanoseconds = 0;
    const wasi::Errno error = remaining(clock, &nanoseconds);
    // From the start on. An absolute time is compared with its clock, which has moved on since.
    if ((clock.flags & wasi::kClockAbstime) != 0) nanoseconds += elapsed_ns_;
    // The host's clock decides that the time is over; the guest's may be a moment behind.
    const uint64_t waited_ns = timed_out_ && elapsed_ns_ < timeout_ns_ ? timeout_ns_ : elapsed_ns_;
    if (error != wasi::Errno::kSuccess || nanoseconds <= waited_ns) {
      report(item, error, wasi::Event{});
    }
  }

  void report(const Subscription& item, wasi::Errno error, wasi::Event event) {
    if (event_count_ == count_) return;
    event.userdata = item.userdata;
    event.error = static_cast<uint16_t>(error);
    event.type = item.tag;
    memory_.store(slot(event_count_), event);
    ++event_count_;
  }

  const LinearMemory& memory_;
  uint32_t in_;
  uint32_t out_;
  uint32_t count_;
  uint32_t entry_count_ = 0;
  uint32_t event_count_ = 0;
  uint64_t started_ns_ = 0;
  uint64_t timeout_ns_ = 0;
  uint64_t elapsed_ns_ = 0;
  bool has_timeout_ = false;
  bool timed_out_ = false;
};

}  // namespace
}  // namespace mayfly::guest

uint32_t mayfly_wasi_p1_poll_oneoff(MemoryInfo* memory, uint32_t in, uint32_t out, uint32_t count,
                                    uint32_t count_to) {
  using namespace mayfly::guest;  // NOLINT
  const LinearMemory linear(memory);
  return Poll<wasi::Subscription>(linear, in, out, count).run(count_to);
}

uint32_t mayfly_wasi_unstable_poll_oneoff(MemoryInfo* memory, uint32_t in, uint32_t out,
                                          uint32_t count, uint32_t count_to) {
  using namespace mayfly::guest;  // NOLINT
  const LinearMemory linear(memory);
  return Poll<wasi::SubscriptionUnstable>(linear, in, out, count).run(count_to);
}
