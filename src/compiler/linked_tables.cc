// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// .debug_line and .eh_frame as the sorted tables of an image. Lines are Wasm offsets (abi.h).
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/DebugInfo/DWARF/DWARFDebugFrame.h>
#include <llvm/DebugInfo/DWARF/DWARFDebugLine.h>

#include <algorithm>

#include "compiler/linked_file.h"
#include "compiler/linked_file_state.h"

namespace mayfly::compiler {
namespace {

// x86-64 psABI, DWARF register numbers.
constexpr uint32_t kRbp = 6;
constexpr uint32_t kRsp = 7;

bool inside(const LinkedPart& text, uint64_t address) {
  return address >= text.address && address - text.address < text.bytes;
}

// Rows that belong together: a sequence of a line table, or the rows of one function.
template <typename Row>
struct Run {
  uint64_t address = 0;
  std::vector<Row> rows;  // sorted by start
};

// All rows of all runs, sorted by start. Where one run ends another mostly starts: the row that
// knows something counts.
template <typename Row, typename Knows>
std::vector<Row> join(std::vector<Run<Row>> runs, Knows knows) {
  std::ranges::sort(runs, {}, &Run<Row>::address);
  std::vector<Row> rows;
  for (const Run<Row>& run : runs) {
    for (const Row& row : run.rows) {
      if (rows.empty() || rows.back().start != row.start) {
        rows.push_back(row);
      } else if (knows(row)) {
        rows.back() = row;
      }
    }
  }
  return rows;
}

// Sequences of discarded functions start outside the text.
void collect(const llvm::DWARFDebugLine::LineTable& table, const LinkedPart& text,
             std::vector<Run<CodeLocation>>& runs) {
  for (const auto& sequence : table.Sequences) {
    if (!inside(text, sequence.LowPC)) continue;
    Run<CodeLocation>& run = runs.emplace_back();
    run.address = sequence.LowPC;
    for (uint32_t i = sequence.FirstRowIndex; i < sequence.LastRowIndex; ++i) {
      const llvm::DWARFDebugLine::Row& row = table.Rows[i];
      const uint64_t start = row.Address.Address - text.address;
      if (start > text.bytes) continue;
      CodeLocation& location = run.rows.emplace_back();
      location.start = static_cast<uint32_t>(start);
      if (row.EndSequence || row.Line == 0) continue;
      location.offset = row.Line;
      if (row.Discriminator != 0) location.call_offset = row.Discriminator;
    }
  }
}

// What a row of unwind information says, where the host's unwinder can follow it.
std::optional<image::UnwindRow> unwind_row(const llvm::dwarf::UnwindRow& row) {
  const llvm::dwarf::UnwindLocation& cfa = row.getCFAValue();
  if (cfa.getLocation() != llvm::dwarf::UnwindLocation::RegPlusOffset) return std::nullopt;
  if (cfa.getRegister() != kRsp && cfa.getRegister() != kRbp) return std::nullopt;
  image::UnwindRow unwind;
  unwind.from_rbp = cfa.getRegister() == kRbp;
  unwind.cfa_offset = cfa.getOffset();
  const auto rbp = row.getRegisterLocations().getRegisterLocation(kRbp);
  if (rbp.has_value() && rbp->getLocation() == llvm::dwarf::UnwindLocation::CFAPlusOffset) {
    unwind.rbp_offset = rbp->getOffset();
  }
  return unwind;
}

Result<void> collect(const llvm::dwarf::FDE& entry, const LinkedPart& text,
                     std::vector<Run<image::UnwindTableRow>>& runs) {
  if (!inside(text, entry.getInitialLocation())) return {};
  auto table = llvm::dwarf::UnwindTable::create(&entry);
  if (!table) return llvm_error("unwind table", table.takeError());
  Run<image::UnwindTableRow>& run = runs.emplace_back();
  run.address = entry.getInitialLocation();
  for (const llvm::dwarf::UnwindRow& row : *table) {
    if (!row.hasAddress()) continue;
    run.rows.push_back({static_cast<uint32_t>(row.getAddress() - text.address), unwind_row(row)});
  }
  const uint64_t end = entry.getInitialLocation() + entry.getAddressRange() - text.address;
  run.rows.push_back({static_cast<uint32_t>(end), std::nullopt});
  return {};
}

}  // namespace

Result<std::vector<CodeLocation>> LinkedFile::locations() const {
  const std::unique_ptr<llvm::DWARFContext> context = llvm::DWARFContext::create(*state_->object);
  const llvm::DWARFObject& object = context->getDWARFObj();
  llvm::DWARFDataExtractor data(object, object.getLineSection(), true, 8);
  llvm::DWARFDebugLine::SectionParser parser(data, *context, context->normal_units());
  std::vector<Run<CodeLocation>> runs;
  std::string problem;
  const auto report = [&problem](llvm::Error error) { problem = llvm::toString(std::move(error)); };
  while (!parser.done()) collect(parser.parseNext(report, report), text_, runs);
  if (!problem.empty()) return link_error("line table: " + problem);
  std::vector<CodeLocation> rows =
      join(std::move(runs), [](const auto& row) { return row.offset != image::kNoOffset; });
  // A row that says the same as the one before it is left out.
  const auto same = std::ranges::unique(
      rows, {}, [](const CodeLocation& row) { return std::pair(row.offset, row.call_offset); });
  rows.erase(same.begin(), same.end());
  return rows;
}

Result<std::vector<image::UnwindTableRow>> LinkedFile::unwind_rows() const {
  const std::unique_ptr<llvm::DWARFContext> context = llvm::DWARFContext::create(*state_->object);
  auto frames = context->getEHFrame();
  if (!frames) return llvm_error("unwind information", frames.takeError());
  std::vector<Run<image::UnwindTableRow>> runs;
  for (const llvm::dwarf::FrameEntry& entry : (*frames)->entries()) {
    if (const auto* function = llvm::dyn_cast<llvm::dwarf::FDE>(&entry)) {
      MAYFLY_TRY(collect(*function, text_, runs));
    }
  }
  return join(std::move(runs), [](const auto& row) { return row.unwind.has_value(); });
}

}  // namespace mayfly::compiler
