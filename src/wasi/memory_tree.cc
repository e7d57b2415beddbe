// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The child does nothing but system calls: it is the copy of a process that may have other threads.
#include "wasi/memory_tree.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace mayfly::wasi {

namespace {

// What the child writes down, made before there is a child.
struct Options {
  std::string bytes;
  std::string files;
  std::string user_map;
  std::string group_map;
};

bool set(int context, const char* name, const std::string& value) {
  return ::syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, name, value.c_str(), 0) == 0;
}

// The root of a new tree, or -1 and errno.
int mount_tree(const Options& options) {
  const Fd context(static_cast<int>(::syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC)));
  if (!context.valid() || !set(context.get(), "size", options.bytes) ||
      !set(context.get(), "nr_inodes", options.files) || !set(context.get(), "mode", "0700") ||
      ::syscall(SYS_fsconfig, context.get(), FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) != 0) {
    return -1;
  }
  const Fd mount(
      static_cast<int>(::syscall(SYS_fsmount, context.get(), FSMOUNT_CLOEXEC,
                                 MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)));
  // What fsmount() gives can only be looked at.
  return mount.valid() ? ::openat(mount.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

bool write_file(const char* path, std::string_view text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  return fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

// One message: a byte, and the descriptor with it.
struct Message {
  char byte = 0;
  iovec data{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};

  Message() {
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
  }
};

bool send_descriptor(int socket, int descriptor) {
  Message message;
  cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof descriptor);
  std::memcpy(CMSG_DATA(part), &descriptor, sizeof descriptor);
  return ::sendmsg(socket, &message.header, MSG_NOSIGNAL) == 1;
}

Fd receive_descriptor(int socket) {
  Message message;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message.header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  const cmsghdr* const part = CMSG_FIRSTHDR(&message.header);
  if (got != 1 || part == nullptr || part->cmsg_type != SCM_RIGHTS) return Fd();
  int descriptor = -1;
  std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
  return Fd(descriptor);
}

[[noreturn]] void be_child(int socket, const Options& options) {
  int step = ::unshare(CLONE_NEWUSER | CLONE_NEWNS);
  if (step == 0) {
    // A group map needs it, where the right is not there.
    write_file("/proc/self/setgroups", "deny");
    // Unmapped, the files of the tree would be nobody's.
    if (write_file("/proc/self/uid_map", options.user_map) &&
        write_file("/proc/self/gid_map", options.group_map)) {
      step = mount_tree(options);
      if (step >= 0 && send_descriptor(socket, step)) ::_exit(0);
    }
  }
  ::_exit(errno);
}

Error not_allowed(int error) {
  return unsupported(
      "an in-memory directory needs CAP_SYS_ADMIN or user namespaces, and the "
      "kernel's tmpfs: " +
      std::string(std::strerror(error)));
}

Result<Fd> mount_in_child(const Options& options) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return host_error("socketpair");
  }
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  // The child has the handlers of this process, and must not run them.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  // No signal at its end: the process may count its own children.
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, 0, nullptr, nullptr, nullptr, 0));
  if (child == 0) be_child(theirs.get(), options);
  const std::optional<Error> refused =
      child < 0 ? std::optional(host_error("clone")) : std::nullopt;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (refused) return *refused;
  theirs = Fd();
  Fd tree = receive_descriptor(ours.get());
  int status = 0;
  while (::waitpid(child, &status, __WALL) < 0 && errno == EINTR) {
  }
  if (!tree.valid()) return not_allowed(WIFEXITED(status) ? WEXITSTATUS(status) : EPERM);
  return tree;
}

}  // namespace

Result<Fd> create_memory_tree(const MemoryDirectory& directory) {
  // To the kernel a zero is no bound.
  if (directory.bytes_max == 0 || directory.files_max == 0) {
    return invalid("directory in memory '" + directory.guest_path +
                   "': " + std::to_string(directory.bytes_max) + " bytes and " +
                   std::to_string(directory.files_max) + " files; each has to be over 0");
  }
  const std::string user = std::to_string(::geteuid());
  const std::string group = std::to_string(::getegid());
  const Options options{.bytes = std::to_string(directory.bytes_max),
                        .files = std::to_string(uint64_t{directory.files_max} + 1),
                        .user_map = user + " " + user + " 1",
                        .group_map = group + " " + group + " 1"};
  Fd tree(mount_tree(options));
  if (tree.valid()) return tree;
  if (errno != EPERM) return not_allowed(errno);
  return mount_in_child(options);
}

}  // namespace mayfly::wasi
