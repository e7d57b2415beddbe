// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over all code of a module before any of it is compiled.
#include "compiler/module_shape.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "compiler/emit_control.h"
#include "compiler/leaf_function.h"
#include "wasm/instruction.h"

namespace mayfly::compiler {

namespace {

using wasm::Opcode;

// Wasm bytes per LLVM module: bounds the memory of a compilation, and gives two threads work.
constexpr uint64_t kPartitionBytesMax = 64 << 10;
// Larger bodies get few passes, and still larger ones none: some of LLVM's passes take time that
// grows with the square of a function.
constexpr uint64_t kOptimizedBytesMax = 128 << 10;
constexpr uint64_t kSimplifiedBytesMax = 512 << 10;
// Where locals become values, a block is searched once for each of them.
constexpr uint64_t kLocalsTimesBytesMax = 1'000'000'000;
// Code generation takes time that grows with the square of a block.
constexpr uint32_t kStraightInstructionsMax = 20'000;
// What a function costs beside its body.
constexpr uint64_t kFunctionBytes = 64;
// A table of more entries does not lie in the image.
constexpr uint64_t kNearTableEntriesMax = 1 << 20;

// The feature that an instruction needs and this version lacks, or null.
const char* missing_feature(Opcode opcode) {
  const auto value = static_cast<uint16_t>(opcode);
  if (value >= 0x100 && value < 0x200) return "garbage collection";
  if (value >= 0x500) return "threads";
  switch (opcode) {
    case Opcode::ref_eq:
      return "garbage collection";
    case Opcode::throw_:
    case Opcode::throw_ref:
    case Opcode::try_table:
      return "exception handling";
    default:
      return nullptr;
  }
}

std::string needs(const char* feature) {
  return std::string(", which needs ") + feature + ": not compiled by this version";
}

std::string hex(uint64_t value) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
  return "0x" + std::string(digits, end);
}

// Whose code is read, for messages.
struct Place {
  const char* what;
  size_t index;
};

struct Body {
  uint32_t locals = 0;
  bool has_long_block = false;
  bool is_leaf = true;
  bool has_calls = false;
};

bool ends_block(Opcode opcode) { return opcode <= Opcode::return_ && opcode != Opcode::nop; }

class Scan {
 public:
  explicit Scan(ModuleShape& shape)
      : shape_(shape), module_(shape.module), grown_(shape.module.tables.size()) {}

  Result<void> run() {
    MAYFLY_TRY(check_declarations());
    MAYFLY_TRY(check_expressions());
    for (uint32_t i = module_.imported_functions; i < module_.functions.size(); ++i) {
      const wasm::ByteRange body = module_.functions[i].body;
      MAYFLY_TRY(read({"function", i}, body, Locals::kPresent));
    }
    for (const Body& body : bodies_) shape_.calls.push_back(body.has_calls);
    find_inlined();
    place_tables();
    divide();
    return {};
  }

 private:
  enum class Locals : uint8_t { kPresent, kAbsent };

  Result<void> check_declarations() const {
    for (size_t i = 0; i < module_.types.size(); ++i) {
      const wasm::SubType& type = module_.types[i];
      if (type.kind == wasm::CompositeKind::kFunc && type.supertype != wasm::kNoIndex) {
        return unsupported("type " + std::to_string(i) + " is a subtype of function type " +
                           std::to_string(type.supertype) + needs("garbage collection"));
      }
    }
    for (size_t i = 0; i < module_.memories.size(); ++i) {
      if (module_.memories[i].shared) {
        return unsupported("memory " + std::to_string(i) + " is shared" + needs("threads"));
      }
    }
    if (!module_.tags.empty()) {
      return unsupported("the module has " + std::to_string(module_.tags.size()) + " tags" +
                         needs("exception handling"));
    }
    return {};
  }

  Result<void> check_expression(const char* what, size_t index, const wasm::ConstExpr& code) {
    return read({what, index}, code.code, Locals::kAbsent);
  }

  Result<void> check_expressions() {
    for (size_t i = module_.imported_globals; i < module_.globals.size(); ++i) {
      MAYFLY_TRY(check_expression("global", i, module_.globals[i].init));
    }
    for (size_t i = module_.imported_tables; i < module_.tables.size(); ++i) {
      if (!module_.tables[i].init) continue;
      MAYFLY_TRY(check_expression("table", i, *module_.tables[i].init));
    }
    for (size_t i = 0; i < module_.elements.size(); ++i) {
      for (const wasm::ConstExpr& expression : module_.elements[i].expressions) {
        MAYFLY_TRY(check_expression("element segment", i, expression));
      }
    }
    return {};
  }

  Result<void> read(Place place, wasm::ByteRange code, Locals locals) {
    wasm::InstructionReader reader(shape_.bytes, code);
    if (locals == Locals::kPresent) note_locals(reader.read_locals());
    uint32_t straight = 0;
    while (!reader.at_end()) {
      const wasm::Instruction& instruction = reader.next();
      if (const char* feature = missing_feature(instruction.opcode)) {
        return unsupported(std::string(place.what) + " " + std::to_string(place.index) + " uses " +
                           std::string(wasm::to_string(instruction.opcode)) + " at offset " +
                           hex(instruction.offset) + needs(feature));
      }
      if (locals == Locals::kPresent) {
        bodies_.back().is_leaf &= is_leaf(instruction.opcode);
        bodies_.back().has_calls |= is_call(instruction.opcode);
      }
      if (instruction.opcode == Opcode::table_grow) grown_[instruction.index] = true;
      straight = ends_block(instruction.opcode) ? 0 : straight + 1;
      if (straight > kStraightInstructionsMax && locals == Locals::kPresent) {
        bodies_.back().has_long_block = true;
      }
    }
    return {};
  }

  void note_locals(const std::vector<wasm::LocalGroup>& groups) {
    uint64_t count = 0;
    for (const wasm::LocalGroup& group : groups) count += group.count;
    bodies_.emplace_back().locals = static_cast<uint32_t>(count);
  }

  void find_inlined() {
    for (uint32_t i = 0; i < bodies_.size(); ++i) {
      const uint32_t function = module_.imported_functions + i;
      const bool is_small = module_.functions[function].body.size <= kInlinedBytesMax;
      shape_.inlined.push_back(is_small && bodies_[i].is_leaf);
    }
  }

  void place_tables() {
    std::vector<bool> exported(module_.tables.size());
    for (const wasm::Export& entry : module_.exports) {
      if (entry.kind == wasm::ExternKind::kTable) exported[entry.index] = true;
    }
    for (uint32_t i = 0; i < module_.tables.size(); ++i) {
      const wasm::Limits& limits = module_.tables[i].type.limits;
      const bool can_grow = limits.max != limits.min && (exported[i] || grown_[i]);
      shape_.table_is_far.push_back(shape_.is_imported_table(i) || can_grow ||
                                    limits.min > kNearTableEntriesMax);
    }
  }

  // The level at which a function compiles in bounded time.
  image::OptLevel level_for(uint32_t function) const {
    const uint64_t body_bytes = module_.functions[function].body.size;
    const Body& body = bodies_[function - module_.imported_functions];
    image::OptLevel level = shape_.options.opt_level;
    if (body_bytes > kOptimizedBytesMax) level = std::min(level, image::OptLevel::kO1);
    if (body_bytes > kSimplifiedBytesMax || body.has_long_block ||
        body_bytes * body.locals > kLocalsTimesBytesMax) {
      level = image::OptLevel::kO0;
    }
    return level;
  }

  void divide() {
    // Data come first and alone: what they need of LLVM grows with other things than code.
    const auto functions = static_cast<uint32_t>(module_.functions.size());
    uint32_t next = module_.imported_functions;
    shape_.partitions.push_back({next, next, shape_.options.opt_level, true});
    while (next < functions) {
      Partition made{next, next, level_for(next), false};
      uint64_t bytes = 0;
      do {
        bytes += module_.functions[next].body.size + kFunctionBytes;
        made.last = ++next;
      } while (next < functions && level_for(next) == made.opt_level &&
               bytes + module_.functions[next].body.size <= kPartitionBytesMax);
      shape_.partitions.push_back(made);
    }
  }

  ModuleShape& shape_;
  const wasm::Module& module_;
  std::vector<bool> grown_;
  std::vector<Body> bodies_;  // of the functions that are not imported
};

}  // namespace

Result<ModuleShape> make_shape(const wasm::Module& module, std::span<const uint8_t> bytes,
                               const CompileOptions& options) {
  ModuleShape shape{module, bytes, options, {}, {}, {}, {}, {}};
  MAYFLY_TRY(Scan(shape).run());
  shape.globals = evaluate_globals(module, bytes);
  return shape;
}

}  // namespace mayfly::compiler
