// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Looking up names. getaddrinfo() cannot be ended, so each one runs on a thread of its own that
// owns one end of a socket pair and nothing else. The program has the other end, as a handle: each
// message is one address, then the stream ends. Who closes it does not wait for the thread.
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <memory>

#include "wasi/own_socket.h"
#include "wasi/wait.h"

namespace mayfly::wasi {

namespace {

using guest_abi::WasiLookup;

// Threads of one program at a time, those included whose answers nobody waits for.
constexpr size_t kLookupsMax = 16;
// Of one name; more is left out.
constexpr size_t kAddressesMax = 64;
constexpr size_t kNameBytesMax = 255;

struct Message {
  WasiLookup lookup;
  WasiAddress address;
};

struct Lookup {
  Fd answers;
  std::string name;
};

// Nobody waits for room: there is enough for all, or nobody reads any more.
void send_message(int fd, const Message& message) {
  (void)::send(fd, &message, sizeof message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void send_addresses(int fd, const std::vector<WasiAddress>& addresses) {
  for (size_t i = 0; i < addresses.size() && i < kAddressesMax; ++i) {
    send_message(fd, {WasiLookup::kAddress, addresses[i]});
  }
}

WasiLookup failure_of(int error) {
  switch (error) {
    case EAI_AGAIN:
    case EAI_MEMORY:
    case EAI_SYSTEM:
      return WasiLookup::kTemporary;
    case EAI_FAIL:
      return WasiLookup::kPermanent;
    default:
      return WasiLookup::kUnresolvable;
  }
}

void* look_up(void* argument) {
  const std::unique_ptr<Lookup> lookup(static_cast<Lookup*>(argument));
  const Resolved resolved = resolve_name(lookup->name);
  if (resolved.error != 0 || resolved.addresses.empty()) {
    send_message(lookup->answers.get(), {failure_of(resolved.error), {}});
  } else {
    send_addresses(lookup->answers.get(), resolved.addresses);
  }
  return nullptr;
}

// The embedder's signals are not this thread's business.
Errno start_thread(std::unique_ptr<Lookup> lookup) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  Lookup* const given = lookup.release();
  const int failed = ::pthread_create(&thread, nullptr, &look_up, given);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (failed != 0) {
    lookup.reset(given);
    return from_errno(failed);
  }
  ::pthread_detach(thread);
  return Errno::kSuccess;
}

// Those whose threads have ended, and closed their ends.
void forget_ended(std::vector<Fd>& lookups) {
  std::erase_if(lookups, [](const Fd& fd) {
    pollfd ended = {fd.get(), POLLRDHUP, 0};
    return ::poll(&ended, 1, 0) != 0;
  });
}

struct Pair {
  Fd reader;
  Fd writer;
};

Errno make_pair(Pair* pair) {
  std::array<int, 2> fds{};
  MAYFLY_ERRNO_TRY(errno_of(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds.data())));
  pair->reader = Fd(fds[0]);
  pair->writer = Fd(fds[1]);
  return errno_of(::shutdown(pair->reader.get(), SHUT_WR));
}

Errno start_lookup(PortCall& call, const std::string& name, Pair pair) {
  std::vector<Fd>& lookups = call.program.lookups;
  forget_ended(lookups);
  if (lookups.size() >= kLookupsMax) return Errno::kNoMem;
  auto kept = pair.reader.duplicate();
  if (!kept) return from_errno(kept.error().errno_value);
  auto lookup = std::make_unique<Lookup>(Lookup{std::move(pair.writer), name});
  MAYFLY_ERRNO_TRY(start_thread(std::move(lookup)));
  lookups.push_back(*std::move(kept));
  return Errno::kSuccess;
}

PortAnswer read_name(PortCall& call, const guest_abi::WasiRange& range, std::string* name) {
  if (range.bytes > kNameBytesMax) return Errno::kInval;
  *name = MAYFLY_TRY(read_text(call, range, kNameBytesMax));
  return Errno::kSuccess;
}

// What needs nobody's answer: addresses, and names in grants.
bool is_known(PortCall& call, const std::string& name, std::vector<WasiAddress>* addresses) {
  const bool has_brackets = name.size() > 2 && name.front() == '[' && name.back() == ']';
  WasiAddress address{};
  if (parse_ip(has_brackets ? name.substr(1, name.size() - 2) : name, &address)) {
    *addresses = {address};
    return !is_ipv4_inside(address);
  }
  const auto* granted = call.program.network.find_name(name);
  if (granted != nullptr) *addresses = *granted;
  return granted != nullptr;
}

}  // namespace

PortAnswer resolve_host_name(PortCall& call, guest_abi::WasiResolveRequest& request) {
  std::string name;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_name(call, request.name, &name)));
  if (call.program.handles.is_full()) return Errno::kMFile;
  Pair pair;
  std::vector<WasiAddress> addresses;
  const bool known = is_known(call, name, &addresses);
  if (!known && !is_host_name(name)) return Errno::kInval;
  if (!known && !call.program.network.allows_lookups()) return Errno::kAcces;
  MAYFLY_ERRNO_TRY(make_pair(&pair));
  Handle handle;
  handle.flags = guest_abi::kWasiReadable;
  handle.is_lookup = true;
  auto reader = pair.reader.duplicate();
  if (!reader) return from_errno(reader.error().errno_value);
  handle.fd = *std::move(reader);
  if (known) {
    send_addresses(pair.writer.get(), addresses);
  } else {
    MAYFLY_ERRNO_TRY(start_lookup(call, name, std::move(pair)));
  }
  const uint32_t number = call.program.handles.add(std::move(handle));
  request.description = description_of(number, *call.find(number));
  return Errno::kSuccess;
}

PortAnswer next_address(PortCall& call, guest_abi::WasiNextAddressRequest& request) {
  Handle* const handle = call.find(request.handle);
  if (handle == nullptr || !handle->is_lookup) return Errno::kBadF;
  Message message{WasiLookup::kEnd, {}};
  while (true) {
    const ssize_t bytes = ::recv(handle->fd.get(), &message, sizeof message, MSG_DONTWAIT);
    if (bytes == 0) message = {WasiLookup::kEnd, {}};
    if (bytes >= 0) break;
    if (errno == EINTR) continue;
    if (errno != EAGAIN || !handle->has_answered) return from_errno(errno);
    // The rest of an answer is on its way.
    MAYFLY_ERRNO_TRY(wait_for(handle->fd.get(), POLLIN, call.context));
  }
  handle->has_answered = true;
  request.lookup = static_cast<uint32_t>(message.lookup);
  request.address = message.address;
  return Errno::kSuccess;
}

}  // namespace mayfly::wasi
