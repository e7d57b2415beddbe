// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A store in memory. Each entry counts with what it takes beside its bytes, too.
#include <algorithm>
#include <charconv>
#include <map>
#include <unordered_map>

#include "wasi/key_value.h"

namespace mayfly::wasi {

namespace {

// Of maps' nodes, strings, and a bucket's name.
constexpr uint64_t kEntryBytes = 512;

class MemoryStore final : public KeyValueStore {
 public:
  explicit MemoryStore(uint64_t bytes_max) : bytes_max_(bytes_max) {}

  void set_wait(const KeyValueWait& /*wait*/) override {}

  Errno get(const std::string& bucket, const std::string& key, std::string* value) override {
    const Entry* const entry = find(bucket, key);
    if (entry == nullptr) return Errno::kNoEnt;
    *value = entry->value;
    return Errno::kSuccess;
  }

  Errno set(const std::string& bucket, const std::string& key, std::string value) override {
    Entry* const found = find(bucket, key);
    const uint64_t freed = found == nullptr ? 0 : found->value.size();
    const uint64_t taken = value.size() + (found == nullptr ? kEntryBytes + 2 * key.size() : 0);
    if (taken > freed && taken - freed > bytes_max_ - bytes_) return Errno::kNoSpc;
    bytes_ = bytes_ - freed + taken;
    if (found != nullptr) {
      found->value = std::move(value);
      return Errno::kSuccess;
    }
    Bucket& entries = buckets_[bucket];
    entries.by_key.emplace(key, Entry{next_number_, std::move(value)});
    entries.by_number.emplace(next_number_, key);
    ++next_number_;
    return Errno::kSuccess;
  }

  Errno remove(const std::string& bucket, const std::string& key) override {
    const auto entries = buckets_.find(bucket);
    if (entries == buckets_.end()) return Errno::kSuccess;
    const auto entry = entries->second.by_key.find(key);
    if (entry == entries->second.by_key.end()) return Errno::kSuccess;
    bytes_ -= kEntryBytes + 2 * key.size() + entry->second.value.size();
    entries->second.by_number.erase(entry->second.number);
    entries->second.by_key.erase(entry);
    if (entries->second.by_key.empty()) buckets_.erase(entries);
    return Errno::kSuccess;
  }

  Errno contains(const std::string& bucket, const std::string& key) override {
    return find(bucket, key) == nullptr ? Errno::kNoEnt : Errno::kSuccess;
  }

  Errno list(const std::string& bucket, uint64_t from, size_t keys_max, uint64_t bytes_max,
             KeyPage* page) override {
    const auto entries = buckets_.find(bucket);
    if (entries == buckets_.end()) return Errno::kSuccess;
    const auto& all = entries->second.by_number;
    uint64_t bytes = 0;
    for (auto entry = all.lower_bound(from); entry != all.end(); ++entry) {
      bytes += entry->second.size();
      if (!page->keys.empty() && (page->keys.size() >= keys_max || bytes > bytes_max)) {
        page->next = entry->first;
        break;
      }
      page->keys.push_back(entry->second);
    }
    return Errno::kSuccess;
  }

  Errno increment(const std::string& bucket, const std::string& key, uint64_t delta,
                  uint64_t* sum) override {
    const Entry* const entry = find(bucket, key);
    const auto number = entry == nullptr ? 0 : number_of(entry->value);
    if (!number) return Errno::kInval;
    if (__builtin_add_overflow(*number, delta, sum)) return Errno::kOverflow;
    return set(bucket, key, std::to_string(*sum));
  }

  void restart() override {
    buckets_.clear();
    bytes_ = 0;
  }

 private:
  struct Entry {
    uint64_t number = 0;
    std::string value;
  };
  struct Bucket {
    std::unordered_map<std::string, Entry> by_key;
    std::map<uint64_t, std::string> by_number;
  };

  Entry* find(const std::string& bucket, const std::string& key) {
    const auto entries = buckets_.find(bucket);
    if (entries == buckets_.end()) return nullptr;
    const auto entry = entries->second.by_key.find(key);
    return entry == entries->second.by_key.end() ? nullptr : &entry->second;
  }

  std::map<std::string, Bucket> buckets_;  // those with entries
  uint64_t bytes_max_;
  uint64_t bytes_ = 0;
  uint64_t next_number_ = 1;
};

}  // namespace

std::optional<uint64_t> number_of(std::string_view value) {
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::unique_ptr<KeyValueStore> create_memory_store(uint64_t bytes_max) {
  return std::make_unique<MemoryStore>(bytes_max);
}

Result<std::unique_ptr<KeyValueStore>> open_key_value_store(const KeyValueConfig& config) {
  switch (config.kind) {
    case KeyValueConfig::Kind::kNone:
      break;
    case KeyValueConfig::Kind::kMemory:
      return create_memory_store(config.bytes_max);
    case KeyValueConfig::Kind::kFile:
      return open_file_store(config.path, config.bytes_max);
  }
  return std::unique_ptr<KeyValueStore>();
}

}  // namespace mayfly::wasi
