// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated from the commands themselves, so a script never knows less than the program.
#include "cli/completion.h"

namespace mayfly::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::string names(const std::vector<CommandWords>& commands) {
  std::string text;
  for (const CommandWords& command : commands) text += (text.empty() ? "" : " ") + command.name;
  return text;
}

std::string bash_script(const std::vector<CommandWords>& commands) {
  std::string script =
      "_mayfly() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} flags=\n"
      "  if [[ $COMP_CWORD -eq 1 ]]; then\n"
      "    COMPREPLY=($(compgen -W '" +
      names(commands) +
      " --help --version' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CommandWords& command : commands) {
    script += "    " + command.name + ") flags='" + joined(command.flags) + "' ;;\n";
  }
  return script +
         "  esac\n"
         "  if [[ $word == -* ]]; then COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
         "  else COMPREPLY=($(compgen -f -- \"$word\")); fi\n"
         "}\n"
         "complete -o filenames -F _mayfly mayfly\n";
}

std::string zsh_script(const std::vector<CommandWords>& commands) {
  std::string script = "#compdef mayfly\n_mayfly() {\n  if (( CURRENT == 2 )); then\n    compadd " +
                       names(commands) +
                       " --help --version\n    return\n  fi\n  case $words[2] in\n";
  for (const CommandWords& command : commands) {
    script += "    " + command.name + ") [[ $PREFIX == -* ]] && compadd -- " +
              joined(command.flags) + " ;;\n";
  }
  return script +
         "  esac\n  [[ $PREFIX == -* ]] || _files\n}\n"
         "if [[ $funcstack[1] == _mayfly ]]; then _mayfly; else compdef _mayfly mayfly; fi\n";
}

std::string fish_script(const std::vector<CommandWords>& commands) {
  std::string script;
  for (const CommandWords& command : commands) {
    script += "complete -c mayfly -n __fish_use_subcommand -a " + command.name + " -d '" +
              command.description + "'\n";
    for (const std::string& flag : command.flags) {
      if (!flag.starts_with("--")) continue;
      script += "complete -c mayfly -n '__fish_seen_subcommand_from " + command.name + "' -l " +
                flag.substr(2) + "\n";
    }
  }
  return script;
}

}  // namespace

std::string completion_script(Shell shell, const std::vector<CommandWords>& commands) {
  switch (shell) {
    case Shell::kBash:
      return bash_script(commands);
    case Shell::kZsh:
      return zsh_script(commands);
    case Shell::kFish:
      return fish_script(commands);
  }
  return "";
}

}  // namespace mayfly::cli
