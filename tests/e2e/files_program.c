// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What files_test.py runs natively and in a sandbox: `program CASE FOLDER COUNT`. It prints what it
// saw, which has to be the same.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kFiles = 3, kDescriptors = 6, kBytes = 200000 };

static uint64_t state = 88172645463325252u;
static uint64_t hash = 1469598103934665603u;
static unsigned char buffer[kBytes];

static uint32_t next(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 20) % below;
}

static void see(int64_t value) { hash = (hash ^ (uint64_t)value) * 1099511628211u; }

static void see_bytes(const unsigned char* bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) see(bytes[i]);
}

static int fail(const char* what) {
  perror(what);
  exit(1);
}

static int open_file(const char* folder, int number, int flags) {
  char path[512];
  snprintf(path, sizeof path, "%s/f%d", folder, number);
  const int fd = open(path, O_RDWR | O_CREAT | flags, 0600);
  return fd < 0 ? fail(path) : fd;
}

// Mostly small, seldom larger than any buffer.
static size_t some_bytes(void) {
  const uint32_t kind = next(20);
  return kind == 0 ? next(kBytes) : kind < 4 ? next(20000) : next(300);
}

static void one_step(const char* folder, int* fds) {
  const int slot = (int)next(kDescriptors);
  const int fd = fds[slot];
  const size_t bytes = some_bytes();
  const off_t at = (off_t)next(300000);
  ssize_t done = 0;
  struct stat status;
  switch (next(12)) {
    case 0:
    case 1:
    case 2:
      for (size_t i = 0; i < bytes; ++i) buffer[i] = (unsigned char)(state + i);
      see(write(fd, buffer, bytes));
      break;
    case 3:
      // Linux appends even so, where POSIX and WASI write at the position.
      if ((fcntl(fd, F_GETFL) & O_APPEND) != 0) break;
      for (size_t i = 0; i < bytes; ++i) buffer[i] = (unsigned char)(state - i);
      see(pwrite(fd, buffer, bytes, at));
      break;
    case 4:
    case 5:
    case 6:
      done = read(fd, buffer, bytes);
      see(done);
      if (done > 0) see_bytes(buffer, (size_t)done);
      break;
    case 7:
      done = pread(fd, buffer, bytes, at);
      see(done);
      if (done > 0) see_bytes(buffer, (size_t)done);
      break;
    case 8:
      see(lseek(fd, next(2) != 0 ? 0 : at, SEEK_SET));
      break;
    case 9:
      if (fstat(fd, &status) != 0) fail("fstat");
      see(status.st_size);
      see(lseek(fd, 0, SEEK_CUR));
      break;
    case 10:
      see(next(3) == 0 ? ftruncate(fd, at) : fsync(fd));
      break;
    default:
      see(close(fd));
      fds[slot] = open_file(folder, (int)next(kFiles), next(8) == 0 ? O_APPEND : 0);
  }
}

static void any_order(const char* folder, long steps) {
  int fds[kDescriptors];
  for (int i = 0; i < kDescriptors; ++i) fds[i] = open_file(folder, i % kFiles, 0);
  for (long i = 0; i < steps; ++i) one_step(folder, fds);
  for (int i = 0; i < kDescriptors; ++i) see(close(fds[i]));
}

// A hole of gigabytes between two islands.
static void sparse(const char* folder, long gigabytes) {
  const int fd = open_file(folder, 0, 0);
  const off_t far = (off_t)gigabytes << 30;
  for (int i = 0; i < 100; ++i) see(pwrite(fd, "island", 6, far + i * 6));
  see(lseek(fd, -6, SEEK_END));
  see(read(fd, buffer, 100));
  see_bytes(buffer, 6);
  see(pread(fd, buffer, 100, far - 50));
  see_bytes(buffer, 100);
  struct stat status;
  if (fstat(fd, &status) != 0 || status.st_size != far + 600) fail("size");
  see(ftruncate(fd, far / 2));
  see(lseek(fd, 0, SEEK_END));
  see(close(fd));
}

static void many(const char* folder, long count) {
  struct pollfd* polled = calloc((size_t)count, sizeof *polled);
  for (long i = 0; i < count; ++i) {
    polled[i].fd = open_file(folder, (int)i, 0);
    polled[i].events = POLLIN | POLLOUT;
    const int32_t number = (int32_t)i;
    for (int j = 0; j < 3; ++j) see(write(polled[i].fd, &number, sizeof number));
  }
  see(poll(polled, (nfds_t)count, 1000) > 0);
  for (long i = 0; i < count; ++i) {
    see(lseek(polled[i].fd, 0, SEEK_SET));
    see(read(polled[i].fd, buffer, 100));
    see_bytes(buffer, 12);
    see(close(polled[i].fd));
  }
  free(polled);
}

// What a call did, in a way that is the same where errnos have other numbers.
static void see_result(int result) {
  static const int kKnown[] = {EEXIST, ENOENT, ENOTEMPTY, EISDIR, ENOTDIR, EINVAL};
  see(result);
  if (result >= 0) return;
  for (size_t i = 0; i < sizeof kKnown / sizeof *kKnown; ++i) see(errno == kKnown[i]);
}

// Entries come in any order. A position has no room in the `long` of telldir().
static void see_names(int root) {
  DIR* const directory = fdopendir(openat(root, ".", O_RDONLY | O_DIRECTORY));
  if (directory == NULL) fail("fdopendir");
  uint64_t sum = 0;
  int count = 0;
  for (const struct dirent* entry; (entry = readdir(directory)) != NULL; ++count) {
    const char* const name = entry->d_name;
    for (size_t i = 0; name[i] != 0; ++i) sum += (uint64_t)name[i] * (i + 1);
    sum += entry->d_type == DT_DIR ? 7 : entry->d_type == DT_LNK ? 11 : 0;
  }
  see(count);
  see((int64_t)sum);
  see(closedir(directory));
}

static void change_names(int root) {
  see_result(mkdirat(root, "dir", 0700));
  see_result(mkdirat(root, "dir", 0700));
  see_result(linkat(root, "n0", root, "dir/hard", 0));
  see_result(linkat(root, "n0", root, "dir/hard", 0));
  see_result(symlinkat("hard", root, "dir/soft"));
  see_result((int)readlinkat(root, "dir/soft", (char*)buffer, 100));
  see_result(unlinkat(root, "dir", AT_REMOVEDIR));
  see_result(unlinkat(root, "dir", 0) == 0);
  see_result(renameat(root, "n1", root, "n2"));
  see_result(renameat(root, "n1", root, "n3"));
  see_result(renameat(root, "n3", root, "dir/n3"));
  see_result(renameat(root, "dir", root, "n2"));
  see_result(unlinkat(root, "n4", 0));
  see_result(openat(root, "n4", O_RDONLY));
  see_result(openat(root, "n5/", O_RDONLY));
  see_result(openat(root, "n0", O_RDWR | O_CREAT | O_EXCL, 0600));
  see_result(openat(root, "n0", O_RDONLY | O_DIRECTORY));
}

static void change_a_file(int root) {
  const struct timespec times[2] = {{1000, 5}, {2000, 7}};
  struct stat status;
  const int fd = openat(root, "dir/soft", O_RDWR);
  if (fd < 0) fail("dir/soft");
  see(write(fd, "0123456789", 10));
  see(posix_fallocate(fd, 5, 100));
  see(futimens(fd, times));
  if (fstat(fd, &status) != 0) fail("fstat");
  see(status.st_size);
  see((int64_t)status.st_nlink);
  see(status.st_mtim.tv_sec * 10 + status.st_mtim.tv_nsec);
  const int end = openat(root, "n0", O_WRONLY | O_APPEND);
  see(write(end, "abc", 3));
  see(close(end));
  see(pread(fd, buffer, 300, 0));
  see_bytes(buffer, 108);
  see_result(unlinkat(root, "n0", 0));
  see_result(unlinkat(root, "dir/hard", 0));
  see(write(fd, "unlinked", 8));
  see(pread(fd, buffer, 100, 5));
  see_bytes(buffer, 13);
  see(ftruncate(fd, 4));
  see(lseek(fd, 0, SEEK_END));
  if (fstat(fd, &status) != 0) fail("fstat");
  see((int64_t)status.st_nlink);
  see(close(fd));
  see_result(openat(root, "dir/soft", O_RDONLY));
}

static void names(const char* folder, long count) {
  const int root = open(folder, O_RDONLY | O_DIRECTORY);
  if (root < 0) fail(folder);
  for (long i = 0; i < count; ++i) {
    char name[32];
    snprintf(name, sizeof name, "n%ld", i);
    see(close(openat(root, name, O_WRONLY | O_CREAT | O_EXCL, 0600)));
  }
  change_names(root);
  see_names(root);
  change_a_file(root);
  see_names(root);
}

static void from_stdin(void) {
  ssize_t bytes;
  uint64_t total = 0;
  while ((bytes = read(0, buffer, sizeof buffer)) > 0) {
    total += (uint64_t)bytes;
    for (ssize_t i = 0; i < bytes; i += 61) hash += buffer[i];
  }
  // Pieces come as they like: only their sum says something.
  hash = total;
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const long count = atol(argv[3]);
  if (strcmp(argv[1], "any-order") == 0) any_order(argv[2], count);
  if (strcmp(argv[1], "sparse") == 0) sparse(argv[2], count);
  if (strcmp(argv[1], "many") == 0) many(argv[2], count);
  if (strcmp(argv[1], "names") == 0) names(argv[2], count);
  if (strcmp(argv[1], "stdin") == 0) from_stdin();
  printf("%016llx\n", (unsigned long long)hash);
  return 0;
}
