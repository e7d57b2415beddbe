// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel's resolution beneath a directory, and the split of a path into directory and name.
#include "wasi/resolve.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "wasi/walk.h"

namespace mayfly::wasi {

namespace {

// EAGAIN says that something on the way was renamed while it was resolved.
constexpr int kAttemptsMax = 32;

Opened open_with_openat2(int directory, const std::string& path, const OpenHow& how) {
  open_how kernel{};
  kernel.flags = static_cast<uint64_t>(how.flags | O_CLOEXEC);
  if (how.follow_last == FollowLast::kNo) kernel.flags |= O_NOFOLLOW;
  kernel.mode = how.mode;
  kernel.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int attempt = 1;; ++attempt) {
    const long result = syscall(SYS_openat2, directory, path.c_str(), &kernel, sizeof kernel);
    if (result >= 0) return {Fd(static_cast<int>(result)), 0};
    if (errno == EINTR || (errno == EAGAIN && attempt < kAttemptsMax)) continue;
    // EXDEV means only this here: the path leads out of the directory.
    return {Fd(), errno == EXDEV ? EPERM : errno};
  }
}

}  // namespace

ResolveMethod Resolver::best_method() {
  const Opened root = open_with_openat2(AT_FDCWD, ".", {O_PATH | O_DIRECTORY, 0, FollowLast::kNo});
  return root.error == 0 ? ResolveMethod::kOpenat2 : ResolveMethod::kWalk;
}

Opened Resolver::open(int directory, const std::string& path, const OpenHow& how) const {
  return method_ == ResolveMethod::kOpenat2 ? open_with_openat2(directory, path, how)
                                            : open_with_walk(directory, path, how);
}

Parent Resolver::parent(int directory, std::string_view path) const {
  Parent result;
  const size_t name_end = path.find_last_not_of('/');
  if (name_end == std::string_view::npos || path.front() == '/') {
    result.error = path.empty() ? ENOENT : EPERM;
    return result;
  }
  const size_t slash = path.rfind('/', name_end);
  const size_t name_begin = slash == std::string_view::npos ? 0 : slash + 1;
  const std::string_view name = path.substr(name_begin, name_end + 1 - name_begin);
  constexpr OpenHow kDirectory{O_PATH | O_DIRECTORY, 0, FollowLast::kYes};
  if (name == "..") {
    // The calls refuse such a name; where it leads must not show in how they do.
    result.error = open(directory, std::string(path), kDirectory).error;
    if (result.error != 0) return result;
  }
  result.name = name;
  if (name_end + 1 < path.size()) result.name += '/';
  result.directory = directory;
  if (name_begin == 0) return result;
  Opened opened = open(directory, std::string(path.substr(0, name_begin)), kDirectory);
  result.error = opened.error;
  result.opened = std::move(opened.fd);
  result.directory = result.opened.get();
  return result;
}

}  // namespace mayfly::wasi
