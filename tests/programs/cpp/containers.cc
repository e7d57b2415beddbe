// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The standard library without exceptions: containers, algorithms, strings, streams, virtual calls.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

struct Shape {
  virtual ~Shape() = default;
  virtual double area() const = 0;
};
struct Square : Shape {
  explicit Square(double s) : side(s) {}
  double area() const override { return side * side; }
  double side;
};
struct Circle : Shape {
  explicit Circle(double r) : radius(r) {}
  double area() const override { return 3.0 * radius * radius; }
  double radius;
};

int main() {
  std::map<std::string, int> counts;
  std::istringstream words("the cat and the hat and the bat");
  for (std::string word; words >> word;) ++counts[word];
  for (const auto& [word, count] : counts) std::cout << word << '=' << count << ' ';
  std::vector<std::unique_ptr<Shape>> shapes;
  for (int i = 1; i <= 3; ++i) {
    shapes.push_back(std::make_unique<Square>(i));
    shapes.push_back(std::make_unique<Circle>(i));
  }
  std::sort(shapes.begin(), shapes.end(),
            [](const auto& a, const auto& b) { return a->area() > b->area(); });
  std::cout << '\n' << shapes.front()->area() << ' ' << shapes.back()->area() << '\n';
  std::FILE* file = std::fopen("/w/lines.txt", "w+");
  std::fputs("one\ntwo\nthree\n", file);
  std::rewind(file);
  int lines = 0;
  for (char line[80]; std::fgets(line, sizeof line, file) != nullptr;) ++lines;
  std::cout << lines << " lines, " << std::boolalpha << (std::fclose(file) == 0) << '\n';
}
