// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From "i<step>.func.<index>" back to the module's own words.
#include "compiler/function_names.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>

namespace mayfly::compiler {
namespace {

struct WasmFunction {
  uint32_t step = 0;
  uint32_t index = 0;
};

// The number that a text starts with; the text continues behind it.
std::optional<uint32_t> take_number(std::string_view& text) {
  uint32_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(result.ptr - text.data()));
  return value;
}

// "i3.func.7" is function 7 of step 3.
std::optional<WasmFunction> parse(std::string_view symbol, const PlanView& plan) {
  constexpr std::string_view kFunc = ".func.";
  if (!symbol.starts_with('i')) return std::nullopt;
  symbol.remove_prefix(1);
  const auto step = take_number(symbol);
  if (!step.has_value() || !symbol.starts_with(kFunc)) return std::nullopt;
  symbol.remove_prefix(kFunc.size());
  const auto index = take_number(symbol);
  if (!index.has_value() || !symbol.empty() || *step >= plan.step_count()) return std::nullopt;
  if (*index >= plan.module_of(*step).functions.size()) return std::nullopt;
  return WasmFunction{*step, *index};
}

// Each name once.
class NamePool {
 public:
  uint32_t add(const std::string& name) {
    const auto [place, added] = places_.emplace(name, static_cast<uint32_t>(bytes_.size()));
    if (added) bytes_.insert(bytes_.end(), name.begin(), name.end());
    return place->second;
  }
  std::vector<uint8_t> take() { return std::move(bytes_); }

 private:
  std::map<std::string, uint32_t> places_;
  std::vector<uint8_t> bytes_;
};

std::string display_name(const wasm::Module& module, uint32_t index) {
  const std::string_view name = module.function_name(index);
  return name.empty() ? "wasm function " + std::to_string(index) : std::string(name);
}

// For people's tools: no spaces, no NUL, and the instance's name where there are several.
std::string tool_name(const PlanView& plan, const WasmFunction& function) {
  const std::string_view name = plan.module_of(function.step).function_name(function.index);
  std::string text = name.empty() ? "func." + std::to_string(function.index) : std::string(name);
  if (plan.step_count() > 1) {
    text = plan.plan().steps[function.step].name + "." + std::to_string(function.step) + "." + text;
  }
  for (char& c : text) {
    if (static_cast<unsigned char>(c) <= ' ') c = '_';
  }
  return text;
}

// The function that has the instruction at an offset of the module.
std::optional<uint32_t> function_at(const wasm::Module& module, uint32_t offset) {
  const auto first = module.functions.begin() + module.imported_functions;
  auto next = std::upper_bound(first, module.functions.end(), offset,
                               [](uint32_t wanted, const wasm::Function& function) {
                                 return wanted < function.body.offset;
                               });
  if (next == first) return std::nullopt;
  return static_cast<uint32_t>(next - module.functions.begin() - 1);
}

// `steps` has the steps of functions by the start of their code.
std::vector<image::InlinedRow> name_inlined(const PlanView& plan,
                                            const std::map<uint32_t, uint32_t>& steps,
                                            const std::vector<CodeLocation>& locations,
                                            NamePool& pool) {
  std::vector<image::InlinedRow> rows;
  for (const CodeLocation& location : locations) {
    if (location.call_offset == image::kNoOffset) continue;
    const auto around = steps.upper_bound(location.start);
    if (around == steps.begin()) continue;
    const wasm::Module& module = plan.module_of(std::prev(around)->second);
    const std::optional<uint32_t> index = function_at(module, location.offset);
    if (!index) continue;
    const std::string name = display_name(module, *index);
    rows.push_back(
        {location.start, location.call_offset, pool.add(name), static_cast<uint32_t>(name.size())});
  }
  return rows;
}

}  // namespace

FunctionNames name_functions(const PlanView& plan, const LinkedFile& file,
                             const std::vector<CodeLocation>& locations) {
  FunctionNames out;
  NamePool pool;
  std::map<uint32_t, uint32_t> steps;
  for (const LinkedSymbol& symbol : file.symbols()) {
    const std::optional<WasmFunction> function = parse(symbol.name, plan);
    std::string name(symbol.name);
    if (symbol.is_function) {
      image::FunctionRow row;
      row.start = static_cast<uint32_t>(symbol.address - file.text().address);
      row.end = static_cast<uint32_t>(row.start + symbol.bytes);
      row.module = wasm::kNoIndex;
      if (function.has_value()) {
        row.module = plan.plan().steps[function->step].module;
        steps.emplace(row.start, function->step);
        name = display_name(plan.module_of(function->step), function->index);
      }
      row.name_offset = pool.add(name);
      row.name_bytes = static_cast<uint32_t>(name.size());
      out.rows.push_back(row);
    }
    if (function.has_value()) name = tool_name(plan, *function);
    out.symbols.push_back({std::move(name), symbol.address, symbol.bytes, symbol.is_function});
  }
  out.inlined = name_inlined(plan, steps, locations, pool);
  out.names = pool.take();
  std::ranges::sort(out.rows, {}, [](const image::FunctionRow& row) {
    return std::pair(row.start, row.name_offset);
  });
  std::ranges::sort(out.symbols, {}, [](const ImageSymbol& symbol) {
    return std::pair(symbol.address, std::string_view(symbol.name));
  });
  return out;
}

}  // namespace mayfly::compiler
