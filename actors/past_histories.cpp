// actors/past_histories.cpp
//
// All that one PV did, as it was or in bins.

#include <algorithm>

#include "actors/past.h"
#include "journal/reduce.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::Line;
using journal::raw;

constexpr std::size_t kPartBytes = 4u << 20;
constexpr std::uint32_t kSamplesPerPart = 16'384;

}  // namespace

Result<Unit> answer_history(const Past& self, const bus::Call& call,
                            const api::HistoryQuery& query) {
  api::HistoryEnd end;
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  end.from = from.value();
  end.to = to.value();
  if (end.from.line > end.to.line) {
    return Error{Code::kInvalidArgument, "the history ends before it begins"};
  }

  std::vector<model::PvUpdate> updates;
  api::HistorySamples part;
  std::size_t bytes = 0;
  std::uint64_t sent = 0;
  const auto send = [&] {
    if (updates.empty()) return;
    part.updates.bytes = model::encode_updates(updates);
    call.progress(model::pack(part));
    updates.clear();
    part = {};
    bytes = 0;
    ++end.parts;
  };
  const auto take = [&](const journal::Sample& sample) {
    if (query.limit != 0 && sent == query.limit) {
      end.cut = true;
      return false;
    }
    const auto more = model::content_bytes(sample.update.value);
    // Before it grows beyond what the bus carries.
    if (updates.size() >= kSamplesPerPart || (bytes > 0 && bytes + more > kPartBytes)) send();
    updates.push_back(sample.update);
    part.lines.push_back(raw(sample.line));
    bytes += more;
    ++sent;
    return !call.cancelled();
  };
  // What was in force at the beginning.
  const auto before = self.archive->newest(channel.value(), Line{end.from.line}, 1);
  if (!before) return before.error();
  for (const auto& each : before.value()) take(each);
  const auto read =
      self.archive->samples(channel.value(), Line{end.from.line + 1}, Line{end.to.line},
                            [&](const std::vector<journal::Sample>& samples) {
                              return std::all_of(samples.begin(), samples.end(), take);
                            });
  if (!read) return read.error();
  send();
  const std::vector<model::ChannelId> only{channel.value()};
  const auto state = self.archive->state_at(Line{end.to.line}, &only);
  if (!state) return state.error();
  end.now = live_value(query.address, channel.value(), state.value().find(channel.value()));
  call.done(model::pack(end));
  return Unit{};
}

Result<Unit> answer_bins(const Past& self, const bus::Call& call, const api::BinsQuery& query) {
  if (query.bins == 0 || query.bins > api::BinsQuery::kBinsMax) {
    return Error{Code::kInvalidArgument, "bins: 1 to " + std::to_string(api::BinsQuery::kBinsMax)};
  }
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  api::HistoryBins reply;
  reply.from = from.value();
  reply.to = to.value();
  journal::Reduction wanted;
  wanted.from = Line{reply.from.line + 1};
  wanted.to = Line{reply.to.line};
  wanted.begin = query.from.time.value_or(reply.from.recorded_at);
  wanted.end = query.to.time.value_or(reply.to.recorded_at);
  wanted.bins = query.bins;
  auto bins = journal::reduce(*self.archive, channel.value(), wanted);
  if (!bins) return bins.error();
  reply.begin = wanted.begin;
  reply.width = journal::bin_width(wanted);
  reply.bins = std::move(bins).value();
  const std::vector<model::ChannelId> only{channel.value()};
  const auto state = self.archive->state_at(wanted.to, &only);
  if (!state) return state.error();
  reply.now = live_value(query.address, channel.value(), state.value().find(channel.value()));
  call.done(model::pack(reply));
  return Unit{};
}

}  // namespace tidemark::actors
