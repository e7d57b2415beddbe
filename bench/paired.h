// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Paired measurements: floor and subject in turn, and the median of the ratios pair by pair.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "bench/own_cost.h"

namespace mayfly::bench {

inline double microseconds_of(const std::function<void()>& action) {
  const auto start = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
      .count();
}

// Of this thread's processor time, so that other load on the machine does not count.
inline double processor_microseconds_of(const std::function<void()>& action) {
  const auto now = [] {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
  };
  const double start = now();
  action();
  return now() - start;
}

inline double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

struct Paired {
  double floor_us = 0;
  double subject_us = 0;
  double ratio = 0;
  OwnCost cost = {};  // of the subject, once; zero where nobody counted
};

// Both are warmed up once. Their order changes from pair to pair.
inline Paired measure_paired(int pairs, const std::function<void()>& floor,
                             const std::function<void()>& subject) {
  floor();
  subject();
  std::vector<double> floors;
  std::vector<double> subjects;
  std::vector<double> ratios;
  for (int i = 0; i < pairs; ++i) {
    double a = 0;
    double b = 0;
    if (i % 2 == 0) {
      a = microseconds_of(floor);
      b = microseconds_of(subject);
    } else {
      b = microseconds_of(subject);
      a = microseconds_of(floor);
    }
    floors.push_back(a);
    subjects.push_back(b);
    ratios.push_back(b / a);
  }
  return {median(floors), median(subjects), median(ratios), own_cost(subject)};
}

// One row of a Markdown table.
inline void print_row(const std::string& name, const Paired& result, const std::string& bar) {
  const auto number = [](uint64_t value) { return value == 0 ? "" : std::to_string(value); };
  std::printf("| %s | %.2f | %.2f | %.2f | %s | %s | %s |\n", name.c_str(), result.floor_us,
              result.subject_us, result.ratio, bar.c_str(), number(result.cost.exits).c_str(),
              number(result.cost.instructions).c_str());
  std::fflush(stdout);
}

inline void print_header() {
  std::printf(
      "| what | floor, us | Mayfly, us | ratio | at most | exits | own instructions |\n"
      "|---|---|---|---|---|---|---|\n");
}

}  // namespace mayfly::bench
