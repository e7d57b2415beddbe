// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:http/types.fields.
#include "guest/wasi2/http_fields.h"

#include "guest/wasi2/http_functions.h"
#include "guest_abi/http_syntax.h"

namespace mayfly::guest {
namespace {

using guest_abi::FieldSizes;

// variant header-error, and none.
enum class HeaderError : uint8_t { kInvalidSyntax, kForbidden, kImmutable, kNone };

guest_abi::HttpText name_of(const Field& field) { return {field.name, field.name_bytes}; }

bool is_value(const Field& field) {
  return guest_abi::is_field_value({field.value, field.value_bytes});
}

HeaderError check_name(const Field& field) {
  if (!guest_abi::is_token(name_of(field))) return HeaderError::kInvalidSyntax;
  return guest_abi::is_forbidden_field(name_of(field)) ? HeaderError::kForbidden
                                                       : HeaderError::kNone;
}

HeaderError check_field(const Field& field) {
  const HeaderError error = check_name(field);
  return error == HeaderError::kNone && !is_value(field) ? HeaderError::kInvalidSyntax : error;
}

Field field_at(const Call& call, const TransferBytes& name, const TransferBytes& value) {
  return {call.transfer.at(name.address, name.size), name.size,
          call.transfer.at(value.address, value.size), value.size};
}

uint64_t size_of(const Field& field) {
  return sizeof(FieldSizes) + uint64_t{field.name_bytes} + field.value_bytes;
}

void put(uint8_t* to, const Field& field) {
  const FieldSizes sizes{field.name_bytes, field.value_bytes};
  __builtin_memcpy(to, &sizes, sizeof sizes);
  __builtin_memcpy(to + sizeof sizes, field.name, field.name_bytes);
  __builtin_memcpy(to + sizeof sizes + field.name_bytes, field.value, field.value_bytes);
}

// Fields of the program's own.
Object& owned(const Call& call, uint32_t fields) {
  return call.objects.get(fields, ObjectKind::kFields);
}

void append(const Call& call, uint32_t fields, const Field& field) {
  Object& object = owned(call, fields);
  const uint64_t size = object.permitted + size_of(field);
  if (size > guest_abi::kHttpFieldsBytesMax) {
    component_trap(guest_abi::ComponentTrap::kFieldsTooLarge);
  }
  const StateHeap heap = call.objects.heap();
  const auto had = static_cast<uint32_t>(object.position);
  const uint32_t block = heap.grow(had, object.permitted, size);
  put(heap.bytes(block, size) + object.permitted, field);
  object.position = block;
  object.permitted = size;
}

// Those that are kept move up.
void remove(const Call& call, uint32_t fields, const Field& name) {
  Object& object = owned(call, fields);
  if (object.position == 0) return;
  uint8_t* const bytes =
      call.objects.heap().bytes(static_cast<uint32_t>(object.position), object.permitted);
  FieldReader reader(bytes, static_cast<uint32_t>(object.permitted));
  uint32_t kept = 0;
  uint32_t begin = 0;
  Field field{};
  while (reader.next(&field)) {
    const uint32_t end = reader.position();
    if (!guest_abi::is_same_name(name_of(field), name_of(name))) {
      __builtin_memmove(bytes + kept, bytes + begin, end - begin);
      kept += end - begin;
    }
    begin = end;
  }
  object.permitted = kept;
}

// result<_, header-error>.
uint32_t result(const Call& call, HeaderError error) {
  struct Layout {
    uint8_t is_error;
    HeaderError error;
  };
  return error == HeaderError::kNone ? call.transfer.allocate(Layout{0, HeaderError{}})
                                     : call.transfer.allocate(Layout{1, error});
}

uint32_t from_list(const Call& call, uint32_t list, uint32_t count) {
  struct Entry {
    TransferBytes name;
    TransferBytes value;
  };
  struct Layout {
    uint8_t is_error;
    union {
      uint32_t fields;
      HeaderError error;
    };
  };
  call.transfer.at(list, uint64_t{count} * sizeof(Entry));
  const uint32_t fields = new_fields(call, nullptr, 0);
  for (uint32_t i = 0; i < count; ++i) {
    const auto entry = call.transfer.load<Entry>(list + i * uint32_t{sizeof(Entry)});
    const Field field = field_at(call, entry.name, entry.value);
    const HeaderError error = check_field(field);
    if (error != HeaderError::kNone) {
      call.objects.release(fields, ObjectKind::kFields);
      Layout failed{1, {0}};
      failed.error = error;
      return call.transfer.allocate(failed);
    }
    append(call, fields, field);
  }
  return call.transfer.allocate(Layout{0, {fields}});
}

// Fields that may be changed.
HeaderError check_mutable(const Call& call, uint32_t fields) {
  return owned(call, fields).is_closed ? HeaderError::kImmutable : HeaderError::kNone;
}

HeaderError set(const Call& call, uint32_t fields, const TransferBytes& name, uint32_t list,
                uint32_t count) {
  const HeaderError error = check_mutable(call, fields);
  if (error != HeaderError::kNone) return error;
  call.transfer.at(list, uint64_t{count} * sizeof(TransferBytes));
  const auto value_at = [&](uint32_t i) {
    return call.transfer.load<TransferBytes>(list + i * uint32_t{sizeof(TransferBytes)});
  };
  const Field named = field_at(call, name, {name.address, 0});
  const HeaderError wrong = check_name(named);
  if (wrong != HeaderError::kNone) return wrong;
  for (uint32_t i = 0; i < count; ++i) {
    if (!is_value(field_at(call, name, value_at(i)))) return HeaderError::kInvalidSyntax;
  }
  remove(call, fields, named);
  for (uint32_t i = 0; i < count; ++i) append(call, fields, field_at(call, name, value_at(i)));
  return HeaderError::kNone;
}

TransferBytes copy(const Call& call, const uint8_t* from, uint32_t size) {
  const uint32_t address = call.transfer.reserve(size, 1);
  __builtin_memcpy(call.transfer.at(address, size), from, size);
  return {address, size};
}

uint32_t count_named(const Call& call, uint32_t fields, const TransferBytes& name) {
  FieldReader reader = read_fields(call.objects, fields);
  const guest_abi::HttpText wanted(call.transfer.at(name.address, name.size), name.size);
  uint32_t count = 0;
  Field field{};
  while (reader.next(&field)) {
    count += guest_abi::is_same_name(name_of(field), wanted) ? 1 : 0;
  }
  return count;
}

uint32_t get(const Call& call, uint32_t fields, const TransferBytes& name) {
  const uint32_t count = count_named(call, fields, name);
  const uint32_t list = call.transfer.reserve(uint64_t{count} * sizeof(TransferBytes), 4);
  FieldReader reader = read_fields(call.objects, fields);
  uint32_t at = list;
  Field field{};
  while (reader.next(&field)) {
    const guest_abi::HttpText wanted(call.transfer.at(name.address, name.size), name.size);
    if (!guest_abi::is_same_name(name_of(field), wanted)) continue;
    call.transfer.store(at, copy(call, field.value, field.value_bytes));
    at += uint32_t{sizeof(TransferBytes)};
  }
  return call.transfer.allocate(TransferBytes{list, count});
}

uint32_t entries(const Call& call, uint32_t fields) {
  struct Entry {
    TransferBytes name;
    TransferBytes value;
  };
  FieldReader counter = read_fields(call.objects, fields);
  uint32_t count = 0;
  Field field{};
  while (counter.next(&field)) ++count;
  const uint32_t list = call.transfer.reserve(uint64_t{count} * sizeof(Entry), 4);
  FieldReader reader = read_fields(call.objects, fields);
  for (uint32_t at = list; reader.next(&field); at += uint32_t{sizeof(Entry)}) {
    const TransferBytes name = copy(call, field.name, field.name_bytes);
    call.transfer.store(at, Entry{name, copy(call, field.value, field.value_bytes)});
  }
  return call.transfer.allocate(TransferBytes{list, count});
}

uint32_t clone(const Call& call, uint32_t fields) {
  const HeapText bytes = bytes_of_fields(call.objects, fields);
  const uint32_t made = new_fields(call, nullptr, 0);
  if (bytes.size == 0) return made;
  const StateHeap heap = call.objects.heap();
  const uint32_t block = heap.allocate(bytes.size);
  __builtin_memcpy(heap.bytes(block, bytes.size), heap.bytes(bytes.block, bytes.size), bytes.size);
  owned(call, made).position = block;
  owned(call, made).permitted = bytes.size;
  return made;
}

}  // namespace

bool FieldReader::next(Field* field) {
  FieldSizes sizes{};
  if (size_ - at_ < sizeof sizes) return false;
  __builtin_memcpy(&sizes, bytes_ + at_, sizeof sizes);
  const uint32_t left = size_ - at_ - uint32_t{sizeof sizes};
  if (sizes.name_bytes > left || sizes.value_bytes > left - sizes.name_bytes) return false;
  const uint8_t* const name = bytes_ + at_ + sizeof sizes;
  *field = {name, sizes.name_bytes, name + sizes.name_bytes, sizes.value_bytes};
  at_ += uint32_t{sizeof sizes} + sizes.name_bytes + sizes.value_bytes;
  return true;
}

HeapText bytes_of_fields(const Objects& objects, uint32_t fields) {
  const Object* object = &objects.get(fields, ObjectKind::kFields);
  if (object->below != 0) {
    object = &objects.get(static_cast<uint32_t>(object->position), ObjectKind::kFields);
  }
  return {static_cast<uint32_t>(object->position), static_cast<uint32_t>(object->permitted)};
}

FieldReader read_fields(const Objects& objects, uint32_t fields) {
  const HeapText text = bytes_of_fields(objects, fields);
  if (text.size == 0) return {nullptr, 0};
  return {objects.heap().bytes(text.block, text.size), text.size};
}

uint32_t new_fields(const Call& call, const uint8_t* bytes, uint32_t size) {
  Object fields{};
  fields.kind = ObjectKind::kFields;
  if (size != 0) {
    const StateHeap heap = call.objects.heap();
    fields.position = heap.allocate(size);
    fields.permitted = size;
    __builtin_memcpy(heap.bytes(static_cast<uint32_t>(fields.position), size), bytes, size);
  }
  return call.objects.add(fields);
}

uint32_t new_fields_view(const Call& call, uint32_t parent, uint32_t fields) {
  Object view{};
  view.kind = ObjectKind::kFields;
  view.is_closed = true;
  view.below = parent;
  view.position = fields;
  return add_child(call.objects, view);
}

bool content_length(const Objects& objects, uint32_t fields, uint64_t* length) {
  FieldReader reader = read_fields(objects, fields);
  Field field{};
  while (reader.next(&field)) {
    if (!guest_abi::is_same_name(name_of(field), "content-length") || field.value_bytes == 0)
      continue;
    uint64_t number = 0;
    for (uint32_t i = 0; i < field.value_bytes; ++i) {
      const uint8_t digit = field.value[i];
      if (digit < '0' || digit > '9' || __builtin_mul_overflow(number, uint64_t{10}, &number) ||
          __builtin_add_overflow(number, uint64_t{digit} - '0', &number)) {
        return false;
      }
    }
    *length = number;
    return true;
  }
  return false;
}

}  // namespace mayfly::guest

using namespace mayfly::guest;  // NOLINT: the C functions below are this file's only others

uint32_t mayfly_wasi2_new_fields(MemoryInfo* transfer, MemoryInfo* state) {
  return new_fields(Call(transfer, state), nullptr, 0);
}

uint32_t mayfly_wasi2_fields_from_list(MemoryInfo* transfer, MemoryInfo* state, uint32_t list,
                                       uint32_t count) {
  return from_list(Call(transfer, state), list, count);
}

uint32_t mayfly_wasi2_fields_get(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size) {
  return get(Call(transfer, state), self, {name, size});
}

uint32_t mayfly_wasi2_fields_has(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size) {
  return count_named(Call(transfer, state), self, {name, size}) != 0 ? 1 : 0;
}

uint32_t mayfly_wasi2_fields_set(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                 uint32_t name, uint32_t size, uint32_t list, uint32_t count) {
  const Call call(transfer, state);
  return result(call, set(call, self, {name, size}, list, count));
}

uint32_t mayfly_wasi2_fields_delete(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t name, uint32_t size) {
  const Call call(transfer, state);
  HeaderError error = check_mutable(call, self);
  const Field named = field_at(call, {name, size}, {name, 0});
  if (error == HeaderError::kNone) error = check_name(named);
  if (error == HeaderError::kNone) remove(call, self, named);
  return result(call, error);
}

uint32_t mayfly_wasi2_fields_append(MemoryInfo* transfer, MemoryInfo* state, uint32_t self,
                                    uint32_t name, uint32_t size, uint32_t value,
                                    uint32_t value_size) {
  const Call call(transfer, state);
  HeaderError error = check_mutable(call, self);
  const Field field = field_at(call, {name, size}, {value, value_size});
  if (error == HeaderError::kNone) error = check_field(field);
  if (error == HeaderError::kNone) append(call, self, field);
  return result(call, error);
}

uint32_t mayfly_wasi2_fields_entries(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return entries(Call(transfer, state), self);
}

uint32_t mayfly_wasi2_fields_clone(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  return clone(Call(transfer, state), self);
}

void mayfly_wasi2_drop_fields(MemoryInfo* transfer, MemoryInfo* state, uint32_t self) {
  Call(transfer, state).objects.release(self, ObjectKind::kFields);
}
