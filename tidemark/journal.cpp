#include "tidemark/journal.h"

#include <algorithm>
#include <mutex>

#include "model/api/journal.h"
#include "model/api/past.h"
#include "model/history_pager.h"
#include "model/pv_update.h"
#include "subsystem/session.h"
#include "tidemark/past_value.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;

constexpr auto kNode = "journal";
constexpr Duration kPastBudget = 2min;  // a read of a long time takes its time
constexpr Duration kReadBudget = 10s;
constexpr Duration kWaitMax = 20s;  // of one request: the journal lets none wait for longer than 30

api::Moment moment_asked(const When& when) { return {when.line, when.time, when.mark}; }

Moment moment_found(const api::MomentReply& found) {
  return {found.line, found.recorded_at, found.last_line};
}

std::vector<DecimatedLines> decimated_lines(const std::vector<api::Decimated>& decimated) {
  std::vector<DecimatedLines> lines;
  for (const auto& each : decimated) {
    lines.push_back({{each.first, each.last, each.since, each.until}, each.width, each.samples});
  }
  return lines;
}

std::vector<ExpiredLines> expired_lines(const std::vector<model::Expired>& expired) {
  std::vector<ExpiredLines> lines;
  for (const auto& each : expired) {
    lines.push_back({each.first, each.last, each.since, each.until});
  }
  return lines;
}

PastValue value_then(api::LiveValue value, std::uint64_t line) {
  PastValue pv;
  pv.address = std::move(value.address);
  pv.value = std::move(value.value);
  pv.alarm = value.alarm;
  pv.taken_at = value.taken_at;
  pv.connected = value.state == model::LiveState::kConnected;
  pv.units = std::move(value.units);
  pv.labels = std::move(value.labels);
  pv.line = line;
  return pv;
}

template <class Reply, class Request>
Result<Reply> ask_journal(subsystem::Session& session, const std::string& method,
                          const Request& request, Duration budget) {
  const auto answer = session.ask(kNode, method, model::pack(request), budget);
  if (!answer) return answer.error();
  return model::unpack<Reply>(answer.value());
}

/// An answer that comes in parts, and says at its end how many there were.
template <class Part, class End>
struct InParts {
  std::vector<Part> parts;
  End end;
};
template <class Part, class End, class Request>
Result<InParts<Part, End>> ask_in_parts(subsystem::Session& session, const std::string& method,
                                        const Request& request) {
  // Parts come on the bus's thread, and after a timeout still might.
  struct Come {
    std::mutex mutex;
    std::vector<Bytes> parts;
  };
  const auto come = std::make_shared<Come>();
  const auto answer =
      session.ask(kNode, method, model::pack(request), kPastBudget, [come](Bytes part) {
        const std::lock_guard lock(come->mutex);
        come->parts.push_back(std::move(part));
      });
  if (!answer) return answer.error();
  auto end = model::unpack<End>(answer.value());
  if (!end) return end.error();
  InParts<Part, End> all;
  all.end = std::move(end).value();
  const std::lock_guard lock(come->mutex);
  for (const auto& packed : come->parts) {
    auto part = model::unpack<Part>(packed);
    if (!part) return part.error();
    all.parts.push_back(std::move(part).value());
  }
  if (all.parts.size() != all.end.parts) {
    return Error{Code::kCorruption, method + ": only " + std::to_string(all.parts.size()) + " of " +
                                        std::to_string(all.end.parts) + " parts came"};
  }
  return all;
}

JournalLine line_of(api::LogLine line) {
  JournalLine out;
  out.line = line.line;
  out.recorded_at = line.recorded_at;
  out.origin = std::move(line.origin);
  out.kind = model::to_string(line.kind);
  out.text = std::move(line.text);
  out.level = line.level;
  out.incarnation = line.incarnation;
  out.sequence = line.sequence;
  if (line.kind == model::RecordKind::kPvUpdate && line.value.index() != 0) {
    PastValue pv;
    pv.connected = true;
    pv.address = line.subject;
    pv.value = std::move(line.value);
    pv.alarm = line.alarm;
    pv.taken_at = line.taken_at;
    pv.line = line.line;
    out.pv = std::move(pv);
  }
  out.subject = std::move(line.subject);
  return out;
}

}  // namespace

struct Lines::Request {
  api::ReadRequest read;
};

struct History::Request {
  model::HistoryPager pager;
  PastValue now{};  // as the last update that was given left it
};

Result<Moment> Journal::find(const When& when) const {
  const auto found =
      ask_journal<api::MomentReply>(*session_, "journal.moment", moment_asked(when), kReadBudget);
  if (!found) return found.error();
  return moment_found(found.value());
}

Result<Lines> Journal::lines(const LinesWish& wish) const {
  auto request = std::make_shared<Lines::Request>();
  auto& read = request->read;
  read.from = wish.from;
  read.to = wish.to;
  read.newest_first = wish.newest_first;
  if (!wish.kinds.empty()) read.kinds = 0;
  for (const auto& name : wish.kinds) {
    const auto kind = model::parse_record_kind(name);
    if (!kind) return Error{Code::kInvalidArgument, "'" + name + "' is no kind of record"};
    read.kinds |= 1u << static_cast<unsigned>(*kind);
  }
  read.level = wish.level;
  read.since = wish.since;
  read.until = wish.until;
  read.subject = wish.subject;
  read.text = wish.text;
  read.mark = wish.mark;
  read.regex = wish.regex;
  read.field_tests = wish.fields;
  read.origin = wish.origin;
  if (wish.from == 0 && !wish.newest_first) {
    const auto now = find();
    if (!now) return now.error();
    read.from = now.value().last_line + 1;
  }
  return Lines(session_, std::move(request));
}

std::uint64_t Lines::position() const { return request_->read.from; }

Result<std::vector<JournalLine>> Lines::next(Duration patience) {
  auto& read = request_->read;
  const auto until = steady_now() + patience;
  std::vector<JournalLine> lines;
  // A page may have none and yet not be the end: the journal looks at so much at a time.
  do {
    if (at_end_ && (read.newest_first || (read.to != 0 && read.from > read.to))) return lines;
    if (!read.newest_first) {
      read.wait = std::clamp<Duration>(until - steady_now(), Duration{0}, kWaitMax);
    }
    auto page =
        ask_journal<api::ReadReply>(*session_, "journal.read", read, read.wait + kReadBudget);
    if (!page) return page.error();
    for (auto& line : page.value().lines) lines.push_back(line_of(std::move(line)));
    const bool stuck = page.value().next == 0 || page.value().next == read.from;
    if (page.value().next != 0) read.from = page.value().next;
    at_end_ = page.value().end || stuck;
  } while (lines.empty() && (!at_end_ || (!read.newest_first && steady_now() < until)));
  return lines;
}

Result<MachineState> Journal::state(const When& at, const std::vector<std::string>& patterns,
                                    std::optional<Duration> lateness) const {
  api::StateQuery query;
  query.at = moment_asked(at);
  query.lateness = lateness;
  query.addresses = patterns;
  auto all = ask_in_parts<api::PastValues, api::PastEnd>(*session_, "journal.state", query);
  if (!all) return all.error();
  auto& [parts, end] = all.value();
  MachineState state;
  state.at = moment_found(end.at);
  state.unknown = std::move(end.unknown);
  state.expired = expired_lines(end.expired);
  for (auto& part : parts) {
    if (part.lines.size() != part.values.size()) {
      return Error{Code::kCorruption, "journal.state: a part has not a line for each value"};
    }
    for (std::size_t i = 0; i < part.values.size(); ++i) {
      state.values.push_back(value_then(std::move(part.values[i]), part.lines[i]));
    }
  }
  return state;
}

Result<MachineChanges> Journal::changes(const When& from, const When& to,
                                        const std::vector<std::string>& patterns,
                                        std::optional<Duration> lateness) const {
  api::ChangesQuery query;
  query.lateness = lateness;
  query.from = moment_asked(from);
  query.to = moment_asked(to);
  query.addresses = patterns;
  auto all = ask_in_parts<api::Changes, api::ChangesEnd>(*session_, "journal.changes", query);
  if (!all) return all.error();
  auto& [parts, end] = all.value();
  MachineChanges changes;
  changes.from = moment_found(end.from);
  changes.to = moment_found(end.to);
  changes.looked_at = end.looked_at;
  changes.unknown = std::move(end.unknown);
  for (auto& part : parts) {
    if (part.before.size() != part.after.size() || part.lines.size() != part.after.size()) {
      return Error{Code::kCorruption, "journal.changes: a part is not whole"};
    }
    for (std::size_t i = 0; i < part.after.size(); ++i) {
      changes.changes.push_back({value_then(std::move(part.before[i]), 0),
                                 value_then(std::move(part.after[i]), part.lines[i])});
    }
  }
  return changes;
}

Result<History> Journal::history(std::string address, const When& from, const When& to,
                                 std::optional<Duration> lateness) const {
  const auto end = find(to);
  if (!end) return end.error();
  const auto begin = find(from);
  if (!begin) return begin.error();
  // Lines, or times that have passed, so that all pages are about the same. Line 0 is before
  // everything, and as a question it would mean now.
  const auto exactly = [&](const When& asked, const Moment& found) {
    if (lateness) return api::Moment{0, asked.time.value_or(found.recorded_at)};
    return found.line == 0 ? api::Moment{0, UtcTime::min()} : api::Moment{found.line, std::nullopt};
  };
  api::HistoryQuery query;
  query.address = std::move(address);
  query.from = exactly(from, begin.value());
  query.to = exactly(to, end.value());
  query.lateness = lateness;
  return History(session_, std::make_shared<History::Request>(
                               History::Request{model::HistoryPager(std::move(query))}));
}

Result<std::vector<PastValue>> History::next() {
  std::vector<PastValue> samples;
  if (at_end_) return samples;
  auto& [pager, now] = *request_;
  auto all = ask_in_parts<api::HistorySamples, api::HistoryEnd>(*session_, "journal.history",
                                                                pager.question());
  if (!all) return all.error();
  auto& [parts, end] = all.value();
  if (now.address.empty()) {
    now = value_then(end.now, 0);
    now.value = {};
  }
  const auto hand_over = [&, &now = now](const model::PvUpdate& update, std::uint64_t line) {
    if (update.event == model::PvUpdate::Event::kValue) now.connected = true;
    detail::apply(update, now);
    now.line = line;
    samples.push_back(now);
  };
  for (const auto& part : parts) {
    const auto taken = pager.take(part, hand_over);
    if (!taken) return taken.error();
  }
  at_end_ = !pager.finish(end);
  for (const auto& each : expired_lines(end.expired)) {
    if (expired_.empty() || expired_.back().first < each.first) expired_.push_back(each);
  }
  return samples;
}

Result<PastBins> Journal::bins(const std::string& address, const When& from, const When& to,
                               std::uint32_t count, bool median,
                               std::optional<Duration> lateness) const {
  api::BinsQuery query;
  query.address = address;
  query.from = moment_asked(from);
  query.to = moment_asked(to);
  query.bins = count;
  query.median = median;
  query.lateness = lateness;
  const auto found = ask_journal<api::HistoryBins>(*session_, "journal.bins", query, kPastBudget);
  if (!found) return found.error();
  const auto& reply = found.value();
  PastBins bins;
  bins.from = moment_found(reply.from);
  bins.to = moment_found(reply.to);
  bins.begin = reply.begin;
  bins.width = reply.width;
  for (const auto& bin : reply.bins) {
    bins.bins.push_back({bin.begin, bin.samples, bin.count, bin.first, bin.last, bin.min, bin.max,
                         bin.mean, bin.deviation, bin.median, bin.worst, bin.disconnected,
                         bin.decimated_until});
  }
  bins.units = reply.now.units;
  bins.expired = expired_lines(reply.expired);
  bins.decimated = decimated_lines(reply.decimated);
  return bins;
}

Result<Blamed> Journal::blame(const std::string& address, std::uint32_t count,
                              const When& at) const {
  Blamed blamed;
  api::BlameQuery query;
  query.address = address;
  query.at = moment_asked(at);
  // An answer has as many as it carries.
  while (blamed.changes.size() < count) {
    const auto left = count - static_cast<std::uint32_t>(blamed.changes.size());
    query.count = std::min(left, api::BlameQuery::kChangesMax);
    auto page = ask_journal<api::Blame>(*session_, "journal.blame", query, kPastBudget);
    if (!page) return page.error();
    for (auto& each : page.value().changes) {
      const auto given = [](const Uuid& id) {
        return id.is_nil() ? std::optional<Uuid>() : std::optional(id);
      };
      blamed.changes.push_back({value_then(std::move(each.value), each.line), each.recorded_at,
                                given(each.job), std::move(each.type), std::move(each.title),
                                std::move(each.user), given(each.snapshot), each.clamped});
    }
    blamed.expired = expired_lines(page.value().expired);
    auto next = page.value().next;
    if (next == 0 && page.value().changes.size() == query.count && query.count < left) {
      next = blamed.changes.back().value.line - 1;
    }
    if (next == 0) break;
    query.at = {next, std::nullopt};
  }
  return blamed;
}

}  // namespace tidemark
