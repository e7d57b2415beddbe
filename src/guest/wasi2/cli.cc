// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:cli/environment and wasi:cli/exit.
#include "guest/wasi/functions.h"
#include "guest/wasi2/functions.h"
#include "guest/wasi2/transfer.h"

namespace mayfly::guest {
namespace {

using Sizes = uint32_t (*)(MemoryInfo*, uint32_t, uint32_t);

// Strings of preview 1: an array of their addresses, each ends in a NUL.
struct Texts {
  uint32_t count = 0;
  uint32_t pointers = 0;
};

Texts texts(const Transfer& transfer, Sizes sizes, Sizes get) {
  const uint32_t numbers = transfer.allocate(8, 4);
  if (sizes(transfer.memory(), numbers, numbers + 4) != 0) return {};
  Texts all{transfer.load<uint32_t>(numbers), 0};
  all.pointers = transfer.allocate(uint64_t{all.count} * 4, 4);
  const uint32_t strings = transfer.allocate(transfer.load<uint32_t>(numbers + 4), 1);
  if (get(transfer.memory(), all.pointers, strings) != 0) return {};
  return all;
}

TransferBytes text_until(const Transfer& transfer, uint32_t begin, uint8_t separator) {
  uint32_t end = begin;
  while (true) {
    const auto byte = transfer.load<uint8_t>(end);
    if (byte == 0 || byte == separator) return {begin, end - begin};
    ++end;
  }
}

uint32_t arguments(const Transfer& transfer) {
  const Texts args = texts(transfer, mayfly_wasi_p1_args_sizes_get, mayfly_wasi_p1_args_get);
  const uint32_t list = transfer.allocate(uint64_t{args.count} * sizeof(TransferBytes), 4);
  for (uint32_t i = 0; i < args.count; ++i) {
    const auto begin = transfer.load<uint32_t>(args.pointers + 4 * i);
    transfer.store(list + i * sizeof(TransferBytes), text_until(transfer, begin, 0));
  }
  return transfer.allocate(TransferBytes{list, args.count});
}

struct Variable {
  TransferBytes name;
  TransferBytes value;
};

uint32_t environment(const Transfer& transfer) {
  const Texts environ =
      texts(transfer, mayfly_wasi_p1_environ_sizes_get, mayfly_wasi_p1_environ_get);
  const uint32_t list = transfer.allocate(uint64_t{environ.count} * sizeof(Variable), 4);
  for (uint32_t i = 0; i < environ.count; ++i) {
    const auto begin = transfer.load<uint32_t>(environ.pointers + 4 * i);
    Variable variable{text_until(transfer, begin, '='), {}};
    const uint32_t after = begin + variable.name.size;
    if (transfer.load<uint8_t>(after) == '=') variable.value = text_until(transfer, after + 1, 0);
    transfer.store(list + i * sizeof(Variable), variable);
  }
  return transfer.allocate(TransferBytes{list, environ.count});
}

}  // namespace
}  // namespace mayfly::guest

using mayfly::guest::Transfer;

uint32_t mayfly_wasi2_get_environment(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return mayfly::guest::environment(Transfer(transfer));
}

uint32_t mayfly_wasi2_get_arguments(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return mayfly::guest::arguments(Transfer(transfer));
}

// option<string>: there is no current directory.
uint32_t mayfly_wasi2_initial_cwd(MemoryInfo* transfer, MemoryInfo* /*state*/) {
  return Transfer(transfer).allocate(12, 4);
}

void mayfly_wasi2_exit(MemoryInfo* transfer, MemoryInfo* /*state*/, uint32_t is_error) {
  mayfly_wasi_p1_proc_exit(transfer, is_error != 0 ? 1 : 0);
}

void mayfly_wasi2_exit_with_code(MemoryInfo* transfer, MemoryInfo* /*state*/, uint32_t code) {
  mayfly_wasi_p1_proc_exit(transfer, code);
}
