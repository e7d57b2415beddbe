// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Binds symbols per instance, runs LLD, and puts metadata and tables beside what it made.
#include "compiler/link_image.h"

#include "compiler/abi.h"
#include "compiler/adapter_emitter.h"
#include "compiler/guest_archive.h"
#include "compiler/image_describer.h"
#include "compiler/image_file.h"
#include "compiler/instance_symbols.h"
#include "compiler/linked_file.h"
#include "compiler/lld_driver.h"
#include "guest_abi/layout.h"

namespace mayfly::compiler {
namespace {

// Tables that can grow get their windows now: the objects say which they are.
Result<void> place_tables(LinkRequest& request) {
  for (uint32_t step = 0; step < request.plan.step_count(); ++step) {
    const wasm::Module& module = request.plan.module_of(step);
    const std::vector<bool>& is_far = request.compiled[step]->table_is_far;
    for (uint32_t i = module.imported_tables; i < module.tables.size(); ++i) {
      if (!is_far[i]) continue;
      MAYFLY_TRY(request.windows.place_table({step, i}, module.tables[i].type));
    }
  }
  return {};
}

Result<std::vector<std::vector<uint8_t>>> bind_objects(const LinkRequest& request) {
  std::vector<std::vector<uint8_t>> objects;
  for (uint32_t step = 0; step < request.plan.step_count(); ++step) {
    const InstanceSymbols symbols(request.plan, request.windows, step);
    const Renamer renamer = [&symbols](std::string_view name, Defined defined) {
      return symbols.rename(name, defined);
    };
    for (const std::vector<uint8_t>& object : request.compiled[step]->objects) {
      objects.push_back(MAYFLY_TRY(rename_symbols(object, renamer)));
    }
  }
  auto adapters = MAYFLY_TRY(emit_adapters(request.plan, request.options));
  if (!adapters.empty()) objects.push_back(std::move(adapters));
  return objects;
}

// Addresses of layout.h. Unwind information is linked, to be read, behind all that is loaded.
std::string linker_script(const std::vector<std::string>& roots) {
  const auto at = [](uint64_t address) { return std::to_string(address); };
  std::string script = "EXTERN(";
  for (const std::string& root : roots) script += "\"" + root + "\"\n";
  script += ")\nSECTIONS {\n . = " + at(guest_abi::kImage) + ";\n";
  script += " .text : { *(.text .text.* .ltext .ltext.*) }\n . = ALIGN(4096);\n";
  script += " .rodata : { *(.rodata .rodata.* .lrodata .lrodata.*) }\n . = ALIGN(4096);\n";
  script += " .data : { *(.data .data.* .ldata .ldata.*) }\n";
  script += " .bss : { *(.bss .bss.* .lbss .lbss.* COMMON) }\n";
  script += " ASSERT(. <= " + at(guest_abi::kImageEnd) + ", \"code and data are past \")\n";
  script += " . = " + at(guest_abi::kImageEnd) + ";\n .eh_frame : { *(.eh_frame) }\n";
  for (const char* name :
       {".debug_line", ".debug_line_str", ".debug_str", ".debug_info", ".debug_abbrev",
        ".debug_str_offsets", ".debug_addr", ".symtab", ".shstrtab", ".strtab"}) {
    script += std::string(" ") + name + " 0 : { *(" + name + ") }\n";
  }
  script += " /DISCARD/ : { *(.comment .note* .debug_* .llvm_* .stack_sizes) }\n}\n";
  return script;
}

}  // namespace

Result<std::vector<uint8_t>> link_image(LinkRequest request) {
  MAYFLY_TRY(place_tables(request));
  const ImageDescriber describer(request);
  LinkInput input;
  input.objects = MAYFLY_TRY(bind_objects(request));
  input.archive = guest_archive();
  input.script = linker_script(describer.roots());
  const std::vector<uint8_t> linked = MAYFLY_TRY(run_lld(input));
  const LinkedFile file = MAYFLY_TRY(LinkedFile::create(linked));
  const ImageFileParts parts = MAYFLY_TRY(describer.describe(file));
  return image_file(parts);
}

}  // namespace mayfly::compiler
