#include "actors/replayer.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tidemark::actors {
namespace {

namespace api = model::api;

/// Unpacks the request and hands it over; answers the call with what comes back, or fails it.
template <class Request, class Answer>
void serve_one(const bus::Call& call, Answer&& answer) {
  auto request = model::unpack<Request>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  const auto reply = answer(std::move(request).value());
  if (!reply) return call.fail(reply.error());
  call.done(model::pack(reply.value()));
}

}  // namespace

Result<ReplayRun*> ReplayerState::find(const Uuid& id) {
  const auto found =
      std::find_if(runs.begin(), runs.end(), [&](const auto& run) { return run.plan().id == id; });
  if (found != runs.end()) return &*found;
  return Error{Code::kNotFound, "there is no replay " + id.text() + " (any more)"};
}

Result<api::ReplayStarted> ReplayerState::start(api::ReplayRequest request) {
  const auto speed = check_speed(request.speed);
  if (!speed) return speed.error();
  const auto active =
      std::count_if(runs.begin(), runs.end(), [](const auto& run) { return !run.ended_at(); });
  if (static_cast<std::size_t>(active) >= kReplaysMax) {
    return Error{Code::kUnavailable,
                 std::to_string(kReplaysMax) + " replays are under way: stop one of them"};
  }
  past.learn_channels();
  ReplayPlan plan;
  const auto from = resolve(*past.projections, request.from);
  if (!from) return from.error();
  const auto to = resolve(*past.projections, request.to);
  if (!to) return to.error();
  plan.from = from.value();
  plan.to = to.value();
  if (plan.from.line > plan.to.line) {
    return Error{Code::kInvalidArgument, "the replay would end before it begins"};
  }
  plan.begins_at = request.from.time.value_or(plan.from.recorded_at);
  api::ReplayStarted started;
  if (!request.addresses.empty()) {
    plan.filter.channels = numbers_of(wanted(past, request.addresses, started.unknown));
  }
  plan.filter.records = request.records;
  plan.id = Uuid::random();
  plan.owner = request.owner;
  plan.user = std::move(request.user);
  plan.speed = request.speed;
  plan.paused = request.paused;
  plan.stream = stream;
  // Those of long ago are forgotten by now.
  stream = stream >= 0xfffe ? bus::kReplayStreams : static_cast<bus::StreamNumber>(stream + 2);
  runs.emplace_back(options.link, past, options.node_name, std::move(plan), steady_now());
  started.replay = runs.back().status(steady_now());
  spdlog::info("replay {} of lines {} to {} by {}", started.replay.id.text(), started.replay.from,
               started.replay.to, started.replay.user);
  return started;
}

void ReplayerState::work() {
  const auto now = steady_now();
  auto next = SteadyTime::max();
  auto ended = std::count_if(runs.begin(), runs.end(),
                             [](const auto& run) { return run.ended_at().has_value(); });
  for (auto run = runs.begin(); run != runs.end();) {
    const auto was_ended = run->ended_at();
    if (!was_ended) next = std::min(next, run->advance(now));
    if (!run->ended_at()) {
      ++run;
      continue;
    }
    if (!was_ended) {
      ++ended;
      spdlog::info("replay {} ended: {}", run->plan().id.text(), run->status(now).why);
    }
    const auto until = *run->ended_at() + kRemembered;
    if (now < until && static_cast<std::size_t>(ended) <= kRememberedMax) {
      next = std::min(next, until);
      ++run;
      continue;
    }
    --ended;
    updates += run->status(now).updates;
    options.link->retire_stream(run->items_stream());
    options.link->retire_stream(run->news_stream());
    run = runs.erase(run);
  }
  show();
  if (next <= now) {
    // Behind the calls that have come meanwhile.
    if (!std::exchange(working, true)) self->send(self, wake_atom_v);
  } else if (next < wakes_at && next != SteadyTime::max()) {
    wakes_at = next;
    self->delayed_send(self, next - now, wake_atom_v);
  }
}

void ReplayerState::show() const {
  auto said = updates;
  std::size_t active = 0;
  for (const auto& run : runs) {
    const auto status = run.status(steady_now());
    said += status.updates;
    active += status.phase == api::ReplayPhase::kEnded ? 0 : 1;
  }
  options.board->gauge("tidemark_journal_replays", "Replays under way",
                       static_cast<double>(active));
  options.board->count("tidemark_journal_replayed_updates_total", "PV updates said by replays",
                       static_cast<double>(said));
}

Replayer::behavior_type replayer_actor(Replayer::stateful_pointer<ReplayerState> self,
                                       ReplayerOptions options) {
  auto& state = self->state;
  state.options = std::move(options);
  state.past.projections = state.options.projections;
  state.past.archive = std::make_unique<journal::Archive>(state.options.projections);
  return {
      [&state](start_atom, const bus::Call& call) {
        serve_one<api::ReplayRequest>(
            call, [&](api::ReplayRequest request) { return state.start(std::move(request)); });
        state.work();
      },
      [&state](control_atom, const bus::Call& call) {
        serve_one<api::ReplayControl>(
            call, [&](const api::ReplayControl& wanted) -> Result<api::ReplayStatus> {
              const auto run = state.find(wanted.id);
              if (!run) return run.error();
              const auto done = run.value()->control(wanted, steady_now());
              if (!done) return done.error();
              return run.value()->status(steady_now());
            });
        state.work();
      },
      [&state](ack_atom, const bus::Call& call) {
        serve_one<api::ReplayAck>(call,
                                  [&](const api::ReplayAck& ack) -> Result<api::ReplayStatus> {
                                    const auto run = state.find(ack.id);
                                    if (!run) return run.error();
                                    const auto done = run.value()->acknowledge(ack, steady_now());
                                    if (!done) return done.error();
                                    return run.value()->status(steady_now());
                                  });
        state.work();
      },
      [&state](list_atom, const bus::Call& call) {
        serve_one<api::Empty>(call, [&](const api::Empty&) -> Result<api::ReplayList> {
          api::ReplayList list;
          for (const auto& run : state.runs) {
            if (!run.ended_at()) list.replays.push_back(run.status(steady_now()));
          }
          return list;
        });
      },
      [&state](state_atom, const bus::Call& call) {
        const auto request = model::unpack<api::ReplayRead>(call.payload());
        if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
        const auto run = state.find(request.value().id);
        if (!run) return call.fail(run.error());
        const auto answered = run.value()->answer_state(call, request.value().news, steady_now());
        if (!answered) call.fail(answered.error());
      },
      [&state](wake_atom) {
        state.working = false;
        // One that was overtaken by an earlier one says nothing about those to come.
        if (steady_now() >= state.wakes_at) state.wakes_at = SteadyTime::max();
        state.work();
      },
  };
}

}  // namespace tidemark::actors
