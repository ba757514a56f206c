// actors/past_histories.cpp
//
// All that one PV did, as it was, as a line through some of it, or in bins.

#include <algorithm>

#include "actors/past.h"
#include "journal/line_of_numbers.h"
#include "journal/reduce.h"
#include "journal/source_time.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::Line;
using journal::raw;
using journal::Sample;

constexpr std::size_t kHistoryPartBytes = 4u << 20;
constexpr std::uint32_t kSamplesPerPart = 16'384;

/// What a history or its bins are asked of.
struct Asked {
  model::ChannelId channel{};
  api::MomentReply from;
  api::MomentReply to;
  UtcTime begin{};
  UtcTime end{};
  std::optional<Duration> lateness;
  // The lines to be looked at, both included.
  Line first{};
  Line last{};
};

template <class Query>
Result<Asked> understand(const Past& self, const Query& query) {
  Asked asked;
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  asked.channel = channel.value();
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  asked.from = from.value();
  asked.to = to.value();
  asked.begin = query.from.time.value_or(asked.from.recorded_at);
  asked.end = query.to.time.value_or(asked.to.recorded_at);
  asked.lateness = query.lateness;
  if (asked.lateness ? asked.begin > asked.end : asked.from.line > asked.to.line) {
    return Error{Code::kInvalidArgument, "the history ends before it begins"};
  }
  asked.first = Line{asked.from.line + 1};
  asked.last = Line{asked.to.line};
  if (!asked.lateness) return asked;
  const auto bounded = check_lateness(*asked.lateness, api::kHistoryLatenessMax);
  if (!bounded) return bounded.error();
  const auto& store = self.projections->store();
  const auto begin = journal::lines_around(store, {asked.begin, *asked.lateness});
  if (!begin) return begin.error();
  const auto end = journal::lines_around(store, {asked.end, *asked.lateness});
  if (!end) return end.error();
  asked.first = Line{raw(begin.value().certain) + 1};
  asked.last = end.value().last;
  return asked;
}

std::vector<api::Decimated> decimated_of(const std::vector<journal::DecimatedRun>& runs) {
  std::vector<api::Decimated> told;
  for (const auto& run : runs) {
    told.push_back({raw(run.first), raw(run.last), run.since, run.until, run.width, run.samples});
  }
  return told;
}

/// The PV as it was at the end: for its units, precision and labels.
Result<api::LiveValue> at_the_end(const Past& self, const std::string& address,
                                  const Asked& asked) {
  const std::vector<model::ChannelId> only{asked.channel};
  const auto state = self.archive->seen_at(asked.last, &only);
  if (!state) return state.error();
  return live_value(address, asked.channel, state.value().find(asked.channel));
}

/// Sends samples in parts, and counts them.
class HistoryParts {
 public:
  HistoryParts(const bus::Call& call, std::uint64_t limit) : call_(call), limit_(limit) {}

  /// False: no more are wanted.
  bool take(const Sample& sample) {
    if (limit_ != 0 && taken_ == limit_) {
      cut_ = true;
      return false;
    }
    const auto more = model::content_bytes(sample.update.value);
    // Before it grows beyond what the bus carries.
    if (updates_.size() >= kSamplesPerPart || (bytes_ > 0 && bytes_ + more > kHistoryPartBytes)) {
      send();
    }
    updates_.push_back(sample.update);
    lines_.push_back(raw(sample.line));
    bytes_ += more;
    ++taken_;
    return !call_.cancelled();
  }
  bool take(const std::vector<Sample>& samples) {
    return std::all_of(samples.begin(), samples.end(),
                       [this](const Sample& each) { return take(each); });
  }
  std::uint32_t finish() {
    send();
    return count_;
  }
  std::uint64_t taken() const { return taken_; }
  bool cut() const { return cut_; }

 private:
  void send() {
    if (updates_.empty()) return;
    api::HistorySamples part;
    part.updates.bytes = model::encode_updates(updates_);
    part.lines = std::exchange(lines_, {});
    call_.progress(model::pack(part));
    updates_.clear();
    bytes_ = 0;
    ++count_;
  }

  const bus::Call& call_;
  const std::uint64_t limit_;
  std::vector<model::PvUpdate> updates_;
  std::vector<std::uint64_t> lines_;
  std::size_t bytes_ = 0;
  std::uint64_t taken_ = 0;
  std::uint32_t count_ = 0;
  bool cut_ = false;
};

Result<Unit> send_lines(const Past& self, const Asked& asked, HistoryParts& parts) {
  // What was in force at the beginning.
  const auto before = self.archive->newest(asked.channel, Line{asked.from.line}, 1);
  if (!before) return before.error();
  parts.take(before.value().samples);
  return self.archive->samples(asked.channel, asked.first, asked.last,
                               [&](const std::vector<Sample>& some) { return parts.take(some); });
}

/// Answers where those begin that are left, if any.
Result<std::optional<api::SourceCursor>> send_by_source(const Past& self, const Asked& asked,
                                                        const api::HistoryQuery& query,
                                                        HistoryParts& parts) {
  std::optional<journal::SourceCursor> after;
  if (query.after) {
    after = journal::SourceCursor{query.after->taken_at, Line{query.after->line}};
  } else {
    const auto before =
        journal::in_force_by_source(*self.archive, asked.channel, {asked.begin, *asked.lateness});
    if (!before) return before.error();
    if (before.value()) parts.take(*before.value());
  }
  journal::SourcePageLimits limits;
  if (query.limit != 0) {
    limits.samples = std::min<std::uint64_t>(limits.samples, query.limit - parts.taken());
  }
  const auto page = journal::samples_by_source(
      *self.archive, asked.channel, {asked.begin, asked.end, *asked.lateness}, after, limits);
  if (!page) return page.error();
  const auto& samples = page.value().samples;
  parts.take(samples);
  std::optional<api::SourceCursor> next;
  if (!page.value().more) return next;
  next = query.after.value_or(api::SourceCursor{asked.begin, ~std::uint64_t{0}});
  if (!samples.empty()) next = {samples.back().update.taken_at, raw(samples.back().line)};
  return next;
}

Result<Unit> send_line(const Past& self, const Asked& asked, std::uint32_t points,
                       HistoryParts& parts) {
  journal::LineQuery wanted{asked.channel, asked.first, asked.last, points, {}};
  if (asked.lateness) wanted.taken = {asked.begin, asked.end};
  const auto found = journal::line_of_numbers(*self.archive, wanted);
  if (!found) return found.error();
  parts.take(found.value());
  return Unit{};
}

}  // namespace

Result<Unit> answer_history(const Past& self, const bus::Call& call,
                            const api::HistoryQuery& query) {
  if (query.line_points > api::HistoryQuery::kLinePointsMax) {
    return Error{Code::kInvalidArgument,
                 "points of a line: at most " + std::to_string(api::HistoryQuery::kLinePointsMax)};
  }
  const auto asked = understand(self, query);
  if (!asked) return asked.error();
  api::HistoryEnd end;
  end.from = asked.value().from;
  end.to = asked.value().to;
  end.lateness = query.lateness;
  HistoryParts parts(call, query.line_points > 0 ? 0 : query.limit);
  if (query.line_points > 0) {
    const auto sent = send_line(self, asked.value(), query.line_points, parts);
    if (!sent) return sent;
  } else if (query.lateness) {
    const auto next = send_by_source(self, asked.value(), query, parts);
    if (!next) return next.error();
    end.next = next.value();
    end.cut = next.value().has_value();
  } else {
    const auto sent = send_lines(self, asked.value(), parts);
    if (!sent) return sent;
    end.cut = parts.cut();
  }
  end.parts = parts.finish();
  auto now = at_the_end(self, query.address, asked.value());
  if (!now) return now.error();
  end.now = std::move(now).value();
  const auto decimated = self.archive->decimated_runs(asked.value().first, asked.value().last);
  if (!decimated) return decimated.error();
  end.decimated = decimated_of(decimated.value());
  end.expired = expired_updates(self.projections->store(), asked.value().first, asked.value().last);
  call.done(model::pack(end));
  return Unit{};
}

Result<Unit> answer_bins(const Past& self, const bus::Call& call, const api::BinsQuery& query) {
  if (query.bins == 0 || query.bins > api::BinsQuery::kBinsMax) {
    return Error{Code::kInvalidArgument, "bins: 1 to " + std::to_string(api::BinsQuery::kBinsMax)};
  }
  const auto asked = understand(self, query);
  if (!asked) return asked.error();
  api::HistoryBins reply;
  reply.from = asked.value().from;
  reply.to = asked.value().to;
  reply.lateness = query.lateness;
  journal::Reduction wanted;
  wanted.from = asked.value().first;
  wanted.to = asked.value().last;
  wanted.begin = asked.value().begin;
  wanted.end = asked.value().end;
  wanted.bins = query.bins;
  wanted.median = query.median;
  wanted.outside = !query.lateness;
  auto reduced = journal::reduce(*self.archive, asked.value().channel, wanted);
  if (!reduced) return reduced.error();
  reply.begin = wanted.begin;
  reply.width = journal::bin_width(wanted);
  reply.bins = std::move(reduced.value().bins);
  reply.decimated = decimated_of(reduced.value().decimated);
  auto now = at_the_end(self, query.address, asked.value());
  if (!now) return now.error();
  reply.now = std::move(now).value();
  reply.expired =
      expired_updates(self.projections->store(), asked.value().first, asked.value().last);
  call.done(model::pack(reply));
  return Unit{};
}

}  // namespace tidemark::actors
