// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The JSON of a test script to commands. What a command needs and lacks is an error; what is not
// needed is ignored.
#include "runtime/wast_script.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace mayfly::runtime {
namespace {

using nlohmann::json;

std::string string_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<std::string> optional_string(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

WastCommand::Kind kind_of(const std::string& type) {
  using Kind = WastCommand::Kind;
  static constexpr std::pair<std::string_view, Kind> kKinds[] = {
      {"module", Kind::kModule},
      {"module_definition", Kind::kModuleDefinition},
      {"module_instance", Kind::kModuleInstance},
      {"register", Kind::kRegister},
      {"action", Kind::kAction},
      {"assert_return", Kind::kAssertReturn},
      {"assert_trap", Kind::kAssertTrap},
      {"assert_exhaustion", Kind::kAssertTrap},
      {"assert_exception", Kind::kAssertException},
      {"assert_invalid", Kind::kAssertInvalid},
      {"assert_malformed", Kind::kAssertInvalid},
      {"assert_unlinkable", Kind::kAssertUnlinkable},
      {"assert_uninstantiable", Kind::kAssertUninstantiable}};
  for (const auto& [name, kind] : kKinds) {
    if (name == type) return kind;
  }
  return Kind::kOther;
}

ScriptValue script_value(const json& object) {
  ScriptValue value{string_of(object, "type"), string_of(object, "lane_type"), false, {}};
  const auto found = object.find("value");
  if (found == object.end()) return value;
  value.has_value = true;
  if (found->is_string()) value.texts.push_back(found->get<std::string>());
  if (!found->is_array()) return value;
  for (const json& lane : *found) {
    value.texts.push_back(lane.is_string() ? lane.get<std::string>() : std::string());
  }
  return value;
}

Result<ExpectedValue> expected_value(const json& object) {
  if (!object.is_object()) return invalid("an expected value is no object");
  if (string_of(object, "type") != "either") return parse_expected(script_value(object));
  ExpectedValue either;
  either.kind = ExpectedValue::Kind::kEither;
  const auto values = object.find("values");
  if (values == object.end() || !values->is_array()) return invalid("either without values");
  for (const json& value : *values) {
    if (!value.is_object()) return invalid("an expected value is no object");
    either.alternatives.push_back(MAYFLY_TRY(parse_expected(script_value(value))));
  }
  return either;
}

Result<WastAction> parse_action(const json& object, std::string& problem) {
  WastAction action;
  const std::string type = string_of(object, "type");
  if (type != "invoke" && type != "get") return invalid("unknown action " + type);
  action.kind = type == "invoke" ? WastAction::Kind::kInvoke : WastAction::Kind::kGet;
  action.module = optional_string(object, "module");
  action.field = string_of(object, "field");
  const auto arguments = object.find("args");
  if (arguments == object.end() || !arguments->is_array()) return action;
  action.component_arguments = arguments->dump();
  for (const json& argument : *arguments) {
    if (!argument.is_object()) return invalid("an argument is no object");
    auto value = parse_argument(script_value(argument));
    if (value) {
      action.arguments.push_back(*value);
    } else {
      problem = value.error().message;
    }
  }
  return action;
}

Result<WastCommand> parse_command(const json& object) {
  if (!object.is_object()) return invalid("a command is no object");
  WastCommand command;
  command.type = string_of(object, "type");
  command.kind = kind_of(command.type);
  const auto line = object.find("line");
  if (line != object.end() && line->is_number_unsigned()) command.line = line->get<uint32_t>();
  command.name = optional_string(object, "name");
  command.instance = optional_string(object, "instance");
  command.module = optional_string(object, "module");
  command.as = string_of(object, "as");
  command.text = string_of(object, "text");
  const bool is_text = string_of(object, "module_type") == "text";
  command.filename = string_of(object, is_text ? "binary_filename" : "filename");
  if (const auto action = object.find("action"); action != object.end()) {
    if (!action->is_object()) return invalid("an action is no object");
    command.action = MAYFLY_TRY(parse_action(*action, command.problem));
  }
  if (const auto expected = object.find("expected");
      expected != object.end() && expected->is_array()) {
    command.component_expected = expected->dump();
    for (const json& value : *expected) {
      auto parsed = expected_value(value);
      if (parsed) {
        command.expected.push_back(std::move(*parsed));
      } else {
        command.problem = parsed.error().message;
      }
    }
  }
  return command;
}

}  // namespace

bool is_assertion(WastCommand::Kind kind) {
  switch (kind) {
    case WastCommand::Kind::kModule:
    case WastCommand::Kind::kModuleDefinition:
    case WastCommand::Kind::kModuleInstance:
    case WastCommand::Kind::kRegister:
    case WastCommand::Kind::kAction:
      return false;
    default:
      return true;
  }
}

Result<WastScript> parse_wast_script(std::span<const uint8_t> text) {
  const json document = json::parse(text.begin(), text.end(), nullptr, false);
  if (!document.is_object()) return invalid("the script is no JSON object");
  const auto commands = document.find("commands");
  if (commands == document.end() || !commands->is_array()) {
    return invalid("the script has no list of commands");
  }
  WastScript script;
  script.source = string_of(document, "source_filename");
  script.commands.reserve(commands->size());
  for (const json& object : *commands) {
    auto command = parse_command(object);
    if (!command) {
      return with_context("command " + std::to_string(script.commands.size()),
                          std::move(command).error());
    }
    script.commands.push_back(std::move(*command));
  }
  return script;
}

}  // namespace mayfly::runtime
