// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The types of WebAssembly 3.0: numbers, vectors, references, functions, structs, arrays.
// Inside a Module a reference type names its heap type by the module's own type index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mayfly::wasm {

inline constexpr uint32_t kNoIndex = UINT32_MAX;

// wasm-3.0 #syntax-heaptype. kConcrete is a defined type, named by an index.
enum class HeapKind : uint8_t {
  kAny,
  kEq,
  kI31,
  kStruct,
  kArray,
  kNone,
  kFunc,
  kNoFunc,
  kExtern,
  kNoExtern,
  kExn,
  kNoExn,
  kConcrete,
  kBottom,  // below all others; only the validator makes it
};

struct HeapType {
  HeapKind kind = HeapKind::kAny;
  uint32_t type_index = kNoIndex;  // only with kConcrete
  bool operator==(const HeapType&) const = default;
};

struct RefType {
  bool nullable = true;
  HeapType heap;
  bool operator==(const RefType&) const = default;
};

// kI8 and kI16 occur only as the storage of a field. kBottom is the type of a value that
// unreachable code made up.
enum class ValKind : uint8_t { kI32, kI64, kF32, kF64, kV128, kRef, kI8, kI16, kBottom };

struct ValType {
  ValKind kind = ValKind::kI32;
  RefType ref;  // only with kRef

  bool is_ref() const { return kind == ValKind::kRef; }
  bool operator==(const ValType& other) const {
    return kind == other.kind && (kind != ValKind::kRef || ref == other.ref);
  }
  static constexpr ValType of(ValKind kind) { return ValType{kind, {}}; }
  static constexpr ValType of(RefType ref) { return ValType{ValKind::kRef, ref}; }
};

inline constexpr ValType kI32 = ValType::of(ValKind::kI32);
inline constexpr ValType kI64 = ValType::of(ValKind::kI64);
inline constexpr ValType kF32 = ValType::of(ValKind::kF32);
inline constexpr ValType kF64 = ValType::of(ValKind::kF64);
inline constexpr ValType kV128 = ValType::of(ValKind::kV128);
inline constexpr ValType kFuncref = ValType::of(RefType{true, {HeapKind::kFunc, kNoIndex}});
inline constexpr ValType kExternref = ValType::of(RefType{true, {HeapKind::kExtern, kNoIndex}});

struct FieldType {
  ValType storage;  // any ValType, or kI8, kI16
  bool is_mutable = false;
  bool operator==(const FieldType&) const = default;
};

struct FuncType {
  std::vector<ValType> params;
  std::vector<ValType> results;
  bool operator==(const FuncType&) const = default;
};
struct StructType {
  std::vector<FieldType> fields;
  bool operator==(const StructType&) const = default;
};
struct ArrayType {
  FieldType element;
  bool operator==(const ArrayType&) const = default;
};

enum class CompositeKind : uint8_t { kFunc, kStruct, kArray };

// wasm-3.0 #syntax-subtype: one entry of the module's type index space.
struct SubType {
  bool is_final = true;
  uint32_t supertype = kNoIndex;  // 3.0 allows at most one
  CompositeKind kind = CompositeKind::kFunc;
  FuncType func;                 // kFunc
  StructType fields;             // kStruct
  ArrayType array;               // kArray
  uint32_t rec_group_first = 0;  // index of the first type of its recursion group
  uint32_t rec_group_size = 1;
};

enum class AddressType : uint8_t { kI32, kI64 };

// wasm-3.0 #syntax-limits. For memories in pages of the memory's page size; for tables in entries.
struct Limits {
  uint64_t min = 0;
  std::optional<uint64_t> max;
  bool operator==(const Limits&) const = default;
};

struct MemoryType {
  AddressType address = AddressType::kI32;
  Limits limits;
  bool shared = false;
  uint8_t page_size_log2 = 16;  // 16, or 0 with custom page sizes
  bool operator==(const MemoryType&) const = default;
};

struct TableType {
  AddressType address = AddressType::kI32;
  Limits limits;
  RefType element;
  bool operator==(const TableType&) const = default;
};

struct GlobalType {
  ValType type;
  bool is_mutable = false;
  bool operator==(const GlobalType&) const = default;
};

struct TagType {
  uint32_t type_index = kNoIndex;  // a function type without results
};

// As the spec's text format writes them: "i32", "(ref null func)" as "funcref", "(ref 3)".
std::string to_string(ValType type);
std::string to_string(const FuncType& type);  // "(i32, i64) -> (f32)"
std::string to_string(const MemoryType& type);
std::string to_string(const TableType& type);
std::string to_string(const GlobalType& type);

}  // namespace mayfly::wasm
