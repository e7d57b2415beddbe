// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Objects are destroyed when the table no longer knows them: destructors are the embedder's, and
// may call whatever they like.
#include "runtime/resource_table.h"

#include <atomic>
#include <random>
#include <string>
#include <utility>

namespace mayfly::runtime {
namespace {

using detail::ResourceEntry;
using detail::ResourceKind;

std::string name_of(uint32_t number) { return "resource " + std::to_string(number); }

void destroy(ResourceEntry& entry) {
  void* const object = std::exchange(entry.object, nullptr);
  if (entry.is_owned && object != nullptr) entry.kind->destroy(object);
}

}  // namespace

ResourceTable::ResourceTable() : first_(std::random_device()()) {
  static std::atomic<uint64_t> tables = 0;
  id_ = ++tables;
}

uint32_t ResourceTable::add(ResourceEntry entry) {
  do {
    entry.serial = next_++;
    entry.number = first_ + static_cast<uint32_t>(entry.serial);
  } while (entries_.contains(entry.number));
  entries_.emplace(entry.number, std::make_shared<ResourceEntry>(entry));
  return entry.number;
}

uint32_t ResourceTable::give(const ResourceKind& kind, void* object) {
  return add({.kind = &kind, .object = object, .is_owned = true});
}

uint32_t ResourceTable::lend(const ResourceKind& kind, void* object) {
  loans_.push_back(add({.kind = &kind, .object = object, .is_owned = false}));
  return loans_.back();
}

void ResourceTable::end_loans(size_t first) {
  while (loans_.size() > first) {
    const auto found = entries_.find(loans_.back());
    loans_.pop_back();
    if (found == entries_.end() || found->second->is_owned) continue;
    found->second->object = nullptr;
    entries_.erase(found);
  }
}

Result<std::shared_ptr<ResourceEntry>> ResourceTable::find(const ResourceKind& kind,
                                                           uint32_t number) const {
  const auto found = entries_.find(number);
  if (found == entries_.end()) {
    return invalid("the host has no " + name_of(number) +
                   ": it was dropped, or made in a state that the sandbox has left");
  }
  if (found->second->kind != &kind) {
    return invalid(name_of(number) + " of the host is of another type");
  }
  return found->second;
}

Result<void*> ResourceTable::take(const ResourceKind& kind, uint32_t number) {
  const std::shared_ptr<ResourceEntry> entry = MAYFLY_TRY(find(kind, number));
  if (!entry->is_owned) return invalid(name_of(number) + " of the host is not the component's own");
  if (entry->borrows != 0) return invalid(name_of(number) + " of the host is lent");
  entries_.erase(number);
  return std::exchange(entry->object, nullptr);
}

Result<void> ResourceTable::drop(const ResourceKind& kind, uint32_t number) {
  void* const object = MAYFLY_TRY(take(kind, number));
  if (object != nullptr) kind.destroy(object);
  return {};
}

void ResourceTable::restore(const Mark& mark) {
  std::vector<std::shared_ptr<ResourceEntry>> gone;
  for (auto at = entries_.begin(); at != entries_.end();) {
    if (mark.table == id_ && at->second->serial < mark.serial) {
      ++at;
      continue;
    }
    gone.push_back(std::move(at->second));
    at = entries_.erase(at);
  }
  for (const auto& entry : gone) destroy(*entry);
}

}  // namespace mayfly::runtime
