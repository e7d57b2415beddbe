// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Landlock for files, seccomp for system calls. Both hold until the process ends.
#include "cli/jail.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <iterator>
#include <memory>

#include "base/check.h"
#include "base/fd.h"
#include "cli/grants.h"

namespace mayfly::cli {
namespace {

constexpr int kLandlockVersionMin = 3;
// Of version 3, which Debian 12's header does not have yet.
constexpr uint64_t kTruncate = 1U << 14U;

constexpr uint64_t kReadFile = LANDLOCK_ACCESS_FS_READ_FILE;
constexpr uint64_t kWriteFile = LANDLOCK_ACCESS_FS_WRITE_FILE | kTruncate;
constexpr uint64_t kReadDirectory = LANDLOCK_ACCESS_FS_READ_DIR;
constexpr uint64_t kWriteDirectory =
    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |
    LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM |
    LANDLOCK_ACCESS_FS_REFER;

// Of programs, processes, namespaces, mounts, modules, clocks, keys, and of interfaces that are
// wide and unused here.
constexpr int kDeniedCalls[] = {SCMP_SYS(execve),
                                SCMP_SYS(execveat),
                                SCMP_SYS(ptrace),
                                SCMP_SYS(kcmp),
                                SCMP_SYS(process_vm_readv),
                                SCMP_SYS(process_vm_writev),
                                SCMP_SYS(pidfd_getfd),
                                SCMP_SYS(process_madvise),
                                SCMP_SYS(setns),
                                SCMP_SYS(unshare),
                                SCMP_SYS(chroot),
                                SCMP_SYS(pivot_root),
                                SCMP_SYS(mount),
                                SCMP_SYS(umount2),
                                SCMP_SYS(move_mount),
                                SCMP_SYS(open_tree),
                                SCMP_SYS(fsopen),
                                SCMP_SYS(fsmount),
                                SCMP_SYS(fsconfig),
                                SCMP_SYS(fspick),
                                SCMP_SYS(mount_setattr),
                                SCMP_SYS(swapon),
                                SCMP_SYS(swapoff),
                                SCMP_SYS(quotactl),
                                SCMP_SYS(acct),
                                SCMP_SYS(bpf),
                                SCMP_SYS(perf_event_open),
                                SCMP_SYS(userfaultfd),
                                SCMP_SYS(io_uring_setup),
                                SCMP_SYS(io_uring_enter),
                                SCMP_SYS(keyctl),
                                SCMP_SYS(io_uring_register),
                                SCMP_SYS(add_key),
                                SCMP_SYS(request_key),
                                SCMP_SYS(init_module),
                                SCMP_SYS(finit_module),
                                SCMP_SYS(delete_module),
                                SCMP_SYS(kexec_load),
                                SCMP_SYS(kexec_file_load),
                                SCMP_SYS(reboot),
                                SCMP_SYS(sethostname),
                                SCMP_SYS(setdomainname),
                                SCMP_SYS(iopl),
                                SCMP_SYS(ioperm),
                                SCMP_SYS(name_to_handle_at),
                                SCMP_SYS(syslog),
                                SCMP_SYS(open_by_handle_at),
                                SCMP_SYS(settimeofday),
                                SCMP_SYS(clock_settime),
                                SCMP_SYS(clock_adjtime),
                                SCMP_SYS(adjtimex),
                                SCMP_SYS(personality),
                                SCMP_SYS(setuid),
                                SCMP_SYS(setgid),
                                SCMP_SYS(setreuid),
                                SCMP_SYS(setregid),
                                SCMP_SYS(setresuid),
                                SCMP_SYS(setresgid),
                                SCMP_SYS(setgroups),
                                SCMP_SYS(setfsuid),
                                SCMP_SYS(setfsgid),
                                SCMP_SYS(capset)};

constexpr int kNetworkCalls[] = {SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind),
                                 SCMP_SYS(listen)};

// Where names, certificates and the libraries of HTTP are.
constexpr const char* kNetworkFolders[] = {"/etc", "/usr", "/lib", "/lib64", "/run"};

Error no_landlock(const std::string& why) {
  return Error{ErrorKind::kUnsupported,
               "--jail needs Landlock of version 3 (Linux 6.2), and this kernel " + why, 0};
}

Result<void> check_landlock() {
  const auto version = static_cast<int>(
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION));
  if (version < 0) return no_landlock("has none");
  if (version < kLandlockVersionMin) return no_landlock("has version " + std::to_string(version));
  return {};
}

Result<void> allow(const Fd& rules, const JailPath& allowed) {
  const Fd file(::open(allowed.path.c_str(), O_PATH | O_CLOEXEC));
  if (!file.valid()) return errno == ENOENT ? Result<void>() : host_error("jail: " + allowed.path);
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return host_error("jail: " + allowed.path);
  const bool writes = allowed.access == JailAccess::kReadWrite;
  landlock_path_beneath_attr rule{};
  rule.parent_fd = file.get();
  rule.allowed_access = kReadFile | (writes ? kWriteFile : 0);
  if (S_ISDIR(status.st_mode)) {
    rule.allowed_access |= kReadDirectory | (writes ? kWriteDirectory : 0);
  }
  if (::syscall(SYS_landlock_add_rule, rules.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return host_error("jail: landlock_add_rule for " + allowed.path);
  }
  return {};
}

std::string folder_of(const std::string& file) {
  const auto folder = std::filesystem::path(file).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

bool has_network(const RunOptions& options) {
  return options.inherit_network || options.allow_dns || !options.tcp.empty() ||
         !options.tcp_listen.empty() || !options.udp.empty() || !options.udp_listen.empty() ||
         !options.http_hosts.empty();
}

std::vector<JailPath> jail_paths(const RunOptions& options) {
  std::vector<JailPath> paths = {{options.file, JailAccess::kRead}};
  for (const std::string& text : options.directories) {
    const wasi::Preopen directory = parse_directory(text);
    const bool writes = directory.access == wasi::TreeAccess::kReadWrite;
    paths.push_back({directory.host_path, writes ? JailAccess::kReadWrite : JailAccess::kRead});
  }
  // SQLite has files of its own beside it.
  if (!options.keyvalue.empty()) {
    paths.push_back({folder_of(options.keyvalue), JailAccess::kReadWrite});
  }
  if (!options.save_to.empty()) {
    paths.push_back({folder_of(options.save_to), JailAccess::kReadWrite});
  }
  if (has_network(options)) {
    for (const char* folder : kNetworkFolders) paths.push_back({folder, JailAccess::kRead});
  }
  if (!options.http_ca_file.empty()) paths.push_back({options.http_ca_file, JailAccess::kRead});
  return paths;
}

Result<void> jail_files(const std::vector<JailPath>& paths) {
  MAYFLY_TRY(check_landlock());
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  const auto threads = std::distance(begin(tasks), end(tasks));
  CHECK(threads == 1, "threads that would be outside of the jail");
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs =
      LANDLOCK_ACCESS_FS_EXECUTE | kReadFile | kWriteFile | kReadDirectory | kWriteDirectory;
  const Fd rules(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!rules.valid()) return host_error("jail: landlock_create_ruleset");
  for (const JailPath& allowed : paths) MAYFLY_TRY(allow(rules, allowed));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return host_error("jail: prctl(PR_SET_NO_NEW_PRIVS)");
  }
  if (::syscall(SYS_landlock_restrict_self, rules.get(), 0) != 0) {
    return host_error("jail: landlock_restrict_self");
  }
  return {};
}

Result<void> jail_calls(bool network) {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(::seccomp_init(SCMP_ACT_ALLOW),
                                                                &::seccomp_release);
  if (filter == nullptr) return host_error("jail: seccomp_init");
  int refused = ::seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  for (const int call : kDeniedCalls) {
    refused |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0);
  }
  if (!network) {
    for (const int call : kNetworkCalls) {
      refused |= ::seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), call, 0);
    }
  }
  if (refused != 0) return host_error("jail: seccomp_rule_add");
  const int loaded = ::seccomp_load(filter.get());
  if (loaded == 0) return {};
  errno = -loaded;
  return host_error("jail: seccomp_load");
}

}  // namespace mayfly::cli
