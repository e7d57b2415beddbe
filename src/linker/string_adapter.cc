// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Strings from one memory to another, in each pair of encodings. Which allocations are asked for,
// and with which sizes, is what guests can see: definitions.py store_string_into_range.
// What the host wrote is UTF-8, and what it reads it checks itself.
#include <utility>

#include "linker/adapter_module.h"

namespace mayfly::linker {
namespace {

using component::StringEncoding;
using guest_abi::ComponentTrap;

constexpr uint32_t kWideTag = uint32_t{1} << 31;  // utf16_tag
constexpr uint64_t kStringBytesMax = (uint64_t{1} << 28) - 1;

// A string as it lies in memory.
enum class Text : uint8_t { kUtf8, kUtf16, kLatin1 };

class StringWriter {
 public:
  StringWriter(AdapterModule& module, const Side& from, const Side& to, CodeWriter& code)
      : module_(module),
        from_(from),
        to_(to),
        code_(code),
        pointer_(code.add_local(Flat::kI32)),
        count_(code.add_local(Flat::kI32)) {}

  void write() {
    switch (from_.options.encoding) {
      case StringEncoding::kUtf8:
        copy(Text::kUtf8);
        break;
      case StringEncoding::kUtf16:
        copy(Text::kUtf16);
        break;
      case StringEncoding::kLatin1Utf16:
        code_.get(kUnits).i32(kWideTag).op(Op::kI32And).if_();
        code_.get(kUnits).i32(kWideTag).op(Op::kI32Xor).set(kUnits);
        copy(Text::kUtf16);
        code_.else_();
        copy(Text::kLatin1);
        code_.end();
        break;
    }
    code_.get(pointer_).get(count_);
  }

 private:
  // Parameters of the function.
  static constexpr uint32_t kFrom = 0;
  static constexpr uint32_t kUnits = 1;

  void copy(Text text) {
    check_source(text);
    switch (to_.options.encoding) {
      case StringEncoding::kUtf8:
        to_utf8(text);
        break;
      case StringEncoding::kUtf16:
        to_utf16(text);
        break;
      case StringEncoding::kLatin1Utf16:
        to_latin1_or_utf16(text);
        break;
    }
  }

  void check_source(Text text) {
    const bool is_wide = text == Text::kUtf16;
    const bool is_aligned = from_.options.encoding != StringEncoding::kUtf8;
    const uint32_t bytes = code_.add_local(Flat::kI64);
    code_.get(kUnits).op(Op::kI64ExtendI32U).i64(is_wide ? 1 : 0).op(Op::kI64Shl).set(bytes);
    code_.get(bytes).i64(kStringBytesMax).op(Op::kI64GtU);
    module_.trap_if(code_, ComponentTrap::kStringTooLong);
    code_.get(kFrom)
        .get(bytes)
        .i32(is_aligned ? 1 : 0)
        .call(module_.range_check(from_, ComponentTrap::kStringOutOfBounds));
  }

  void to_utf8(Text text) {
    if (text == Text::kUtf8) {
      allocate_new(1, 1);
      copy_utf8();
      code_.get(kUnits).set(count_);
      return;
    }
    const bool is_wide = text == Text::kUtf16;
    const uint32_t worst = is_wide ? 3 : 2;
    const uint32_t ascii = code_.add_local(Flat::kI32);
    allocate_new(1, 1);
    code_.get(kFrom).get(kUnits).get(pointer_);
    code_.call(across(is_wide ? "ascii_from_utf16" : "ascii_from_latin1")).tee(ascii).set(count_);
    code_.get(ascii).get(kUnits).op(Op::kI32Ne).if_();
    reallocate(1, 1, worst);
    source_after(ascii, is_wide ? 1 : 0);
    code_.get(pointer_).get(ascii).op(Op::kI32Add);
    code_.call(across(is_wide ? "utf8_from_utf16" : "utf8_from_latin1"));
    code_.get(ascii).op(Op::kI32Add).set(count_);
    shrink(1, worst, count_);
    code_.end();
  }

  void to_utf16(Text text) {
    allocate_new(2, 2);
    code_.get(kFrom).get(kUnits).get(pointer_);
    if (text == Text::kUtf8) {
      code_.call(across("utf16_from_utf8")).set(count_);
      const uint32_t bytes = code_.add_local(Flat::kI32);
      code_.get(count_).i32(1).op(Op::kI32Shl).set(bytes);
      shrink(2, 2, bytes);
      return;
    }
    if (text == Text::kUtf16) {
      const uint32_t is_wide = code_.add_local(Flat::kI32);
      code_.call(across("copy_utf16")).set(is_wide);
    } else {
      code_.call(across("utf16_from_latin1"));
    }
    code_.get(kUnits).set(count_);
  }

  void to_latin1_or_utf16(Text text) {
    const bool is_same = from_.options.encoding == StringEncoding::kLatin1Utf16;
    if (text == Text::kLatin1) {
      allocate_new(2, 1);
      code_.get(pointer_).get(kFrom).get(kUnits);
      code_.memory_copy(module_.memory_of(to_), module_.memory_of(from_));
      code_.get(kUnits).set(count_);
    } else if (is_same) {
      probably_wide();
    } else if (text == Text::kUtf8) {
      from_utf8();
    } else {
      from_utf16();
    }
  }

  // definitions.py: store_probably_utf16_to_latin1_or_utf16
  void probably_wide() {
    allocate_new(2, 2);
    code_.get(kFrom).get(kUnits).get(pointer_).call(across("copy_utf16")).if_();
    code_.get(kUnits).i32(kWideTag).op(Op::kI32Or).set(count_);
    code_.else_();
    code_.get(pointer_).get(kUnits).get(pointer_).call(inside("latin1_from_wide"));
    code_.get(kUnits).set(count_);
    reallocate(1, 2, 1);
    code_.end();
  }

  // definitions.py: store_string_to_latin1_or_utf16
  void from_utf8() {
    const uint32_t packed = code_.add_local(Flat::kI64);
    const uint32_t consumed = code_.add_local(Flat::kI32);
    allocate_new(2, 1);
    code_.get(kFrom).get(kUnits).get(pointer_).call(across("latin1_from_utf8")).set(packed);
    code_.get(packed).op(Op::kI32WrapI64).set(consumed);
    code_.get(packed).i64(32).op(Op::kI64ShrU).op(Op::kI32WrapI64).set(count_);
    code_.get(consumed).get(kUnits).op(Op::kI32Eq).if_();
    shrink(2, 1, count_);
    code_.else_();
    widen(count_);
    source_after(consumed, 0);
    destination_after(count_);
    code_.call(across("utf16_from_utf8")).get(count_).op(Op::kI32Add).set(count_);
    const uint32_t bytes = code_.add_local(Flat::kI32);
    code_.get(count_).i32(1).op(Op::kI32Shl).set(bytes);
    shrink(2, 2, bytes);
    code_.get(count_).i32(kWideTag).op(Op::kI32Or).set(count_);
    code_.end();
  }

  void from_utf16() {
    const uint32_t is_wide = code_.add_local(Flat::kI32);
    allocate_new(2, 1);
    code_.get(kFrom).get(kUnits).get(pointer_).call(across("latin1_from_utf16")).set(count_);
    code_.get(count_).get(kUnits).op(Op::kI32Ne).if_();
    widen(count_);
    source_after(count_, 1);
    destination_after(count_);
    code_.call(across("copy_utf16")).set(is_wide);
    code_.get(kUnits).i32(kWideTag).op(Op::kI32Or).set(count_);
    code_.end();
  }

  // The rest of the source, as two arguments.
  void source_after(uint32_t done, uint32_t shift) {
    code_.get(kFrom).get(done).i32(shift).op(Op::kI32Shl).op(Op::kI32Add);
    code_.get(kUnits).get(done).op(Op::kI32Sub);
  }
  void destination_after(uint32_t units) {
    code_.get(pointer_).get(units).i32(1).op(Op::kI32Shl).op(Op::kI32Add);
  }

  // Room for twice the source, and what is Latin-1 so far made wide in place.
  void widen(uint32_t done) {
    reallocate(2, 1, 2);
    code_.get(pointer_).get(done).get(pointer_).call(inside("utf16_from_latin1"));
  }

  void copy_utf8() {
    if (from_.is_host() || to_.is_host()) {
      code_.get(pointer_).get(kFrom).get(kUnits);
      code_.memory_copy(module_.memory_of(to_), module_.memory_of(from_));
      return;
    }
    code_.get(kFrom).get(kUnits).get(pointer_).call(across("copy_utf8"));
  }

  // Sizes are multiples of the source's units; check_source() keeps them below 2^31.
  void units_times(uint32_t factor) { code_.get(kUnits).i32(factor).op(Op::kI32Mul); }

  void allocate_new(uint32_t alignment, uint32_t factor) {
    code_.i32(0).i32(0).i32(alignment);
    units_times(factor);
    code_.call(module_.allocate(to_)).set(pointer_);
  }
  void reallocate(uint32_t alignment, uint32_t old_factor, uint32_t factor) {
    code_.get(pointer_);
    units_times(old_factor);
    code_.i32(alignment);
    units_times(factor);
    code_.call(module_.allocate(to_)).set(pointer_);
  }
  // To `bytes`, when there is more.
  void shrink(uint32_t alignment, uint32_t old_factor, uint32_t bytes) {
    code_.get(bytes);
    units_times(old_factor);
    code_.op(Op::kI32LtU).if_();
    code_.get(pointer_);
    units_times(old_factor);
    code_.i32(alignment).get(bytes).call(module_.allocate(to_)).set(pointer_);
    code_.end();
  }

  FunctionRef across(std::string_view name) {
    return module_.guest_function(name, {module_.memory_of(from_), module_.memory_of(to_)});
  }
  FunctionRef inside(std::string_view name) {
    return module_.guest_function(name, {module_.memory_of(to_), module_.memory_of(to_)});
  }

  AdapterModule& module_;
  const Side& from_;
  const Side& to_;
  CodeWriter& code_;
  uint32_t pointer_;
  uint32_t count_;
};

}  // namespace

FunctionRef AdapterModule::string_copy(const Side& from, const Side& to) {
  const std::pair<uint64_t, uint64_t> key{side_id(from), side_id(to)};
  if (const auto found = string_copies_.find(key); found != string_copies_.end()) {
    return found->second;
  }
  const FunctionRef function =
      writer_.add_function({{wasm::kI32, wasm::kI32}, {wasm::kI32, wasm::kI32}}, "copy string");
  string_copies_[key] = function;
  CodeWriter code(2);
  StringWriter(*this, from, to, code).write();
  writer_.set_body(function, std::move(code));
  return function;
}

}  // namespace mayfly::linker
