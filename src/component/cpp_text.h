// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// CppText: lines of C++, indented, in namespaces that open and close by themselves.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace mayfly::component::wit {

class CppText {
 public:
  // Empty: none.
  void enter(const std::string& space) {
    if (space == space_) return;
    if (!space_.empty()) line("}  // namespace " + space_);
    space_ = space;
    if (space_.empty()) return;
    line();
    line("namespace " + space_ + " {");
  }
  void line(const std::string& content = "") {
    if (content.empty() && text_.ends_with("\n\n")) return;
    if (!content.empty()) text_.append(2 * depth_, ' ');
    text_.append(content).append("\n");
  }
  void raw(std::string_view text) { text_.append(text); }
  void docs(const std::string& docs) {
    if (docs.empty()) return;
    for (size_t at = 0; at <= docs.size();) {
      const size_t end = std::min(docs.find('\n', at), docs.size());
      line(comment(std::string_view(docs).substr(at, end - at)));
      at = end + 1;
    }
  }
  void indent() { ++depth_; }
  void dedent(const std::string& last) {
    --depth_;
    line(last);
  }
  std::string take() { return std::move(text_); }

 private:
  // A backslash at its end would make the next line a part of it.
  static std::string comment(std::string_view text) {
    std::string line = "//";
    if (!text.empty()) line += ' ';
    for (const char c : text) line += c == '\r' ? ' ' : c;
    if (line.ends_with('\\')) line += '.';
    return line;
  }

  std::string text_;
  std::string space_;
  size_t depth_ = 0;
};

}  // namespace mayfly::component::wit
