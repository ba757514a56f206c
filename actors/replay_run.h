// actors/replay_run.h
//
// One replay at work: what the schedule says is due goes from the source to two streams, as long as
// the readers have room. Nobody else publishes on these streams, and they are none of the present:
// bus::belong_together().
//
// Threads: one. It reads the disk.

#pragma once

#include <set>
#include <utility>

#include "actors/past.h"
#include "journal/expired_runs.h"
#include "journal/replay_readers.h"
#include "journal/replay_schedule.h"
#include "journal/replay_source.h"
#include "model/api/replay.h"

namespace tidemark::actors {

/// What a request for a replay came to.
struct ReplayPlan {
  Uuid id;
  bus::StreamNumber stream = bus::kReplayStreams;
  Uuid owner;
  std::string user;
  model::api::MomentReply from;
  UtcTime begins_at{};  // the clock: the moment that was asked for, which may lie behind `from`
  model::api::MomentReply to;
  double speed = 1;
  bool paused = false;
  journal::ReplayFilter filter;
};

/// Errors: kInvalidArgument, not a speed of a replay.
Result<Unit> check_speed(double speed);

class ReplayRun {
 public:
  using NodeName = std::function<std::string(const Uuid&)>;

  ReplayRun(std::shared_ptr<bus::Link> link, const Past& past, NodeName node_name, ReplayPlan plan,
            SteadyTime now);

  model::api::ReplayStatus status(SteadyTime now) const;
  const ReplayPlan& plan() const { return plan_; }
  bus::StreamNumber items_stream() const { return plan_.stream; }
  bus::StreamNumber news_stream() const { return static_cast<bus::StreamNumber>(plan_.stream + 1); }

  /// Errors: kInvalidArgument; kNotFound, it has ended.
  Result<Unit> control(const model::api::ReplayControl& wanted, SteadyTime now);
  /// Errors: kUnavailable, too many readers; kNotFound, it has ended.
  Result<Unit> acknowledge(const model::api::ReplayAck& ack, SteadyTime now);
  /// Answers the call. Errors: kNotFound, it has ended; what the disk says.
  Result<Unit> answer_state(const bus::Call& call, bool news, SteadyTime now);

  /// Sends some of what is due; answers when to call it again.
  SteadyTime advance(SteadyTime now);

  /// When it ended: nothing of it is left but its name.
  std::optional<SteadyTime> ended_at() const { return ended_at_; }

 private:
  void end(std::string why, SteadyTime now);
  Result<Unit> seek(const model::api::Moment& at, SteadyTime now);
  /// Sends what may go out now, at most a slice; answers when there will be more.
  SteadyTime send_some(SteadyTime now);
  Result<std::size_t> send(std::uint32_t count, SteadyTime now);
  Result<Unit> send_records(const journal::ReplayPiece& piece, SteadyTime now);
  void send_expired(const journal::ReplayPiece& piece, SteadyTime now);
  /// When line_ is in lines whose updates expired.
  void enter_expired();
  /// What follows comes after this line: the state is known again where lines that expired end.
  void leave_expired(journal::Line next);
  void publish_items(std::uint32_t count, BytesView payload);
  void publish_news(std::vector<model::api::LogLine> lines, SteadyTime now);
  Result<Unit> alive() const;

  const std::shared_ptr<bus::Link> link_;
  const Past& past_;
  const NodeName node_name_;
  const ReplayPlan plan_;
  journal::ReplaySource source_;
  journal::ReplaySchedule schedule_;
  journal::ReplayReaders readers_;

  bool waiting_ = true;  // for the first reader
  bool finished_ = false;
  SteadyTime heard_at_;  // the owner
  std::uint64_t line_;
  /// Of lines whose updates expired, while it is in them; 0: it is not.
  std::uint64_t expired_to_ = 0;
  std::set<std::pair<journal::RecordClass, std::uint64_t>> told_expired_;  // class, first line
  std::uint64_t items_ = 0;  // published on its streams
  std::uint64_t news_ = 0;
  std::uint64_t updates_ = 0;
  std::uint64_t records_ = 0;
  bool has_news_ = true;  // to be told now
  SteadyTime told_at_{};
  std::optional<SteadyTime> ended_at_;
  std::string why_;
};

}  // namespace tidemark::actors
