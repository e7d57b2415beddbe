// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What wasi_bench.py measures: `program ROW COUNT FOLDER` does one thing COUNT times and prints
// nanoseconds. The same source is the native program.
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#ifdef __wasi__
#include <wasi/api.h>
#endif

static char buffer[1 << 16];
static char path[4096];

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void fail(const char* what) {
  perror(what);
  exit(1);
}

static const char* in(const char* folder, long number) {
  snprintf(path, sizeof path, "%s/%ld", folder, number);
  return path;
}

static int open_or_fail(const char* name, int flags) {
  const int fd = open(name, flags, 0600);
  if (fd < 0) fail(name);
  return fd;
}

static void write_all(const char* folder, long count, size_t bytes) {
  const int fd = open_or_fail(in(folder, 0), O_CREAT | O_TRUNC | O_WRONLY);
  for (long i = 0; i < count; ++i) {
    if (write(fd, buffer, bytes) != (ssize_t)bytes) fail("write");
  }
  if (close(fd) != 0) fail("close");
}

static void read_all(const char* folder, long count, size_t bytes) {
  const int fd = open_or_fail(in(folder, 0), O_RDONLY);
  for (long i = 0; i < count; ++i) {
    if (read(fd, buffer, bytes) != (ssize_t)bytes) fail("read");
  }
  close(fd);
}

static void make_files(const char* folder, long count) {
  for (long i = 0; i < count; ++i) close(open_or_fail(in(folder, i), O_CREAT | O_WRONLY));
}

static void open_files(const char* folder, long count) {
  for (long i = 0; i < count; ++i) close(open_or_fail(in(folder, i), O_RDONLY));
}

static void list_files(const char* folder, long count) {
  DIR* directory = opendir(folder);
  long found = 0;
  if (directory == NULL) fail(folder);
  while (readdir(directory) != NULL) ++found;
  closedir(directory);
  if (found < count) fail("readdir");
}

// The function of WASI itself: what wasi-libc makes of it is not what is measured.
static uint64_t clock_alone(void) {
#ifdef __wasi__
  __wasi_timestamp_t time = 0;
  if (__wasi_clock_time_get(__WASI_CLOCKID_MONOTONIC, 1, &time) != 0) fail("clock_time_get");
  return time;
#else
  return now();
#endif
}

static void read_clock(long count) {
  uint64_t sum = 0;
  for (long i = 0; i < count; ++i) sum += clock_alone();
  if (sum == 0) fail("clock");
}

static void get_random(long count) {
  for (long i = 0; i < count; ++i) {
    if (getentropy(buffer, 64) != 0) fail("getentropy");
  }
}

static void print_lines(long count) {
  static const char line[] = "a line of forty characters, about as us\n";
  for (long i = 0; i < count; ++i) {
    if (write(1, line, sizeof line - 1) < 0) fail("stdout");
  }
}

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const char* row = argv[1];
  const long count = atol(argv[2]);
  const char* folder = argv[3];
  if (strcmp(row, "open") == 0 || strcmp(row, "readdir") == 0) make_files(folder, count);
  if (strcmp(row, "read4k") == 0) write_all(folder, count, 4096);
  if (strcmp(row, "read64k") == 0) write_all(folder, count, sizeof buffer);
  const uint64_t start = now();
  if (strcmp(row, "write4k") == 0) write_all(folder, count, 4096);
  if (strcmp(row, "write64k") == 0) write_all(folder, count, sizeof buffer);
  if (strcmp(row, "read4k") == 0) read_all(folder, count, 4096);
  if (strcmp(row, "read64k") == 0) read_all(folder, count, sizeof buffer);
  if (strcmp(row, "open") == 0) open_files(folder, count);
  if (strcmp(row, "readdir") == 0) list_files(folder, count);
  if (strcmp(row, "clock") == 0) read_clock(count);
  if (strcmp(row, "random") == 0) get_random(count);
  if (strcmp(row, "lines") == 0) print_lines(count);
  fprintf(stderr, "nanoseconds %llu\n", (unsigned long long)(now() - start));
  return 0;
}
