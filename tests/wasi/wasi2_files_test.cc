// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:filesystem: descriptors, their flags, what is beneath directories, and the codes of errors.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <set>

#include "guest/wasi2/error_code.h"
#include "wasi2_program.h"

namespace mayfly {
namespace {

using guest::ErrorCode;

constexpr int code(ErrorCode error) { return static_cast<int>(error); }

class Wasi2Files : public Wasi2Program {
 protected:
  void write_file(std::string_view name, std::string_view text) {
    std::ofstream(root_ / name) << text;
  }
  // Of a result<_, error-code> or one with a byte: the code, or -1.
  int done(uint32_t result) { return at<uint8_t>(result) == 0 ? -1 : at<uint8_t>(result + 1); }
  int with_path(uint32_t (*function)(MemoryInfo*, MemoryInfo*, uint32_t, uint32_t, uint32_t),
                std::string_view path, uint32_t payload = 1) {
    const uint32_t directory = root();
    const uint32_t address = put(path);
    const uint32_t result = function(transfer(), state(), directory, address, size(path));
    return at<uint8_t>(result) == 0 ? -1 : at<uint8_t>(result + payload);
  }
  uint32_t flags_of(uint32_t descriptor) {
    const uint32_t result = mayfly_wasi2_get_flags(transfer(), state(), descriptor);
    EXPECT_EQ(at<uint8_t>(result), 0);
    return at<uint8_t>(result + 1);
  }
  std::multiset<std::string> entries(uint32_t stream) {
    std::multiset<std::string> names;
    while (true) {
      reset_transfer();
      const uint32_t result = mayfly_wasi2_read_directory_entry(transfer(), state(), stream);
      EXPECT_EQ(at<uint8_t>(result), 0);
      if (at<uint8_t>(result + 4) == 0) return names;
      names.insert(text_at(at<uint32_t>(result + 12), at<uint32_t>(result + 16)));
    }
  }
  uint32_t entries_of(uint32_t directory) {
    return handle_of(mayfly_wasi2_read_directory(transfer(), state(), directory));
  }
};

TEST_F(Wasi2Files, ReadsSayWhenTheFileEnds) {
  start();
  write_file("file", "0123456789");
  const uint32_t file = open_file("file", 0, kRead);
  uint32_t result = mayfly_wasi2_descriptor_read(transfer(), state(), file, 4, 3);
  EXPECT_EQ(text_at(at<uint32_t>(result + 4), at<uint32_t>(result + 8)), "3456");
  EXPECT_EQ(at<uint8_t>(result + 12), 0);
  result = mayfly_wasi2_descriptor_read(transfer(), state(), file, UINT64_MAX, 3);
  EXPECT_EQ(text_at(at<uint32_t>(result + 4), at<uint32_t>(result + 8)), "3456789");
  result = mayfly_wasi2_descriptor_read(transfer(), state(), file, 4, 10);
  EXPECT_EQ(at<uint32_t>(result + 8), 0U);
  EXPECT_EQ(at<uint8_t>(result + 12), 1);
  result = mayfly_wasi2_descriptor_read(transfer(), state(), file, 4, UINT64_MAX);
  EXPECT_EQ(at<uint8_t>(result), 1);
  EXPECT_EQ(at<uint8_t>(result + 4), code(ErrorCode::kInvalid));
}

TEST_F(Wasi2Files, WritesAreAtTheirOffset) {
  start();
  const uint32_t file = open_file("new", kCreate, kWrite | kRead);
  const uint32_t text = put("abc");
  const uint32_t result = mayfly_wasi2_descriptor_write(transfer(), state(), file, text, 3, 2);
  EXPECT_EQ(at<uint8_t>(result), 0);
  EXPECT_EQ(at<uint64_t>(result + 8), 3U);
  const uint32_t stat = mayfly_wasi2_stat(transfer(), state(), file);
  EXPECT_EQ(at<uint8_t>(stat + 8), 6);     // regular-file
  EXPECT_EQ(at<uint64_t>(stat + 16), 1U);  // link-count
  EXPECT_EQ(at<uint64_t>(stat + 24), 5U);  // size
  EXPECT_EQ(at<uint8_t>(stat + 56), 1);    // data-modification-timestamp
  EXPECT_EQ(done(mayfly_wasi2_set_size(transfer(), state(), file, 3)), -1);
  EXPECT_EQ(fs::file_size(root_ / "new"), 3U);
}

TEST_F(Wasi2Files, FlagsDecideWhatADescriptorDoes) {
  start();
  write_file("file", "x");
  const uint32_t reads = open_file("file", 0, kRead);
  const uint32_t writes = open_file("file", 0, kWrite);
  EXPECT_EQ(flags_of(reads), kRead);
  EXPECT_EQ(flags_of(writes), kWrite);
  const auto code_of_stream = [&](uint32_t result) {
    return at<uint8_t>(result) == 0 ? -1 : at<uint8_t>(result + 4);
  };
  EXPECT_EQ(code_of_stream(mayfly_wasi2_write_via_stream(transfer(), state(), reads, 0)),
            code(ErrorCode::kBadDescriptor));
  EXPECT_EQ(code_of_stream(mayfly_wasi2_append_via_stream(transfer(), state(), reads)),
            code(ErrorCode::kBadDescriptor));
  EXPECT_EQ(code_of_stream(mayfly_wasi2_read_via_stream(transfer(), state(), writes, 0)),
            code(ErrorCode::kBadDescriptor));
  EXPECT_EQ(code_of_stream(mayfly_wasi2_read_via_stream(transfer(), state(), root(), 0)),
            code(ErrorCode::kIsDirectory));
  EXPECT_EQ(done(mayfly_wasi2_set_size(transfer(), state(), reads, 0)),
            code(ErrorCode::kNotPermitted));
  // Nothing is there to sync, and that is well.
  EXPECT_EQ(done(mayfly_wasi2_sync(transfer(), state(), reads)), -1);
  EXPECT_EQ(done(mayfly_wasi2_sync_data(transfer(), state(), reads)), -1);
  EXPECT_EQ(done(mayfly_wasi2_sync_data(transfer(), state(), root())), -1);
}

TEST_F(Wasi2Files, ATreeThatMayNotChangeSaysSo) {
  config_.preopens[0].access = wasi::TreeAccess::kReadOnly;
  write_file("file", "x");
  start();
  EXPECT_EQ(flags_of(root()), kRead);
  uint32_t file = 0;
  EXPECT_EQ(open_at("file", 0, kRead, &file), -1);
  EXPECT_EQ(open_at("file", 0, kWrite, &file), code(ErrorCode::kReadOnly));
  EXPECT_EQ(open_at("file", kTruncate, kRead, &file), code(ErrorCode::kReadOnly));
  EXPECT_EQ(open_at("new", kCreate, kRead, &file), code(ErrorCode::kReadOnly));
  EXPECT_EQ(open_at(".", kDirectory, kRead | 32, &file), code(ErrorCode::kReadOnly));
  EXPECT_EQ(with_path(mayfly_wasi2_create_directory_at, "dir"), code(ErrorCode::kReadOnly));
  EXPECT_EQ(with_path(mayfly_wasi2_unlink_file_at, "file"), code(ErrorCode::kReadOnly));
}

TEST_F(Wasi2Files, ATreeThatMayChangeSaysSoToo) {
  fs::create_directory(root_ / "dir");
  start();
  EXPECT_EQ(flags_of(root()), kRead | 32);
  uint32_t directory = 0;
  ASSERT_EQ(open_at("dir", kDirectory, kRead, &directory), -1);
  EXPECT_EQ(flags_of(directory), kRead | 32);
}

TEST_F(Wasi2Files, ErrorsHaveTheirCodes) {
  write_file("file", "x");
  fs::create_directories(root_ / "dir/inner");
  fs::create_symlink("loop", root_ / "loop");
  fs::create_symlink("../..", root_ / "out");
  start();
  uint32_t file = 0;
  EXPECT_EQ(open_at("nothing", 0, kRead, &file), code(ErrorCode::kNoEntry));
  EXPECT_EQ(open_at("file/more", 0, kRead, &file), code(ErrorCode::kNotDirectory));
  EXPECT_EQ(open_at("file", kDirectory, kRead, &file), code(ErrorCode::kNotDirectory));
  EXPECT_EQ(open_at("file", kCreate | kExclusive, kWrite, &file), code(ErrorCode::kExist));
  EXPECT_EQ(open_at("dir", 0, kWrite, &file), code(ErrorCode::kIsDirectory));
  EXPECT_EQ(open_at("loop", 0, kRead, &file), code(ErrorCode::kLoop));
  EXPECT_EQ(open_at("loop", 0, kRead, &file, 0), code(ErrorCode::kLoop));
  EXPECT_EQ(open_at("/etc/passwd", 0, kRead, &file), code(ErrorCode::kNotPermitted));
  EXPECT_EQ(open_at("../x", 0, kRead, &file), code(ErrorCode::kNotPermitted));
  EXPECT_EQ(open_at("out/x", 0, kRead, &file), code(ErrorCode::kNotPermitted));
  EXPECT_EQ(with_path(mayfly_wasi2_unlink_file_at, "dir"), code(ErrorCode::kIsDirectory));
  EXPECT_EQ(with_path(mayfly_wasi2_remove_directory_at, "dir"), code(ErrorCode::kNotEmpty));
  EXPECT_EQ(with_path(mayfly_wasi2_remove_directory_at, "file"), code(ErrorCode::kNotDirectory));
  EXPECT_EQ(with_path(mayfly_wasi2_create_directory_at, "dir"), code(ErrorCode::kExist));
  EXPECT_EQ(with_path(mayfly_wasi2_readlink_at, "file", 4), code(ErrorCode::kInvalid));
  const uint32_t directory = root();
  const uint32_t address = put("/etc/passwdnew");
  EXPECT_EQ(
      done(mayfly_wasi2_symlink_at(transfer(), state(), directory, address, 11, address + 11, 3)),
      code(ErrorCode::kNotPermitted));
}

TEST_F(Wasi2Files, DirectoriesAreReadWithoutThemselves) {
  start();
  std::multiset<std::string> names;
  for (int i = 0; i < 1500; ++i) {
    const std::string name = "entry-with-a-name-of-some-length-" + std::to_string(i);
    names.insert(name);
    write_file(name, "");
  }
  const uint32_t one = entries_of(root());
  const uint32_t two = entries_of(root());
  // In turns, and the second one whole in between.
  reset_transfer();
  const uint32_t first = mayfly_wasi2_read_directory_entry(transfer(), state(), one);
  std::multiset<std::string> read{text_at(at<uint32_t>(first + 12), at<uint32_t>(first + 16))};
  EXPECT_EQ(entries(two), names);
  read.merge(entries(one));
  EXPECT_EQ(read, names);
  EXPECT_TRUE(entries(one).empty());
}

TEST_F(Wasi2Files, NamesThatAreNoTextAreErrorsOfTheirOwn) {
  write_file("good", "");
  write_file("bad-\xff", "");
  fs::create_symlink("to-\xc0\x80", root_ / "link");
  start();
  const uint32_t stream = entries_of(root());
  int good = 0;
  int bad = 0;
  while (true) {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_read_directory_entry(transfer(), state(), stream);
    if (at<uint8_t>(result) != 0) {
      EXPECT_EQ(at<uint8_t>(result + 4), code(ErrorCode::kIllegalByteSequence));
      ++bad;
      continue;
    }
    if (at<uint8_t>(result + 4) == 0) break;
    ++good;
  }
  EXPECT_EQ(good, 2);
  EXPECT_EQ(bad, 1);
  EXPECT_EQ(with_path(mayfly_wasi2_readlink_at, "link", 4), code(ErrorCode::kIllegalByteSequence));
}

TEST_F(Wasi2Files, ObjectsAreTheSameByWhateverDescriptor) {
  start();
  write_file("one", "x");
  write_file("two", "x");
  fs::create_hard_link(root_ / "one", root_ / "again");
  const uint32_t one = open_file("one");
  const uint32_t two = open_file("two");
  const uint32_t again = open_file("again");
  EXPECT_EQ(mayfly_wasi2_is_same_object(transfer(), state(), one, again), 1U);
  EXPECT_EQ(mayfly_wasi2_is_same_object(transfer(), state(), one, two), 0U);
  const auto hash = [&](uint32_t file) {
    const uint32_t result = mayfly_wasi2_metadata_hash(transfer(), state(), file);
    EXPECT_EQ(at<uint8_t>(result), 0);
    return std::pair(at<uint64_t>(result + 8), at<uint64_t>(result + 16));
  };
  EXPECT_EQ(hash(one), hash(again));
  EXPECT_NE(hash(one), hash(two));
  const auto before = hash(one);
  write_file("one", "longer");
  EXPECT_NE(hash(one), before);
}

TEST_F(Wasi2Files, TimesAreSetOrLeft) {
  start();
  write_file("file", "x");
  const uint32_t file = open_file("file");
  EXPECT_EQ(done(mayfly_wasi2_set_times(transfer(), state(), file, 2, 5, 7, 0, 0, 0)), -1);
  struct stat status{};
  ASSERT_EQ(stat((root_ / "file").c_str(), &status), 0);
  EXPECT_EQ(status.st_atim.tv_sec, 5);
  EXPECT_EQ(status.st_atim.tv_nsec, 7);
  EXPECT_GT(status.st_mtim.tv_sec, 5);
  EXPECT_EQ(done(mayfly_wasi2_set_times(transfer(), state(), file, 2, 0, 1'000'000'000, 0, 0, 0)),
            code(ErrorCode::kInvalid));
  EXPECT_EQ(done(mayfly_wasi2_set_times(transfer(), state(), file, 0, 0, 0, 2, UINT64_MAX, 0)),
            code(ErrorCode::kOverflow));
}

TEST_F(Wasi2Files, DescriptorsAreGivenBack) {
  start();
  write_file("file", "x");
  for (int i = 0; i < 10'000; ++i) {
    const uint32_t file = open_file("file");
    mayfly_wasi2_drop_descriptor(transfer(), state(), file);
  }
  // A preopened directory is there as often as it is asked for.
  for (int i = 0; i < 10; ++i) mayfly_wasi2_drop_descriptor(transfer(), state(), root());
  EXPECT_EQ(flags_of(root()), kRead | 32);
}

}  // namespace
}  // namespace mayfly
