// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The data of an instance: everything whose address is fixed at link time.
#include "compiler/emit_data.h"

#include <llvm/IR/Constants.h>

#include <vector>

#include "compiler/module_emitter.h"
#include "guest_abi/call_page.h"
#include "guest_abi/instance.h"

namespace mayfly::compiler {

namespace {

enum class Access : uint8_t { kReadOnly, kReadWrite };

class DataEmitter {
 public:
  explicit DataEmitter(ModuleEmitter& module)
      : module_(module), wasm_(module.wasm()), i64_(llvm::Type::getInt64Ty(module.context())) {}

  void emit() {
    for (uint32_t i = wasm_.imported_globals; i < wasm_.globals.size(); ++i) emit_global(i);
    for (uint32_t i = wasm_.imported_memories; i < wasm_.memories.size(); ++i) emit_memory_info(i);
    for (uint32_t i = wasm_.imported_tables; i < wasm_.tables.size(); ++i) emit_table(i);
    for (uint32_t i = 0; i < wasm_.data.size(); ++i) emit_data_segment(i);
    for (uint32_t i = 0; i < wasm_.elements.size(); ++i) emit_element_segment(i);
    for (uint32_t i = wasm_.imported_functions; i < wasm_.functions.size(); ++i) {
      if (wasm_.functions[i].is_declared_ref) emit_funcref(i);
    }
  }

 private:
  llvm::Constant* word(uint64_t value) { return llvm::ConstantInt::get(i64_, value); }
  llvm::Constant* word(llvm::Constant* address) {
    return llvm::ConstantExpr::getPtrToInt(address, i64_);
  }
  llvm::Constant* absolute(const std::string& name) {
    return module_.absolute(name, ModuleEmitter::Distance::kNear);
  }
  // Two halves, of which the low one is the value of an absolute symbol.
  llvm::Constant* word_of_halves(llvm::Constant* low, uint32_t high) {
    return llvm::ConstantExpr::getAdd(word(low), word(uint64_t{high} << 32));
  }

  void define(llvm::GlobalVariable* variable, llvm::Constant* contents, Access access,
              uint64_t alignment) {
    variable->setInitializer(contents);
    variable->setConstant(access == Access::kReadOnly);
    variable->setAlignment(llvm::Align(alignment));
  }
  void define_words(llvm::GlobalVariable* variable, const std::vector<llvm::Constant*>& contents,
                    Access access) {
    define(variable, llvm::ConstantArray::get(module_.words(contents.size()), contents), access,
           contents.size() == 1 ? 8 : 16);
  }

  // The words of a value; zero where only `instantiate` knows it.
  llvm::Constant* value_word(const ConstantValue& value) {
    switch (value.kind) {
      case ConstantValue::Kind::kNumber:
        return word(value.low);
      case ConstantValue::Kind::kFuncref:
        return word(module_.funcref(value.function_index));
      case ConstantValue::Kind::kNull:
      case ConstantValue::Kind::kUnknown:
        break;
    }
    return word(uint64_t{0});
  }

  void emit_global(uint32_t index) {
    const ConstantValue& value = module_.shape().globals[index];
    std::vector<llvm::Constant*> contents = {value_word(value)};
    if (wasm_.globals[index].type.type.kind == wasm::ValKind::kV128) {
      contents.push_back(word(value.high));
    }
    define_words(module_.global(index), contents, Access::kReadWrite);
  }

  void emit_memory_info(uint32_t index) {
    const wasm::MemoryType& type = wasm_.memories[index];
    const std::string name = symbol("mem", index);
    define_words(module_.memory_info(index),
                 {word(module_.memory(index)), word(type.limits.min << type.page_size_log2),
                  word(absolute(name + ".bytes_max")),
                  word_of_halves(absolute(name + ".region"), type.page_size_log2)},
                 Access::kReadWrite);
  }

  void emit_table(uint32_t index) {
    const uint64_t size = wasm_.tables[index].type.limits.min;
    const std::string name = symbol("table", index);
    const bool is_far = module_.shape().table_is_far[index];
    llvm::GlobalVariable* entries = module_.table(index);
    if (!is_far) {
      define(entries, llvm::Constant::getNullValue(entries->getValueType()), Access::kReadWrite,
             16);
    }
    define_words(
        module_.table_info(index),
        {word(entries), word(size), is_far ? word(absolute(name + ".size_max")) : word(size),
         is_far ? word(absolute(name + ".region")) : word(guest_abi::kNoRegion)},
        Access::kReadWrite);
  }

  void emit_data_segment(uint32_t index) {
    const wasm::DataSegment& segment = wasm_.data[index];
    const auto bytes = module_.shape().bytes.subspan(segment.bytes.offset, segment.bytes.size);
    llvm::Constant* contents = llvm::ConstantDataArray::get(
        module_.context(), llvm::ArrayRef<uint8_t>(bytes.data(), bytes.size()));
    define(module_.data_segment(index), contents, Access::kReadOnly, 16);
    define_words(module_.data_segment_size(index), {word(bytes.size())}, Access::kReadWrite);
  }

  void emit_element_segment(uint32_t index) {
    const wasm::ElementSegment& segment = wasm_.elements[index];
    const bool is_declarative = segment.mode == wasm::SegmentMode::kDeclarative;
    define_words(module_.element_segment_size(index),
                 {word(is_declarative ? uint64_t{0} : segment.size())}, Access::kReadWrite);
    std::vector<llvm::Constant*> contents;
    contents.reserve(segment.size());
    for (const uint32_t function : segment.func_indices) {
      contents.push_back(word(module_.funcref(function)));
    }
    Access access = Access::kReadOnly;
    for (const wasm::ConstExpr& expression : segment.expressions) {
      const ConstantValue value =
          evaluate(module_.shape().bytes, expression, module_.shape().globals);
      if (value.kind == ConstantValue::Kind::kUnknown) access = Access::kReadWrite;
      contents.push_back(value_word(value));
    }
    define_words(module_.element_segment(index), contents, access);
  }

  void emit_funcref(uint32_t index) {
    const uint32_t type_index = wasm_.functions[index].type_index;
    define_words(module_.funcref(index),
                 {word(module_.function(index)),
                  word_of_halves(absolute(symbol("type", type_index)), index)},
                 Access::kReadWrite);
  }

  ModuleEmitter& module_;
  const wasm::Module& wasm_;
  llvm::Type* i64_;
};

static_assert(offsetof(guest_abi::FuncRef, type_id) == 8);
static_assert(offsetof(guest_abi::FuncRef, function_index) == 12);
static_assert(offsetof(guest_abi::MemoryInfo, bytes_max) == 16);
static_assert(offsetof(guest_abi::MemoryInfo, region) == 24);
static_assert(offsetof(guest_abi::MemoryInfo, page_size_log2) == 28);
static_assert(offsetof(guest_abi::TableInfo, size_max) == 16);
static_assert(offsetof(guest_abi::TableInfo, region) == 24);

}  // namespace

void emit_data(ModuleEmitter& module) { DataEmitter(module).emit(); }

}  // namespace mayfly::compiler
