#include "tidemark/client.h"

#include <spdlog/spdlog.h>

#include <future>

#include "model/packing.h"
#include "subsystem/session.h"

namespace tidemark {
namespace {

namespace api = model::api;

api::Surface surface_of(const bus::NodeInfo& node) {
  if (node.surface.bytes.empty()) return {};
  auto surface = model::unpack<api::Surface>(node.surface.bytes);
  return surface ? std::move(surface).value() : api::Surface{};
}

bool handles(const bus::NodeInfo& node, const std::string& event) {
  for (const auto& each : surface_of(node).events) {
    if (each.name == event) return true;
  }
  return false;
}

using Target = subsystem::EventWish::Target;

/// Those that are named, in the directory as it is now.
std::vector<Target> named(const bus::Directory& directory, const Targets& targets) {
  std::vector<Target> found;
  for (const auto& name : targets.names) {
    const auto* node = directory.find(name);
    std::optional<bus::NodeNumber> number;
    if (node != nullptr && !bus::is_gone(node->state)) number = bus::node_number(node->uuid);
    found.push_back({name, number});
  }
  return found;
}

/// Those that handle it.
std::vector<Target> who_handles(const bus::Directory& directory, const std::string& event,
                                const Targets& targets) {
  std::vector<Target> found;
  for (const auto& node : directory.nodes) {
    // Who died without a goodbye still has a say: asked, it is lost, and so nothing goes ahead
    // because the one who would have objected is dead.
    const bool left = node.state == bus::NodeState::kStopped;
    if (left || !handles(node, event)) continue;
    const auto* called_so = directory.find(node.name);
    if (called_so != nullptr && called_so->uuid != node.uuid) continue;  // The name lives on.
    const auto& labels = node.labels;
    const bool wanted =
        targets.kind == Targets::Kind::kEverybody ||
        std::find(labels.begin(), labels.end(), targets.names.at(0)) != labels.end();
    if (wanted) found.push_back({node.name, bus::node_number(node.uuid)});
  }
  return found;
}

subsystem::EventWish wish_of(const std::shared_ptr<subsystem::Session>& session,
                             const std::string& event, Value argument, const Targets& targets,
                             Duration patience, std::function<void(const Feedback&)> on_feedback) {
  subsystem::EventWish wish;
  wish.event = event;
  wish.argument = std::move(argument);
  wish.budget = patience;
  if (targets.kind == Targets::Kind::kNamed) {
    wish.targets = named(session->directory(), targets);
  } else {
    wish.choose = [weak = std::weak_ptr(session), event,
                   targets]() -> std::optional<std::vector<Target>> {
      const auto at = weak.lock();
      const auto directory = at ? at->settled_directory() : std::nullopt;
      if (!directory) return std::nullopt;
      return who_handles(*directory, event, targets);
    };
  }
  if (on_feedback) {
    wish.on_feedback = [executor = session->executor(), on_feedback = std::move(on_feedback)](
                           const std::string& target, const api::EventFeedback& said) {
      executor->post([on_feedback, feedback = Feedback{target, said.text, said.value}] {
        on_feedback(feedback);
      });
    };
  }
  return wish;
}

/// What came of it when nobody could be asked.
CallResult not_made(const Targets& targets, const Error& why) {
  if (targets.kind != Targets::Kind::kNamed || targets.names.empty()) return CallResult(why);
  CallResult result(targets.names);
  for (const auto& name : targets.names) result.error(name, why);
  return result;
}

}  // namespace

Client::Client(std::string site_file, std::string key)
    : session_(std::make_shared<subsystem::Session>(
          subsystem::SessionOptions{subsystem::Session::user_at_host(),
                                    std::move(site_file),
                                    "",
                                    {},
                                    std::nullopt,
                                    false,
                                    std::move(key)})) {}

Client::Client(std::shared_ptr<subsystem::Session> session) : session_(std::move(session)) {}

Client::~Client() { stop(Duration{0}); }

void Client::note(const Result<Unit>& result) {
  if (result) return;
  if (session_->is_on_bus()) spdlog::error("{}: {}", name(), result.error().message);
  mistakes_.push_back(result.error());
}

Result<Unit> Client::start(Duration patience) {
  if (!mistakes_.empty()) return mistakes_.front();
  const auto started = session_->start();
  if (!started) return started.error();
  return session_->joined(patience);
}

bool Client::stop(Duration patience) { return session_->stop(patience); }

const std::string& Client::name() const { return session_->name(); }

Stats Client::stats() const {
  const auto counted = session_->counted();
  const auto& streams = session_->streams();
  const auto& listeners = session_->listeners();
  Stats stats;
  stats.gaps = streams.gaps;
  stats.repaired = streams.repaired;
  stats.items_lost = streams.items_lost;
  stats.states = streams.states;
  stats.conflated = listeners.conflated;
  stats.missed = listeners.missed;
  stats.records_held_bytes = counted.records_held_bytes;
  stats.records_dropped = counted.records_dropped;
  const auto& link = counted.link;
  stats.link = {link.frames_sent,
                link.frames_received,
                link.bytes_sent,
                link.bytes_received,
                link.malformed,
                link.stale,
                link.requests_sent,
                link.requests_served,
                link.requests_timed_out,
                link.requests_sent_again,
                link.requests_asked_twice,
                link.frames_sent_again,
                link.skipped,
                link.refused,
                link.dropped};
  return stats;
}

std::vector<Peer> Client::peers() const {
  std::vector<Peer> peers;
  for (const auto& node : session_->directory().nodes) {
    peers.push_back({node.name, node.kind, std::string(to_string(node.state)), node.state_since,
                     node.started_at, node.host, node.pid, node.uuid, node.incarnation, node.labels,
                     surface_of(node)});
  }
  return peers;
}

Subscription Client::subscribe(const std::string& pattern,
                               std::function<void(const Update<Value>&)> listener, Policy policy) {
  const auto made = session_->remote_keys().subscribe(
      pattern, policy == Policy::kAll ? subsystem::Policy::kAll : subsystem::Policy::kLatest,
      [listener = std::move(listener)](const subsystem::KeyEvent& event) {
        listener({event.key, event.value, event.time, event.sequence, event.quality, event.writer,
                  event.missed});
      });
  return Subscription(made, [made] { made->close(); });
}

Subscription Client::subscribe(std::string pattern,
                               std::function<void(const Update<Value>&)> listener,
                               Durable durable) {
  if (!durable.on_problem) {
    durable.on_problem = [pattern](const Error& problem) {
      spdlog::warn("{}: {}", pattern, problem.message);
    };
  }
  const auto made =
      session_->follow_keys({std::move(pattern), durable.from, durable.since,
                             [listener = std::move(listener)](const subsystem::KeyEvent& event) {
                               listener({event.key, event.value, event.time, event.sequence,
                                         event.quality, event.writer, event.missed, event.line});
                             },
                             std::move(durable.on_problem)});
  return Subscription(made, [made] { made->close(); });
}

RunningCall Client::call_later(const std::string& event, Value argument, const Targets& targets,
                               Duration patience, std::function<void(const CallResult&)> on_ended,
                               std::function<void(const Feedback&)> on_feedback) {
  auto wish =
      wish_of(session_, event, std::move(argument), targets, patience, std::move(on_feedback));
  wish.on_ended = [executor = session_->executor(),
                   on_ended = std::move(on_ended)](const CallResult& result) {
    if (on_ended) executor->post_owed([on_ended, result] { on_ended(result); });
  };
  const auto ended = wish.on_ended;
  const auto run = session_->call(std::move(wish));
  if (run) return RunningCall([run] { run->cancel(); });
  ended(not_made(targets, {Code::kUnavailable, name() + " is not on the bus"}));
  return {};
}

CallResult Client::call(const std::string& event, Value argument, const Targets& targets,
                        Duration patience, std::function<void(const Feedback&)> on_feedback) {
  if (const auto refused = subsystem::Session::may_wait("calling '" + event + "'")) {
    return not_made(targets, *refused);
  }
  auto ended = std::make_shared<std::promise<CallResult>>();
  auto result = ended->get_future();
  auto wish =
      wish_of(session_, event, std::move(argument), targets, patience, std::move(on_feedback));
  // Behind the feedback: its callback may stand on what goes when we return. What waits in an
  // executor that is stopped is dropped, and breaks the promise.
  wish.on_ended = [executor = session_->executor(),
                   ended = std::move(ended)](const CallResult& state) {
    if (!executor->post_owed([ended, state] { ended->set_value(state); })) ended->set_value(state);
  };
  if (!session_->call(std::move(wish))) {
    return not_made(targets, {Code::kUnavailable, name() + " is not on the bus"});
  }
  try {
    return result.get();  // A call ends within its budget.
  } catch (const std::future_error&) {
    return not_made(targets, {Code::kUnavailable, name() + " has left the bus meanwhile"});
  }
}

Subscription Client::watch_status(
    std::string pattern,
    std::function<void(const std::string& subsystem, const model::StatusItem&)> listener) {
  const auto made = session_->watch_status(std::move(pattern), std::move(listener));
  return Subscription(made, [made, weak = std::weak_ptr(session_)] {
    made->close();
    if (const auto session = weak.lock()) session->unwatch_status(made);
  });
}

Result<Unit> Client::acknowledge(const std::string& subsystem, const std::string& item,
                                 Duration patience) {
  const auto answer = session_->ask(subsystem, "status.ack",
                                    model::pack(api::StatusAck{item, session_->user()}), patience);
  if (!answer) return answer.error();
  return Unit{};
}

void Client::log(Severity severity, std::string text, Struct fields, std::string category) {
  const auto data = fields.empty() ? Value() : Value(std::move(fields));
  const auto taken = session_->record(
      model::LogMessage{severity, name(), std::move(text), data, std::move(category), utc_now()});
  if (!taken) spdlog::warn("a log message is lost: {}", taken.error().message);
}

Mark Client::begin_mark(std::string mark, Value data, std::vector<std::string> tags) {
  Mark made{Uuid::random(), std::move(mark)};
  const auto taken = session_->record(
      model::MarkBegin{made.id, made.name, std::move(tags), session_->user(), std::move(data)});
  if (!taken) spdlog::warn("the mark '{}' is lost: {}", made.name, taken.error().message);
  return made;
}

Mark Client::mark_between(std::string mark, UtcTime from, UtcTime to, Value data,
                          std::vector<std::string> tags) {
  Mark made{Uuid::random(), std::move(mark)};
  const auto user = session_->user();
  auto taken = session_->record(
      model::MarkBegin{made.id, made.name, std::move(tags), user, std::move(data), from});
  if (taken) taken = session_->record(model::MarkEnd{made.id, made.name, user, {}, to});
  if (!taken) spdlog::warn("the mark '{}' is lost: {}", made.name, taken.error().message);
  return made;
}

void Client::end_mark(const Mark& mark, Value data) {
  const auto taken =
      session_->record(model::MarkEnd{mark.id, mark.name, session_->user(), std::move(data)});
  if (!taken) spdlog::warn("the end of '{}' is lost: {}", mark.name, taken.error().message);
}

}  // namespace tidemark
