// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The key file appears whole by link(2), which fails when somebody else's is there already; then
// that one counts. What is read is checked on the open descriptor, not by name.
#include "runtime/installation_key.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

#include "base/fd.h"

namespace mayfly::runtime {
namespace {

std::string octal(mode_t mode) {
  std::string text;
  for (int shift = 6; shift >= 0; shift -= 3) {
    text += static_cast<char>('0' + ((mode >> shift) & 7));
  }
  return text;
}

Error not_ours(const std::string& path, const std::string& why) {
  return invalid(path + " " + why + ": remove it, or set XDG_DATA_HOME to another folder");
}

// That only this user may do with it what `forbidden` allows to others.
Result<void> check_owner(const std::string& path, const struct stat& status, mode_t forbidden) {
  if (status.st_uid != ::geteuid()) {
    return not_ours(path, "belongs to user " + std::to_string(status.st_uid) + ", not to " +
                              std::to_string(::geteuid()));
  }
  if ((status.st_mode & forbidden) != 0) {
    return not_ours(path, "has mode " + octal(status.st_mode) + ", which lets others " +
                              ((status.st_mode & forbidden & 022) != 0 ? "write" : "read"));
  }
  return {};
}

Result<Fd> open_folder(const std::string& path) {
  Fd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.valid()) return host_error(path);
  struct stat status{};
  if (::fstat(folder.get(), &status) != 0) return host_error(path);
  MAYFLY_TRY(check_owner(path, status, S_IWGRP | S_IWOTH));
  return folder;
}

Result<SecretKey> read_key(const Fd& folder, const std::string& folder_path) {
  const std::string path = folder_path + "/" + kInstallationKeyFile;
  // Not blocking: a FIFO in its place must not stop us.
  const Fd file(
      ::openat(folder.get(), kInstallationKeyFile, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file.valid()) {
    if (errno == ELOOP) return not_ours(path, "is a symbolic link");
    return host_error(path);
  }
  struct stat status{};
  if (::fstat(file.get(), &status) != 0) return host_error(path);
  if (!S_ISREG(status.st_mode)) return not_ours(path, "is no regular file");
  MAYFLY_TRY(check_owner(path, status, S_IRWXG | S_IRWXO));
  if (status.st_size != SecretKey::kBytes) {
    return not_ours(path, "has " + std::to_string(status.st_size) + " bytes, not " +
                              std::to_string(SecretKey::kBytes));
  }
  auto bytes = read_whole(file.get(), SecretKey::kBytes);
  if (!bytes) return with_context(path, std::move(bytes).error());
  if (bytes->size() != SecretKey::kBytes) return not_ours(path, "was changed meanwhile");
  const SecretKey key{std::span<const uint8_t, SecretKey::kBytes>(*bytes)};
  wipe(*bytes);
  return key;
}

// Every folder of the path that is not there, for this user only.
Result<void> make_folders(const std::string& path) {
  for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) return host_error("mkdir " + part);
    if (slash == std::string::npos) return {};
  }
}

// Removes the name at the end; the file stays where it was linked to.
class UnfinishedName {
 public:
  UnfinishedName(const Fd& folder, std::string name) : folder_(folder), name_(std::move(name)) {}
  ~UnfinishedName() { ::unlinkat(folder_.get(), name_.c_str(), 0); }
  UnfinishedName(const UnfinishedName&) = delete;
  UnfinishedName& operator=(const UnfinishedName&) = delete;
  const char* get() const { return name_.c_str(); }

 private:
  const Fd& folder_;
  std::string name_;
};

std::string random_name() {
  const SecretKey random = SecretKey::random();
  std::string name = ".key.";
  for (const uint8_t byte : random.bytes().first<12>()) {
    name += static_cast<char>('a' + (byte >> 4));
    name += static_cast<char>('a' + (byte & 15));
  }
  return name;
}

Result<void> create_key(const Fd& folder, const std::string& folder_path) {
  const std::string name = random_name();
  const Fd file(
      ::openat(folder.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.valid()) return host_error("cannot make a key in " + folder_path);
  const UnfinishedName unfinished(folder, name);
  const SecretKey key = SecretKey::random();
  auto written = write_whole(file.get(), key.bytes());
  if (!written) return with_context("cannot make a key in " + folder_path, written.error());
  // Whatever the umask is. And on the disk before its name is: a key of zeros would be known.
  if (::fchmod(file.get(), 0600) != 0 || ::fsync(file.get()) != 0 ||
      (::linkat(folder.get(), unfinished.get(), folder.get(), kInstallationKeyFile, 0) != 0 &&
       errno != EEXIST)) {
    return host_error("cannot make a key in " + folder_path);
  }
  return {};
}

}  // namespace

Result<std::string> installation_key_folder() {
  // XDG Base Directory Specification 0.8: a relative path is to be ignored.
  const char* data = std::getenv("XDG_DATA_HOME");
  if (data != nullptr && data[0] == '/') return std::string(data) + "/mayfly";
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/share/mayfly";
  return Error{ErrorKind::kHost,
               "no place for the installation's key: neither XDG_DATA_HOME nor HOME is an "
               "absolute path",
               0};
}

Result<SecretKey> load_installation_key(const std::string& folder) {
  const Fd opened = MAYFLY_TRY(open_folder(folder));
  return read_key(opened, folder);
}

Result<SecretKey> load_or_create_installation_key(const std::string& folder) {
  auto key = load_installation_key(folder);
  if (key || key.error().errno_value != ENOENT) return key;
  MAYFLY_TRY(make_folders(folder));
  const Fd opened = MAYFLY_TRY(open_folder(folder));
  MAYFLY_TRY(create_key(opened, folder));
  return read_key(opened, folder);
}

}  // namespace mayfly::runtime
