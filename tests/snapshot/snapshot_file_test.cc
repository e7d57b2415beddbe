// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Snapshots in files: what was saved is what starts, and what is no snapshot, or one no more, is an
// error with its numbers, never the host's end.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "image/snapshot_format.h"
#include "runtime/snapshot_file.h"
#include "runtime/snapshot_save.h"
#include "snapshot_fixture.h"

namespace mayfly {
namespace {

using image::SnapshotHeader;
using runtime::SnapshotFile;

class SnapshotFileTest : public SnapshotTest {
 protected:
  std::string path() const { return folder_ + "/state"; }
  void save(const SnapshotPtr& snapshot) const {
    const auto saved = runtime::save_snapshot(*snapshot, {image_.get(), 0, true}, path());
    ASSERT_TRUE(saved) << saved.error().message;
  }
  SnapshotPtr load() const {
    const auto file = SnapshotFile::open(path());
    EXPECT_TRUE(file) << file.error().message;
    if (!file) return nullptr;
    auto snapshot = Snapshot::create(*file, *image_);
    EXPECT_TRUE(snapshot) << snapshot.error().message;
    return snapshot ? *snapshot : nullptr;
  }
  std::vector<uint8_t> bytes() const { return read_file(path(), uint64_t{1} << 30).value(); }
  void write(const std::vector<uint8_t>& bytes) const {
    const auto file = open_file(path(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_TRUE(file && write_whole(file->get(), bytes));
  }
  // Of what cannot be opened.
  std::string fault() const {
    const auto file = SnapshotFile::open(path());
    return file ? "it opens" : file.error().message;
  }
  std::vector<std::string> left_in_folder() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      names.push_back(entry.path().filename());
    }
    std::ranges::sort(names);
    return names;
  }
  SnapshotHeader header() const {
    return image::decode_snapshot_header(bytes(), std::filesystem::file_size(path())).value();
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, SnapshotFileTest,
                         testing::Values(vmm::Driver::kKvm, vmm::Driver::kProcess),
                         [](const auto& info) { return std::string(to_string(info.param)); });

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_P(SnapshotFileTest, StartsFromWhatWasSaved) {
  const Running first = start();
  EXPECT_EQ(first.number("grow", {100}), 2);
  first.call("spoil", {Value::i32(65536), Value::i32(5), Value::i32(0)});
  first.call("store", {Value::i32(101 * 65536), Value::i32(7)});
  EXPECT_EQ(first.number("push", {1}), 4);
  EXPECT_EQ(first.number("count"), 1);
  save(first.snapshot());
  const auto loaded = load();
  ASSERT_NE(loaded, nullptr);
  EXPECT_GE(loaded->page_count(), 1600u);
  for (int fork = 0; fork < 3; ++fork) {
    const Running other = make();
    for (int round = 0; round < 3; ++round) {
      other.restore(loaded);
      EXPECT_EQ(other.number("size"), 102);
      EXPECT_EQ(other.number("load", {101 * 65536}), 7);
      EXPECT_EQ(other.number("load", {100 * 65536}), 0x05050505);
      EXPECT_EQ(other.number("load", {4096}), 0);
      EXPECT_EQ(other.number("table_size"), 5);
      EXPECT_EQ(other.number("call_last"), 1);
      EXPECT_EQ(other.number("count"), 2);
      other.call("store", {Value::i32(50 * 65536), Value::i32(9)});
      EXPECT_EQ(other.number("load", {50 * 65536}), 9);
    }
    EXPECT_EQ(other.number("grow", {1}), 102);
    EXPECT_EQ(other.number("load", {102 * 65536}), 0);
  }
}

TEST_P(SnapshotFileTest, GoesBetweenFilesAndMemory) {
  const Running program = start();
  const auto zero = program.snapshot();
  program.call("spoil", {Value::i32(65536), Value::i32(5), Value::i32(0)});
  EXPECT_EQ(program.number("count"), 1);
  save(program.snapshot());
  const auto loaded = load();
  program.restore(loaded);
  EXPECT_EQ(program.number("count"), 2);
  const auto later = program.snapshot();  // shares the file's pages
  program.restore(zero);
  EXPECT_EQ(program.number("count"), 1);
  EXPECT_EQ(program.number("load", {65536 + 4096}), 0);
  program.restore(later);
  EXPECT_EQ(program.number("count"), 3);
  EXPECT_EQ(program.number("load", {65536 + 4096}), 0x05050505);
  // Many in a row, past which a snapshot gathers its pages.
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(program.number("count"), 4 + i);
    program.restore(program.snapshot());
  }
  save(program.snapshot());
  const Running other = make();
  other.restore(load());
  EXPECT_EQ(other.number("count"), 16);
  EXPECT_EQ(other.number("load", {65536 + 4096}), 0x05050505);
}

TEST_P(SnapshotFileTest, NeverRepeatsRandomNumbersOrTime) {
  const Running program = start();
  program.number("random");
  int64_t last_time = program.number("monotonic");
  save(program.snapshot());
  const auto loaded = load();
  std::set<int64_t> seen;
  const Running other = make();
  for (int i = 0; i < 10; ++i) {
    for (const Running* one : {&program, &other}) {
      one->restore(loaded);
      EXPECT_TRUE(seen.insert(one->number("random")).second);
      const int64_t time = one->number("monotonic");
      EXPECT_GE(time, last_time);
      last_time = time;
    }
  }
}

TEST_P(SnapshotFileTest, HoldsNeitherZerosNorTheImagesPages) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {150}), 2);
  save(program.snapshot());
  EXPECT_LE(header().page_count, 40u);
  EXPECT_LE(std::filesystem::file_size(path()), image_->file_bytes().size() + 45 * 4096);
}

TEST_P(SnapshotFileTest, IsItsOwnersAloneAndReplacesTheFileAtOnce) {
  const Running program = start();
  std::ofstream(path()) << "what was there";
  ::chmod(path().c_str(), 0777);
  const mode_t before = ::umask(0);
  save(program.snapshot());
  ::umask(before);
  struct stat status{};
  ASSERT_EQ(::stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  EXPECT_EQ(left_in_folder(), (std::vector<std::string>{"data.txt", "state"}));
}

TEST_P(SnapshotFileTest, LeavesNothingWhenItCannotBeWritten) {
  const Running program = start();
  const auto snapshot = program.snapshot();
  const runtime::SnapshotProgram of{image_.get(), 0, true};
  std::filesystem::create_directory(path());
  auto saved = runtime::save_snapshot(*snapshot, of, path());
  ASSERT_FALSE(saved);
  EXPECT_TRUE(says(saved.error().message, "no regular file")) << saved.error().message;
  saved = runtime::save_snapshot(*snapshot, of, folder_ + "/none/state");
  ASSERT_FALSE(saved);
  EXPECT_TRUE(says(saved.error().message, folder_ + "/none/state")) << saved.error().message;
  EXPECT_EQ(left_in_folder(), (std::vector<std::string>{"data.txt", "state"}));
}

TEST_P(SnapshotFileTest, RefusesToSaveOpenFiles) {
  const Running program = start();
  ASSERT_EQ(program.number("open"), 4);
  const auto snapshot = program.snapshot();
  const auto saved = runtime::save_snapshot(*snapshot, {image_.get(), 0, true}, path());
  ASSERT_FALSE(saved);
  EXPECT_TRUE(says(saved.error().message, "1 files")) << saved.error().message;
  EXPECT_EQ(program.number("close", {4}), 0);
  save(program.snapshot());
  const Running other = make();
  other.restore(load());
  EXPECT_EQ(other.number("open"), 4);
}

TEST_P(SnapshotFileTest, RefusesWhatIsNoSnapshot) {
  std::ofstream(path()).close();
  EXPECT_TRUE(says(fault(), "not a Mayfly snapshot")) << fault();
  std::ofstream(path()) << "MFSNAPSH and too short";
  EXPECT_TRUE(says(fault(), "22 bytes, fewer than the header's 256")) << fault();
  write(std::vector<uint8_t>(image_->file_bytes().begin(), image_->file_bytes().end()));
  EXPECT_TRUE(says(fault(), "not a Mayfly snapshot")) << fault();
  std::filesystem::remove(path());
  EXPECT_TRUE(says(fault(), path())) << fault();
  ASSERT_EQ(::mkfifo(path().c_str(), 0600), 0);
  EXPECT_TRUE(says(fault(), "a regular file")) << fault();
}

TEST_P(SnapshotFileTest, RefusesEveryTruncation) {
  const Running program = start();
  save(program.snapshot());
  const std::vector<uint8_t> whole = bytes();
  for (size_t size = 0; size < whole.size(); size += 1 + size / 7) {
    ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(size)), 0);
    EXPECT_FALSE(SnapshotFile::open(path())) << size;
    write(whole);
  }
  ASSERT_EQ(::truncate(path().c_str(), static_cast<off_t>(whole.size() - 1)), 0);
  EXPECT_TRUE(says(fault(), "is not inside its file of " + std::to_string(whole.size() - 1)))
      << fault();
}

TEST_P(SnapshotFileTest, FindsEveryChangedByteOfHeaderAndMetadata) {
  const Running program = start();
  save(program.snapshot());
  const std::vector<uint8_t> whole = bytes();
  const SnapshotHeader said = header();
  const auto refuses = [&](uint64_t offset) {
    std::vector<uint8_t> changed = whole;
    changed[offset] ^= 0x10;
    write(changed);
    return !SnapshotFile::open(path());
  };
  for (uint64_t byte = 0; byte < image::kSnapshotHeaderBytes; ++byte) {
    EXPECT_TRUE(refuses(byte)) << byte;
  }
  for (uint64_t byte = 0; byte < said.metadata_bytes; ++byte) {
    EXPECT_TRUE(refuses(said.metadata_offset + byte)) << byte;
  }
}

TEST_P(SnapshotFileTest, VerifiesImageAndPages) {
  const Running program = start();
  save(program.snapshot());
  const std::vector<uint8_t> whole = bytes();
  const SnapshotHeader said = header();
  EXPECT_TRUE(SnapshotFile::open(path()).value()->verify());
  for (const auto& [offset, part] :
       {std::pair(said.image_offset + 5000, "image"), std::pair(said.pages_offset + 3, "pages")}) {
    std::vector<uint8_t> changed = whole;
    changed[offset] ^= 1;
    write(changed);
    const auto opened = SnapshotFile::open(path());
    ASSERT_TRUE(opened) << opened.error().message;
    const auto verified = (*opened)->verify();
    ASSERT_FALSE(verified) << part;
    EXPECT_TRUE(says(verified.error().message, part)) << verified.error().message;
    EXPECT_FALSE((*opened)->check_origin());
  }
}

TEST_P(SnapshotFileTest, RefusesAnotherVersion) {
  const Running program = start();
  save(program.snapshot());
  std::vector<uint8_t> changed = bytes();
  changed[8] = 77;
  write(changed);
  EXPECT_TRUE(says(fault(), "format version 77, this Mayfly reads version 1")) << fault();
}

// The checksums are no secret: who makes a file can make them fit.
TEST_P(SnapshotFileTest, RefusesMetadataThatDoesNotFitTheImage) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {3}), 2);
  save(program.snapshot());
  const auto fits = SnapshotFile::open(path()).value()->metadata();
  const uint64_t pages = header().page_count;
  ASSERT_TRUE(image::check_snapshot(fits, pages, *image_));
  const auto refused = [&](const auto& change) {
    image::SnapshotMetadata metadata = fits;
    change(metadata);
    const auto checked = image::check_snapshot(metadata, pages, *image_);
    return checked ? std::string() : checked.error().message;
  };
  EXPECT_TRUE(says(refused([](auto& m) { m.region_bytes.pop_back(); }), "regions"));
  EXPECT_TRUE(says(refused([](auto& m) { m.region_bytes[0] = 1 << 16; }), "region 0"));
  EXPECT_TRUE(says(refused([](auto& m) { m.region_bytes[0] = UINT64_MAX; }), "region 0"));
  EXPECT_TRUE(says(refused([](auto& m) { m.instantiated.push_back(true); }), "instances"));
  EXPECT_TRUE(says(refused([](auto& m) { m.main = 1; }), "main"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs[0].count = UINT64_MAX; }), "ends past"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs[0].first = UINT64_MAX; }), "ends past"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs[0].region = 99; }), "no region"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs[0].count = 0; }), "empty"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs.push_back(m.runs[0]); }), "does not come after"));
  EXPECT_TRUE(says(refused([](auto& m) { m.runs.pop_back(); }), "header says"));
  const auto& regions = image_->regions();
  for (uint32_t region = 0; region < regions.size(); ++region) {
    if (regions[region].kind != image::RegionKind::kText) continue;
    EXPECT_TRUE(says(refused([&](auto& m) { m.runs.push_back({{}, region, 0, 1}); }), "written"));
  }
}

// On kvm what was not touched is read later: the call that needs it ends as an error.
TEST_P(SnapshotFileTest, EndsCallsWhenTheFileChanges) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {150}), 2);
  program.call("spoil", {Value::i32(65536), Value::i32(5), Value::i32(0)});
  const auto snapshot = program.snapshot();
  for (const bool is_cut : {false, true}) {
    save(snapshot);
    const auto loaded = load();
    ASSERT_NE(loaded, nullptr);
    const Running other = make();
    other.restore(loaded);
    EXPECT_EQ(other.number("count"), 1);
    ::usleep(20'000);
    if (is_cut) {
      ASSERT_EQ(::truncate(path().c_str(), 100'000), 0);
    } else {
      std::fstream(path(), std::ios::in | std::ios::out) << "x";
    }
    const image::ImageExport* load_function = other.runner->find_export(0, "load");
    const auto outcome =
        other.runner->call(load_function->func, std::vector{Value::i32(140 << 16)});
    if (GetParam() == vmm::Driver::kKvm) {
      EXPECT_FALSE(outcome);
    } else {
      EXPECT_TRUE(outcome);
    }
    const Running third = make();
    EXPECT_FALSE(third.runner->restore(loaded));
  }
}

// Its name may go: who has it open keeps it.
TEST_P(SnapshotFileTest, LivesOnWithoutItsName) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {100}), 2);
  program.call("store", {Value::i32(90 << 16), Value::i32(7)});
  save(program.snapshot());
  const auto loaded = load();
  const Running other = make();
  other.restore(loaded);
  save(loaded);  // in its place
  std::filesystem::remove(path());
  EXPECT_EQ(other.number("load", {90 << 16}), 7);
  EXPECT_EQ(left_in_folder(), std::vector<std::string>{"data.txt"});
}

// A file that others may write is copied: what they do to it later changes nothing.
TEST_P(SnapshotFileTest, CopiesAFileThatOthersMayWrite) {
  const Running program = start();
  EXPECT_EQ(program.number("grow", {100}), 2);
  program.call("spoil", {Value::i32(65536), Value::i32(5), Value::i32(0)});
  save(program.snapshot());
  for (const mode_t mode : {0620u, 0602u}) {
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
    const std::vector<uint8_t> whole = bytes();
    const auto loaded = load();
    write(std::vector<uint8_t>(whole.size(), 0xff));
    ASSERT_EQ(::truncate(path().c_str(), 10), 0);
    const Running other = make();
    other.restore(loaded);
    EXPECT_EQ(other.number("load", {90 << 16}), 0x05050505);
    write(whole);
  }
}

TEST_P(SnapshotFileTest, CopiesAnotherUsersFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  const Running program = start();
  program.call("store", {Value::i32(4096), Value::i32(7)});
  save(program.snapshot());
  ASSERT_EQ(::chown(path().c_str(), 12345, 12345), 0);
  const auto loaded = load();
  ASSERT_EQ(::truncate(path().c_str(), 10), 0);
  const Running other = make();
  other.restore(loaded);
  EXPECT_EQ(other.number("load", {4096}), 7);
}

}  // namespace
}  // namespace mayfly
