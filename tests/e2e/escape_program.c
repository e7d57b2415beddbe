// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A component that does what its first argument says to the path in its second, in its first
// directory, and prints the error-code; the letters are those of escape_test.py.
#include "wasi2.h"

static const char file[] = "file", taken[] = "taken";
enum { kFile = sizeof file - 1, kTaken = sizeof taken - 1, kNow = 1 };

// Of result<T, error-code> with T at 4 bytes or none, T larger.
static int code_of(const result *done) { return done->is_error ? (uint8_t)done->value : -1; }
static int code_of_nothing(const result *done) {
  return done->is_error ? ((const uint8_t *)done)[1] : -1;
}

static int open_path(handle root, text path, int how, int flags) {
  result done;
  open_at(root, kFollow, path.bytes, path.size, how, flags, &done);
  return code_of(&done);
}

static int look(handle root, char what, text path) {
  stat_result status;
  read_result link;
  switch (what) {
    case 'o':
      return open_path(root, path, 0, kRead);
    case 'c':
      return open_path(root, path, kCreate, kRead | kWrite);
    case 't':
      return open_path(root, path, kTruncate, kWrite);
    case 's':
      stat_at(root, kFollow, path.bytes, path.size, &status);
      return status.is_error ? (uint8_t)status.words[0] : -1;
    case 'k':
      read_link(root, path.bytes, path.size, &link);
      return link.is_error ? (uint8_t)(uintptr_t)link.value.bytes : -1;
    default:
      return 255;
  }
}

static int change(handle root, char what, text path) {
  result done;
  switch (what) {
    case 'm':
      set_times_at(root, kFollow, path.bytes, path.size, kNow, 0, 0, kNow, 0, 0, &done);
      break;
    case 'd':
      create_directory(root, path.bytes, path.size, &done);
      break;
    case 'r':
      remove_directory(root, path.bytes, path.size, &done);
      break;
    case 'u':
      unlink_file(root, path.bytes, path.size, &done);
      break;
    case 'y':
      make_symlink(root, file, kFile, path.bytes, path.size, &done);
      break;
    case 'n':
      rename_file(root, path.bytes, path.size, root, taken, kTaken, &done);
      break;
    case 'N':
      rename_file(root, file, kFile, root, path.bytes, path.size, &done);
      break;
    case 'l':
      link_file(root, 0, path.bytes, path.size, root, taken, kTaken, &done);
      break;
    case 'L':
      link_file(root, 0, file, kFile, root, path.bytes, path.size, &done);
      break;
    default:
      return look(root, what, path);
  }
  return code_of_nothing(&done);
}

__attribute__((export_name("run"))) int run(void) {
  text arguments[kArguments], directories;
  copy_arguments(arguments);
  get_directories(&directories);
  if (directories.size == 0) return 1;
  const handle root = *(const handle *)(const void *)directories.bytes;
  const int code = change(root, arguments[1].bytes[0], arguments[2]);
  if (code >= 0) print_number("error ", (uint64_t)code);
  return code >= 0;
}
