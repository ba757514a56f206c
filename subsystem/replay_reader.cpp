#include "subsystem/replay_reader.h"

#include <mutex>
#include <utility>

#include "bus/ask_again.h"
#include "model/api/monitor.h"

namespace tidemark::subsystem {
namespace {

using namespace std::chrono_literals;
namespace api = model::api;
using bus::StreamReader;

constexpr std::size_t kInboxBytesMax = 64u << 20;  // far above what a replay has on the way
constexpr auto kStateBudget = 10s;
constexpr auto kAckBudget = 2s;
constexpr Duration kSignOfLife = 1s;
// Often enough that the replay seldom waits, and seldom enough that calls cost nothing.
constexpr Duration kAckInterval = 20ms;
constexpr std::size_t kAckBytes = 256u << 10;

}  // namespace

/// Acknowledges, on any thread.
class ReplayReader::Core : public std::enable_shared_from_this<ReplayReader::Core> {
 public:
  Core(std::shared_ptr<bus::Link> link, bus::NodeNumber journal, const Uuid& id, const Uuid& me)
      : link_(link.get()), journal_(journal), ack_{id, me, false, 0, 0} {}

  void begin() {
    link_->after(kSignOfLife, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->tick();
    });
  }
  /// From now on it has these. Threads: the reader's.
  void acknowledge(std::uint64_t items, std::uint64_t news) {
    const std::lock_guard lock(mutex_);
    ack_.items = items;
    ack_.news = news;
    ack_.reads = true;
    say();
  }
  void goodbye() {
    const std::lock_guard lock(mutex_);
    ack_.reads = false;
    if (!ended_) say();
    stopped_ = true;
  }
  std::optional<Error> ended() const {
    const std::lock_guard lock(mutex_);
    return ended_;
  }

 private:
  void tick() {
    const std::lock_guard lock(mutex_);
    if (stopped_) return;
    if (!ended_) say();
    begin();
  }

  void say() {
    link_->request(journal_, "journal.replay_ack", model::pack(ack_), {kAckBudget, {}},
                   [weak = weak_from_this()](const bus::Answer& answer) {
                     if (const auto self = weak.lock()) self->heard(answer);
                   });
  }

  void heard(const bus::Answer& answer) {
    const std::lock_guard lock(mutex_);
    if (answer) {
      heard_at_ = link_->now();
      return;
    }
    const auto& error = answer.error();
    const bool unknown = error.code == Code::kNotFound || error.code == Code::kInvalidArgument;
    const bool silent =
        heard_at_ != SteadyTime{} && link_->now() - heard_at_ > api::ReplayRequest::kLease;
    if (!ended_ && (unknown || silent)) ended_ = error;
  }

  bus::Link* const link_;  // there as long as a callback of it runs, and the reader holds it
  const bus::NodeNumber journal_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  api::ReplayAck ack_;
  bool stopped_ = false;
  SteadyTime heard_at_{};
  std::optional<Error> ended_;
};

ReplayReader::ReplayReader(std::shared_ptr<bus::Link> link, bus::NodeNumber journal,
                           const api::ReplayStatus& replay, const Uuid& me)
    : link_(std::move(link)),
      journal_(journal),
      id_(replay.id),
      inbox_(std::make_shared<Mailbox<Message>>(kInboxBytesMax)),
      core_(std::make_shared<Core>(link_, journal, replay.id, me)) {
  constexpr std::array kClasses = {bus::FrameClass::kReplayState, bus::FrameClass::kReplayNews};
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    auto& stream = streams_[i];
    stream.id = {journal_, static_cast<bus::StreamNumber>(replay.stream + i)};
    stream.subscription =
        link_->subscribe(kClasses[i], stream.id, [inbox = inbox_, i](bus::Frame frame) {
          const auto bytes = frame.payload.size() + bus::kFrameHeaderBytes;
          inbox->push(Message{i, std::move(frame)}, bytes);
        });
  }
  core_->begin();
}

ReplayReader::~ReplayReader() {
  for (const auto& stream : streams_) link_->unsubscribe(stream.subscription);
  core_->goodbye();
}

std::vector<ReplayReader::Event> ReplayReader::next(Duration wait) {
  std::vector<Event> events;
  if (ended_) return events;
  const auto now = link_->now();
  const auto say = [&] {
    core_->acknowledge(streams_[0].reader.applied(), streams_[1].reader.applied());
    unsaid_bytes_ = 0;
    said_at_ = link_->now();
  };
  if (live() && (said_at_ == SteadyTime{} || unsaid_bytes_ >= kAckBytes ||
                 (unsaid_bytes_ > 0 && now - said_at_ >= kAckInterval))) {
    say();
  }
  auto messages = inbox_->take(unsaid_bytes_ > 0 ? std::min<Duration>(wait, kAckInterval) : wait);
  if (messages.empty() && unsaid_bytes_ > 0 && live()) say();
  for (auto& message : messages) react(std::move(message), events);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    carry_out(i, streams_[i].reader.on_tick(link_->now()), events);
  }
  if (!ended_ && events.empty()) ended_ = core_->ended();
  return events;
}

void ReplayReader::react(Message message, std::vector<Event>& events) {
  const auto i = message.stream;
  auto& reader = streams_[i].reader;
  if (auto* frame = std::get_if<bus::Frame>(&message.content)) {
    carry_out(i, reader.on_frame(std::move(*frame), link_->now()), events);
  } else if (auto* again = std::get_if<Again>(&message.content)) {
    carry_out(i,
              again->frames ? reader.on_again(again->from, std::move(again->frames).value())
                            : reader.on_again_failed(again->from),
              events);
  } else {
    carry_out(i, take(i, std::move(std::get<State>(message.content))), events);
  }
}

StreamReader::Actions ReplayReader::take(std::size_t stream, State state) {
  auto& reader = streams_[stream].reader;
  const auto end = state.end ? model::unpack<api::StateEnd>(state.end.value())
                             : Result<api::StateEnd>(state.end.error());
  if (!end && end.error().code == Code::kNotFound) ended_ = end.error();
  if (!end || end.value().parts != state.parts.size()) return reader.on_state_failed(link_->now());
  std::vector<Bytes> parts;
  for (const auto& packed : state.parts) {
    auto part = model::unpack<api::StatePart>(packed);
    if (!part) return reader.on_state_failed(link_->now());
    parts.push_back(std::move(part.value().updates.bytes));
  }
  return reader.on_state(end.value().incarnation, end.value().sequence, std::move(parts),
                         link_->now());
}

void ReplayReader::carry_out(std::size_t stream, StreamReader::Actions actions,
                             std::vector<Event>& events) {
  for (auto& action : actions) {
    if (std::holds_alternative<StreamReader::AskState>(action)) ask_state(stream);
    if (const auto* hole = std::get_if<StreamReader::AskAgain>(&action)) ask_again(stream, *hole);
    if (auto* items = std::get_if<StreamReader::Apply>(&action)) {
      unsaid_bytes_ += items->payload.size() + bus::kFrameHeaderBytes;
      give(stream, false, {&items->payload, 1}, events);
    }
    if (const auto* whole = std::get_if<StreamReader::Whole>(&action)) {
      ++unsaid_bytes_;
      give(stream, true, whole->parts, events);
    }
  }
}

void ReplayReader::give(std::size_t stream, bool whole, std::span<const Bytes> parts,
                        std::vector<Event>& events) {
  if (stream == 0) {
    Updates given;
    given.whole = whole;
    for (const auto& part : parts) {
      auto updates = model::decode_updates(part);
      if (!updates) {
        ++bad_batches_;
      } else if (given.updates.empty()) {
        given.updates = std::move(updates).value();
      } else {
        given.updates.insert(given.updates.end(), updates.value().begin(), updates.value().end());
      }
    }
    events.emplace_back(std::move(given));
    return;
  }
  for (const auto& part : parts) {
    auto news = model::unpack<api::ReplayNews>(part);
    if (!news) {
      ++bad_batches_;
      continue;
    }
    const auto& status = news.value().status;
    if (status.phase == api::ReplayPhase::kEnded) ended_ = Error{Code::kNotFound, status.why};
    events.emplace_back(std::move(news).value());
  }
}

void ReplayReader::ask_state(std::size_t stream) {
  auto parts = std::make_shared<std::vector<Bytes>>();
  bus::RequestOptions options;
  options.budget = kStateBudget;
  options.on_progress = [parts](Bytes part) { parts->push_back(std::move(part)); };
  link_->request(journal_, "journal.replay_state", model::pack(api::ReplayRead{id_, stream == 1}),
                 std::move(options), [inbox = inbox_, parts, stream](bus::Answer answer) {
                   // Weight 0: a state is asked for once, and must not be refused.
                   inbox->push(Message{stream, State{std::move(*parts), std::move(answer)}}, 0);
                 });
}

void ReplayReader::ask_again(std::size_t stream, const StreamReader::AskAgain& hole) {
  bus::ask_again(
      *link_, streams_[stream].id, hole,
      [inbox = inbox_, stream, from = hole.from](Result<std::vector<bus::Frame>> frames) {
        inbox->push(Message{stream, Again{from, std::move(frames)}}, 0);
      });
}

}  // namespace tidemark::subsystem
