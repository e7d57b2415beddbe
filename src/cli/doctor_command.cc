// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// mayfly doctor: what this host can do, which driver is used and why.
#include <nlohmann/json.hpp>
#include <string>

#include "cli/driver.h"
#include "cli/options.h"
#include "cli/output.h"

namespace mayfly::cli {
namespace {

std::string as_text(const OpenedHost& opened) {
  std::string text = "driver: " + opened.why + "\n";
  for (const vmm::HostFact& fact : opened.host->facts()) {
    text += fact.name + ": " + fact.value;
    if (!fact.note.empty()) text += " (" + fact.note + ")";
    text += "\n";
  }
  return text;
}

std::string as_json(const OpenedHost& opened) {
  nlohmann::json facts = nlohmann::json::array();
  for (const vmm::HostFact& fact : opened.host->facts()) {
    facts.push_back({{"name", fact.name}, {"value", fact.value}, {"note", fact.note}});
  }
  const nlohmann::json report = {{"driver", std::string(to_string(opened.host->driver()))},
                                 {"why", opened.why},
                                 {"facts", std::move(facts)}};
  return json_text(report, JsonLines::kIndented) + "\n";
}

}  // namespace

int doctor_command(const DoctorOptions& options) {
  const auto opened = open_host(options.driver);
  if (!opened) return report(opened.error());
  return print(options.form == OutputForm::kJson ? as_json(*opened) : as_text(*opened));
}

}  // namespace mayfly::cli
