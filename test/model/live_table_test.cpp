#include "model/live_table.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "arbitrary.h"

namespace tidemark::model {
namespace {

constexpr UtcTime kNow{std::chrono::seconds(1000)};
constexpr ChannelId kChannel{7};

PvUpdate event(PvUpdate::Event what, ChannelId channel = kChannel) {
  PvUpdate update;
  update.channel = channel;
  update.event = what;
  if (what == PvUpdate::Event::kConnected) update.meta = std::make_shared<PvMeta>();
  return update;
}
PvUpdate connected(ChannelId channel = kChannel) {
  return event(PvUpdate::Event::kConnected, channel);
}
PvUpdate disconnected() { return event(PvUpdate::Event::kDisconnected); }
PvUpdate value(double number) {
  auto update = event(PvUpdate::Event::kValue);
  update.value = number;
  return update;
}

LiveTable table_of(const std::vector<PvUpdate>& updates) {
  LiveTable table;
  for (const auto& update : updates) table.apply(update, kNow);
  return table;
}

TEST(LiveTable, KnowsNothingOfAChannelThatNobodySpokeOf) {
  const auto table = table_of({connected()});
  EXPECT_EQ(table.find(ChannelId{0}), nullptr);
  EXPECT_EQ(table.find(ChannelId{3}), nullptr);
  EXPECT_EQ(table.find(ChannelId{8}), nullptr);
  ASSERT_NE(table.find(kChannel), nullptr);
  EXPECT_EQ(table.find(kChannel)->state, LiveState::kConnected);
  EXPECT_FALSE(table.find(kChannel)->has_value());
}

TEST(LiveTable, KeepsTheLastValueWhenTheConnectionGoes) {
  const auto table = table_of({connected(), value(1), value(2), disconnected()});
  const auto* entry = table.find(kChannel);
  EXPECT_EQ(entry->state, LiveState::kDisconnected);
  EXPECT_EQ(entry->value, PvValue(2.0));
  EXPECT_EQ(entry->received_at, kNow);
  EXPECT_EQ(table.connected(), 0u);
  EXPECT_EQ(table.with_value(), 1u);
}

TEST(LiveTable, KeepsTheOldValueUntilAReconnectionBringsANewOne) {
  auto table = table_of({connected(), value(1), disconnected(), connected()});
  EXPECT_EQ(table.find(kChannel)->state, LiveState::kConnected);
  EXPECT_EQ(table.find(kChannel)->value, PvValue(1.0));
  EXPECT_EQ(table.connected(), 1u);
}

TEST(LiveTable, AddsUpWhatAFullQueueHid) {
  auto first = value(1);
  first.hidden_before = 2;
  auto second = value(2);
  second.hidden_before = 3;
  EXPECT_EQ(table_of({connected(), first, second}).find(kChannel)->hidden, 5u);
}

TEST(LiveTable, IgnoresChannelsThatCannotBe) {
  const auto table =
      table_of({connected(ChannelId{0}), connected(ChannelId{LiveTable::kChannelMax + 1}),
                connected(ChannelId{0xffffffff})});
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.connected(), 0u);
}

TEST(LiveTable, ForgetsEverythingOnReset) {
  auto table = table_of({connected(), value(1)});
  table.reset();
  EXPECT_EQ(table.size() + table.connected() + table.with_value(), 0u);
}

TEST(LiveTable, GivesItselfInGroupsOfAtMostSoMany) {
  std::vector<PvUpdate> updates;
  for (std::uint32_t i = 1; i <= 5; ++i) updates.push_back(connected(ChannelId{i}));
  const auto groups = table_of(updates).as_updates(2);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].size(), 2u);
  EXPECT_EQ(groups[2].size(), 1u);
}

bool same(const LiveTable& a, const LiveTable& b) {
  if (a.connected() != b.connected() || a.with_value() != b.with_value()) return false;
  for (std::uint32_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const auto* x = a.find(ChannelId{i});
    const auto* y = b.find(ChannelId{i});
    if (!x != !y) return false;
    if (!x) continue;
    const bool metas = x->meta == y->meta || (x->meta && y->meta && *x->meta == *y->meta);
    if (!metas || x->state != y->state || x->alarm != y->alarm || x->hidden != y->hidden ||
        x->taken_at != y->taken_at || !same_value(x->value, y->value)) {
      return false;
    }
  }
  return true;
}

RC_GTEST_PROP(LiveTable, IsTheSameAfterATripThroughUpdates, ()) {
  const auto table =
      table_of(*rc::gen::container<std::vector<PvUpdate>>(rc::gen::exec(&arbitrary::any_update)));
  LiveTable other;
  for (const auto& group : table.as_updates(*rc::gen::inRange<std::size_t>(1, 4))) {
    const auto sent = decode_updates(encode_updates(group));
    RC_ASSERT(sent.ok());
    for (const auto& update : sent.value()) other.apply(update, kNow);
  }
  RC_ASSERT(same(table, other));
}

RC_GTEST_PROP(LiveTable, CountsExactly, ()) {
  const auto table =
      table_of(*rc::gen::container<std::vector<PvUpdate>>(rc::gen::exec(&arbitrary::any_update)));
  std::size_t connections = 0;
  std::size_t values = 0;
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    const auto* entry = table.find(ChannelId{i});
    if (!entry) continue;
    connections += entry->state == LiveState::kConnected ? 1 : 0;
    values += entry->has_value() ? 1 : 0;
  }
  RC_ASSERT(table.connected() == connections);
  RC_ASSERT(table.with_value() == values);
}

}  // namespace
}  // namespace tidemark::model
