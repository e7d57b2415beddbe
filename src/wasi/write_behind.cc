// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each header is copied out of the buffer once. The bytes go from there to the kernel without a
// copy in between: what the guest changes there meanwhile is its own file.
#include "wasi/write_behind.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "wasi/transfer.h"

namespace mayfly::wasi {

namespace {

using guest_abi::BehindRecord;
using guest_abi::kBehindBufferBytes;

constexpr size_t kBuffersMax = 256;  // of one system call; Linux takes 1,024

// So many writes of a call are port calls before the host has to look at the guest: it costs a
// timer, which few writes are not worth.
constexpr uint32_t kDirectWritesFirst = 4;

uint64_t load(const uint64_t& word) { return __atomic_load_n(&word, __ATOMIC_ACQUIRE); }

void keep_error(PortCall& call, Handle& handle, Errno error) {
  if (handle.late_error == Errno::kSuccess) ++call.program.late_errors;
  handle.late_error = error;
  __atomic_store_n(&call.context.behind->words().has_failed, 1U, __ATOMIC_RELAXED);
}

}  // namespace

Result<void> BehindReader::settle(PortCall& call) {
  guest_abi::WriteBehind& words = call.context.behind->words();
  const uint64_t produced = load(words.produced);
  if (produced == consumed_) return {};
  Result<void> done = take_records(call, produced);
  if (done) done = write_run(call);
  run_ = {};
  consumed_ = produced;
  __atomic_store_n(&words.consumed, consumed_, __ATOMIC_RELEASE);
  tell_limits(call);
  return done;
}

Result<void> BehindReader::take_records(PortCall& call, uint64_t produced) {
  const guest_abi::WriteBehind& words = call.context.behind->words();
  const uint64_t start = consumed_ - load(words.base);
  const uint64_t bytes = produced - consumed_;
  if (start > kBehindBufferBytes || bytes > kBehindBufferBytes - start) {
    return invalid(std::to_string(bytes) + " bytes written behind at " + std::to_string(start) +
                   " in a buffer of " + std::to_string(kBehindBufferBytes));
  }
  const auto buffer = MAYFLY_TRY(call.guest().view(load(words.buffer), kBehindBufferBytes));
  std::span<uint8_t> records = buffer.subspan(start, bytes);
  while (!records.empty()) MAYFLY_TRY(take_record(call, records));
  return {};
}

Result<void> BehindReader::take_record(PortCall& call, std::span<uint8_t>& records) {
  BehindRecord record{};
  if (records.size() >= sizeof record) std::memcpy(&record, records.data(), sizeof record);
  const uint64_t taken = guest_abi::behind_record_bytes(record.bytes);
  if (record.bytes == 0 || record.bytes > guest_abi::kBehindBytesMax || taken > records.size()) {
    return invalid("a write behind of " + std::to_string(record.bytes) + " bytes, where " +
                   std::to_string(records.size()) + " were written");
  }
  const bool is_at_host = record.position == guest_abi::kBehindHostPosition;
  if (!is_at_host && record.position > INT64_MAX - record.bytes) {
    return invalid("a write behind at " + std::to_string(record.position));
  }
  const bool was_at_host = run_.position == guest_abi::kBehindHostPosition;
  const bool goes_on = !run_.buffers.empty() && record.handle == run_.handle &&
                       was_at_host == is_at_host && run_.buffers.size() < kBuffersMax &&
                       (is_at_host || record.position == run_.position + run_.bytes);
  if (!goes_on) {
    MAYFLY_TRY(write_run(call));
    run_.handle = record.handle;
    run_.position = record.position;
  }
  run_.buffers.push_back({records.subspan(sizeof record).data(), record.bytes});
  run_.bytes += record.bytes;
  payload_ += record.bytes;
  records = records.subspan(taken);
  return {};
}

// The rights are checked as if the program had written only now.
Result<void> BehindReader::write_run(PortCall& call) {
  if (run_.buffers.empty()) return {};
  Handle* const handle = call.find(run_.handle);
  if (handle == nullptr || !handle->has(guest_abi::kWasiBuffered) ||
      !handle->has(guest_abi::kWasiWritable)) {
    return invalid("a write behind to handle " + std::to_string(run_.handle) +
                   ", which is no file to write behind");
  }
  guest_abi::WasiTransferRequest request{};
  request.use_position = run_.position == guest_abi::kBehindHostPosition ? 0 : 1;
  request.position = run_.position;
  const Errno error = MAYFLY_TRY(write_all(call, *handle, run_.buffers, request));
  if (error != Errno::kSuccess) keep_error(call, *handle, error);
  run_.buffers.clear();
  run_.bytes = 0;
  return {};
}

void BehindReader::tell_limits(PortCall& call) const {
  if (call.context.behind == nullptr) return;
  uint64_t left = call.program.write_bytes_left;
  if (const runtime::PortTraffic* traffic = call.context.traffic) {
    left = std::min(left, traffic->bytes_out_end - traffic->counts.bytes_out.get());
  }
  const uint64_t end = left > UINT64_MAX - payload_ ? UINT64_MAX : payload_ + left;
  __atomic_store_n(&call.context.behind->words().payload_end, end, __ATOMIC_RELAXED);
}

void count_direct_write(PortCall& call, const Handle& handle) {
  if (call.context.behind == nullptr || !handle.has(guest_abi::kWasiBuffered)) return;
  if (++call.program.direct_writes < kDirectWritesFirst) return;
  call.program.direct_writes = 0;
  call.context.behind->watch();
}

Errno take_late_error(PortCall& call, Handle& handle) {
  const Errno error = std::exchange(handle.late_error, Errno::kSuccess);
  if (error != Errno::kSuccess && --call.program.late_errors == 0 &&
      call.context.behind != nullptr) {
    __atomic_store_n(&call.context.behind->words().has_failed, 0U, __ATOMIC_RELAXED);
  }
  return error;
}

}  // namespace mayfly::wasi
