// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:keyvalue as components see it: buckets, entries, pages of keys, batches, errors.
#include <gtest/gtest.h>

#include <set>

#include "guest/component/trap.h"
#include "wasi2_program.h"

namespace mayfly {
namespace {

constexpr int kAccessDenied = 1, kOther = 2;
const std::string kNone = "none";

class Wasi2KeyValue : public Wasi2Program {
 protected:
  void start_in_memory() {
    config_.key_value.kind = wasi::KeyValueConfig::Kind::kMemory;
    start();
  }
  // Of a result<T, error>: the case of the error, or -1. It lies where T does.
  int error_of(uint32_t result, uint32_t payload = 4) {
    return at<uint8_t>(result) == 0 ? -1 : at<uint8_t>(result + payload);
  }
  int open(std::string_view name, uint32_t* bucket) {
    const uint32_t address = put(name);
    const uint32_t result = mayfly_wasi2_bucket_open(transfer(), state(), address, size(name));
    *bucket = at<uint32_t>(result + 4);
    return error_of(result);
  }
  uint32_t bucket(std::string_view name) {
    uint32_t opened = 0;
    EXPECT_EQ(open(name, &opened), -1);
    return opened;
  }
  int set(uint32_t bucket, std::string_view key, std::string_view value) {
    const uint32_t address = put(std::string(key) + std::string(value));
    return error_of(mayfly_wasi2_bucket_set(transfer(), state(), bucket, address, size(key),
                                            address + size(key), size(value)));
  }
  std::string get(uint32_t bucket, std::string_view key) {
    const uint32_t address = put(key);
    const uint32_t result =
        mayfly_wasi2_bucket_get(transfer(), state(), bucket, address, size(key));
    if (error_of(result) != -1) return "error " + std::to_string(error_of(result));
    if (at<uint8_t>(result + 4) == 0) return kNone;
    return text_at(at<uint32_t>(result + 8), at<uint32_t>(result + 12));
  }
  bool exists(uint32_t bucket, std::string_view key) {
    const uint32_t address = put(key);
    const uint32_t result =
        mayfly_wasi2_bucket_exists(transfer(), state(), bucket, address, size(key));
    EXPECT_EQ(error_of(result), -1);
    return at<uint8_t>(result + 4) != 0;
  }
  int remove(uint32_t bucket, std::string_view key) {
    const uint32_t address = put(key);
    return error_of(mayfly_wasi2_bucket_delete(transfer(), state(), bucket, address, size(key)));
  }
  uint64_t list(uint32_t bucket, uint64_t cursor, std::multiset<std::string>* keys) {
    reset_transfer();
    const uint32_t result =
        mayfly_wasi2_bucket_list_keys(transfer(), state(), bucket, cursor == 0 ? 0 : 1, cursor);
    EXPECT_EQ(error_of(result, 8), -1);
    for (uint32_t i = 0; i < at<uint32_t>(result + 12); ++i) {
      const uint32_t key = at<uint32_t>(result + 8) + 8 * i;
      keys->insert(text_at(at<uint32_t>(key), at<uint32_t>(key + 4)));
    }
    return at<uint8_t>(result + 16) == 0 ? 0 : at<uint64_t>(result + 24);
  }
  // -1: the error is other.
  int64_t increment(uint32_t bucket, std::string_view key, uint64_t delta) {
    const uint32_t address = put(key);
    const uint32_t result =
        mayfly_wasi2_bucket_increment(transfer(), state(), bucket, address, size(key), delta);
    if (at<uint8_t>(result) == 0) return at<int64_t>(result + 8);
    EXPECT_EQ(at<uint8_t>(result + 8), kOther);
    return -1;
  }
  // A list<string>, or of pairs, as an adapter lifts it.
  uint32_t put_list(const std::vector<std::string>& texts) {
    std::string words(texts.size() * 8, '\0');
    std::string all;
    for (const std::string& text : texts) all += text;
    const uint32_t list = put(words + all);
    uint32_t address = list + size(words);
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::array<uint32_t, 2> item = {address, size(texts[i])};
      std::memcpy(transfer_->bytes().data() + list + i * 8, item.data(), sizeof item);
      address += size(texts[i]);
    }
    return list;
  }
};

TEST_F(Wasi2KeyValue, NothingIsAllowedWithoutAGrant) {
  start();
  uint32_t opened = 0;
  EXPECT_EQ(open("default", &opened), kAccessDenied);
}

TEST_F(Wasi2KeyValue, BucketsHaveEntriesOfTheirOwn) {
  start_in_memory();
  const uint32_t a = bucket("a");
  const uint32_t b = bucket("");
  EXPECT_EQ(set(a, "key", "value"), -1);
  EXPECT_EQ(set(a, "", ""), -1);
  EXPECT_EQ(get(a, "key"), "value");
  EXPECT_EQ(get(a, ""), "");
  EXPECT_EQ(get(b, "key"), kNone);
  EXPECT_EQ(get(bucket("a"), "key"), "value");
  EXPECT_TRUE(exists(a, "key"));
  EXPECT_EQ(remove(a, "key"), -1);
  EXPECT_EQ(remove(a, "key"), -1);
  EXPECT_FALSE(exists(a, "key"));
}

TEST_F(Wasi2KeyValue, LargeValuesPassAndTooLargeOnesDoNot) {
  start_in_memory();
  const uint32_t a = bucket("a");
  const std::string large(100'000, 'x');
  EXPECT_EQ(set(a, "key", large), -1);
  EXPECT_EQ(get(a, "key"), large);
  EXPECT_EQ(set(a, std::string(4096, 'k'), "x"), -1);
  EXPECT_EQ(set(a, std::string(4097, 'k'), "x"), kOther);
  EXPECT_EQ(get(a, std::string(4097, 'k')), "error 2");
  uint32_t opened = 0;
  EXPECT_EQ(open(std::string(255, 'b'), &opened), -1);
  EXPECT_EQ(open(std::string(256, 'b'), &opened), kOther);
}

TEST_F(Wasi2KeyValue, KeysComeInPages) {
  start_in_memory();
  const uint32_t a = bucket("a");
  std::multiset<std::string> expected;
  for (int i = 0; i < 2500; ++i) {
    const std::string key = "key " + std::to_string(i);
    ASSERT_EQ(set(a, key, "x"), -1);
    expected.insert(key);
  }
  std::multiset<std::string> keys;
  int pages = 1;
  for (uint64_t cursor = list(a, 0, &keys); cursor != 0; cursor = list(a, cursor, &keys)) ++pages;
  EXPECT_EQ(keys, expected);
  EXPECT_EQ(pages, 3);
  std::multiset<std::string> none;
  EXPECT_EQ(list(bucket("b"), 0, &none), 0U);
  EXPECT_TRUE(none.empty());
}

TEST_F(Wasi2KeyValue, LongKeysFitInAPage) {
  start_in_memory();
  const uint32_t a = bucket("a");
  for (char c = 'a'; c <= 'z'; ++c) ASSERT_EQ(set(a, std::string(4096, c), "x"), -1);
  std::multiset<std::string> keys;
  for (uint64_t cursor = list(a, 0, &keys); cursor != 0; cursor = list(a, cursor, &keys)) {
  }
  EXPECT_EQ(keys.size(), 26U);
}

TEST_F(Wasi2KeyValue, IncrementsAreOfNumbers) {
  start_in_memory();
  const uint32_t a = bucket("a");
  EXPECT_EQ(increment(a, "n", 3), 3);
  EXPECT_EQ(increment(a, "n", 4), 7);
  EXPECT_EQ(get(a, "n"), "7");
  EXPECT_EQ(set(a, "n", "seven"), -1);
  EXPECT_EQ(increment(a, "n", 1), -1);
}

TEST_F(Wasi2KeyValue, BatchesAreOneAfterTheOther) {
  start_in_memory();
  const uint32_t a = bucket("a");
  uint32_t list = put_list({"one", "1", "two", "2"});
  EXPECT_EQ(error_of(mayfly_wasi2_bucket_set_many(transfer(), state(), a, list, 2)), -1);
  EXPECT_EQ(get(a, "two"), "2");
  list = put_list({"one", "none", "two"});
  uint32_t result = mayfly_wasi2_bucket_get_many(transfer(), state(), a, list, 3);
  ASSERT_EQ(error_of(result), -1);
  ASSERT_EQ(at<uint32_t>(result + 8), 3U);
  const auto items = at<uint32_t>(result + 4);
  EXPECT_EQ(at<uint8_t>(items), 1);
  EXPECT_EQ(text_at(at<uint32_t>(items + 4), at<uint32_t>(items + 8)), "one");
  EXPECT_EQ(text_at(at<uint32_t>(items + 12), at<uint32_t>(items + 16)), "1");
  EXPECT_EQ(at<uint8_t>(items + 20), 0);
  EXPECT_EQ(text_at(at<uint32_t>(items + 52), at<uint32_t>(items + 56)), "2");
  list = put_list({"one", "none"});
  EXPECT_EQ(error_of(mayfly_wasi2_bucket_delete_many(transfer(), state(), a, list, 2)), -1);
  EXPECT_FALSE(exists(a, "one"));
  EXPECT_TRUE(exists(a, "two"));
  list = put_list({std::string(5000, 'k')});
  EXPECT_EQ(error_of(mayfly_wasi2_bucket_delete_many(transfer(), state(), a, list, 1)), kOther);
  list = put_list({std::string(5000, 'k')});
  EXPECT_EQ(error_of(mayfly_wasi2_bucket_get_many(transfer(), state(), a, list, 1)), kOther);
}

TEST_F(Wasi2KeyValue, OpenBucketsAreHandlesAndEndWithTheirDrop) {
  config_.limits.open_files_max = 6;
  start_in_memory();
  uint32_t opened = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(open("a", &opened), -1);
    mayfly_wasi2_drop_bucket(transfer(), state(), opened);
  }
  EXPECT_EQ(open("a", &opened), -1);
  int count = 0;
  while (count < 20 && open("b", &opened) == -1) ++count;
  EXPECT_LT(count, 6);
}

TEST_F(Wasi2KeyValue, AFullStoreSaysSo) {
  config_.key_value.bytes_max = 100'000;
  start_in_memory();
  const uint32_t a = bucket("a");
  EXPECT_EQ(set(a, "key", std::string(90'000, 'x')), -1);
  EXPECT_EQ(set(a, "more", std::string(90'000, 'x')), kOther);
  EXPECT_EQ(get(a, "more"), kNone);
}

}  // namespace
}  // namespace mayfly
