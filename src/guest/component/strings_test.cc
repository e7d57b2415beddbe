// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The string loops, with each kind of vectors, against decoders and encoders of one code point at
// a time that are written another way.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "guest/component/string_kernels.h"

namespace mayfly::guest {
namespace {

using Bytes = std::vector<uint8_t>;
using CodePoints = std::vector<uint32_t>;

Bytes utf8_of(const CodePoints& points) {
  Bytes out;
  const auto add = [&](uint32_t byte) { out.push_back(static_cast<uint8_t>(byte)); };
  for (const uint32_t point : points) {
    if (point < 0x80) {
      add(point);
      continue;
    }
    const uint32_t tail = point < 0x800 ? 1 : point < 0x1'0000 ? 2 : 3;
    add((0xFF00U >> (tail + 1) & 0xFF) | point >> (6 * tail));
    for (uint32_t i = tail; i-- > 0;) add(0x80 | (point >> (6 * i) & 0x3F));
  }
  return out;
}

Bytes utf16_of(const CodePoints& points) {
  Bytes out;
  const auto add = [&](uint32_t unit) {
    out.push_back(static_cast<uint8_t>(unit));
    out.push_back(static_cast<uint8_t>(unit >> 8));
  };
  for (const uint32_t point : points) {
    if (point < 0x1'0000) {
      add(point);
    } else {
      add(0xD800 + (point - 0x1'0000) / 0x400);
      add(0xDC00 + (point - 0x1'0000) % 0x400);
    }
  }
  return out;
}

Bytes latin1_of(const CodePoints& points) { return {points.begin(), points.end()}; }

// Valid is what comes out of the encoder again.
std::optional<CodePoints> decoded_utf8(const Bytes& bytes) {
  CodePoints points;
  for (size_t i = 0; i < bytes.size();) {
    const uint32_t first = bytes[i];
    const size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (size > bytes.size() - i) return std::nullopt;
    uint32_t point = size == 1 ? first : first & (0x7FU >> size);
    for (size_t k = 1; k < size; ++k) point = point << 6 | (bytes[i + k] & 0x3FU);
    const bool is_surrogate = point >= 0xD800 && point < 0xE000;
    if (is_surrogate || point > 0x10'FFFF) return std::nullopt;
    const Bytes again = utf8_of({point});
    if (again.size() != size || std::memcmp(again.data(), &bytes[i], size) != 0) {
      return std::nullopt;
    }
    points.push_back(point);
    i += size;
  }
  return points;
}

std::optional<CodePoints> decoded_utf16(const Bytes& bytes) {
  CodePoints points;
  const auto unit = [&](size_t i) { return bytes[i] | static_cast<uint32_t>(bytes[i + 1]) << 8; };
  for (size_t i = 0; i < bytes.size(); i += 2) {
    const uint32_t high = unit(i);
    if (high < 0xD800 || high > 0xDFFF) {
      points.push_back(high);
      continue;
    }
    if (high > 0xDBFF || i + 2 == bytes.size()) return std::nullopt;
    i += 2;
    const uint32_t low = unit(i);
    if (low < 0xDC00 || low > 0xDFFF) return std::nullopt;
    points.push_back(0x1'0000 + (high - 0xD800) * 0x400 + (low - 0xDC00));
  }
  return points;
}

size_t prefix_below(const CodePoints& points, uint32_t end) {
  size_t count = 0;
  while (count < points.size() && points[count] < end) ++count;
  return count;
}

// The destination of a transcoder, with bytes around it that must stay.
class Destination {
 public:
  explicit Destination(size_t size) : bytes_(size + 2 * kGuard, 0xAB) {}
  uint8_t* data() { return bytes_.data() + kGuard; }
  Bytes first(size_t size) const {
    return {bytes_.begin() + kGuard, bytes_.begin() + kGuard + static_cast<ptrdiff_t>(size)};
  }
  bool is_untouched_from(size_t size) const {
    for (size_t i = 0; i < kGuard; ++i) {
      if (bytes_[i] != 0xAB) return false;
    }
    for (size_t i = kGuard + size; i < bytes_.size(); ++i) {
      if (bytes_[i] != 0xAB) return false;
    }
    return true;
  }

 private:
  static constexpr size_t kGuard = 70;
  Bytes bytes_;
};

class StringKernelsTest : public testing::TestWithParam<const StringKernels*> {
 protected:
  void SetUp() override {
    if (GetParam() == &kAvx2Kernels && __builtin_cpu_supports("avx2") == 0) {
      GTEST_SKIP() << "this processor has no AVX2";
    }
  }
  const StringKernels& kernels() const { return *GetParam(); }

  // All that reads UTF-8.
  void check_utf8(const Bytes& text) const {
    const auto points = decoded_utf8(text);
    Destination copy(text.size());
    ASSERT_EQ(kernels().copy_utf8(text.data(), text.size(), copy.data()), points.has_value());
    if (points) {
      ASSERT_EQ(copy.first(text.size()), text);
    }
    ASSERT_TRUE(copy.is_untouched_from(text.size()));
    ASSERT_EQ(utf8_fault(text.data(), text.size()) == Utf8Fault::kNone, points.has_value());

    Destination wide(2 * text.size());
    Progress at;
    ASSERT_EQ(kernels().utf16_from_utf8(text.data(), text.size(), wide.data(), at),
              points.has_value());
    if (points) {
      ASSERT_EQ(at.read, text.size());
      ASSERT_EQ(wide.first(2 * at.written), utf16_of(*points));
    }
    ASSERT_TRUE(wide.is_untouched_from(2 * at.written));
    check_latin1_from_utf8(text);
  }

  void check_latin1_from_utf8(const Bytes& text) const {
    Destination narrow(text.size());
    Progress at;
    const auto ended = kernels().latin1_from_utf8(text.data(), text.size(), narrow.data(), at);
    const Bytes begin(text.begin(), text.begin() + static_cast<ptrdiff_t>(at.read));
    const auto points = decoded_utf8(begin);
    ASSERT_TRUE(points.has_value());
    ASSERT_EQ(prefix_below(*points, 0x100), points->size());
    ASSERT_EQ(narrow.first(at.written), latin1_of(*points));
    ASSERT_TRUE(narrow.is_untouched_from(at.written));
    // What it stops at is the first that is not Latin-1, or invalid whatever follows it.
    const uint8_t* const rest = text.data() + at.read;
    switch (ended) {
      case Latin1Step::kOn:
        ASSERT_EQ(at.read, text.size());
        return;
      case Latin1Step::kWide:
        ASSERT_GE(*rest, 0xC4);
        return;
      case Latin1Step::kInvalid:
        ASSERT_LT(*rest, 0xC4);
        ASSERT_FALSE(decoded_utf8({rest, rest + std::min<size_t>(2, text.size() - at.read)}));
    }
  }

  // All that reads UTF-16.
  void check_utf16(const Bytes& text) const {
    const size_t units = text.size() / 2;
    const auto points = decoded_utf16(text);
    Destination copy(text.size());
    uint32_t bits = 0;
    ASSERT_EQ(kernels().copy_utf16(text.data(), units, copy.data(), bits), points.has_value());
    Destination narrow(3 * units);
    Progress at;
    ASSERT_EQ(kernels().utf8_from_utf16(text.data(), units, narrow.data(), at), points.has_value());
    ASSERT_TRUE(narrow.is_untouched_from(at.written));
    if (!points) return;
    ASSERT_EQ(copy.first(text.size()), text);
    ASSERT_EQ((bits & 0xFF00) != 0, prefix_below(*points, 0x100) != points->size());
    ASSERT_EQ(narrow.first(at.written), utf8_of(*points));
    check_prefixes(text, *points);
  }

  void check_prefixes(const Bytes& text, const CodePoints& points) const {
    for (const uint32_t end : {0x80U, 0x100U}) {
      const auto take = end == 0x80 ? kernels().ascii_from_utf16 : kernels().latin1_from_utf16;
      const size_t count = prefix_below(points, end);
      const CodePoints prefix(points.begin(), points.begin() + static_cast<ptrdiff_t>(count));
      Destination to(text.size());
      ASSERT_EQ(take(text.data(), text.size() / 2, to.data()), count);
      ASSERT_EQ(to.first(count), latin1_of(prefix));
      ASSERT_TRUE(to.is_untouched_from(count));
      Bytes in_place = text;
      ASSERT_EQ(take(in_place.data(), text.size() / 2, in_place.data()), count);
      in_place.resize(count);
      ASSERT_EQ(in_place, latin1_of(prefix));
    }
  }

  void check_latin1(const CodePoints& points) const {
    const Bytes text = latin1_of(points);
    const size_t ascii = prefix_below(points, 0x80);
    Destination copy(text.size());
    ASSERT_EQ(kernels().ascii_from_latin1(text.data(), text.size(), copy.data()), ascii);
    ASSERT_EQ(copy.first(ascii), Bytes(text.begin(), text.begin() + static_cast<ptrdiff_t>(ascii)));
    ASSERT_TRUE(copy.is_untouched_from(ascii));
    Destination narrow(2 * text.size());
    const size_t size = kernels().utf8_from_latin1(text.data(), text.size(), narrow.data());
    ASSERT_EQ(narrow.first(size), utf8_of(points));
    ASSERT_TRUE(narrow.is_untouched_from(size));
    Destination wide(2 * text.size());
    kernels().utf16_from_latin1(text.data(), text.size(), wide.data());
    ASSERT_EQ(wide.first(2 * text.size()), utf16_of(points));
    ASSERT_TRUE(wide.is_untouched_from(2 * text.size()));
    Bytes in_place = text;
    in_place.resize(2 * text.size());
    kernels().utf16_from_latin1(in_place.data(), text.size(), in_place.data());
    ASSERT_EQ(in_place, utf16_of(points));
  }
};

// At the edges of each length, and what lies beside surrogates.
const CodePoints kEdges = {0x00,  0x7F,   0x80,   0xFF,   0x100,    0x7FF,
                           0x800, 0xD7FF, 0xE000, 0xFFFF, 0x1'0000, 0x10'FFFF};

TEST_P(StringKernelsTest, TakesEachCodePointAtEachPlace) {
  for (size_t before = 0; before < 135; ++before) {
    for (const uint32_t point : kEdges) {
      CodePoints points(before, 'a');
      points.push_back(point);
      points.insert(points.end(), (before * 7) % 70, point < 0x100 ? 'b' : 0x20AC);
      check_utf8(utf8_of(points));
      check_utf16(utf16_of(points));
      if (prefix_below(points, 0x100) == points.size()) check_latin1(points);
      if (HasFatalFailure()) FAIL() << before << " before " << point;
    }
  }
}

TEST_P(StringKernelsTest, RefusesWhatIsWrongAtEachPlace) {
  const std::vector<Bytes> wrong = {{0x80},
                                    {0xBF},
                                    {0xC0, 0x80},
                                    {0xC1, 0xBF},
                                    {0xC2},
                                    {0xC2, 0x41},
                                    {0xC2, 0xC2, 0x80},
                                    {0xE0, 0x9F, 0xBF},
                                    {0xE0, 0xA0},
                                    {0xED, 0xA0, 0x80},
                                    {0xED, 0xBF, 0xBF},
                                    {0xEF, 0xBF},
                                    {0xE2, 0x82, 0x41},
                                    {0xE2, 0x28, 0xA1},
                                    {0xF0, 0x8F, 0xBF, 0xBF},
                                    {0xF0, 0x90, 0x80},
                                    {0xF4, 0x90, 0x80, 0x80},
                                    {0xF5, 0x80, 0x80, 0x80},
                                    {0xF8, 0x88, 0x80, 0x80, 0x80},
                                    {0xFF},
                                    {0xC2, 0x80, 0x80},
                                    {0xE2, 0x82, 0xAC, 0x80},
                                    {0xF0, 0x9F, 0x98, 0x80, 0x80}};
  for (size_t before = 0; before < 100; ++before) {
    for (const Bytes& bytes : wrong) {
      for (const size_t after : {size_t{0}, 1 + (before * 5) % 67}) {
        Bytes text(before, 'a');
        text.insert(text.end(), bytes.begin(), bytes.end());
        text.insert(text.end(), after, 'z');
        ASSERT_FALSE(decoded_utf8(text));
        check_utf8(text);
        if (HasFatalFailure()) FAIL() << before << " before, " << after << " after";
      }
    }
  }
}

// All first and second bytes, and what a third and a fourth can be, over the edge of a block.
TEST_P(StringKernelsTest, JudgesAllSequencesOfFourBytes) {
  Bytes text(72, 'a');
  Bytes to(72);
  size_t place = 59;
  for (uint32_t pair = 0x8000; pair < 0x1'0000; ++pair) {
    for (const uint8_t third : Bytes{0x7F, 0x80}) {
      for (const uint8_t fourth : Bytes{0x41, 0x80}) {
        place = place == 64 ? 59 : place + 1;
        const Bytes four = {static_cast<uint8_t>(pair >> 8), static_cast<uint8_t>(pair), third,
                            fourth};
        std::memcpy(&text[place], four.data(), four.size());
        ASSERT_EQ(kernels().copy_utf8(text.data(), text.size(), to.data()),
                  decoded_utf8(four).has_value())
            << pair << " " << uint32_t{third} << " " << uint32_t{fourth} << " at " << place;
        std::memcpy(&text[place], "aaaa", 4);
      }
    }
  }
}

TEST(StringScalar, TellsAStringThatEndsInsideACodePoint) {
  for (const uint32_t point : kEdges) {
    const Bytes whole = utf8_of({'a', point});
    for (size_t size = 2; size < whole.size(); ++size) {
      EXPECT_EQ(utf8_fault(whole.data(), size), Utf8Fault::kIncomplete) << point << " " << size;
    }
  }
  for (const Bytes& bytes : std::vector<Bytes>{{0xE0, 0x9F},
                                               {0xED, 0xA0},
                                               {0xF0, 0x8F},
                                               {0xF4, 0x90},
                                               {0xC1},
                                               {0xF5},
                                               {0xE2, 0x82, 0x41}}) {
    EXPECT_EQ(utf8_fault(bytes.data(), bytes.size()), Utf8Fault::kInvalid);
  }
}

TEST_P(StringKernelsTest, RefusesHalfAPairAtEachPlace) {
  for (size_t before = 0; before < 70; ++before) {
    for (const std::vector<uint32_t>& units :
         std::vector<std::vector<uint32_t>>{{0xD800},
                                            {0xDBFF, 'x'},
                                            {0xDC00},
                                            {0xDFFF, 'x'},
                                            {0xDC00, 0xD800},
                                            {0xD800, 0xD800, 0xDC00}}) {
      // utf16_of() writes down what it is given.
      CodePoints points(before, 'a');
      points.insert(points.end(), units.begin(), units.end());
      check_utf16(utf16_of(points));
      points.insert(points.end(), 40, 'z');
      ASSERT_FALSE(decoded_utf16(utf16_of(points)));
      check_utf16(utf16_of(points));
      if (HasFatalFailure()) FAIL() << before;
    }
  }
}

TEST_P(StringKernelsTest, AgreesOnTextsAtRandom) {
  std::mt19937 random(3);
  const auto below = [&](uint32_t end) { return static_cast<uint32_t>(random()) % end; };
  for (uint32_t round = 0; round < 600 && !HasFatalFailure(); ++round) {
    const uint32_t kind = below(4);
    CodePoints points(below(200));
    for (uint32_t& point : points) {
      const uint32_t end = kind == 0 || below(8) != 0 ? 0x80 : kind == 1 ? 0x100 : 0x11'0000;
      point = below(end);
      if (point >= 0xD800 && point < 0xE000) point = 0xFFFD;
    }
    check_utf8(utf8_of(points));
    check_utf16(utf16_of(points));
    if (kind < 2) check_latin1(points);
    Bytes broken = utf8_of(points);
    if (broken.empty()) continue;
    broken[below(static_cast<uint32_t>(broken.size()))] = static_cast<uint8_t>(random());
    check_utf8(broken);
  }
}

INSTANTIATE_TEST_SUITE_P(Vectors, StringKernelsTest, testing::Values(&kSse41Kernels, &kAvx2Kernels),
                         [](const auto& kernels) {
                           return std::string(kernels.param == &kAvx2Kernels ? "Avx2" : "Sse41");
                         });

}  // namespace
}  // namespace mayfly::guest
