// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// BuildRequest and BuildReply as bytes. Both sides are of one build, so a version word is enough
// to tell that they are not.
#include "image/build_request.h"

#include "base/byte_writer.h"
#include "image/type_codec.h"

namespace mayfly::image {
namespace {

constexpr uint32_t kRequestMagic = 0x3152'464D;  // "MFR1"
constexpr uint32_t kReplyMagic = 0x3150'464D;    // "MFP1"

void write_features(ByteWriter& to, const wasm::Features& features) {
  to.u8(features.threads ? 1 : 0);
  to.u8(features.wide_arithmetic ? 1 : 0);
  to.u8(features.custom_page_sizes ? 1 : 0);
}

wasm::Features read_features(ByteReader& from) {
  wasm::Features features;
  features.threads = from.u8() != 0;
  features.wide_arithmetic = from.u8() != 0;
  features.custom_page_sizes = from.u8() != 0;
  return features;
}

void write_options(ByteWriter& to, const BuildOptions& options) {
  to.u8(static_cast<uint8_t>(options.opt_level));
  to.u8(static_cast<uint8_t>(options.cpu));
  to.u8(static_cast<uint8_t>(options.memory_class));
  write_features(to, options.features);
  to.u8(options.fuel ? 1 : 0);
  to.u64(options.memory_bytes_max);
}

BuildOptions read_options(ByteReader& from) {
  BuildOptions options;
  options.opt_level = read_enum(from, OptLevel::kO2);
  options.cpu = read_enum(from, CpuLevel::kNative);
  options.memory_class = read_enum(from, MemoryClass::kHigh);
  options.features = read_features(from);
  options.fuel = from.u8() != 0;
  options.memory_bytes_max = from.u64();
  return options;
}

void write_binding(ByteWriter& to, const Binding& binding) {
  to.u8(static_cast<uint8_t>(binding.kind));
  switch (binding.kind) {
    case Binding::Kind::kInstance:
      to.u32(binding.definition.instance);
      to.u32(binding.definition.index);
      break;
    case Binding::Kind::kGuest:
      to.string(binding.symbol);
      to.u32(static_cast<uint32_t>(binding.memories.size()));
      for (const uint32_t memory : binding.memories) to.u32(memory);
      break;
    case Binding::Kind::kHost:
      to.u32(binding.host_index);
      break;
  }
}

Binding read_binding(ByteReader& from) {
  Binding binding;
  binding.kind = read_enum(from, Binding::Kind::kHost);
  switch (binding.kind) {
    case Binding::Kind::kInstance:
      binding.definition.instance = from.u32();
      binding.definition.index = from.u32();
      break;
    case Binding::Kind::kGuest:
      binding.symbol = from.string();
      binding.memories.resize(from.count(4));
      for (uint32_t& memory : binding.memories) memory = from.u32();
      break;
    case Binding::Kind::kHost:
      binding.host_index = from.u32();
      break;
  }
  return binding;
}

void write_plan(ByteWriter& to, const Plan& plan) {
  to.u32(static_cast<uint32_t>(plan.host_functions.size()));
  for (const HostFunction& function : plan.host_functions) {
    to.string(function.module);
    to.string(function.name);
    write_type(to, function.type);
  }
  to.u32(static_cast<uint32_t>(plan.steps.size()));
  for (const InstanceStep& step : plan.steps) {
    to.u32(step.module);
    to.string(step.name);
    to.u32(static_cast<uint32_t>(step.imports.size()));
    for (const Binding& binding : step.imports) write_binding(to, binding);
  }
}

Plan read_plan(ByteReader& from) {
  Plan plan;
  const uint32_t functions = from.count(16);
  for (uint32_t i = 0; i < functions && from.ok(); ++i) {
    HostFunction& function = plan.host_functions.emplace_back();
    function.module = from.string();
    function.name = from.string();
    function.type = read_func_type(from);
  }
  const uint32_t steps = from.count(12);
  for (uint32_t i = 0; i < steps && from.ok(); ++i) {
    InstanceStep& step = plan.steps.emplace_back();
    step.module = from.u32();
    step.name = from.string();
    const uint32_t imports = from.count(5);
    for (uint32_t k = 0; k < imports && from.ok(); ++k) step.imports.push_back(read_binding(from));
  }
  return plan;
}

// The numbers that can be checked without the modules themselves.
Result<void> check(const BuildRequest& request) {
  if (request.module_names.size() != request.modules.size()) {
    return invalid("build request names " + std::to_string(request.module_names.size()) + " of " +
                   std::to_string(request.modules.size()) + " modules");
  }
  const Plan& plan = request.plan;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const std::string where = "step " + std::to_string(i);
    if (plan.steps[i].module >= request.modules.size()) {
      return invalid(where + " is of module " + std::to_string(plan.steps[i].module) + " of " +
                     std::to_string(request.modules.size()));
    }
    for (const Binding& binding : plan.steps[i].imports) {
      if (binding.kind == Binding::Kind::kInstance && binding.definition.instance >= i) {
        return invalid(where + " binds to step " + std::to_string(binding.definition.instance) +
                       ", which is not before it");
      }
      if (binding.kind == Binding::Kind::kHost &&
          binding.host_index >= plan.host_functions.size()) {
        return invalid(where + " binds to host function " + std::to_string(binding.host_index) +
                       " of " + std::to_string(plan.host_functions.size()));
      }
    }
  }
  return {};
}

}  // namespace

std::vector<uint8_t> encode(const BuildRequest& request) {
  ByteWriter to;
  to.u32(kRequestMagic);
  write_options(to, request.options);
  to.u32(static_cast<uint32_t>(request.module_names.size()));
  for (const std::string& name : request.module_names) to.string(name);
  to.u32(static_cast<uint32_t>(request.modules.size()));
  for (const auto& module : request.modules) to.blob(module);
  write_plan(to, request.plan);
  return to.take();
}

Result<BuildRequest> decode_build_request(std::span<const uint8_t> bytes) {
  ByteReader from(bytes);
  if (from.u32() != kRequestMagic) return invalid("build request starts with another magic");
  BuildRequest request;
  request.options = read_options(from);
  const uint32_t names = from.count(4);
  for (uint32_t i = 0; i < names && from.ok(); ++i) request.module_names.push_back(from.string());
  const uint32_t modules = from.count(4);
  for (uint32_t i = 0; i < modules && from.ok(); ++i) {
    const auto module = from.blob();
    request.modules.emplace_back(module.begin(), module.end());
  }
  request.plan = read_plan(from);
  MAYFLY_TRY(from.finish("build request"));
  MAYFLY_TRY(check(request));
  return request;
}

std::vector<uint8_t> encode(const BuildReply& reply) {
  ByteWriter to;
  to.u32(kReplyMagic);
  to.u8(reply.ok ? 1 : 0);
  to.u8(static_cast<uint8_t>(reply.error.kind));
  to.string(reply.error.message);
  to.u32(static_cast<uint32_t>(reply.error.errno_value));
  to.u64(reply.compile_ns);
  to.u64(reply.link_ns);
  to.u64(reply.peak_bytes);
  return to.take();
}

Result<BuildReply> decode_build_reply(std::span<const uint8_t> bytes) {
  ByteReader from(bytes);
  if (from.u32() != kReplyMagic) return invalid("build reply starts with another magic");
  BuildReply reply;
  reply.ok = from.u8() != 0;
  reply.error.kind = read_enum(from, ErrorKind::kTimeout);
  reply.error.message = from.string();
  reply.error.errno_value = static_cast<int>(from.u32());
  reply.compile_ns = from.u64();
  reply.link_ns = from.u64();
  reply.peak_bytes = from.u64();
  MAYFLY_TRY(from.finish("build reply"));
  return reply;
}

}  // namespace mayfly::image
