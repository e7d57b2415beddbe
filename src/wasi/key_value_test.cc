// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stores of wasi:keyvalue, in memory and in files: the same rules.
#include "wasi/key_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

namespace mayfly::wasi {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uint64_t kMiB = 1 << 20;

class KeyValue : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/mayfly-kv-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    file_ = (folder_ / "store").string();
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<KeyValueStore> open(uint64_t bytes_max = 16 * kMiB) {
    auto store = open_file_store(file_, bytes_max);
    EXPECT_TRUE(store.has_value()) << store.error().message;
    return store ? *std::move(store) : nullptr;
  }
  std::vector<std::unique_ptr<KeyValueStore>> both(uint64_t bytes_max = 16 * kMiB) {
    std::vector<std::unique_ptr<KeyValueStore>> stores;
    stores.push_back(create_memory_store(bytes_max));
    stores.push_back(open(bytes_max));
    return stores;
  }
  static std::string get(KeyValueStore& store, const std::string& bucket, const std::string& key) {
    std::string value;
    const Errno error = store.get(bucket, key, &value);
    return error == Errno::kSuccess ? value : "errno " + std::to_string(static_cast<int>(error));
  }
  std::string why_not() {
    const auto store = open_file_store(file_, kMiB);
    return store ? "it opened" : store.error().message;
  }

  fs::path folder_;
  std::string file_;
};

const std::string kNone = "errno " + std::to_string(static_cast<int>(Errno::kNoEnt));

TEST_F(KeyValue, HasWhatWasSetInEachBucket) {
  for (const auto& store : both()) {
    EXPECT_EQ(get(*store, "a", "key"), kNone);
    EXPECT_EQ(store->set("a", "key", "one"), Errno::kSuccess);
    EXPECT_EQ(store->set("b", "key", std::string("t\0wo", 4)), Errno::kSuccess);
    EXPECT_EQ(store->set("", "", ""), Errno::kSuccess);
    EXPECT_EQ(get(*store, "a", "key"), "one");
    EXPECT_EQ(get(*store, "b", "key"), std::string("t\0wo", 4));
    EXPECT_EQ(get(*store, "", ""), "");
    EXPECT_EQ(store->set("a", "key", "three"), Errno::kSuccess);
    EXPECT_EQ(get(*store, "a", "key"), "three");
    EXPECT_EQ(store->contains("a", "key"), Errno::kSuccess);
    EXPECT_EQ(store->remove("a", "key"), Errno::kSuccess);
    EXPECT_EQ(store->remove("a", "key"), Errno::kSuccess);
    EXPECT_EQ(store->contains("a", "key"), Errno::kNoEnt);
    EXPECT_EQ(get(*store, "b", "key"), std::string("t\0wo", 4));
  }
}

TEST_F(KeyValue, ListsEachKeyOnceWhateverHappensMeanwhile) {
  for (const auto& store : both()) {
    for (int i = 0; i < 100; ++i) {
      ASSERT_EQ(store->set("a", "key " + std::to_string(i), "x"), Errno::kSuccess);
      ASSERT_EQ(store->set("b", "other " + std::to_string(i), "x"), Errno::kSuccess);
    }
    std::multiset<std::string> keys;
    uint64_t from = 0;
    int pages = 0;
    do {
      KeyPage page;
      ASSERT_EQ(store->list("a", from, 7, 1000, &page), Errno::kSuccess);
      EXPECT_LE(page.keys.size(), 7U);
      for (const std::string& key : page.keys) {
        keys.insert(key);
        EXPECT_EQ(store->remove("a", key), Errno::kSuccess);
      }
      ASSERT_EQ(store->set("a", "key 99", "y"), Errno::kSuccess);
      from = page.next;
    } while (from != 0 && ++pages < 100);
    for (int i = 0; i < 99; ++i) EXPECT_EQ(keys.count("key " + std::to_string(i)), 1U) << i;
    EXPECT_EQ(keys.count("other 1"), 0U);
  }
}

TEST_F(KeyValue, PagesEndByBytesButHaveOneKey) {
  for (const auto& store : both()) {
    ASSERT_EQ(store->set("a", std::string(100, 'a'), ""), Errno::kSuccess);
    ASSERT_EQ(store->set("a", std::string(50, 'b'), ""), Errno::kSuccess);
    KeyPage page;
    EXPECT_EQ(store->list("a", 0, 10, 1, &page), Errno::kSuccess);
    ASSERT_EQ(page.keys.size(), 1U);
    KeyPage rest;
    EXPECT_EQ(store->list("a", page.next, 10, 50, &rest), Errno::kSuccess);
    ASSERT_EQ(rest.keys.size(), 1U);
    EXPECT_EQ(rest.next, 0U);
    KeyPage past;
    EXPECT_EQ(store->list("a", UINT64_MAX, 10, 50, &past), Errno::kSuccess);
    EXPECT_TRUE(past.keys.empty());
  }
}

TEST_F(KeyValue, IncrementsDecimalNumbers) {
  for (const auto& store : both()) {
    uint64_t sum = 0;
    EXPECT_EQ(store->increment("a", "n", 5, &sum), Errno::kSuccess);
    EXPECT_EQ(sum, 5U);
    EXPECT_EQ(store->increment("a", "n", 37, &sum), Errno::kSuccess);
    EXPECT_EQ(sum, 42U);
    EXPECT_EQ(get(*store, "a", "n"), "42");
    EXPECT_EQ(store->increment("a", "n", UINT64_MAX, &sum), Errno::kOverflow);
    EXPECT_EQ(get(*store, "a", "n"), "42");
    for (const char* text : {"", "x", "-1", " 1", "1 ", "18446744073709551616"}) {
      EXPECT_EQ(store->set("a", "n", text), Errno::kSuccess);
      EXPECT_EQ(store->increment("a", "n", 1, &sum), Errno::kInval) << text;
      EXPECT_EQ(get(*store, "a", "n"), text);
    }
  }
}

TEST_F(KeyValue, TakesNoMoreThanItsLimit) {
  for (const auto& store : both(kMiB)) {
    int count = 0;
    while (count < 100 &&
           store->set("a", std::to_string(count), std::string(65536, 'x')) == Errno::kSuccess) {
      ++count;
    }
    EXPECT_GE(count, 10);
    EXPECT_LE(count, 16);
    EXPECT_EQ(store->set("a", "more", std::string(65536, 'x')), Errno::kNoSpc);
    EXPECT_EQ(get(*store, "a", "0"), std::string(65536, 'x'));
    EXPECT_EQ(store->remove("a", "0"), Errno::kSuccess);
    EXPECT_EQ(store->remove("a", "1"), Errno::kSuccess);
    EXPECT_EQ(store->set("a", "more", std::string(65536, 'x')), Errno::kSuccess);
  }
}

TEST_F(KeyValue, InMemoryIsGoneForTheNextTenant) {
  const auto store = create_memory_store(kMiB);
  EXPECT_EQ(store->set("a", "key", std::string(kMiB / 2, 'x')), Errno::kSuccess);
  store->restart();
  EXPECT_EQ(get(*store, "a", "key"), kNone);
  EXPECT_EQ(store->set("a", "key", std::string(kMiB / 2, 'x')), Errno::kSuccess);
}

TEST_F(KeyValue, InAFileStaysAndIsShared) {
  {
    const auto store = open();
    EXPECT_EQ(store->set("a", "key", "value"), Errno::kSuccess);
  }
  const auto one = open();
  const auto two = open();
  one->restart();
  EXPECT_EQ(get(*two, "a", "key"), "value");
  EXPECT_EQ(one->set("a", "key", "other"), Errno::kSuccess);
  EXPECT_EQ(get(*two, "a", "key"), "other");
}

TEST_F(KeyValue, IncrementsOfManyAreAllCounted) {
  constexpr int kThreads = 4, kTimes = 50;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this] {
      const auto store = open();
      uint64_t sum = 0;
      for (int k = 0; k < kTimes; ++k) {
        EXPECT_EQ(store->increment("a", "n", 1, &sum), Errno::kSuccess);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(get(*open(), "a", "n"), std::to_string(kThreads * kTimes));
}

TEST_F(KeyValue, WhoWaitsForAnotherWriterEndsAtTheDeadline) {
  const auto store = open();
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> closes(other, &sqlite3_close);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  store->set_wait({std::chrono::steady_clock::now() + std::chrono::milliseconds(50), -1});
  EXPECT_EQ(store->set("a", "key", "value"), Errno::kBusy);
  EXPECT_EQ(get(*store, "a", "key"), kNone);
  ASSERT_EQ(sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr), SQLITE_OK);
  store->set_wait({});
  EXPECT_EQ(store->set("a", "key", "value"), Errno::kSuccess);
}

TEST_F(KeyValue, AFileOfAnotherProgramIsLeftAlone) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "CREATE TABLE entry (a)", nullptr, nullptr, nullptr), SQLITE_OK);
  ASSERT_EQ(sqlite3_close(other), SQLITE_OK);
  EXPECT_THAT(why_not(), HasSubstr("a database of something else than mayfly"));
}

TEST_F(KeyValue, AFileThatIsNoStoreIsOneClearError) {
  std::ofstream(file_) << "This is no database, but it is long enough to look at its beginning: "
                       << std::string(4096, 'x');
  EXPECT_THAT(why_not(), HasSubstr("store: file is not a database"));
  fs::remove(file_);
  fs::create_directory(file_);
  EXPECT_THAT(why_not(), HasSubstr("unable to open database file: "));
  file_ = (folder_ / "none/store").string();
  EXPECT_THAT(why_not(), HasSubstr("No such file or directory"));
}

TEST_F(KeyValue, ADamagedFileIsAnErrorNotACrash) {
  {
    const auto store = open();
    for (int i = 0; i < 200; ++i) {
      ASSERT_EQ(store->set("a", std::to_string(i), std::string(1000, 'x')), Errno::kSuccess);
    }
  }
  {
    std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
    for (int at = 4096; at < 100'000; at += 512) {
      file.seekp(at);
      file << "damaged damaged damaged";
    }
  }
  auto store = open_file_store(file_, kMiB);
  if (!store) {
    EXPECT_THAT(store.error().message, HasSubstr("malformed"));
    return;
  }
  EXPECT_EQ((*store)->set("a", "key", "value"), Errno::kIo);
}

}  // namespace
}  // namespace mayfly::wasi
