// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every WASI port is served with: the program's state, the guest's memory, and how long the
// call may wait. A port's function fills the out fields of its request and answers with an errno.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "guest_abi/http.h"
#include "guest_abi/service_ports.h"
#include "guest_abi/socket_ports.h"
#include "guest_abi/wasi_ports.h"
#include "runtime/port_handler.h"
#include "wasi/errno_map.h"
#include "wasi/handle_table.h"
#include "wasi/http_client.h"
#include "wasi/http_grants.h"
#include "wasi/key_value.h"
#include "wasi/network.h"
#include "wasi/resolve.h"

namespace mayfly::wasi {

// The state of one program, over its calls.
struct Program {
  std::string args;     // each with its NUL
  std::string environ;  // the same
  uint32_t args_count = 0;
  uint32_t environ_count = 0;
  uint32_t first_handles = 0;  // how many the program is given at its start
  std::vector<MemoryDirectory> memory_directories;
  uint32_t first_memory_handle = 0;
  bool memory_has_changed = false;  // what is in them
  WasiLimits limits;
  uint64_t write_bytes_left = UINT64_MAX;
  uint32_t direct_writes = 0;  // small ones, since the guest was watched (write_behind.h)
  uint32_t late_errors = 0;    // handles with one
  HttpConfig http_config;
  HttpGrants http_grants;
  std::unique_ptr<HttpClient> http;  // from the first request on; it outlives the handles
  HandleTable handles{0};
  Network network;
  LogConfig log;
  std::unique_ptr<KeyValueStore> key_value;  // null: denied
  std::map<std::string, std::string> config;
  std::vector<Fd> lookups;  // of names that may still go on, whether the program waits or not
  Resolver resolver{ResolveMethod::kWalk};
};

struct PortCall {
  Program& program;
  runtime::PortContext& context;

  Handle* find(uint32_t handle) { return program.handles.find(handle); }
  runtime::GuestAccess& guest() { return context.guest; }
};

// An errno is an answer to the guest. An Error ends the call: the guest library would not do that.
using PortAnswer = Result<Errno>;

bool is_utf8(std::string_view text);

// Text in the guest's memory; of longer text its first bytes_max bytes.
// Errors: those of the guest's memory.
Result<std::string> read_text(PortCall& call, const guest_abi::WasiRange& range,
                              uint64_t bytes_max);
// All of the text; of an empty one the address is not looked at.
Result<void> write_text(PortCall& call, uint64_t address, std::string_view text);

// A path of the guest: not empty, no NUL, UTF-8, short enough for the kernel.
PortAnswer read_path(PortCall& call, const guest_abi::WasiRange& range, std::string* path);

// A directory handle through which the file system may be changed. Errors: kBadF, kNotDir, kRoFs.
enum class Intent : uint8_t { kLook, kChange };
Errno find_directory(PortCall& call, uint32_t handle, Intent intent, Handle** directory);

// A handle that may be changed. Errors: kBadF, kRoFs.
Errno find_handle(PortCall& call, uint32_t handle, Intent intent, Handle** found);

// Takes bytes from what the program may still write. Errors: kDQuot, and then nothing is taken.
Errno take_quota(PortCall& call, uint64_t bytes);

// Before bytes go to the host. Errors: kLimit, past what the call may write.
Result<void> check_output(PortCall& call, uint64_t bytes);
void count_input(PortCall& call, uint64_t bytes);
void count_output(PortCall& call, uint64_t bytes);

// The errno of a system call's result, read on the line after it.
inline Errno errno_of(int64_t result) { return result < 0 ? from_errno(errno) : Errno::kSuccess; }

#define MAYFLY_ERRNO_TRY(expression)                                          \
  do {                                                                        \
    const ::mayfly::wasi::Errno mayfly_errno = (expression);                  \
    if (mayfly_errno != ::mayfly::wasi::Errno::kSuccess) return mayfly_errno; \
  } while (false)

// context.cc: it is done, as before every port.
PortAnswer settle(PortCall& call, guest_abi::WasiHandleRequest& request);
// start_ports.cc
PortAnswer start(PortCall& call, guest_abi::WasiStartRequest& request);
PortAnswer text(PortCall& call, guest_abi::WasiTextRequest& request);
PortAnswer describe_handle(PortCall& call, guest_abi::WasiDescribeRequest& request);
// open_port.cc
PortAnswer open_path(PortCall& call, guest_abi::WasiOpenRequest& request);
PortAnswer close_handle(PortCall& call, guest_abi::WasiHandleRequest& request);
// transfer_ports.cc
PortAnswer read_handle(PortCall& call, guest_abi::WasiTransferRequest& request);
PortAnswer write_handle(PortCall& call, guest_abi::WasiTransferRequest& request);
PortAnswer seek_handle(PortCall& call, guest_abi::WasiSeekRequest& request);
// file_ports.cc
PortAnswer stat_handle(PortCall& call, guest_abi::WasiStatRequest& request);
PortAnswer set_times_of_handle(PortCall& call, guest_abi::WasiSetTimesRequest& request);
PortAnswer set_size(PortCall& call, guest_abi::WasiRangeRequest& request);
PortAnswer allocate(PortCall& call, guest_abi::WasiRangeRequest& request);
PortAnswer advise(PortCall& call, guest_abi::WasiRangeRequest& request);
PortAnswer sync_handle(PortCall& call, guest_abi::WasiRangeRequest& request);
// directory_port.cc
PortAnswer read_directory(PortCall& call, guest_abi::WasiReadDirectoryRequest& request);
// path_ports.cc
PortAnswer stat_path(PortCall& call, guest_abi::WasiStatRequest& request);
PortAnswer set_times_of_path(PortCall& call, guest_abi::WasiSetTimesRequest& request);
PortAnswer create_directory(PortCall& call, guest_abi::WasiPathRequest& request);
PortAnswer remove_directory(PortCall& call, guest_abi::WasiPathRequest& request);
PortAnswer unlink_path(PortCall& call, guest_abi::WasiPathRequest& request);
PortAnswer read_link(PortCall& call, guest_abi::WasiReadLinkRequest& request);
PortAnswer symlink_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request);
PortAnswer link_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request);
PortAnswer rename_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request);
// poll_port.cc
PortAnswer poll_handles(PortCall& call, guest_abi::WasiPollRequest& request);
// socket_ports.cc
PortAnswer accept_connection(PortCall& call, guest_abi::WasiAcceptRequest& request);
PortAnswer receive(PortCall& call, guest_abi::WasiTransferRequest& request);
PortAnswer send(PortCall& call, guest_abi::WasiTransferRequest& request);
PortAnswer shutdown_handle(PortCall& call, guest_abi::WasiHandleRequest& request);
// own_socket_ports.cc
PortAnswer make_socket(PortCall& call, guest_abi::WasiSocketRequest& request);
PortAnswer bind_socket(PortCall& call, guest_abi::WasiAddressRequest& request);
PortAnswer connect_socket(PortCall& call, guest_abi::WasiAddressRequest& request);
PortAnswer finish_connect(PortCall& call, guest_abi::WasiHandleRequest& request);
PortAnswer listen_at_socket(PortCall& call, guest_abi::WasiHandleRequest& request);
PortAnswer address_of_socket(PortCall& call, guest_abi::WasiAddressRequest& request);
// socket_option_port.cc
PortAnswer option_of_socket(PortCall& call, guest_abi::WasiOptionRequest& request);
// datagram_ports.cc
PortAnswer send_datagrams(PortCall& call, guest_abi::WasiDatagramsRequest& request);
PortAnswer receive_datagrams(PortCall& call, guest_abi::WasiDatagramsRequest& request);
// lookup_ports.cc
PortAnswer resolve_host_name(PortCall& call, guest_abi::WasiResolveRequest& request);
PortAnswer next_address(PortCall& call, guest_abi::WasiNextAddressRequest& request);
// http_ports.cc
PortAnswer start_exchange(PortCall& call, guest_abi::HttpStartRequest& request);
PortAnswer take_of_exchange(PortCall& call, guest_abi::HttpTakeRequest& request);
PortAnswer finish_request_body(PortCall& call, guest_abi::HttpFinishRequest& request);
// service_ports.cc
PortAnswer log_message(PortCall& call, guest_abi::WasiLogRequest& request);
PortAnswer config_value(PortCall& call, guest_abi::WasiConfigRequest& request);
PortAnswer config_values(PortCall& call, guest_abi::WasiConfigRequest& request);
// bucket_ports.cc
PortAnswer open_bucket(PortCall& call, guest_abi::WasiResolveRequest& request);
PortAnswer get_entry(PortCall& call, guest_abi::WasiBucketRequest& request);
PortAnswer set_entry(PortCall& call, guest_abi::WasiBucketRequest& request);
PortAnswer delete_entry(PortCall& call, guest_abi::WasiBucketRequest& request);
PortAnswer find_key(PortCall& call, guest_abi::WasiBucketRequest& request);
PortAnswer list_keys(PortCall& call, guest_abi::WasiBucketRequest& request);
PortAnswer increment_entry(PortCall& call, guest_abi::WasiBucketRequest& request);

}  // namespace mayfly::wasi
