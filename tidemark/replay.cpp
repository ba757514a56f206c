#include "tidemark/replay.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "model/api/past.h"
#include "model/api/replay.h"
#include "subsystem/replay_reader.h"
#include "subsystem/session.h"
#include "tidemark/past_value.h"

namespace tidemark {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using subsystem::ReplayReader;

constexpr auto kBudget = 10s;
constexpr auto kStateBudget = 2min;  // as of everything about the past

api::Moment moment_of(const When& when) { return {when.line, when.time, when.mark}; }

void forget(PastValue& pv) {
  pv.value = {};
  pv.alarm = {};
  pv.taken_at = {};
  pv.connected = false;
  pv.first = true;
}

}  // namespace

class Replay::State {
 public:
  State(std::shared_ptr<subsystem::Session> of, std::shared_ptr<bus::Link> link,
        bus::NodeNumber journal, const api::ReplayStatus& replay, const Uuid& owner)
      : session(std::move(of)),
        id(replay.id),
        status(replay),
        reader(std::move(link), journal, replay, owner) {}

  template <class Reply, class Request>
  static Result<Reply> ask(subsystem::Session& session, const std::string& method,
                           const Request& request) {
    const auto answer = session.ask("journal", method, model::pack(request), kBudget);
    if (!answer) return answer.error();
    return model::unpack<Reply>(answer.value());
  }
  /// What its channels are called; their values come with the state.
  Result<Unit> learn(const std::vector<std::string>& patterns);
  void take(const ReplayReader::Updates& given, Past& past);
  Result<Unit> control(api::ReplayControl wanted) {
    wanted.id = id;
    const auto done = ask<api::ReplayStatus>(*session, "journal.replay_control", wanted);
    if (!done) return done.error();
    return Unit{};
  }
  api::ReplayStatus now() const {
    const std::lock_guard lock(mutex);
    return status;
  }

  const std::shared_ptr<subsystem::Session> session;
  const Uuid id;
  std::map<model::ChannelId, PastValue> pvs;
  mutable std::mutex mutex;
  api::ReplayStatus status;  // guarded by mutex
  std::uint64_t given = 0;   // guarded by mutex: items that next() gave
  ReplayReader reader;
};

Result<Unit> Replay::State::learn(const std::vector<std::string>& patterns) {
  api::StateQuery query;
  // Line 0 is before everything, and as a question it would mean now.
  query.at = status.line == 0 ? api::Moment{0, UtcTime{}} : api::Moment{status.line, std::nullopt};
  query.addresses = patterns.empty() ? std::vector<std::string>{"*"} : patterns;
  std::vector<Bytes> parts;
  const auto answer = session->ask("journal", "journal.state", model::pack(query), kStateBudget,
                                   [&](Bytes part) { parts.push_back(std::move(part)); });
  if (!answer) return answer.error();
  for (const auto& packed : parts) {
    auto part = model::unpack<api::PastValues>(packed);
    if (!part) return part.error();
    for (auto& value : part.value().values) {
      auto& pv = pvs[value.channel];
      pv.address = std::move(value.address);
      pv.units = std::move(value.units);
      pv.labels = std::move(value.labels);
    }
  }
  return Unit{};
}

void Replay::State::take(const ReplayReader::Updates& news, Past& past) {
  if (news.whole) {
    for (auto& [channel, pv] : pvs) forget(pv);
  }
  for (const auto& update : news.updates) {
    const auto found = pvs.find(update.channel);
    if (found == pvs.end()) continue;
    detail::apply(update, found->second);
    found->second.first = news.whole;
    if (!news.whole) past.values.push_back(found->second);
  }
  if (!news.whole) return;
  for (const auto& [channel, pv] : pvs) past.values.push_back(pv);
}

Replay::Replay(std::unique_ptr<State> state) : state_(std::move(state)) {}

Replay::~Replay() {
  // Its lease ends it too; a callback must not wait for an answer.
  api::ReplayControl stop;
  stop.id = id();
  stop.action = api::ReplayAction::kStop;
  state_->session->ask_later("journal", "journal.replay_control", model::pack(stop), kBudget,
                             [](const bus::Answer&) {});
}

Result<std::unique_ptr<Replay>> Replay::start(const std::shared_ptr<subsystem::Session>& session,
                                              const ReplayWish& wish) {
  if (const auto refused = subsystem::Session::may_wait("starting a replay")) return *refused;
  api::ReplayRequest request;
  request.from = moment_of(wish.from);
  request.to = moment_of(wish.to);
  request.addresses = wish.patterns;
  request.speed = wish.speed;
  request.paused = wish.paused;
  request.records = wish.records;
  request.owner = Uuid::random();
  request.user = session->user();
  const auto started = State::ask<api::ReplayStarted>(*session, "journal.replay_start", request);
  if (!started) return started.error();
  const auto journal = session->find("journal", steady_now() + kBudget);
  if (!journal) return journal.error();
  auto link = session->link();
  if (!link) return Error{Code::kUnavailable, session->name() + " has left the bus"};
  auto state =
      std::make_unique<State>(session, std::move(link), bus::node_number(journal.value().uuid),
                              started.value().replay, request.owner);
  const auto known = state->learn(wish.patterns);
  if (!known) return known.error();
  return std::unique_ptr<Replay>(new Replay(std::move(state)));
}

Result<Past> Replay::next(Duration patience) {
  if (const auto refused = subsystem::Session::may_wait("reading a replay")) return *refused;
  auto& state = *state_;
  Past past;
  for (const auto& event : state.reader.next(patience)) {
    if (const auto* given = std::get_if<ReplayReader::Updates>(&event)) {
      state.take(*given, past);
      continue;
    }
    const auto& news = std::get<api::ReplayNews>(event);
    for (const auto& line : news.lines) {
      past.lines.push_back({line.line, line.recorded_at, line.origin,
                            std::string(model::to_string(line.kind)), line.subject, line.text});
    }
    const std::lock_guard lock(state.mutex);
    state.status = news.status;
  }
  {
    const std::lock_guard lock(state.mutex);
    state.given = state.reader.live() ? state.reader.applied() : 0;
  }
  if (state.reader.ended() && past.values.empty() && past.lines.empty()) {
    return Error{Code::kUnavailable, "the replay is over: " + state.reader.ended()->message};
  }
  return past;
}

bool Replay::at_end() const {
  const std::lock_guard lock(state_->mutex);
  return state_->status.phase == api::ReplayPhase::kFinished &&
         state_->given >= state_->status.items;
}

UtcTime Replay::moment() const { return state_->now().moment; }
std::uint64_t Replay::line() const { return state_->now().line; }

const Uuid& Replay::id() const { return state_->id; }

Result<Unit> Replay::pause() {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kPause;
  return state_->control(wanted);
}

Result<Unit> Replay::resume() {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kResume;
  return state_->control(wanted);
}

Result<Unit> Replay::set_speed(double speed) {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kSpeed;
  wanted.speed = speed;
  return state_->control(wanted);
}

Result<Unit> Replay::step_lines(std::uint32_t count) {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kStepLines;
  wanted.count = count;
  return state_->control(wanted);
}

Result<Unit> Replay::step_time(Duration time) {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kStepTime;
  wanted.time = time;
  return state_->control(wanted);
}

Result<Unit> Replay::seek(const When& at) {
  api::ReplayControl wanted;
  wanted.action = api::ReplayAction::kSeek;
  wanted.at = moment_of(at);
  return state_->control(wanted);
}

}  // namespace tidemark
