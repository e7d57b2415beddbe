// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ends of wasi:http's objects, and texts in the heap.
#include "guest/wasi2/http_objects.h"

#include "guest/wasi/port_call.h"

namespace mayfly::guest {
namespace {

void release_text(const StateHeap& heap, const HeapText& text) { heap.release(text.block); }

void release_message(const Objects& objects, const Message& message) {
  const StateHeap heap = objects.heap();
  release_text(heap, message.other_method);
  release_text(heap, message.other_scheme);
  release_text(heap, message.path);
  release_text(heap, message.authority);
  if (message.fields != 0) objects.release(message.fields, ObjectKind::kFields);
  if (message.body != 0) objects.release(message.body, ObjectKind::kOutgoingBody);
}

void close_exchange(uint32_t handle) {
  auto& request = new_request<guest_abi::WasiHandleRequest>();
  request.handle = handle;
  call_port(guest_abi::WasiPort::kClose, request);
}

}  // namespace

void release_http(const Objects& objects, const Object& freed) {
  const StateHeap heap = objects.heap();
  const auto block = static_cast<uint32_t>(freed.position);
  switch (freed.kind) {
    case ObjectKind::kOutgoingRequest:
    case ObjectKind::kOutgoingResponse:
    case ObjectKind::kIncomingRequest:
    case ObjectKind::kIncomingResponse: {
      const Message message = heap.at<Message>(block);
      heap.release(block);
      return release_message(objects, message);
    }
    case ObjectKind::kOutgoingBody: {
      const OutgoingBody body = heap.at<OutgoingBody>(block);
      heap.release(body.buffer);
      heap.release(block);
      if (body.trailers != 0) objects.release(body.trailers, ObjectKind::kFields);
      return;
    }
    case ObjectKind::kFields:
      if (freed.below == 0) heap.release(block);
      return;
    case ObjectKind::kFutureTrailers:
      if (block != 0) objects.release(block, ObjectKind::kFields);
      return;
    case ObjectKind::kRequestOptions:
      return heap.release(block);
    case ObjectKind::kHttpExchange:
      return close_exchange(freed.below);
    default:
      return;
  }
}

uint32_t add_child(const Objects& objects, const Object& child) {
  const uint32_t number = objects.add(child);
  ++objects.get(child.below, objects.kind_of(child.below)).permitted;
  return number;
}

void drop_parent(const Objects& objects, uint32_t number, ObjectKind kind) {
  if (objects.get(number, kind).permitted != 0) {
    component_trap(guest_abi::ComponentTrap::kChildrenRemain);
  }
  objects.release(number, kind);
}

HeapText keep_text(const Call& call, const TransferBytes& text) {
  const StateHeap heap = call.objects.heap();
  const uint8_t* const from = call.transfer.at(text.address, text.size);
  const uint32_t block = heap.allocate(text.size);
  __builtin_memcpy(heap.bytes(block, text.size), from, text.size);
  return {block, text.size};
}

TransferBytes give_text(const Call& call, const HeapText& text) {
  const uint32_t address = call.transfer.reserve(text.size, 1);
  if (text.size == 0) return {address, 0};
  __builtin_memcpy(call.transfer.at(address, text.size),
                   call.objects.heap().bytes(text.block, text.size), text.size);
  return {address, text.size};
}

uint32_t handle_of_exchange(const Objects& objects, uint32_t exchange) {
  return objects.get(exchange, ObjectKind::kHttpExchange).below;
}

ErrorCodeValue error_value(const HttpFailure& failure) {
  ErrorCodeValue value{};
  value.code = static_cast<uint8_t>(failure.code);
  switch (failure.code) {
    case HttpError::kRequestBodySize:
    case HttpError::kResponseBodySize:
      if (!failure.has_number) break;
      value.payload[0] = 1;  // option<u64>
      __builtin_memcpy(value.payload + 8, &failure.number, sizeof failure.number);
      break;
    case HttpError::kInternalError:
      if (failure.message.size == 0) break;
      value.payload[0] = 1;  // option<string>
      __builtin_memcpy(value.payload + 4, &failure.message, sizeof failure.message);
      break;
    default:
      break;
  }
  return value;
}

}  // namespace mayfly::guest
