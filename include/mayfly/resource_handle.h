// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What typed calls know of resources: whose they are, and by which numbers. Nothing here is meant
// for users: resource.h is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "mayfly/export.h"
#include "mayfly/outcome.h"
#include "mayfly/result.h"

namespace mayfly::runtime {
class SandboxState;
}  // namespace mayfly::runtime

namespace mayfly {
class Caller;
}  // namespace mayfly

namespace mayfly::wit {
struct Resource;
}  // namespace mayfly::wit

namespace mayfly::detail {

class HostTransfer;

// The type of C++ that a resource of the host has. Its address tells it from others.
struct ResourceKind {
  void (*destroy)(void* object);
};
template <typename T>
inline constexpr ResourceKind kResourceKind{
    [](void* object) { const std::unique_ptr<T> last(static_cast<T*>(object)); }};

// A resource of the host in one sandbox.
struct ResourceEntry {
  const ResourceKind* kind = nullptr;
  void* object = nullptr;  // nullptr: it is gone
  bool is_owned = false;   // by the sandbox; else it is lent to the component for a call
  uint32_t number = 0;     // by which the component knows it
  uint32_t borrows = 0;    // Borrow<T>s
  uint64_t serial = 0;     // grows from each to the next of a sandbox
};

// Keeps a resource from being given away.
class BorrowedEntry {
 public:
  BorrowedEntry() = default;
  explicit BorrowedEntry(std::shared_ptr<ResourceEntry> entry) : entry_(std::move(entry)) {
    ++entry_->borrows;
  }
  BorrowedEntry(BorrowedEntry&& other) noexcept = default;
  BorrowedEntry& operator=(BorrowedEntry&& other) noexcept {
    std::swap(entry_, other.entry_);
    return *this;
  }
  ~BorrowedEntry() {
    if (entry_ != nullptr) --entry_->borrows;
  }
  const ResourceEntry* get() const { return entry_.get(); }

 private:
  std::shared_ptr<ResourceEntry> entry_;
};

// A resource that a component implements: the host's handle of it.
class MAYFLY_API GuestHandle {
 public:
  GuestHandle() = default;
  GuestHandle(std::weak_ptr<runtime::SandboxState> sandbox, const void* target, uint32_t number,
              uint64_t epoch)
      : sandbox_(std::move(sandbox)), target_(target), number_(number), epoch_(epoch) {}
  GuestHandle(GuestHandle&& other) noexcept { swap(other); }
  GuestHandle& operator=(GuestHandle&& other) noexcept {
    GuestHandle(std::move(other)).swap(*this);
    return *this;
  }
  ~GuestHandle();

  bool is_empty() const { return target_ == nullptr; }
  Outcome<void> drop();
  // Errors: kInvalid when it is empty, or of another sandbox or state than `sandbox` now has.
  Result<void> check(const runtime::SandboxState* sandbox) const;
  uint32_t number() const { return number_; }
  // It is the component's now.
  void give_away() { target_ = nullptr; }

 private:
  void swap(GuestHandle& other) noexcept {
    std::swap(sandbox_, other.sandbox_);
    std::swap(target_, other.target_);
    std::swap(number_, other.number_);
    std::swap(epoch_, other.epoch_);
  }
  std::weak_ptr<runtime::SandboxState> sandbox_;
  const void* target_ = nullptr;  // what drops it; nullptr: this is empty
  uint32_t number_ = 0;
  uint64_t epoch_ = 0;  // of the sandbox: restoring it ends one
};

// Numbers for what is lent to a component end with this.
class MAYFLY_API Loans {
 public:
  explicit Loans(runtime::SandboxState* sandbox);
  ~Loans();
  Loans(const Loans&) = delete;
  Loans& operator=(const Loans&) = delete;

 private:
  runtime::SandboxState* sandbox_;
  size_t first_ = 0;
};

// For a sandbox that is in a call on this thread.
// Errors: kInvalid when there is no sandbox or no resource; kLimit when the sandbox may not have so
// many more resources of the host.
MAYFLY_API Result<void> check_resource(const runtime::SandboxState* sandbox, bool is_there,
                                       uint64_t more);
// The sandbox owns it now, under the number answered.
MAYFLY_API uint32_t give_resource(runtime::SandboxState& sandbox, const ResourceKind& kind,
                                  void* object);
// Until the Loans around it end.
MAYFLY_API uint32_t lend_resource(runtime::SandboxState& sandbox, const ResourceKind& kind,
                                  void* object);
// Errors: kInvalid for a number that is not that of a resource of the kind, or of one that is lent.
MAYFLY_API Result<void*> take_resource(runtime::SandboxState& sandbox, const ResourceKind& kind,
                                       uint32_t number);
// Errors: kInvalid as well.
MAYFLY_API Result<std::shared_ptr<ResourceEntry>> find_resource(runtime::SandboxState& sandbox,
                                                                const ResourceKind& kind,
                                                                uint32_t number);
// Errors: kInvalid when the component exports no such resource.
MAYFLY_API Result<GuestHandle> guest_handle(runtime::SandboxState& sandbox,
                                            const wit::Resource& resource, uint32_t number);
// Limits::lifted_bytes_max.
MAYFLY_API uint64_t lifted_bytes_max(const runtime::SandboxState& sandbox);
// Linker::define_resource(): `kind` points to a ResourceKind's address.
MAYFLY_API bool drop_host_resource(void* kind, Caller& caller, HostTransfer& transfer);

}  // namespace mayfly::detail
