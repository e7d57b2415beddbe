// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ports that take paths, but opening: each resolves beneath a directory handle, then acts on an
// fd or on one name in an open directory, which the kernel's calls do not follow.
#include <fcntl.h>
#include <sys/stat.h>

#include <climits>

#include "wasi/file_status.h"
#include "wasi/port_call.h"

namespace mayfly::wasi {

namespace {

namespace p1 = guest_abi::wasi;

FollowLast follow_of(uint32_t lookup_flags) {
  return (lookup_flags & p1::kLookupSymlinkFollow) != 0 ? FollowLast::kYes : FollowLast::kNo;
}

// What a path names, as an fd that can be looked at but not read.
PortAnswer open_to_look(PortCall& call, uint32_t directory, Intent intent,
                        const guest_abi::WasiRange& range, FollowLast follow, Fd* fd) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_directory(call, directory, intent, &handle));
  std::string path;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_path(call, range, &path)));
  Opened opened = call.program.resolver.open(handle->fd.get(), path, {O_PATH, 0, follow});
  if (opened.error != 0) return from_errno(opened.error);
  *fd = std::move(opened.fd);
  return Errno::kSuccess;
}

// The directory and the name of what a path names, or could name, to change it.
PortAnswer find_parent(PortCall& call, uint32_t directory, const guest_abi::WasiRange& range,
                       Parent* parent) {
  Handle* handle = nullptr;
  MAYFLY_ERRNO_TRY(find_directory(call, directory, Intent::kChange, &handle));
  std::string path;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_path(call, range, &path)));
  *parent = call.program.resolver.parent(handle->fd.get(), path);
  return parent->error == 0 ? Errno::kSuccess : from_errno(parent->error);
}

// An empty path names the fd itself.
constexpr const char* kTheFdItself = "";

}  // namespace

PortAnswer stat_path(PortCall& call, guest_abi::WasiStatRequest& request) {
  Fd fd;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(open_to_look(call, request.handle, Intent::kLook, request.path,
                                           follow_of(request.lookup_flags), &fd)));
  struct stat status{};
  MAYFLY_ERRNO_TRY(errno_of(fstat(fd.get(), &status)));
  request.stat = to_wasi(status);
  return Errno::kSuccess;
}

PortAnswer set_times_of_path(PortCall& call, guest_abi::WasiSetTimesRequest& request) {
  std::array<timespec, 2> times{};
  MAYFLY_ERRNO_TRY(times_to_set(request, &times));
  Fd fd;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(open_to_look(call, request.handle, Intent::kChange, request.path,
                                           follow_of(request.lookup_flags), &fd)));
  return errno_of(utimensat(fd.get(), kTheFdItself, times.data(), AT_EMPTY_PATH));
}

PortAnswer create_directory(PortCall& call, guest_abi::WasiPathRequest& request) {
  Parent parent;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.directory, request.path, &parent)));
  return errno_of(mkdirat(parent.directory, parent.name.c_str(), 0777));
}

PortAnswer remove_directory(PortCall& call, guest_abi::WasiPathRequest& request) {
  Parent parent;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.directory, request.path, &parent)));
  return errno_of(unlinkat(parent.directory, parent.name.c_str(), AT_REMOVEDIR));
}

PortAnswer unlink_path(PortCall& call, guest_abi::WasiPathRequest& request) {
  Parent parent;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.directory, request.path, &parent)));
  return errno_of(unlinkat(parent.directory, parent.name.c_str(), 0));
}

PortAnswer read_link(PortCall& call, guest_abi::WasiReadLinkRequest& request) {
  Fd fd;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(
      open_to_look(call, request.directory, Intent::kLook, request.path, FollowLast::kNo, &fd)));
  struct stat status{};
  MAYFLY_ERRNO_TRY(errno_of(fstat(fd.get(), &status)));
  if (!S_ISLNK(status.st_mode)) return Errno::kInval;
  std::array<char, PATH_MAX> target{};
  const ssize_t size = readlinkat(fd.get(), kTheFdItself, target.data(), target.size());
  MAYFLY_ERRNO_TRY(errno_of(size));
  const uint64_t bytes = std::min(static_cast<uint64_t>(size), request.to.bytes);
  // SAFETY: bytes of an array of char, within what readlinkat() filled.
  MAYFLY_TRY(call.guest().write(request.to.address,
                                {reinterpret_cast<const uint8_t*>(target.data()), bytes}));
  request.bytes = bytes;
  return Errno::kSuccess;
}

PortAnswer symlink_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request) {
  std::string target;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_path(call, request.old_path, &target)));
  // The program could not follow it, but others might.
  if (target.front() == '/') return Errno::kPerm;
  Parent parent;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.new_directory, request.new_path, &parent)));
  return errno_of(symlinkat(target.c_str(), parent.directory, parent.name.c_str()));
}

PortAnswer link_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request) {
  Parent source;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.old_directory, request.old_path, &source)));
  Parent target;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.new_directory, request.new_path, &target)));
  if (source.name == "." || source.name == ".." || source.name.ends_with('/')) {
    // The kernel would follow a link here. All that such a name can be is a directory.
    std::string path;
    MAYFLY_ERRNO_TRY(MAYFLY_TRY(read_path(call, request.old_path, &path)));
    const Opened opened =
        call.program.resolver.open(call.find(request.old_directory)->fd.get(), path,
                                   {O_PATH | O_DIRECTORY, 0, FollowLast::kYes});
    return opened.error == 0 ? Errno::kPerm : from_errno(opened.error);
  }
  return errno_of(
      linkat(source.directory, source.name.c_str(), target.directory, target.name.c_str(), 0));
}

PortAnswer rename_path(PortCall& call, guest_abi::WasiTwoPathsRequest& request) {
  Parent source;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.old_directory, request.old_path, &source)));
  Parent target;
  MAYFLY_ERRNO_TRY(MAYFLY_TRY(find_parent(call, request.new_directory, request.new_path, &target)));
  return errno_of(
      renameat(source.directory, source.name.c_str(), target.directory, target.name.c_str()));
}

}  // namespace mayfly::wasi
