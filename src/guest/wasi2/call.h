// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Call: what each function of WASI 0.2 has, its transfer memory and its objects; and the results
// that it returns, in the layouts of the canonical ABI (CanonicalABI.md #alignment), which are
// those of a C struct.
#pragma once

#include <cstddef>
#include <cstdint>

#include "guest/wasi2/error_code.h"
#include "guest/wasi2/objects.h"
#include "guest/wasi2/transfer.h"

namespace mayfly::guest {

// result<T, error-code>; T is Nothing for result<_, error-code>.
struct Nothing {
  uint8_t unused = 0;
};

struct Call {
  Call(guest_abi::MemoryInfo* transfer_memory, guest_abi::MemoryInfo* state)
      : transfer(transfer_memory), objects(state) {}

  template <typename T>
  uint32_t ok(const T& value) const {
    struct Layout {
      uint8_t is_error;
      T value;
    };
    return transfer.allocate(Layout{0, value});
  }
  uint32_t ok() const { return ok(Nothing{}); }

  template <typename T>
  uint32_t failed(wasi::Errno error) const {
    struct Layout {
      uint8_t is_error;
      T value;
    };
    const uint32_t address = transfer.allocate(sizeof(Layout), alignof(Layout));
    transfer.store<uint8_t>(address, 1);
    transfer.store(address + static_cast<uint32_t>(offsetof(Layout, value)), error_code(error));
    return address;
  }
  // Of a function that has no other result.
  uint32_t done(wasi::Errno error) const {
    return error == wasi::Errno::kSuccess ? ok() : failed<Nothing>(error);
  }
  uint32_t done(uint32_t answer) const { return done(static_cast<wasi::Errno>(answer)); }

  // option<T>.
  template <typename T>
  uint32_t some(const T& value) const {
    struct Layout {
      uint8_t is_some;
      T value;
    };
    return transfer.allocate(Layout{1, value});
  }
  template <typename T>
  uint32_t none() const {
    struct Layout {
      uint8_t is_some;
      T value;
    };
    return transfer.allocate(sizeof(Layout), alignof(Layout));
  }

  Transfer transfer;
  Objects objects;
};

}  // namespace mayfly::guest
