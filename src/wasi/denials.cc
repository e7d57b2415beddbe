// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is looked at here only becomes text: paths are read a second time, and resolved by name.
#include "wasi/denials.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstring>
#include <filesystem>
#include <optional>
#include <system_error>

#include "runtime/printable.h"

namespace mayfly::wasi {

namespace {

using guest_abi::WasiPort;
using std::filesystem::path;

std::string quoted(const std::string& text) { return "\"" + runtime::printable(text) + "\""; }

std::string host_path_of(const Handle& handle) {
  std::array<char, PATH_MAX> target{};
  const std::string link = "/proc/self/fd/" + std::to_string(handle.fd.get());
  const ssize_t bytes = ::readlink(link.c_str(), target.data(), target.size());
  return bytes < 0 ? std::string() : std::string(target.data(), static_cast<size_t>(bytes));
}

// Where a file would lie, as a directory to give.
std::string folder_of(const path& file) {
  const std::string folder = file.parent_path().string();
  return folder.empty() ? "/" : folder;
}

std::string say_nowhere(const std::string& name) {
  const path full = (path("/") / name).lexically_normal();
  return quoted(full.string()) + " is in no directory of the program's; --dir HOST::" +
         runtime::printable(folder_of(full)) + " would allow it";
}

std::string say_read_only(const Handle& directory, const std::string& name) {
  const std::string guest = directory.name.empty() ? "" : "::" + directory.name;
  return quoted(name) + " is in a directory to read only; --dir " +
         runtime::printable(host_path_of(directory) + guest) + " without :ro would allow it";
}

// Nothing when the path stays inside, so that it was refused for another reason.
std::optional<std::string> say_outside(const Handle& directory, const std::string& name) {
  if (directory.is_in_memory) return quoted(name) + " leads out of a directory in memory";
  const path root = host_path_of(directory);
  std::error_code error;
  const path target = std::filesystem::weakly_canonical(root / name, error);
  if (error || root.empty()) return std::nullopt;
  const auto [end, ignored] = std::mismatch(root.begin(), root.end(), target.begin(), target.end());
  if (end == root.end()) return std::nullopt;
  return quoted(name) + " leads out of " + runtime::printable(root.string()) + "; --dir " +
         runtime::printable(folder_of(target)) + " would allow it under that name";
}

template <typename Request>
Request request_of(std::span<const uint8_t> bytes) {
  Request request{};
  std::memcpy(&request, bytes.data(), std::min(bytes.size(), sizeof request));
  return request;
}

}  // namespace

void Denials::see(PortCall& call, WasiPort port, std::span<const uint8_t> bytes) {
  if (!sink_ || said_.size() > kSaidMax) return;
  const auto look = [&](uint32_t directory, const guest_abi::WasiRange& range, uint32_t error) {
    if (error != 0) look_at(call, directory, range, static_cast<Errno>(error));
  };
  switch (port) {
    case WasiPort::kOpen: {
      const auto request = request_of<guest_abi::WasiOpenRequest>(bytes);
      return look(request.directory, request.path, request.error);
    }
    case WasiPort::kPathStat: {
      const auto request = request_of<guest_abi::WasiStatRequest>(bytes);
      return look(request.handle, request.path, request.error);
    }
    case WasiPort::kPathSetTimes: {
      const auto request = request_of<guest_abi::WasiSetTimesRequest>(bytes);
      return look(request.handle, request.path, request.error);
    }
    case WasiPort::kCreateDirectory:
    case WasiPort::kRemoveDirectory:
    case WasiPort::kUnlink: {
      const auto request = request_of<guest_abi::WasiPathRequest>(bytes);
      return look(request.directory, request.path, request.error);
    }
    case WasiPort::kReadLink: {
      const auto request = request_of<guest_abi::WasiReadLinkRequest>(bytes);
      return look(request.directory, request.path, request.error);
    }
    case WasiPort::kSymlink:
    case WasiPort::kLink:
    case WasiPort::kRename: {
      const auto request = request_of<guest_abi::WasiTwoPathsRequest>(bytes);
      if (port != WasiPort::kSymlink) look(request.old_directory, request.old_path, request.error);
      return look(request.new_directory, request.new_path, request.error);
    }
    default:
      return see_network(call, port, bytes);
  }
}

void Denials::look_at(PortCall& call, uint32_t directory, const guest_abi::WasiRange& range,
                      Errno error) {
  const Handle* const handle = call.find(directory);
  std::string name;
  const auto read = read_path(call, range, &name);
  if (handle == nullptr || !read || *read != Errno::kSuccess) return;
  if (handle->is_nowhere) {
    say(say_nowhere(name));
  } else if (error == Errno::kRoFs && handle->access == TreeAccess::kReadOnly) {
    say(say_read_only(*handle, name));
  } else if (error == Errno::kPerm) {
    if (const auto text = say_outside(*handle, name)) say(*text);
  }
}

void Denials::say(const std::string& text) {
  if (!said_.insert(text).second) return;
  sink_("mayfly: denied: " +
        (said_.size() > kSaidMax ? "there is more, which is not shown" : text) + "\n");
}

Result<Handle> create_nowhere() {
  Handle handle;
  handle.fd = MAYFLY_TRY(open_file("/dev/null", O_PATH | O_CLOEXEC));
  handle.filetype = FileType::kDirectory;
  handle.flags = guest_abi::kWasiReadable | guest_abi::kWasiPreopen;
  handle.is_nowhere = true;
  handle.name = "/";
  return handle;
}

// As wasi-libc does: leading slashes and dots are nothing.
bool is_root_name(std::string_view guest_path) {
  while (!guest_path.empty()) {
    if (guest_path.front() == '/') {
      guest_path.remove_prefix(1);
    } else if (guest_path.starts_with("./")) {
      guest_path.remove_prefix(2);
    } else {
      break;
    }
  }
  return guest_path.empty() || guest_path == ".";
}

}  // namespace mayfly::wasi
