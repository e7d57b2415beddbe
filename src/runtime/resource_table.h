// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ResourceTable: the host's resources that one sandbox's component has numbers for.
//
// Invariants:
//  1. A number is given anew only after 2^32 others, and never while its resource is there, so that
//     what a component remembers from before a reset is refused.
//  2. What the table owns is destroyed once: by drop(), by restore(), by clear() or with it.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "mayfly/resource.h"

namespace mayfly::runtime {

// Threads: one at a time.
class ResourceTable {
 public:
  ResourceTable();
  ~ResourceTable() { clear(); }
  ResourceTable(const ResourceTable&) = delete;
  ResourceTable& operator=(const ResourceTable&) = delete;

  size_t size() const { return entries_.size(); }

  // The number of the object, which the table owns now.
  uint32_t give(const detail::ResourceKind& kind, void* object);
  // The same of one that is lent until end_loans() is told what loans() was before.
  uint32_t lend(const detail::ResourceKind& kind, void* object);
  size_t loans() const { return loans_.size(); }
  void end_loans(size_t first);

  // Errors: kInvalid for a number that is nobody's, or of a resource of another kind.
  Result<std::shared_ptr<detail::ResourceEntry>> find(const detail::ResourceKind& kind,
                                                      uint32_t number) const;
  // Gives the object up. Errors: also kInvalid when it is lent, or not the table's own.
  Result<void*> take(const detail::ResourceKind& kind, uint32_t number);
  Result<void> drop(const detail::ResourceKind& kind, uint32_t number);

  // A moment in the life of a table.
  struct Mark {
    uint64_t table = 0;  // 0: of none that there is
    uint64_t serial = 0;
  };
  Mark mark() const { return {id_, next_}; }
  // Of its own moment, what came later is destroyed; of another table's, all of it.
  void restore(const Mark& mark);
  void clear() { restore(Mark{}); }

 private:
  using Entries = std::unordered_map<uint32_t, std::shared_ptr<detail::ResourceEntry>>;

  uint32_t add(detail::ResourceEntry entry);

  uint64_t id_;
  uint32_t first_;  // numbers count from a random one: those of another sandbox's state differ
  uint64_t next_ = 1;
  Entries entries_;
  std::vector<uint32_t> loans_;
};

}  // namespace mayfly::runtime
