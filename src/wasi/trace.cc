// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A port's name, its arguments before the call, its result after it. Whatever the guest put there
// is only printed.
#include "wasi/trace.h"

#include <array>
#include <chrono>
#include <cstring>

#include "guest_abi/http.h"
#include "guest_abi/service_ports.h"
#include "guest_abi/wasi.h"
#include "guest_abi/wasi_ports.h"
#include "runtime/printable.h"
#include "wasi/socket_address.h"

namespace mayfly::wasi {
namespace {

using guest_abi::WasiPort;
using guest_abi::WasiRange;
namespace p1 = guest_abi::wasi;

constexpr uint64_t kTextBytesMax = 256;

// By p1::Errno.
constexpr std::array<std::string_view, 77> kErrnoNames = {
    "SUCCESS",     "2BIG",           "ACCES",       "ADDRINUSE",   "ADDRNOTAVAIL",
    "AFNOSUPPORT", "AGAIN",          "ALREADY",     "BADF",        "BADMSG",
    "BUSY",        "CANCELED",       "CHILD",       "CONNABORTED", "CONNREFUSED",
    "CONNRESET",   "DEADLK",         "DESTADDRREQ", "DOM",         "DQUOT",
    "EXIST",       "FAULT",          "FBIG",        "HOSTUNREACH", "IDRM",
    "ILSEQ",       "INPROGRESS",     "INTR",        "INVAL",       "IO",
    "ISCONN",      "ISDIR",          "LOOP",        "MFILE",       "MLINK",
    "MSGSIZE",     "MULTIHOP",       "NAMETOOLONG", "NETDOWN",     "NETRESET",
    "NETUNREACH",  "NFILE",          "NOBUFS",      "NODEV",       "NOENT",
    "NOEXEC",      "NOLCK",          "NOLINK",      "NOMEM",       "NOMSG",
    "NOPROTOOPT",  "NOSPC",          "NOSYS",       "NOTCONN",     "NOTDIR",
    "NOTEMPTY",    "NOTRECOVERABLE", "NOTSOCK",     "NOTSUP",      "NOTTY",
    "NXIO",        "OVERFLOW",       "OWNERDEAD",   "PERM",        "PIPE",
    "PROTO",       "PROTONOSUPPORT", "PROTOTYPE",   "RANGE",       "ROFS",
    "SPIPE",       "SRCH",           "STALE",       "TIMEDOUT",    "TXTBSY",
    "XDEV",        "NOTCAPABLE"};
static_assert(kErrnoNames[static_cast<size_t>(p1::Errno::kNoEnt)] == "NOENT");
static_assert(kErrnoNames[static_cast<size_t>(p1::Errno::kRoFs)] == "ROFS");
static_assert(kErrnoNames[static_cast<size_t>(p1::Errno::kNotCapable)] == "NOTCAPABLE");

// By WasiPort.
constexpr std::array<std::string_view, 54> kPortNames = {"start",
                                                         "text",
                                                         "describe",
                                                         "open",
                                                         "close",
                                                         "read",
                                                         "write",
                                                         "seek",
                                                         "stat",
                                                         "path_stat",
                                                         "set_times",
                                                         "path_set_times",
                                                         "set_size",
                                                         "allocate",
                                                         "advise",
                                                         "sync",
                                                         "readdir",
                                                         "create_directory",
                                                         "remove_directory",
                                                         "unlink",
                                                         "readlink",
                                                         "symlink",
                                                         "link",
                                                         "rename",
                                                         "poll",
                                                         "accept",
                                                         "receive",
                                                         "send",
                                                         "shutdown",
                                                         "settle",
                                                         "socket",
                                                         "bind",
                                                         "connect",
                                                         "finish-connect",
                                                         "listen",
                                                         "socket-address",
                                                         "socket-option",
                                                         "send-datagrams",
                                                         "receive-datagrams",
                                                         "resolve",
                                                         "next-address",
                                                         "http-start",
                                                         "http-take",
                                                         "http-finish",
                                                         "log",
                                                         "config-get",
                                                         "config-all",
                                                         "bucket-open",
                                                         "bucket-get",
                                                         "bucket-set",
                                                         "bucket-delete",
                                                         "bucket-exists",
                                                         "bucket-keys",
                                                         "bucket-increment"};
static_assert(kPortNames.size() == guest_abi::kWasiPortLast - guest_abi::kWasiPortFirst + 1);

struct Line {
  const runtime::GuestAccess& guest;
  std::string arguments;
  std::string result;  // of a call that succeeded; empty: "0"

  void add(const std::string& argument) { arguments += (arguments.empty() ? "" : ", ") + argument; }
  void add(uint64_t number) { add(std::to_string(number)); }
  void add(const WasiRange& text) {
    std::vector<uint8_t> bytes(std::min(text.bytes, kTextBytesMax));
    if (!guest.read(text.address, bytes)) return add("?");
    const std::string more = text.bytes > bytes.size() ? "..." : "";
    add("\"" + runtime::printable(std::string(bytes.begin(), bytes.end())) + "\"" + more);
  }
};

template <typename Request>
Request request_of(std::span<const uint8_t> bytes) {
  Request request;
  std::memcpy(&request, bytes.data(), sizeof request);
  return request;
}

struct Flag {
  uint32_t bit;
  std::string_view name;
};

std::string flags_text(uint32_t flags, std::span<const Flag> names) {
  std::string text;
  for (const Flag& flag : names) {
    if ((flags & flag.bit) != 0) text += (text.empty() ? "" : "|") + std::string(flag.name);
  }
  return text.empty() ? "0" : text;
}

void describe(Line& line, const guest_abi::WasiOpenRequest& request) {
  static constexpr Flag kOpen[] = {{p1::kOpenCreat, "creat"},
                                   {p1::kOpenDirectory, "directory"},
                                   {p1::kOpenExcl, "excl"},
                                   {p1::kOpenTrunc, "trunc"}};
  static constexpr Flag kAccess[] = {{guest_abi::kWasiReadable, "read"},
                                     {guest_abi::kWasiWritable, "write"}};
  line.add(request.directory);
  line.add(request.path);
  line.add(flags_text(request.open_flags, kOpen));
  line.add(flags_text(request.access, kAccess));
  line.result = std::to_string(request.description.handle);
}

void describe(Line& line, const guest_abi::WasiTransferRequest& request) {
  uint64_t bytes = 0;
  const uint32_t count = std::min(request.buffers_count, guest_abi::kWasiBuffersMax);
  for (uint32_t i = 0; i < count; ++i) bytes += request.buffers[i].bytes;
  line.add(request.handle);
  line.add(std::to_string(bytes) + " bytes");
  if (request.use_position != 0) line.add("at " + std::to_string(request.position));
  line.result = std::to_string(request.bytes);
}

void describe(Line& line, const guest_abi::WasiSeekRequest& request) {
  line.add(request.handle);
  line.add(std::to_string(static_cast<int64_t>(request.offset)));
  line.add(request.whence == 0 ? "set" : request.whence == 1 ? "current" : "end");
  line.result = std::to_string(request.position);
}

void describe(Line& line, const guest_abi::WasiStatRequest& request) {
  line.add(request.handle);
  if (request.path.bytes != 0) line.add(request.path);
  line.result = "type " + std::to_string(request.stat.filetype) + ", " +
                std::to_string(request.stat.size) + " bytes";
}

void describe(Line& line, const guest_abi::WasiSetTimesRequest& request) {
  line.add(request.handle);
  if (request.path.bytes != 0) line.add(request.path);
}

void describe(Line& line, const guest_abi::WasiRangeRequest& request) {
  line.add(request.handle);
  line.add(request.offset);
  line.add(request.length);
}

void describe(Line& line, const guest_abi::WasiReadDirectoryRequest& request) {
  line.add(request.handle);
  line.add("from " + std::to_string(request.cookie));
  line.add(std::to_string(request.to.bytes) + " bytes");
  line.result = std::to_string(request.bytes);
}

void describe(Line& line, const guest_abi::WasiPathRequest& request) {
  line.add(request.directory);
  line.add(request.path);
}

void describe(Line& line, const guest_abi::WasiReadLinkRequest& request) {
  line.add(request.directory);
  line.add(request.path);
  line.result = std::to_string(request.bytes);
}

void describe(Line& line, const guest_abi::WasiTwoPathsRequest& request) {
  line.add(request.old_directory);
  line.add(request.old_path);
  line.add(request.new_directory);
  line.add(request.new_path);
}

void describe(Line& line, const guest_abi::WasiPollRequest& request) {
  line.add(std::to_string(request.entries.bytes / sizeof(guest_abi::WasiPollEntry)) + " entries");
  line.add(request.has_timeout != 0 ? std::to_string(request.timeout_ns) + " ns" : "no timeout");
  line.result = std::to_string(request.ready_count) + " ready";
}

void describe(Line& line, const guest_abi::WasiAcceptRequest& request) {
  line.add(request.handle);
  line.result = std::to_string(request.description.handle);
}

void describe(Line& line, const guest_abi::WasiHandleRequest& request) { line.add(request.handle); }

void describe(Line& line, const guest_abi::WasiDescribeRequest& request) {
  line.add(request.handle);
}

void describe(Line& line, const guest_abi::WasiTextRequest& request) {
  line.add(std::to_string(request.to.bytes) + " bytes");
}

void describe(Line& line, const guest_abi::WasiStartRequest& request) {
  line.result = std::to_string(request.handle_count) + " handles, " +
                std::to_string(request.args_count) + " arguments, " +
                std::to_string(request.environ_count) + " variables";
}

void describe(Line& line, const guest_abi::WasiSocketRequest& request) {
  const bool is_tcp = request.type == static_cast<uint8_t>(p1::FileType::kSocketStream);
  line.add(std::string(is_tcp ? "tcp" : "udp"));
  line.add("ipv" + std::to_string(request.family));
  line.result = std::to_string(request.description.handle);
}

void describe_address(Line& line, const guest_abi::WasiAddressRequest& request, WasiPort port) {
  line.add(request.handle);
  if (port != WasiPort::kSocketAddress) return line.add(to_string(request.address));
  const auto which = static_cast<guest_abi::WasiAddressOf>(request.detail);
  line.add(std::string(which == guest_abi::WasiAddressOf::kPeer ? "peer" : "local"));
  line.result = to_string(request.answer);
}

void describe(Line& line, const guest_abi::WasiOptionRequest& request) {
  static constexpr std::array<std::string_view, 7> kNames = {
      "keep-alive", "keep-alive-idle", "keep-alive-interval", "keep-alive-count",
      "hop-limit",  "receive-buffer",  "send-buffer"};
  line.add(request.handle);
  const bool is_known = request.option < kNames.size();
  line.add(is_known ? std::string(kNames[request.option]) : std::to_string(request.option));
  if (request.sets != 0) return line.add(request.value);
  line.result = std::to_string(request.value_out);
}

void describe(Line& line, const guest_abi::WasiDatagramsRequest& request) {
  line.add(request.handle);
  line.add(std::to_string(request.count) + " datagrams");
  line.result = std::to_string(request.done);
}

void describe(Line& line, const guest_abi::WasiResolveRequest& request) {
  line.add(request.name);
  line.result = std::to_string(request.description.handle);
}

void describe(Line& line, const guest_abi::WasiNextAddressRequest& request) {
  static constexpr std::array<std::string_view, 5> kAnswers = {"", "no more", "no such name",
                                                               "failed for now", "failed for good"};
  line.add(request.handle);
  line.result = request.lookup == 0 || request.lookup >= kAnswers.size()
                    ? to_string(request.address)
                    : std::string(kAnswers[request.lookup]);
}

void describe(Line& line, const guest_abi::HttpStartRequest& request) {
  line.add(request.method);
  line.add(request.is_https != 0 ? "https" : "http");
  line.add(request.authority);
  line.add(request.path);
  line.result = std::to_string(request.handle);
}

void describe(Line& line, const guest_abi::HttpTakeRequest& request) {
  static constexpr std::array<const char*, 3> kParts = {"head", "trailers", "failure"};
  line.add(request.handle);
  line.add(request.part < kParts.size() ? kParts[request.part] : std::to_string(request.part));
  line.result = std::to_string(request.bytes) + " bytes";
  if (request.part == 0) line.result += ", status " + std::to_string(request.status);
}

void describe(Line& line, const guest_abi::HttpFinishRequest& request) {
  line.add(request.handle);
  line.add(request.is_whole != 0 ? "whole" : "broken");
}

void describe(Line& line, const guest_abi::WasiLogRequest& request) {
  line.add(request.level);
  line.add(request.context);
  line.add(request.message);
}

void describe(Line& line, const guest_abi::WasiConfigRequest& request) {
  if (request.key.bytes != 0) line.add(request.key);
  line.add(std::to_string(request.to.bytes) + " bytes");
  line.result =
      std::to_string(request.found) + " found, " + std::to_string(request.bytes) + " bytes";
}

void describe_bucket(Line& line, const guest_abi::WasiBucketRequest& request, WasiPort port) {
  line.add(request.bucket);
  if (port != WasiPort::kBucketKeys) line.add(request.key);
  const std::string found = std::to_string(request.found) + " found";
  const std::string bytes = std::to_string(request.bytes) + " bytes";
  if (port == WasiPort::kBucketSet) line.add(std::to_string(request.value.bytes) + " bytes");
  if (port == WasiPort::kBucketExists) line.result = found;
  if (port == WasiPort::kBucketGet || port == WasiPort::kBucketKeys) {
    line.add(std::to_string(request.value.bytes) + " bytes");
    line.result = found + ", " + bytes;
  }
  if (port == WasiPort::kBucketKeys) line.result += ", next " + std::to_string(request.number_out);
  if (port == WasiPort::kBucketIncrement) {
    line.add(request.number);
    line.result = std::to_string(request.number_out);
  }
}

template <typename Request>
uint32_t describe_as(Line& line, std::span<const uint8_t> bytes) {
  const auto request = request_of<Request>(bytes);
  describe(line, request);
  return request.error;
}

uint32_t describe_service_port(WasiPort port, Line& line, std::span<const uint8_t> bytes) {
  switch (port) {
    case WasiPort::kLog:
      return describe_as<guest_abi::WasiLogRequest>(line, bytes);
    case WasiPort::kConfigGet:
    case WasiPort::kConfigAll:
      return describe_as<guest_abi::WasiConfigRequest>(line, bytes);
    case WasiPort::kBucketOpen:
      return describe_as<guest_abi::WasiResolveRequest>(line, bytes);
    case WasiPort::kBucketGet:
    case WasiPort::kBucketSet:
    case WasiPort::kBucketDelete:
    case WasiPort::kBucketExists:
    case WasiPort::kBucketKeys:
    case WasiPort::kBucketIncrement: {
      const auto request = request_of<guest_abi::WasiBucketRequest>(bytes);
      describe_bucket(line, request, port);
      return request.error;
    }
    default:
      return 0;
  }
}

uint32_t describe_network_port(WasiPort port, Line& line, std::span<const uint8_t> bytes) {
  switch (port) {
    case WasiPort::kSocket:
      return describe_as<guest_abi::WasiSocketRequest>(line, bytes);
    case WasiPort::kBind:
    case WasiPort::kConnect:
    case WasiPort::kSocketAddress: {
      const auto request = request_of<guest_abi::WasiAddressRequest>(bytes);
      describe_address(line, request, port);
      return request.error;
    }
    case WasiPort::kSocketOption:
      return describe_as<guest_abi::WasiOptionRequest>(line, bytes);
    case WasiPort::kSendDatagrams:
    case WasiPort::kReceiveDatagrams:
      return describe_as<guest_abi::WasiDatagramsRequest>(line, bytes);
    case WasiPort::kResolve:
      return describe_as<guest_abi::WasiResolveRequest>(line, bytes);
    case WasiPort::kNextAddress:
      return describe_as<guest_abi::WasiNextAddressRequest>(line, bytes);
    case WasiPort::kHttpStart:
      return describe_as<guest_abi::HttpStartRequest>(line, bytes);
    case WasiPort::kHttpTake:
      return describe_as<guest_abi::HttpTakeRequest>(line, bytes);
    case WasiPort::kHttpFinish:
      return describe_as<guest_abi::HttpFinishRequest>(line, bytes);
    default:
      return describe_service_port(port, line, bytes);
  }
}

// Fills the line; answers the errno.
uint32_t describe_port(WasiPort port, Line& line, std::span<const uint8_t> bytes) {
  switch (port) {
    case WasiPort::kStart:
      return describe_as<guest_abi::WasiStartRequest>(line, bytes);
    case WasiPort::kText:
      return describe_as<guest_abi::WasiTextRequest>(line, bytes);
    case WasiPort::kDescribe:
      return describe_as<guest_abi::WasiDescribeRequest>(line, bytes);
    case WasiPort::kOpen:
      return describe_as<guest_abi::WasiOpenRequest>(line, bytes);
    case WasiPort::kClose:
    case WasiPort::kShutdown:
    case WasiPort::kSettle:
    case WasiPort::kFinishConnect:
    case WasiPort::kListen:
      return describe_as<guest_abi::WasiHandleRequest>(line, bytes);
    case WasiPort::kRead:
    case WasiPort::kWrite:
    case WasiPort::kReceive:
    case WasiPort::kSend:
      return describe_as<guest_abi::WasiTransferRequest>(line, bytes);
    case WasiPort::kSeek:
      return describe_as<guest_abi::WasiSeekRequest>(line, bytes);
    case WasiPort::kStat:
    case WasiPort::kPathStat:
      return describe_as<guest_abi::WasiStatRequest>(line, bytes);
    case WasiPort::kSetTimes:
    case WasiPort::kPathSetTimes:
      return describe_as<guest_abi::WasiSetTimesRequest>(line, bytes);
    case WasiPort::kSetSize:
    case WasiPort::kAllocate:
    case WasiPort::kAdvise:
    case WasiPort::kSync:
      return describe_as<guest_abi::WasiRangeRequest>(line, bytes);
    case WasiPort::kReadDirectory:
      return describe_as<guest_abi::WasiReadDirectoryRequest>(line, bytes);
    case WasiPort::kCreateDirectory:
    case WasiPort::kRemoveDirectory:
    case WasiPort::kUnlink:
      return describe_as<guest_abi::WasiPathRequest>(line, bytes);
    case WasiPort::kReadLink:
      return describe_as<guest_abi::WasiReadLinkRequest>(line, bytes);
    case WasiPort::kSymlink:
    case WasiPort::kLink:
    case WasiPort::kRename:
      return describe_as<guest_abi::WasiTwoPathsRequest>(line, bytes);
    case WasiPort::kPoll:
      return describe_as<guest_abi::WasiPollRequest>(line, bytes);
    case WasiPort::kAccept:
      return describe_as<guest_abi::WasiAcceptRequest>(line, bytes);
    default:
      return describe_network_port(port, line, bytes);
  }
}

std::string name_of(uint32_t port) {
  if (port < guest_abi::kWasiPortFirst || port > guest_abi::kWasiPortLast) {
    return "port " + std::to_string(port);
  }
  return std::string(kPortNames[port - guest_abi::kWasiPortFirst]);
}

std::string error_text(uint32_t error) {
  return error < kErrnoNames.size() ? "E" + std::string(kErrnoNames[error])
                                    : "error " + std::to_string(error);
}

}  // namespace

Result<runtime::PortOutcome> Trace::handle(uint32_t port, runtime::PortContext& context,
                                           std::span<uint8_t> request) {
  const auto started = std::chrono::steady_clock::now();
  auto outcome = handler_.handle(port, context, request);
  const auto passed = std::chrono::steady_clock::now() - started;
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(passed).count();
  const std::string time = " <" + std::to_string(us) + " us>\n";
  if (!outcome) {
    sink_(name_of(port) + "() ends the call: " + runtime::printable(outcome.error().message) +
          time);
    return outcome;
  }
  // The in fields are as they were: a handler changes out fields only. Text is read after the call,
  // when the guest still waits.
  Line line{context.guest, "", ""};
  const uint32_t error = describe_port(static_cast<WasiPort>(port), line, request);
  const std::string result = error != 0            ? "-1 " + error_text(error)
                             : line.result.empty() ? "0"
                                                   : line.result;
  sink_(name_of(port) + "(" + line.arguments + ") = " + result + time);
  return outcome;
}

namespace {

// Each record as the write that it was. All of it is the guest's claim.
std::string behind_lines(const runtime::GuestAccess& guest, const guest_abi::WriteBehind& words) {
  std::string lines;
  uint64_t left = words.produced - words.consumed;
  if (left > guest_abi::kBehindBufferBytes) return lines;
  uint64_t address = words.buffer + (words.consumed - words.base);
  while (left >= sizeof(guest_abi::BehindRecord)) {
    std::array<uint8_t, sizeof(guest_abi::BehindRecord)> bytes{};
    if (!guest.read(address, bytes)) break;
    const auto record = request_of<guest_abi::BehindRecord>(bytes);
    lines +=
        "write(" + std::to_string(record.handle) + ", " + std::to_string(record.bytes) + " bytes";
    if (record.position != guest_abi::kBehindHostPosition) {
      lines += ", at " + std::to_string(record.position);
    }
    lines += ") behind\n";
    const uint64_t taken = guest_abi::behind_record_bytes(record.bytes);
    if (taken > left) break;
    left -= taken;
    address += taken;
  }
  return lines;
}

}  // namespace

Result<void> Trace::settle(runtime::PortContext& context) {
  if (context.behind == nullptr) return handler_.settle(context);
  const std::string lines = behind_lines(context.guest, context.behind->words());
  if (!lines.empty()) sink_(lines);
  auto settled = handler_.settle(context);
  if (!settled) {
    sink_("settle() ends the call: " + runtime::printable(settled.error().message) + "\n");
  }
  return settled;
}

}  // namespace mayfly::wasi
