#include "actors/replay_run.h"

#include <algorithm>

#include "actors/log_line.h"
#include "model/api/monitor.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using api::ReplayAction;
using api::ReplayPhase;
using api::ReplayRequest;
using journal::Line;
using journal::raw;
using journal::ReplayReaders;

constexpr std::size_t kSliceBytes = 1u << 20;  // then others get their turn
constexpr Duration kNewsInterval = std::chrono::milliseconds(100);
constexpr std::size_t kNewsBytes = 1u << 20;  // of lines in one item
constexpr std::size_t kStateUpdates = 8192;   // in a part of the state

}  // namespace

ReplayRun::ReplayRun(std::shared_ptr<bus::Link> link, const Past& past, NodeName node_name,
                     ReplayPlan plan, SteadyTime now)
    : link_(std::move(link)),
      past_(past),
      node_name_(std::move(node_name)),
      plan_(std::move(plan)),
      source_(past.projections->store(), Line{plan_.from.line}, Line{plan_.to.line}, plan_.filter),
      schedule_(plan_.begins_at, plan_.speed, plan_.paused),
      heard_at_(now),
      line_(plan_.from.line) {
  link_->declare_stream(bus::FrameClass::kReplayState, items_stream());
  link_->declare_stream(bus::FrameClass::kReplayNews, news_stream());
  enter_expired();
}

api::ReplayStatus ReplayRun::status(SteadyTime now) const {
  api::ReplayStatus status;
  status.id = plan_.id;
  status.stream = plan_.stream;
  status.user = plan_.user;
  status.from = plan_.from.line;
  status.to = plan_.to.line;
  status.from_time = plan_.from.recorded_at;
  status.to_time = plan_.to.recorded_at;
  status.phase = ended_at_            ? ReplayPhase::kEnded
                 : waiting_           ? ReplayPhase::kWaiting
                 : finished_          ? ReplayPhase::kFinished
                 : schedule_.paused() ? ReplayPhase::kPaused
                                      : ReplayPhase::kRunning;
  status.speed = schedule_.speed();
  status.line = line_;
  status.moment =
      finished_ ? plan_.to.recorded_at : std::min(schedule_.moment(now), plan_.to.recorded_at);
  status.items = items_;
  status.updates = updates_;
  status.records = records_;
  status.readers = static_cast<std::uint32_t>(readers_.count());
  status.why = why_;
  return status;
}

Result<Unit> ReplayRun::alive() const {
  if (!ended_at_) return Unit{};
  return Error{Code::kNotFound, "this replay has ended: " + why_};
}

void ReplayRun::end(std::string why, SteadyTime now) {
  ended_at_ = now;
  why_ = std::move(why);
  source_.seek(Line{plan_.to.line});
  publish_news({}, now);
}

Result<Unit> ReplayRun::control(const api::ReplayControl& wanted, SteadyTime now) {
  const auto living = alive();
  if (!living) return living;
  const auto count = std::max(wanted.count, 1u);
  switch (wanted.action) {
    case ReplayAction::kPause: schedule_.pause(now); break;
    case ReplayAction::kResume: schedule_.resume(now); break;
    case ReplayAction::kSpeed: {
      const auto checked = check_speed(wanted.speed);
      if (!checked) return checked;
      schedule_.set_speed(wanted.speed, now);
      break;
    }
    case ReplayAction::kStepLines: schedule_.step_items(count, now); break;
    case ReplayAction::kStepBlocks: schedule_.step_blocks(count, now); break;
    case ReplayAction::kStepTime:
      if (wanted.time <= Duration{0}) return Error{Code::kInvalidArgument, "a step forwards only"};
      schedule_.step_time(wanted.time, now);
      break;
    case ReplayAction::kSeek: {
      const auto moved = seek(wanted.at, now);
      if (!moved) return moved;
      break;
    }
    case ReplayAction::kStop: end("it was stopped", now); break;
    default: return Error{Code::kInvalidArgument, "no such action"};
  }
  has_news_ = true;
  return Unit{};
}

Result<Unit> ReplayRun::seek(const api::Moment& at, SteadyTime now) {
  auto found = resolve(*past_.projections, at);
  if (!found) return found.error();
  auto& to = found.value();
  auto clock = at.time.value_or(to.recorded_at);
  if (to.line < plan_.from.line) {
    to = plan_.from;
    clock = plan_.begins_at;
  } else if (to.line > plan_.to.line) {
    to = plan_.to;
    clock = plan_.to.recorded_at;
  }
  line_ = to.line;
  finished_ = false;
  source_.seek(Line{line_});
  told_expired_.clear();
  enter_expired();
  schedule_.jump(clock, now);
  publish_items(1, {});  // a jump: readers ask for the state
  return Unit{};
}

Result<Unit> ReplayRun::acknowledge(const api::ReplayAck& ack, SteadyTime now) {
  const auto living = alive();
  if (!living) return living;
  if (ack.reader == plan_.owner) heard_at_ = now;
  if (!ack.reads) {
    readers_.leave(ack.reader);
    return Unit{};
  }
  if (std::exchange(waiting_, false)) has_news_ = true;
  return readers_.acknowledge(ack.reader, {ack.items, ack.news}, now);
}

Result<Unit> ReplayRun::answer_state(const bus::Call& call, bool news, SteadyTime now) {
  const auto living = alive();
  if (!living) return living;
  api::StateEnd end{link_->self().incarnation, news ? news_ : items_, 0};
  const auto add = [&](Bytes content) {
    call.progress(model::pack(api::StatePart{model::Blob{std::move(content)}}));
    ++end.parts;
  };
  if (news) {
    add(model::pack(api::ReplayNews{status(now), {}}));
  } else {
    const auto* only = plan_.filter.channels ? &*plan_.filter.channels : nullptr;
    const auto state = past_.archive->seen_at(Line{line_}, only);
    if (!state) return state.error();
    for (const auto& group : journal::as_updates(state.value(), only, kStateUpdates)) {
      add(model::encode_updates(group));
    }
  }
  call.done(model::pack(end));
  return Unit{};
}

SteadyTime ReplayRun::advance(SteadyTime now) {
  if (ended_at_) return SteadyTime::max();
  readers_.forget_silent(now);
  const auto lease_ends = heard_at_ + ReplayRequest::kLease;
  if (now > lease_ends) {
    end("its owner has not been heard of for " +
            std::to_string(
                std::chrono::duration_cast<std::chrono::seconds>(ReplayRequest::kLease).count()) +
            " s",
        now);
    return SteadyTime::max();
  }
  auto next = std::min(lease_ends + Duration{1}, waiting_ ? SteadyTime::max() : send_some(now));
  if (ended_at_) return SteadyTime::max();
  const bool moves = !waiting_ && !finished_ && !schedule_.paused();
  if (has_news_ || (moves && now - told_at_ >= kNewsInterval)) publish_news({}, now);
  if (moves) next = std::min(next, told_at_ + kNewsInterval);
  return next;
}

SteadyTime ReplayRun::send_some(SteadyTime now) {
  std::size_t bytes = 0;
  while (bytes < kSliceBytes) {
    const auto next = source_.next();
    if (!next) {
      end(next.error().message, now);
      return SteadyTime::max();
    }
    if (next.value() == nullptr) {
      if (!source_.at_end()) return now;
      if (!std::exchange(finished_, true)) {
        leave_expired(Line{plan_.to.line + 1});
        line_ = plan_.to.line;
        has_news_ = true;
      }
      return SteadyTime::max();
    }
    const auto& piece = *next.value();
    const journal::ReplaySchedule::Piece what{piece.block, piece.section.count, piece.recorded_at};
    const auto due = schedule_.due(what, now);
    if (due == 0) return schedule_.due_at(what, now).value_or(SteadyTime::max());
    // As fast as it goes is as fast as somebody takes it.
    const bool unpaced = !schedule_.paused() && schedule_.speed() == ReplayRequest::kAsFastAsItGoes;
    if (!readers_.room() || (unpaced && readers_.count() == 0)) {
      schedule_.hold(what, now);
      return SteadyTime::max();  // until somebody acknowledges
    }
    schedule_.sent(what, due, now);
    const auto sent = send(due, now);
    if (!sent) {
      end(sent.error().message, now);
      return SteadyTime::max();
    }
    bytes += sent.value();
    if (schedule_.paused()) has_news_ = true;  // of a step
  }
  return now;
}

Result<std::size_t> ReplayRun::send(std::uint32_t count, SteadyTime now) {
  const auto piece = source_.take(count);
  if (!piece) return piece.error();
  const auto& section = piece.value().section;
  leave_expired(piece.value().first);
  line_ = raw(piece.value().last);
  if (section.format == journal::SectionFormat::kExpired) {
    send_expired(piece.value(), now);
  } else if (section.format == journal::SectionFormat::kUpdates) {
    updates_ += section.count;
    publish_items(section.count, section.payload);
  } else {
    records_ += section.count;
    const auto said = send_records(piece.value(), now);
    if (!said) return said.error();
  }
  return section.payload.size();
}

Result<Unit> ReplayRun::send_records(const journal::ReplayPiece& piece, SteadyTime now) {
  const auto& section = piece.section;
  auto records = model::decode_records(section.payload);
  if (!records) return records.error();
  const auto& store = past_.projections->store();
  const auto origin = node_name_(section.origin);
  std::vector<api::LogLine> lines;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < records.value().size(); ++i) {
    const auto line = piece.lines.empty() ? Line{raw(piece.first) + i} : piece.lines[i];
    lines.push_back(log_line({line, piece.recorded_at, section.origin, section.incarnation,
                              section.sequence + i, std::move(records.value()[i])},
                             store, origin));
    bytes += weight(lines.back());
    if (bytes < kNewsBytes) continue;
    publish_news(std::exchange(lines, {}), now);
    bytes = 0;
  }
  if (!lines.empty()) publish_news(std::move(lines), now);
  return Unit{};
}

void ReplayRun::enter_expired() {
  const auto runs = past_.projections->store().expired();
  const auto* run = runs->holding(journal::RecordClass::kPvUpdates, Line{line_});
  expired_to_ = run != nullptr && run->last != Line{line_} ? raw(run->last) : 0;
}

void ReplayRun::leave_expired(Line next) {
  if (expired_to_ == 0 || raw(next) <= expired_to_) return;
  line_ = std::max(line_, std::exchange(expired_to_, 0));
  publish_items(1, {});  // a jump: readers ask for the state
}

/// Once for each run of lines; of which class, and from when to when, is a line of the news.
void ReplayRun::send_expired(const journal::ReplayPiece& piece, SteadyTime now) {
  const auto& store = past_.projections->store();
  const auto of = journal::expired_class(piece.section).value_or(journal::RecordClass::kKept);
  const auto runs = store.expired();
  const auto* run = runs->holding(of, piece.first);
  model::Expired said{std::string(to_string(of)),
                      raw(piece.first),
                      raw(piece.last),
                      piece.recorded_at,
                      piece.recorded_at,
                      piece.section.count,
                      0,
                      {}};
  if (run != nullptr) {
    said.first = raw(run->first);
    said.last = raw(run->last);
    said.since = run->since;
    said.until = run->until;
    said.lines = run->lines;
    if (of == journal::RecordClass::kPvUpdates) expired_to_ = raw(run->last);
  }
  if (!told_expired_.emplace(of, said.first).second) return;
  publish_news({log_line({piece.first, piece.recorded_at, {}, 0, 0, model::Record(said)}, store,
                         node_name_({}))},
               now);
}

void ReplayRun::publish_items(std::uint32_t count, BytesView payload) {
  items_ =
      link_->publish(bus::FrameClass::kReplayState, items_stream(), count, payload) + count - 1;
  readers_.published(ReplayReaders::kItems, items_, payload.size());
}

void ReplayRun::publish_news(std::vector<api::LogLine> lines, SteadyTime now) {
  has_news_ = false;
  told_at_ = now;
  const auto payload = model::pack(api::ReplayNews{status(now), std::move(lines)});
  news_ = link_->publish(bus::FrameClass::kReplayNews, news_stream(), 1, payload);
  readers_.published(ReplayReaders::kNews, news_, payload.size());
}

Result<Unit> check_speed(double speed) {
  const bool fine = speed == ReplayRequest::kAsFastAsItGoes ||
                    (speed >= ReplayRequest::kSpeedMin && speed <= ReplayRequest::kSpeedMax);
  if (fine) return Unit{};
  return Error{Code::kInvalidArgument,
               "a replay's speed is from 0.1 to 1000, or 0: as fast as it goes"};
}

}  // namespace tidemark::actors
