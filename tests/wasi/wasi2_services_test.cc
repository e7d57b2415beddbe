// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// wasi:logging and wasi:config, as components see them.
#include <gtest/gtest.h>

#include "wasi2_program.h"

namespace mayfly {
namespace {

class Wasi2Services : public Wasi2Program {
 protected:
  struct Message {
    wasi::LogLevel level;
    std::string context;
    std::string text;
  };
  void listen(wasi::LogLevel from) {
    config_.log.from = from;
    config_.log.sink = [this](wasi::LogLevel level, std::string_view context,
                              std::string_view text) {
      messages_.push_back({level, std::string(context), std::string(text)});
    };
  }
  void log(uint32_t level, std::string_view context, std::string_view text) {
    const uint32_t address = put(std::string(context) + std::string(text));
    mayfly_wasi2_log(transfer(), state(), level, address, size(context), address + size(context),
                     size(text));
  }
  // "-" for none.
  std::string get(std::string_view key) {
    const uint32_t address = put(key);
    const uint32_t result = mayfly_wasi2_config_get(transfer(), state(), address, size(key));
    EXPECT_EQ(at<uint8_t>(result), 0);
    if (at<uint8_t>(result + 4) == 0) return "-";
    return text_at(at<uint32_t>(result + 8), at<uint32_t>(result + 12));
  }
  std::map<std::string, std::string> get_all() {
    reset_transfer();
    const uint32_t result = mayfly_wasi2_config_get_all(transfer(), state());
    EXPECT_EQ(at<uint8_t>(result), 0);
    std::map<std::string, std::string> values;
    const auto count = at<uint32_t>(result + 8);
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t pair = at<uint32_t>(result + 4) + 16 * i;
      values.emplace(text_at(at<uint32_t>(pair), at<uint32_t>(pair + 4)),
                     text_at(at<uint32_t>(pair + 8), at<uint32_t>(pair + 12)));
    }
    EXPECT_EQ(values.size(), count);
    return values;
  }

  std::vector<Message> messages_;
};

TEST_F(Wasi2Services, MessagesGoToWhoListensFromALevelOn) {
  listen(wasi::LogLevel::kInfo);
  start();
  log(0, "a", "too low");
  log(1, "a", "too low");
  log(2, "here", "hello");
  log(5, "", "");
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_EQ(messages_[0].level, wasi::LogLevel::kInfo);
  EXPECT_EQ(messages_[0].context, "here");
  EXPECT_EQ(messages_[0].text, "hello");
  EXPECT_EQ(messages_[1].level, wasi::LogLevel::kCritical);
  EXPECT_EQ(messages_[1].context, "");
  EXPECT_EQ(messages_[1].text, "");
}

TEST_F(Wasi2Services, MessagesThatAreTooLongAreCut) {
  listen(wasi::LogLevel::kTrace);
  start();
  log(3, std::string(1025, 'c'), std::string(65537, 'm'));
  log(3, std::string(1024, 'c'), std::string(65536, 'm'));
  ASSERT_EQ(messages_.size(), 2U);
  EXPECT_EQ(messages_[0].context, std::string(1024, 'c') + "...");
  EXPECT_EQ(messages_[0].text, std::string(65536, 'm') + "...");
  EXPECT_EQ(messages_[1].context, std::string(1024, 'c'));
  EXPECT_EQ(messages_[1].text, std::string(65536, 'm'));
}

TEST_F(Wasi2Services, MessagesGoNowhereWhereNobodyListens) {
  start();
  log(5, "context", "message");
}

TEST_F(Wasi2Services, ConfigurationHasWhatItWasGiven) {
  config_.config = {{"empty", ""}, {"name", "value"}, {"long", std::string(100'000, 'x')}};
  start();
  EXPECT_EQ(get("name"), "value");
  EXPECT_EQ(get("empty"), "");
  EXPECT_EQ(get("nam"), "-");
  EXPECT_EQ(get(""), "-");
  EXPECT_EQ(get(std::string(100'000, 'k')), "-");
  EXPECT_EQ(get("long"), std::string(100'000, 'x'));
  EXPECT_EQ(get_all(), config_.config);
}

TEST_F(Wasi2Services, ConfigurationIsEmptyByDefault) {
  start();
  EXPECT_EQ(get("name"), "-");
  EXPECT_TRUE(get_all().empty());
}

TEST_F(Wasi2Services, ConfigurationIsText) {
  for (const auto& [key, value] :
       std::map<std::string, std::string>{{"\xff", ""}, {"key", "\xc0\x80"}}) {
    config_.config = {{key, value}};
    const auto context = wasi::Context::create(config_);
    ASSERT_FALSE(context.has_value());
    EXPECT_NE(context.error().message.find("is not UTF-8"), std::string::npos);
  }
}

}  // namespace
}  // namespace mayfly
