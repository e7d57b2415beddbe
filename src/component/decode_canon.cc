// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lift, lower, and the options that they and the built-ins have
// (CanonicalABI.md #canonopt-validation, #canon-lift, #canon-lower).
#include <array>

#include "component/decoder.h"

namespace mayfly::component {
namespace {

// Bits of the options that a definition may have, by opcode; the three encodings are one.
enum OptionBit : uint32_t {
  kEncodingBit = 1u << 0,
  kMemoryBit = 1u << 3,
  kReallocBit = 1u << 4,
  kPostReturnBit = 1u << 5,
  kAsyncBit = 1u << 6,
  kCallbackBit = 1u << 7,
};
constexpr uint32_t kLiftOptions =
    kEncodingBit | kMemoryBit | kReallocBit | kPostReturnBit | kAsyncBit | kCallbackBit;
constexpr uint32_t kLowerOptions = kEncodingBit | kMemoryBit | kReallocBit | kAsyncBit;

std::string_view option_name(uint8_t option) {
  static constexpr std::array<std::string_view, 8> kNames = {"string-encoding=utf8",
                                                             "string-encoding=utf16",
                                                             "string-encoding=latin1+utf16",
                                                             "memory",
                                                             "realloc",
                                                             "post-return",
                                                             "async",
                                                             "callback"};
  return kNames[option];
}

}  // namespace

Result<bool> Decoder::flag(ByteCursor& cursor, std::string_view what) {
  const uint64_t start = cursor.position();
  const uint8_t byte = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (byte > 1) return invalid_at("malformed " + std::string(what) + " flag", start);
  return byte == 1;
}

Result<void> Decoder::check_core_func(uint32_t index, const wasm::FuncType& expected,
                                      std::string_view what, uint64_t start) {
  const Entry found = MAYFLY_TRY(entry_at(scope(), Space::kCoreFunc, index, start));
  const wasm::FuncType& actual = core().func_type(CoreEntityId{found.type});
  if (actual == expected) return {};
  return invalid_at("core function " + std::to_string(index) + " has the wrong signature for " +
                        std::string(what) + ": expected " + wasm::to_string(expected) + ", found " +
                        wasm::to_string(actual),
                    start);
}

Result<void> Decoder::canon_option(uint8_t option, ByteCursor& cursor, CanonOptions& options,
                                   uint32_t& seen, uint64_t start) {
  const uint32_t bit = option <= 2 ? kEncodingBit : 1u << option;
  if ((seen & bit) != 0) {
    return invalid_at("canonical option `" + std::string(option_name(option)) +
                          "` conflicts with an option before it",
                      start);
  }
  seen |= bit;
  switch (option) {
    case 0x00:
    case 0x01:
    case 0x02:
      options.encoding = static_cast<StringEncoding>(option);
      return {};
    case 0x03: {
      options.memory = MAYFLY_TRY(index(Space::kCoreMemory, cursor));
      const CoreEntityId id{scope().def.space(Space::kCoreMemory)[options.memory].type};
      const bool is_64 = core()[id].memory.address == wasm::AddressType::kI64;
      if (is_64 && !features().memory64) {
        return invalid_at("canonical option `memory` must have 32-bit addresses", start);
      }
      options.width = is_64 ? PtrWidth::k64 : PtrWidth::k32;
      return {};
    }
    case 0x04:
      options.realloc = MAYFLY_TRY(index(Space::kCoreFunc, cursor));
      return {};
    case 0x05:
      options.post_return = MAYFLY_TRY(index(Space::kCoreFunc, cursor));
      return {};
    case 0x06:
      options.is_async = true;
      return {};
    default:
      options.callback = MAYFLY_TRY(index(Space::kCoreFunc, cursor));
      return {};
  }
}

Result<void> Decoder::check_options(const CanonOptions& options, uint64_t start) {
  if (options.realloc != kNoIndex) {
    if (options.memory == kNoIndex) {
      return invalid_at("canonical option `realloc` requires `memory` to also be specified", start);
    }
    const wasm::ValType address = core_type(options.width);
    MAYFLY_TRY(check_core_func(options.realloc, {{address, address, address, address}, {address}},
                               "canonical option `realloc`", start));
  }
  if (options.is_async && options.post_return != kNoIndex) {
    return invalid_at("canonical options `async` and `post-return` exclude each other", start);
  }
  if (options.callback == kNoIndex) return {};
  if (!options.is_async) {
    return invalid_at("canonical option `callback` requires `async` to also be specified", start);
  }
  return check_core_func(options.callback, {{wasm::kI32, wasm::kI32, wasm::kI32}, {wasm::kI32}},
                         "canonical option `callback`", start);
}

Result<CanonOptions> Decoder::canon_options(ByteCursor& cursor, uint32_t allowed) {
  const uint64_t start = cursor.position();
  CanonOptions options;
  uint32_t seen = 0;
  uint32_t left = MAYFLY_TRY(count(cursor, "canonical options", UINT32_MAX));
  for (; left > 0; --left) {
    const uint64_t at = cursor.position();
    const uint8_t option = cursor.u8();
    if (cursor.failed()) return cursor.error();
    if (option > 7) return invalid_at("malformed canonical option " + std::to_string(option), at);
    const uint32_t bit = option <= 2 ? uint32_t{kEncodingBit} : 1u << option;
    if ((allowed & bit) == 0) {
      return invalid_at("canonical option `" + std::string(option_name(option)) +
                            "` cannot be specified for this definition",
                        at);
    }
    MAYFLY_TRY(canon_option(option, cursor, options, seen, at));
  }
  MAYFLY_TRY(check_options(options, start));
  return options;
}

Result<void> Decoder::need_memory(const CanonOptions& options, uint64_t start) {
  if (options.memory != kNoIndex) return {};
  return invalid_at("canonical option `memory` is required", start);
}

Result<void> Decoder::need_realloc(const CanonOptions& options, uint64_t start) {
  if (options.realloc != kNoIndex) return {};
  return invalid_at("canonical option `realloc` is required", start);
}

Result<void> Decoder::add_canon(const Canon& canon, const wasm::FuncType& type, uint64_t start) {
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.canons.size());
  entry.type = static_cast<uint32_t>(core().add_func(type));
  scope().def.canons.push_back(canon);
  return add_entry(Space::kCoreFunc, entry, start);
}

Result<void> Decoder::canon_lift(ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = CanonOp::kLift;
  canon.func = MAYFLY_TRY(index(Space::kCoreFunc, cursor));
  canon.options = MAYFLY_TRY(canon_options(cursor, kLiftOptions));
  canon.type = MAYFLY_TRY(type_of_kind(TypeKind::kFunc, cursor));
  const CanonOptions& options = canon.options;
  if (options.is_async) {
    if (!types().is_async(canon.type)) {
      return invalid_at("the `async` canonical option requires an async function type", start);
    }
    if (options.callback == kNoIndex && !features().async_stackful) {
      return invalid_at("canonical option `async` requires `callback` to also be specified", start);
    }
  }
  const FlatFunction flat = flatten_functype(types(), canon.type, options, FlattenContext::kLift);
  bool params_have_pointers = flat.params_in_memory;
  for (const Member& param : types().params(canon.type)) {
    params_have_pointers = params_have_pointers || types().has_pointers(param.type);
  }
  const ValType result = types().result(canon.type);
  if (params_have_pointers || flat.results_in_memory ||
      (result.exists() && types().has_pointers(result))) {
    MAYFLY_TRY(need_memory(options, start));
  }
  if (params_have_pointers) MAYFLY_TRY(need_realloc(options, start));
  MAYFLY_TRY(check_core_func(canon.func, flat.core, "this lift", start));
  if (options.post_return != kNoIndex) {
    MAYFLY_TRY(check_core_func(options.post_return, {flat.core.results, {}},
                               "canonical option `post-return`", start));
  }
  Entry entry;
  entry.a = static_cast<uint32_t>(scope().def.canons.size());
  entry.type = static_cast<uint32_t>(canon.type);
  scope().def.canons.push_back(canon);
  return add_entry(Space::kFunc, entry, start);
}

Result<void> Decoder::canon_lower(ByteCursor& cursor, uint64_t start) {
  Canon canon;
  canon.op = CanonOp::kLower;
  canon.func = MAYFLY_TRY(index(Space::kFunc, cursor));
  canon.type = TypeId{scope().def.space(Space::kFunc)[canon.func].type};
  canon.options = MAYFLY_TRY(canon_options(cursor, kLowerOptions));
  const CanonOptions& options = canon.options;
  if (options.is_async && !types().is_async(canon.type)) {
    return invalid_at("the `async` canonical option requires an async function type", start);
  }
  const FlatFunction flat = flatten_functype(types(), canon.type, options, FlattenContext::kLower);
  bool needs_memory = flat.params_in_memory || flat.results_in_memory;
  for (const Member& param : types().params(canon.type)) {
    needs_memory = needs_memory || types().has_pointers(param.type);
  }
  const ValType result = types().result(canon.type);
  const bool needs_realloc = result.exists() && types().has_pointers(result);
  if (needs_memory || needs_realloc) MAYFLY_TRY(need_memory(options, start));
  if (needs_realloc) MAYFLY_TRY(need_realloc(options, start));
  return add_canon(canon, flat.core, start);
}

Result<void> Decoder::canon(ByteCursor& cursor) {
  const uint64_t start = cursor.position();
  const uint8_t opcode = cursor.u8();
  if (cursor.failed()) return cursor.error();
  if (opcode > 0x01) return builtin(opcode, cursor, start);
  if (cursor.u8() != 0x00) return invalid_at("malformed canonical definition", start);
  if (cursor.failed()) return cursor.error();
  return opcode == 0x00 ? canon_lift(cursor, start) : canon_lower(cursor, start);
}

}  // namespace mayfly::component
