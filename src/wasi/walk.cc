// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One component at a time. Invariants: (1) every open names one component and follows no link, so
// the kernel never leaves the directory that was opened before; (2) ".." goes back to the
// directory that was come from, never to the kernel's parent, so a moved directory leads nowhere.
#include "wasi/walk.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <vector>

namespace mayfly::wasi {

namespace {

constexpr int kLinksMax = 40;            // as the kernel has it
constexpr size_t kDirectoriesMax = 256;  // open at once

class Walk {
 public:
  Walk(int root, const OpenHow& how) : root_(root), how_(how) {}

  Opened run(const std::string& path) {
    if (int error = push_path(path); error != 0) return {Fd(), error};
    while (!pending_.empty()) {
      std::string name = std::move(pending_.back());
      pending_.pop_back();
      const bool is_last = pending_.empty() && !must_be_directory_;
      int error = 0;
      if (name == "..") {
        error = leave();
      } else if (is_last) {
        Opened opened = open_last(name);
        if (opened.fd.valid() || opened.error != 0) return opened;
      } else {
        error = enter(name);
      }
      if (error != 0) return {Fd(), error};
    }
    return open_here();
  }

 private:
  int current() const { return directories_.empty() ? root_ : directories_.back().get(); }

  // Puts the components of a path or of a link's target in front of what is left.
  int push_path(const std::string& path) {
    if (path.empty()) return ENOENT;
    if (path.front() == '/') return EPERM;
    const bool was_last = pending_.empty();
    std::vector<std::string> names;
    for (size_t begin = 0; begin < path.size();) {
      size_t end = path.find('/', begin);
      if (end == std::string::npos) end = path.size();
      std::string name = path.substr(begin, end - begin);
      if (!name.empty() && name != ".") names.push_back(std::move(name));
      begin = end + 1;
    }
    if (was_last && (path.back() == '/' || path.ends_with("/."))) must_be_directory_ = true;
    pending_.insert(pending_.end(), std::make_move_iterator(names.rbegin()),
                    std::make_move_iterator(names.rend()));
    return 0;
  }

  int leave() {
    if (directories_.empty()) return EPERM;
    directories_.pop_back();
    return 0;
  }

  int follow(int directory, const std::string& name) {
    if (++links_ > kLinksMax) return ELOOP;
    char target[PATH_MAX];
    const ssize_t size = readlinkat(directory, name.c_str(), target, sizeof target);
    if (size < 0) return errno;
    if (size == sizeof target) return ENAMETOOLONG;
    return push_path(std::string(target, static_cast<size_t>(size)));
  }

  // A component that others follow: a directory, or a link to one.
  int enter(const std::string& name) {
    Fd fd(openat(current(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) return errno;
    struct stat status{};
    if (fstat(fd.get(), &status) != 0) return errno;
    if (S_ISLNK(status.st_mode)) return follow(fd.get(), "");
    if (!S_ISDIR(status.st_mode)) return ENOTDIR;
    if (directories_.size() == kDirectoriesMax) return ENAMETOOLONG;
    directories_.push_back(std::move(fd));
    return 0;
  }

  // Neither an fd nor an error: the last component was a link, and its target is pending now.
  Opened open_last(const std::string& name) {
    Fd fd(openat(current(), name.c_str(), how_.flags | O_NOFOLLOW | O_CLOEXEC, how_.mode));
    const int error = fd.valid() ? 0 : errno;
    if (how_.follow_last == FollowLast::kNo) return {std::move(fd), error};
    const bool may_be_link =
        error == ELOOP || error == ENOTDIR || (fd.valid() && (how_.flags & O_PATH) != 0);
    if (!may_be_link) return {std::move(fd), error};
    struct stat status{};
    if (fstatat(current(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return {Fd(), errno};
    if (!S_ISLNK(status.st_mode)) return {std::move(fd), error};
    return {Fd(), follow(current(), name)};
  }

  // The path ended at a directory that is open already: by "..", "." or a slash.
  Opened open_here() {
    Fd fd(openat(current(), ".", how_.flags | O_NOFOLLOW | O_CLOEXEC, how_.mode));
    const int error = fd.valid() ? 0 : errno;
    return {std::move(fd), error};
  }

  int root_;
  const OpenHow& how_;
  std::vector<Fd> directories_;       // from the root to where the walk is
  std::vector<std::string> pending_;  // the next one last
  bool must_be_directory_ = false;
  int links_ = 0;
};

}  // namespace

Opened open_with_walk(int directory, const std::string& path, const OpenHow& how) {
  return Walk(directory, how).run(path);
}

}  // namespace mayfly::wasi
