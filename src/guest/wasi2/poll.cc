// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:io/poll. Pollables of one descriptor share an entry of the host's poll, so that no list is
// too long for it.
#include "guest/wasi2/poll.h"

#include "guest/wasi/clock.h"
#include "guest/wasi/port_call.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/http_body.h"
#include "guest/wasi2/stream_io.h"

namespace mayfly::guest {
namespace {

using guest_abi::WasiPollEntry;

enum class Wait : uint8_t { kNo, kYes };

uint64_t monotonic_ns() {
  return read_clock(static_cast<uint32_t>(wasi::ClockId::kMonotonic)).nanoseconds;
}

// What an object waits for now, at the fd of its owner: itself or its socket. kInstant: nothing, it
// is ready.
PollFor awaited(const Object& object, const Object& owner) {
  switch (object.kind) {
    case ObjectKind::kTcpSocket:
      if (object.state == SocketState::kListening) return PollFor::kRead;
      return object.state == SocketState::kConnecting ? PollFor::kWrite : PollFor::kInstant;
    case ObjectKind::kIncomingDatagrams:
    case ObjectKind::kOutgoingDatagrams: {
      // An association that is over has its error.
      if (object.position != owner.position) return PollFor::kInstant;
      return object.kind == ObjectKind::kIncomingDatagrams ? PollFor::kRead : PollFor::kWrite;
    }
    case ObjectKind::kLookup:
      return object.is_closed ? PollFor::kInstant : PollFor::kRead;
    default:
      return PollFor::kInstant;
  }
}

// Which entry a descriptor has in the poll of this moment, for reading and for writing.
struct Mark {
  uint64_t poll;  // the number of the poll that it was set in
  uint32_t entry;
};
Mark marks[FdTable::kFdsMax][2];
uint64_t polls;

class Poll {
 public:
  Poll(const Call& call, uint32_t pollables, uint32_t count)
      : call_(call), pollables_(pollables), count_(count), poll_(++polls) {
    states_ = call.transfer.reserve(uint64_t{count} * sizeof(State), alignof(State));
    const uint64_t entries_max = count < kEntriesMax ? count : kEntriesMax;
    entries_ = call.transfer.reserve(entries_max * sizeof(WasiPollEntry), alignof(WasiPollEntry));
  }

  // The number of ready ones, and 1 for each of them in is_ready().
  uint32_t run(Wait wait) {
    now_ns_ = monotonic_ns();
    for (uint32_t i = 0; i < count_; ++i) prepare(i);
    ask_host(wait);
    uint32_t ready_count = count_ready();
    while (ready_count == 0 && wait == Wait::kYes) {
      ask_host(wait);
      ready_count = count_ready();
    }
    return ready_count;
  }

  bool is_ready(uint32_t index) const {
    const auto state = call_.transfer.load<State>(state_at(index));
    if (state.kind == State::kReady) return true;
    if (state.kind == State::kInstant) return state.instant_ns <= now_ns_;
    const auto entry = call_.transfer.load<WasiPollEntry>(entry_at(state.entry));
    return has_failed_ || entry.ready != 0 || entry.error != 0;
  }

 private:
  static constexpr uint32_t kHttpEntriesMax = 512;
  static constexpr uint64_t kEntriesMax = uint64_t{FdTable::kFdsMax} * 2 + kHttpEntriesMax;

  // What is known of a pollable.
  struct State {
    enum Kind : uint32_t { kReady, kInstant, kEntry };
    Kind kind;
    uint32_t entry;
    uint64_t instant_ns;
  };

  uint32_t state_at(uint32_t index) const { return states_ + index * uint32_t{sizeof(State)}; }
  uint32_t entry_at(uint32_t index) const {
    return entries_ + index * uint32_t{sizeof(WasiPollEntry)};
  }

  void prepare(uint32_t index) {
    const auto number = call_.transfer.load<uint32_t>(pollables_ + index * 4);
    const Object& pollable = call_.objects.get(number, ObjectKind::kPollable);
    State state{State::kReady, 0, 0};
    if (pollable.poll_for == PollFor::kInstant) {
      state = {State::kInstant, 0, pollable.position};
      if (state.instant_ns < next_ns_) next_ns_ = state.instant_ns;
      any_ready_ = any_ready_ || state.instant_ns <= now_ns_;
    } else if (pollable.poll_for == PollFor::kObject) {
      prepare_object(call_.objects.get_any(pollable.below), state);
    } else if (is_http(call_.objects.kind_of(pollable.below))) {
      prepare_future(pollable, state);
    } else {
      prepare_stream(pollable, state);
    }
    call_.transfer.store(state_at(index), state);
  }

  void prepare_object(const Object& object, State& state) {
    const Object& owner = has_fd(object) ? object : call_.objects.get_with_fd(object.below);
    Descriptor* const descriptor = fd_table().find(owner.below);
    const PollFor events = awaited(object, owner);
    if (events == PollFor::kInstant || descriptor == nullptr) {
      any_ready_ = true;
      return;
    }
    state = {State::kEntry, entry_of(owner.below, *descriptor, events == PollFor::kRead), 0};
  }

  void prepare_stream(const Object& pollable, State& state) {
    const bool reads = pollable.poll_for == PollFor::kRead;
    Object& stream = call_.objects.get(
        pollable.below, reads ? ObjectKind::kInputStream : ObjectKind::kOutputStream);
    if (is_body(call_.objects.kind_of(stream.below))) return prepare_body(stream, reads, state);
    Descriptor* descriptor = nullptr;
    const wasi::Errno error =
        stream_descriptor(call_, stream, reads ? wasi::kFdRead : wasi::kFdWrite, &descriptor);
    if (is_shut(call_, stream) || error != wasi::Errno::kSuccess || is_file(*descriptor)) {
      any_ready_ = true;
      return;
    }
    const uint32_t fd = call_.objects.get_with_fd(stream.below).below;
    state = {State::kEntry, entry_of(fd, *descriptor, reads), 0};
  }

  void prepare_body(const Object& stream, bool reads, State& state) {
    const bool is_buffered = is_buffered_body(call_, stream.below);
    if (stream.is_closed || (is_buffered && buffer_room(call_, stream.below) != 0)) {
      any_ready_ = true;
      return;
    }
    // Only the start of the exchange makes room, and nobody starts it while this program waits.
    if (is_buffered) {
      state = {State::kInstant, 0, kNever};
      return;
    }
    const ObjectKind kind = call_.objects.kind_of(stream.below);
    const uint32_t exchange = call_.objects.get(stream.below, kind).below;
    prepare_exchange(exchange, reads ? PollFor::kRead : PollFor::kWrite, state);
  }

  // A future that was asked already stays ready.
  void prepare_future(const Object& pollable, State& state) {
    const Object& future = call_.objects.get(pollable.below, call_.objects.kind_of(pollable.below));
    if (future.is_closed) {
      any_ready_ = true;
      return;
    }
    prepare_exchange(future.below, pollable.poll_for, state);
  }

  // All pollables for one event of an exchange share an entry, whose number + 1 the exchange has.
  // Without room for another entry they are ready at once.
  void prepare_exchange(uint32_t number, PollFor what, State& state) {
    static constexpr uint16_t kEvents[] = {0, guest_abi::kWasiPollRead, guest_abi::kWasiPollWrite,
                                           guest_abi::kWasiPollHead, guest_abi::kWasiPollTrailers};
    Object& exchange = call_.objects.get(number, ObjectKind::kHttpExchange);
    if (exchange.position != poll_) exchange.permitted = 0;
    exchange.position = poll_;
    const uint32_t shift = (static_cast<uint32_t>(what) - 1) * 16;
    const auto known = static_cast<uint16_t>(exchange.permitted >> shift);
    if (known == 0 && http_entry_count_ == kHttpEntriesMax) {
      any_ready_ = true;
      return;
    }
    state = {State::kEntry, known != 0 ? known - 1U : entry_count_, 0};
    if (known != 0) return;
    WasiPollEntry entry{};
    entry.handle = exchange.below;
    entry.events = kEvents[static_cast<uint32_t>(what)];
    call_.transfer.store(entry_at(entry_count_), entry);
    ++entry_count_;
    ++http_entry_count_;
    exchange.permitted |= uint64_t{entry_count_} << shift;
  }

  uint32_t entry_of(uint32_t fd, const Descriptor& descriptor, bool reads) {
    Mark& mark = marks[fd][reads ? 0 : 1];
    if (mark.poll == poll_) return mark.entry;
    mark = {poll_, entry_count_};
    WasiPollEntry entry{};
    entry.handle = descriptor.handle();
    entry.events = reads ? guest_abi::kWasiPollRead : guest_abi::kWasiPollWrite;
    call_.transfer.store(entry_at(entry_count_), entry);
    return entry_count_++;
  }

  void ask_host(Wait wait) {
    if (entry_count_ == 0 && (any_ready_ || wait == Wait::kNo)) return;
    const bool waits = wait == Wait::kYes && !any_ready_;
    auto& request = new_request<guest_abi::WasiPollRequest>();
    request.entries = call_.transfer.linear().range(
        entries_, entry_count_ * static_cast<uint32_t>(sizeof(WasiPollEntry)));
    request.has_timeout = !waits || next_ns_ != kNever ? 1 : 0;
    request.timeout_ns = waits && next_ns_ > now_ns_ ? next_ns_ - now_ns_ : 0;
    const wasi::Errno error = call_port(guest_abi::WasiPort::kPoll, request);
    const bool is_over =
        waits && next_ns_ != kNever && error == wasi::Errno::kSuccess && request.ready_count == 0;
    now_ns_ = monotonic_ns();
    // The host's clock decides that the time is over; the guest's may be a moment behind.
    if (is_over && now_ns_ < next_ns_) now_ns_ = next_ns_;
    // kIntr: the call is about to end. Who cannot be waited for is ready: its stream has the error.
    has_failed_ = error != wasi::Errno::kSuccess && error != wasi::Errno::kIntr;
  }

  uint32_t count_ready() const {
    uint32_t ready_count = 0;
    for (uint32_t i = 0; i < count_; ++i) ready_count += is_ready(i) ? 1 : 0;
    return ready_count;
  }

  static constexpr uint64_t kNever = UINT64_MAX;

  const Call& call_;
  uint32_t pollables_;
  uint32_t count_;
  uint64_t poll_;
  uint32_t states_ = 0;
  uint32_t entries_ = 0;
  uint32_t entry_count_ = 0;
  uint32_t http_entry_count_ = 0;
  uint64_t now_ns_ = 0;
  uint64_t next_ns_ = kNever;  // the first instant of all
  bool any_ready_ = false;
  bool has_failed_ = false;
};

uint32_t poll_list(const Call& call, uint32_t pollables, uint32_t count) {
  if (count == 0) component_trap(guest_abi::ComponentTrap::kEmptyPoll);
  call.transfer.at(pollables, uint64_t{count} * 4);
  Poll poll(call, pollables, count);
  const uint32_t ready_count = poll.run(Wait::kYes);
  const uint32_t list = call.transfer.reserve(uint64_t{ready_count} * 4, 4);
  uint32_t at = list;
  for (uint32_t i = 0; i < count; ++i) {
    if (!poll.is_ready(i)) continue;
    call.transfer.store(at, i);
    at += 4;
  }
  return call.transfer.allocate(TransferBytes{list, ready_count});
}

uint32_t poll_one(const Call& call, uint32_t pollable, Wait wait) {
  const uint32_t list = call.transfer.allocate(pollable);
  return Poll(call, list, 1).run(wait);
}

// Waits for no longer than has_timeout allows. true: it is ready, or cannot be waited for.
bool poll_descriptor(const Call& call, const Descriptor& descriptor, PollFor events, Wait wait,
                     uint64_t* bytes) {
  WasiPollEntry entry{};
  entry.handle = descriptor.handle();
  entry.events = events == PollFor::kRead ? guest_abi::kWasiPollRead : guest_abi::kWasiPollWrite;
  const uint32_t place = call.transfer.allocate(entry);
  auto& request = new_request<guest_abi::WasiPollRequest>();
  request.entries = call.transfer.linear().range(place, sizeof entry);
  request.has_timeout = wait == Wait::kNo ? 1 : 0;
  const wasi::Errno error = call_port(guest_abi::WasiPort::kPoll, request);
  *bytes = call.transfer.load<WasiPollEntry>(place).bytes;
  return error != wasi::Errno::kSuccess || request.ready_count != 0;
}

}  // namespace

bool is_ready(const Call& call, const Descriptor& descriptor, PollFor events, uint64_t* bytes) {
  return poll_descriptor(call, descriptor, events, Wait::kNo, bytes);
}

void wait_for(const Call& call, const Descriptor& descriptor, PollFor events) {
  uint64_t bytes = 0;
  poll_descriptor(call, descriptor, events, Wait::kYes, &bytes);
}

uint32_t new_stream_pollable(const Call& call, uint32_t stream, PollFor events) {
  Object pollable{};
  pollable.kind = ObjectKind::kPollable;
  pollable.below = stream;
  pollable.poll_for = events;
  return call.objects.add(pollable);
}

uint32_t new_object_pollable(const Call& call, uint32_t object) {
  return new_stream_pollable(call, object, PollFor::kObject);
}

uint32_t new_instant_pollable(const Call& call, uint64_t instant_ns) {
  Object pollable{};
  pollable.kind = ObjectKind::kPollable;
  pollable.poll_for = PollFor::kInstant;
  pollable.position = instant_ns;
  return call.objects.add(pollable);
}

}  // namespace mayfly::guest

using mayfly::guest::Call;
using mayfly::guest::ObjectKind;
using mayfly::guest::Wait;

uint32_t mayfly_wasi2_poll(MemoryInfo* transfer, MemoryInfo* state, uint32_t list, uint32_t count) {
  return mayfly::guest::poll_list(Call(transfer, state), list, count);
}

uint32_t mayfly_wasi2_pollable_ready(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable) {
  return mayfly::guest::poll_one(Call(transfer, state), pollable, Wait::kNo);
}

void mayfly_wasi2_pollable_block(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable) {
  mayfly::guest::poll_one(Call(transfer, state), pollable, Wait::kYes);
}

void mayfly_wasi2_drop_pollable(MemoryInfo* transfer, MemoryInfo* state, uint32_t pollable) {
  Call(transfer, state).objects.release(pollable, ObjectKind::kPollable);
}
