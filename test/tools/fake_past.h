// test/tools/fake_past.h
//
// A site whose journal has canned answers about the past, and keeps what it was asked.

#pragma once

#include <gtest/gtest.h>

#include <sstream>

#include "fake_site.h"
#include "model/api/past.h"
#include "model/pv_update.h"
#include "zone.h"

namespace tidemark::tools {

inline const UtcTime kThen = *parse_iso("2026-11-21T14:05:00Z");

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

inline model::api::LiveValue quad(double value) {
  model::api::LiveValue out;
  out.address = "QUAD:1";
  out.state = model::LiveState::kConnected;
  out.value = value;
  out.precision = 2;
  out.units = "A";
  out.native_type = "double";
  out.taken_at = kThen;
  return out;
}

inline model::api::LiveValue valve(std::uint16_t index) {
  model::api::LiveValue out;
  out.address = "VALVE:1";
  out.state = model::LiveState::kDisconnected;
  out.value = model::EnumIndex{index};
  out.labels = {"Closed", "Open, fully"};
  out.native_type = "enum";
  out.alarm = {model::Severity::kMinor, 4};
  out.taken_at = kThen;
  return out;
}

inline model::PvUpdate sample(double value, int second) {
  model::PvUpdate update;
  update.value = value;
  update.taken_at = kThen + std::chrono::seconds(second);
  return update;
}

class Past : public testing::Test {
 protected:
  Past() {
    site_.start("journal");
    site_.serve<model::api::Moment, model::api::MomentReply>(
        "journal", "journal.moment", [](const auto& moment) -> Result<model::api::MomentReply> {
          if (moment.line > 900) {
            return Error{Code::kInvalidArgument, "line is not there yet: the last is 900"};
          }
          if (moment.time && *moment.time < kThen) return model::api::MomentReply{0, {}, 900};
          return model::api::MomentReply{moment.line == 0 ? 900 : moment.line, kThen, 900};
        });
    answer<model::api::StateQuery>(
        "journal.state", [this](const bus::Call& call, const auto& query) {
          state_ = query;
          model::api::PastEnd end;
          const auto part = [&](const model::api::LiveValue& value, std::uint64_t line) {
            call.progress(model::pack(model::api::PastValues{{value}, {line}}));
            ++end.parts;
          };
          part(quad(4.25678), 871);
          if (query.addresses != std::vector<std::string>{"QUAD:1"}) part(valve(1), 12);
          for (const auto& each : query.addresses) {
            if (each == "QUAD:9") end.unknown.push_back(each);
          }
          end.parts += lost_parts_;
          if (query.lateness) {
            end.source =
                model::api::SourceMoment{query.at.time.value_or(kThen), *query.lateness, 870, 880};
          }
          call.done(model::pack(end));
        });
  }

  template <class Query>
  void answer(const std::string& method, std::function<void(const bus::Call&, const Query&)> with) {
    site_.link("journal").serve(method, [with](bus::Call call) {
      with(call, model::unpack<Query>(call.payload()).value());
    });
  }
  void answer_changes() {
    answer<model::api::ChangesQuery>(
        "journal.changes", [this](const bus::Call& call, const auto& query) {
          changes_ = query;
          auto closed = valve(0);
          closed.state = model::LiveState::kConnected;
          call.progress(model::pack(
              model::api::Changes{{quad(1.5), closed}, {quad(4.25), valve(1)}, {871, 872}}));
          call.done(model::pack(model::api::ChangesEnd{{}, {}, 1, 40, {}}));
        });
  }
  /// The n-th of `samples` is line 10 n, and everything before @5 was long ago.
  void answer_history(std::vector<model::PvUpdate> samples) {
    answer<model::api::HistoryQuery>(
        "journal.history", [this, samples](const bus::Call& call, const auto& query) {
          history_.push_back(query);
          model::api::HistoryEnd end;
          end.lateness = query.lateness;
          const auto at = [](std::size_t i) { return 10 * (i + 1); };
          std::size_t first = 0;
          while (first + 1 < samples.size() && at(first + 1) <= query.from.line) ++first;
          if (query.after) first = query.after->line / 10;
          for (auto i = first; i < samples.size() && !end.cut; ++i) {
            end.cut = query.limit != 0 && i - first == query.limit;
            if (end.cut && query.lateness) {
              end.next = model::api::SourceCursor{samples[i - 1].taken_at, at(i - 1)};
            }
            if (end.cut) break;
            call.progress(model::pack(
                model::api::HistorySamples{{model::encode_updates({samples[i]})}, {at(i)}}));
            ++end.parts;
          }
          call.done(model::pack(end));
        });
  }
  void answer_history() {
    auto high = sample(7.5, 1);
    high.alarm = {model::Severity::kMajor, 3};
    model::PvUpdate lost;
    lost.event = model::PvUpdate::Event::kDisconnected;
    lost.taken_at = kThen + std::chrono::seconds(2);
    answer_history({sample(4.25678, 0), high, lost});
  }
  void answer_bins(const model::api::LiveValue& now) {
    site_.serve<model::api::BinsQuery, model::api::HistoryBins>(
        "journal", "journal.bins",
        [this, now](const auto& query) -> Result<model::api::HistoryBins> {
          bins_ = query;
          model::api::HistoryBins reply;
          reply.begin = query.from.time.value_or(kThen);
          reply.width = (query.to.time.value_or(kThen) - reply.begin) / query.bins + Duration{1};
          reply.lateness = query.lateness;
          reply.now = now;
          model::api::Bin bin{reply.begin, 4, 4, 1, 2, 1, 9, 3.5, 0.25, model::Severity::kMajor,
                              false};
          if (query.median) bin.median = 3.25;
          reply.bins.push_back(bin);
          return reply;
        });
  }

  FakeSite site_;
  std::uint32_t lost_parts_ = 0;
  model::api::StateQuery state_;
  model::api::ChangesQuery changes_;
  std::vector<model::api::HistoryQuery> history_;
  model::api::BinsQuery bins_;
  const Zone zone_{"UTC0"};
};

}  // namespace tidemark::tools
