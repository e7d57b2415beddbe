// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Opens what a program is given, and finds the function of each port.
#include "wasi/context.h"

#include <fcntl.h>
#include <algorithm>
#include <iterator>

#include <cstddef>
#include <cstring>

#include "base/check.h"
#include "runtime/printable.h"
#include "wasi/memory_tree.h"

namespace mayfly::wasi {

namespace {

using guest_abi::WasiPort;

Result<std::string> join(const std::vector<std::string>& strings, std::string_view what) {
  std::string text;
  for (const std::string& string : strings) {
    if (string.find('\0') != std::string::npos) {
      return invalid(std::string(what) + " '" + string.substr(0, string.find('\0')) +
                     "' contains a NUL byte");
    }
    text += string;
    text += '\0';
  }
  if (text.size() > UINT32_MAX) {
    return limit(std::string(what) + "s have " + std::to_string(text.size()) +
                 " bytes, past WASI's 4 GiB");
  }
  return text;
}

Result<std::map<std::string, std::string>> checked(
    const std::map<std::string, std::string>& config) {
  for (const auto& [key, value] : config) {
    if (!is_utf8(key) || !is_utf8(value)) {
      return invalid("the configuration value '" + runtime::printable(key) + "' is not UTF-8");
    }
  }
  return config;
}

Result<void> add_stdio(HandleTable& handles, int host_fd, uint8_t access) {
  const int duplicate = host_fd < 0 ? -1 : fcntl(host_fd, F_DUPFD_CLOEXEC, 0);
  if (duplicate < 0) {
    handles.skip();
    return {};
  }
  Handle handle = MAYFLY_TRY(describe(Fd(duplicate), access));
  // Other processes share the open file and its position.
  if (handle.has(guest_abi::kWasiSeekable)) handle.flags |= guest_abi::kWasiHostPosition;
  handles.add(std::move(handle));
  return {};
}

Result<Handle> directory_handle(Fd fd, const std::string& guest_path) {
  Handle handle = MAYFLY_TRY(describe(std::move(fd), guest_abi::kWasiReadable));
  if (guest_path.size() > UINT16_MAX) {
    return limit("the guest's name of a preopened directory has " +
                 std::to_string(guest_path.size()) + " bytes, past 65535");
  }
  handle.flags |= guest_abi::kWasiPreopen;
  handle.name = guest_path;
  return handle;
}

Result<void> add_preopen(HandleTable& handles, const Preopen& preopen) {
  Result<Fd> fd = open_file(preopen.host_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!fd) return with_context("preopened directory", std::move(fd).error());
  Handle handle = MAYFLY_TRY(directory_handle(*std::move(fd), preopen.guest_path));
  handle.access = preopen.access;
  handles.add(std::move(handle));
  return {};
}

Result<Handle> memory_handle(const MemoryDirectory& directory) {
  Fd tree = MAYFLY_TRY(create_memory_tree(directory));
  Handle handle = MAYFLY_TRY(directory_handle(std::move(tree), directory.guest_path));
  handle.is_in_memory = true;
  return handle;
}

Result<void> add_listener(HandleTable& handles, int host_fd) {
  Fd fd(fcntl(host_fd, F_DUPFD_CLOEXEC, 0));
  if (!fd.valid()) return host_error("duplicating listener " + std::to_string(host_fd));
  const int status = fcntl(fd.get(), F_GETFL);
  if (status < 0 || fcntl(fd.get(), F_SETFL, status | O_NONBLOCK) != 0) {
    return host_error("making listener " + std::to_string(host_fd) + " non-blocking");
  }
  Handle handle = MAYFLY_TRY(describe(std::move(fd), 0));
  if (handle.filetype != FileType::kSocketStream) {
    return invalid("listener " + std::to_string(host_fd) + " is not a socket");
  }
  handle.flags |= guest_abi::kWasiListener;
  handles.add(std::move(handle));
  return {};
}

bool has_root(const WasiConfig& config) {
  const auto is_root = [](const auto& directory) { return is_root_name(directory.guest_path); };
  return std::ranges::any_of(config.preopens, is_root) ||
         std::ranges::any_of(config.memory_directories, is_root);
}

Result<void> add_first_handles(HandleTable& handles, const WasiConfig& config) {
  const size_t count =
      3 + config.preopens.size() + config.memory_directories.size() + config.listeners.size();
  if (count > config.limits.open_files_max) {
    return limit(std::to_string(count) + " preopened files are more than the limit of " +
                 std::to_string(config.limits.open_files_max));
  }
  MAYFLY_TRY(add_stdio(handles, config.stdin_fd, guest_abi::kWasiReadable));
  MAYFLY_TRY(add_stdio(handles, config.stdout_fd, guest_abi::kWasiWritable));
  MAYFLY_TRY(add_stdio(handles, config.stderr_fd, guest_abi::kWasiWritable));
  for (const Preopen& preopen : config.preopens) MAYFLY_TRY(add_preopen(handles, preopen));
  for (const MemoryDirectory& directory : config.memory_directories) {
    handles.add(MAYFLY_TRY(memory_handle(directory)));
  }
  for (int listener : config.listeners) MAYFLY_TRY(add_listener(handles, listener));
  if (config.denied && !has_root(config) && !handles.is_full()) {
    handles.add(MAYFLY_TRY(create_nowhere()));
  }
  return {};
}

// Copies the request, serves the copy, and puts it back; the runtime gives the guest the out part.
template <typename Request>
Result<runtime::PortOutcome> serve(PortAnswer (*function)(PortCall&, Request&), PortCall& call,
                                   std::span<uint8_t> bytes) {
  CHECK(bytes.size() >= sizeof(Request), bytes.size(), sizeof(Request));
  Request request;
  std::memcpy(&request, bytes.data(), sizeof request);
  const Errno error = MAYFLY_TRY(function(call, request));
  request.error = static_cast<uint32_t>(error);
  std::memcpy(bytes.data(), &request, sizeof request);
  constexpr uint32_t kOut = offsetof(Request, error);
  return runtime::PortOutcome{kOut, sizeof(Request) - kOut};
}

}  // namespace

Result<std::unique_ptr<Context>> Context::create(const WasiConfig& config) {
  return create(config, Resolver::best_method());
}

Result<std::unique_ptr<Context>> Context::create(const WasiConfig& config, ResolveMethod method) {
  Program program;
  program.args = MAYFLY_TRY(join(config.args, "argument"));
  program.environ = MAYFLY_TRY(join(config.environ, "environment variable"));
  program.args_count = static_cast<uint32_t>(config.args.size());
  program.environ_count = static_cast<uint32_t>(config.environ.size());
  program.limits = config.limits;
  program.http_config = config.http;
  program.http_grants = MAYFLY_TRY(HttpGrants::parse(config.http.grants));
  program.memory_directories = config.memory_directories;
  program.first_memory_handle = static_cast<uint32_t>(3 + config.preopens.size());
  program.write_bytes_left = config.limits.write_bytes_max;
  program.network = MAYFLY_TRY(Network::create(config.network));
  program.log = config.log;
  program.key_value = MAYFLY_TRY(open_key_value_store(config.key_value));
  program.config = MAYFLY_TRY(checked(config.config));
  program.handles = HandleTable(config.limits.open_files_max);
  program.resolver = Resolver(method);
  MAYFLY_TRY(add_first_handles(program.handles, config));
  program.first_handles = program.handles.size();
  return std::make_unique<Context>(std::move(program), Denials(config.denied));
}

namespace {

struct SavedHandles final : runtime::HostState {
  SavedHandles(HandleTable::Saved saved, uint32_t first_count)
      : handles(std::move(saved)), first_handles(first_count) {}
  size_t open_files() const override {
    const auto& all = handles.handles;
    return static_cast<size_t>(
        std::count_if(all.begin() + std::min<std::ptrdiff_t>(first_handles, std::ssize(all)),
                      all.end(), [](const auto& handle) { return handle.has_value(); }));
  }
  const HandleTable::Saved handles;
  const uint32_t first_handles;
};

}  // namespace

Result<std::unique_ptr<const runtime::HostState>> Context::save() {
  auto saved = MAYFLY_TRY(program_.handles.save(program_.first_handles));
  auto state = std::make_unique<SavedHandles>(std::move(saved), program_.first_handles);
  state_ = state.get();
  state_changes_ = program_.handles.change_count();
  return std::unique_ptr<const runtime::HostState>(std::move(state));
}

// A state has no files of its own: what one tenant left there is not the next one's.
Result<void> Context::empty_memory_directories() {
  if (!program_.memory_has_changed) return {};
  uint32_t handle = program_.first_memory_handle;
  for (const MemoryDirectory& directory : program_.memory_directories) {
    program_.handles.replace_first(handle, MAYFLY_TRY(memory_handle(directory)));
    ++handle;
  }
  program_.memory_has_changed = false;
  return {};
}

std::vector<int> Context::memory_directories() {
  std::vector<int> found;
  for (uint32_t i = 0; i < program_.memory_directories.size(); ++i) {
    const Handle* handle = program_.handles.find(program_.first_memory_handle + i);
    if (handle != nullptr) found.push_back(handle->fd.get());
  }
  return found;
}

Result<void> Context::restore(const runtime::HostState* state) {
  MAYFLY_TRY(empty_memory_directories());
  if (program_.key_value != nullptr) program_.key_value->restart();
  behind_.restart();
  program_.write_bytes_left = program_.limits.write_bytes_max;
  program_.late_errors = 0;
  program_.handles.forget_late_errors();
  // A state from a file has no open files: the program has its first ones.
  if (state == nullptr && first_state_ == nullptr) {
    HandleTable::Saved first;
    first.handles.resize(program_.first_handles);
    for (uint32_t number = 0; number < program_.first_handles; ++number) {
      if (program_.handles.find(number) != nullptr) first.handles[number].emplace();
    }
    first_state_ = std::make_unique<SavedHandles>(std::move(first), program_.first_handles);
  }
  if (state == nullptr) state = first_state_.get();
  if (state == state_ && state_changes_ == program_.handles.change_count()) {
    program_.http.reset();
    return {};
  }
  // Only states of this class come back: what save() returned.
  const auto& saved = static_cast<const SavedHandles&>(*state);
  MAYFLY_TRY(program_.handles.restore(saved.handles, program_.first_handles));
  program_.http.reset();  // the exchanges are gone; no connection is left for the next tenant
  state_ = state;
  state_changes_ = program_.handles.change_count();
  return {};
}

Result<void> Context::settle(runtime::PortContext& context) {
  PortCall call{program_, context};
  return behind_.settle(call);
}

// All was taken already, as before every port.
PortAnswer settle(PortCall& call, guest_abi::WasiHandleRequest& request) {
  if (request.detail != guest_abi::kWasiTellLateError) return Errno::kSuccess;
  Handle* const handle = call.find(request.handle);
  return handle == nullptr ? Errno::kBadF : take_late_error(call, *handle);
}

Result<runtime::PortOutcome> Context::handle(uint32_t port, runtime::PortContext& context,
                                             std::span<uint8_t> request) {
  PortCall call{program_, context};
  auto outcome = answer(port, call, request);
  if (outcome) denials_.see(call, static_cast<WasiPort>(port), request);
  behind_.tell_limits(call);
  return outcome;
}

// One case a port, each a single call.
Result<runtime::PortOutcome> Context::answer(uint32_t port, PortCall& call,
                                             std::span<uint8_t> request) {
  switch (static_cast<WasiPort>(port)) {
    case WasiPort::kStart:
      return serve(start, call, request);
    case WasiPort::kText:
      return serve(text, call, request);
    case WasiPort::kDescribe:
      return serve(describe_handle, call, request);
    case WasiPort::kOpen:
      return serve(open_path, call, request);
    case WasiPort::kClose:
      return serve(close_handle, call, request);
    case WasiPort::kRead:
      return serve(read_handle, call, request);
    case WasiPort::kWrite:
      return serve(write_handle, call, request);
    case WasiPort::kSeek:
      return serve(seek_handle, call, request);
    case WasiPort::kStat:
      return serve(stat_handle, call, request);
    case WasiPort::kPathStat:
      return serve(stat_path, call, request);
    case WasiPort::kSetTimes:
      return serve(set_times_of_handle, call, request);
    case WasiPort::kPathSetTimes:
      return serve(set_times_of_path, call, request);
    case WasiPort::kSetSize:
      return serve(set_size, call, request);
    case WasiPort::kAllocate:
      return serve(allocate, call, request);
    case WasiPort::kAdvise:
      return serve(advise, call, request);
    case WasiPort::kSync:
      return serve(sync_handle, call, request);
    case WasiPort::kReadDirectory:
      return serve(read_directory, call, request);
    case WasiPort::kCreateDirectory:
      return serve(create_directory, call, request);
    case WasiPort::kRemoveDirectory:
      return serve(remove_directory, call, request);
    case WasiPort::kUnlink:
      return serve(unlink_path, call, request);
    case WasiPort::kReadLink:
      return serve(read_link, call, request);
    case WasiPort::kSymlink:
      return serve(symlink_path, call, request);
    case WasiPort::kLink:
      return serve(link_path, call, request);
    case WasiPort::kRename:
      return serve(rename_path, call, request);
    case WasiPort::kPoll:
      return serve(poll_handles, call, request);
    case WasiPort::kAccept:
      return serve(accept_connection, call, request);
    case WasiPort::kReceive:
      return serve(receive, call, request);
    case WasiPort::kSend:
      return serve(send, call, request);
    case WasiPort::kShutdown:
      return serve(shutdown_handle, call, request);
    case WasiPort::kSettle:
      return serve(wasi::settle, call, request);
    default:
      return answer_network_port(port, call, request);
  }
}

// Likewise, of sockets that the program makes itself, and of HTTP.
Result<runtime::PortOutcome> Context::answer_network_port(uint32_t port, PortCall& call,
                                                          std::span<uint8_t> request) {
  switch (static_cast<WasiPort>(port)) {
    case WasiPort::kSocket:
      return serve(make_socket, call, request);
    case WasiPort::kBind:
      return serve(bind_socket, call, request);
    case WasiPort::kConnect:
      return serve(connect_socket, call, request);
    case WasiPort::kFinishConnect:
      return serve(finish_connect, call, request);
    case WasiPort::kListen:
      return serve(listen_at_socket, call, request);
    case WasiPort::kSocketAddress:
      return serve(address_of_socket, call, request);
    case WasiPort::kSocketOption:
      return serve(option_of_socket, call, request);
    case WasiPort::kSendDatagrams:
      return serve(send_datagrams, call, request);
    case WasiPort::kReceiveDatagrams:
      return serve(receive_datagrams, call, request);
    case WasiPort::kResolve:
      return serve(resolve_host_name, call, request);
    case WasiPort::kNextAddress:
      return serve(next_address, call, request);
    case WasiPort::kHttpStart:
      return serve(start_exchange, call, request);
    case WasiPort::kHttpTake:
      return serve(take_of_exchange, call, request);
    case WasiPort::kHttpFinish:
      return serve(finish_request_body, call, request);
    default:
      return answer_service_port(port, call, request);
  }
}

// Likewise, of logging, configuration and key-value stores.
Result<runtime::PortOutcome> Context::answer_service_port(uint32_t port, PortCall& call,
                                                          std::span<uint8_t> request) {
  switch (static_cast<WasiPort>(port)) {
    case WasiPort::kLog:
      return serve(log_message, call, request);
    case WasiPort::kConfigGet:
      return serve(config_value, call, request);
    case WasiPort::kConfigAll:
      return serve(config_values, call, request);
    case WasiPort::kBucketOpen:
      return serve(open_bucket, call, request);
    case WasiPort::kBucketGet:
      return serve(get_entry, call, request);
    case WasiPort::kBucketSet:
      return serve(set_entry, call, request);
    case WasiPort::kBucketDelete:
      return serve(delete_entry, call, request);
    case WasiPort::kBucketExists:
      return serve(find_key, call, request);
    case WasiPort::kBucketKeys:
      return serve(list_keys, call, request);
    case WasiPort::kBucketIncrement:
      return serve(increment_entry, call, request);
    default:
      break;
  }
  return invalid("the guest called port " + std::to_string(port) + ", WASI's are " +
                 std::to_string(guest_abi::kWasiPortFirst) + " to " +
                 std::to_string(guest_abi::kWasiPortLast));
}

}  // namespace mayfly::wasi
