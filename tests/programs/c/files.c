// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// 100 MB through a file in odd pieces, a sparse file over 4 GiB, a directory of 1,000 names.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t checksum(uint32_t sum, const unsigned char *bytes, size_t count) {
  for (size_t i = 0; i < count; ++i) sum = sum * 31 + bytes[i];
  return sum;
}

static int large_file(void) {
  static unsigned char bytes[10007];
  FILE *file = fopen("/w/large", "w+");
  if (file == NULL) return 1;
  uint32_t written = 0;
  for (int piece = 0; piece < 10000; ++piece) {
    for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = (unsigned char)(piece + i * 7);
    written = checksum(written, bytes, sizeof bytes);
    if (fwrite(bytes, 1, sizeof bytes, file) != sizeof bytes) return 2;
  }
  rewind(file);
  uint32_t read_back = 0;
  size_t got, total = 0;
  while ((got = fread(bytes, 1, 4099, file)) > 0) {
    read_back = checksum(read_back, bytes, got);
    total += got;
  }
  printf("large %zu %d\n", total, written == read_back);
  return fclose(file);
}

static int sparse_file(void) {
  int fd = open("/w/sparse", O_RDWR | O_CREAT | O_TRUNC, 0600);
  off_t far = ((off_t)5 << 30) + 3;
  if (fd < 0 || pwrite(fd, "end", 3, far) != 3) return 3;
  struct stat status;
  if (fstat(fd, &status) != 0) return 4;
  char text[4] = "";
  if (pread(fd, text, 3, far) != 3) return 5;
  printf("sparse %lld %s\n", (long long)status.st_size, text);
  close(fd);
  return unlink("/w/sparse");
}

static int many_names(void) {
  char path[64];
  mkdir("/w/names", 0700);
  for (int i = 0; i < 1000; ++i) {
    snprintf(path, sizeof path, "/w/names/%04d", i);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0) return 6;
    close(fd);
  }
  DIR *directory = opendir("/w/names");
  int count = 0;
  for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
    count += entry->d_name[0] == '0';
  closedir(directory);
  printf("names %d\n", count);
  return 0;
}

int main(void) {
  int failed = large_file();
  if (failed == 0) failed = sparse_file();
  if (failed == 0) failed = many_names();
  if (failed != 0) {
    fprintf(stderr, "failed at %d: %s\n", failed, strerror(errno));
    return failed;
  }
  int outside = open("/etc/passwd", O_RDONLY);
  printf("outside %d\n", outside);
  return 0;
}
