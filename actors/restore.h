// actors/restore.h
//
// Carries out one plan: intents durable first, puts with completion in chunks, outcomes to the
// journal, and at the end everything that was confirmed read back and compared.
//
//   chunk ─► outbox: PutIntended… durable ─► monitor.put ─► results ─► outbox: outcomes
//     └── kChunksMax on the way at once; the monitor keeps its own window per IOC
//
// Nothing is ever sent twice. What has no answer is unknown, and said to be so.

#pragma once

#include <unordered_map>

#include "actors/messages.h"
#include "actors/outbox.h"
#include "model/job.h"
#include "model/restore_plan.h"

namespace tidemark::actors {

/// Told about each change of the job; the last one has ended().
using JobListener = caf::typed_actor<caf::reacts_to<job_atom, Shared<model::Job>>>;

using Restore = caf::typed_actor<caf::reacts_to<start_atom>,

                                 /// What is not sent is not sent; what is on the way is awaited.
                                 caf::reacts_to<cancel_atom>,

                                 /// Some results of chunk `n`; then its end.
                                 caf::reacts_to<results_atom, std::uint32_t, Bytes>,
                                 caf::reacts_to<answered_atom, std::uint32_t, bus::Answer>,

                                 /// Values read back, from step `n` of those to verify on.
                                 caf::reacts_to<read_atom, std::uint32_t, bus::Answer>>;

struct RestoreActorOptions {
  std::shared_ptr<bus::Link> link;
  bus::NodeNumber monitor{};
  Outbox outbox;
  JobListener listener;
  model::Job job;
  Shared<model::RestorePlan> plan;
  Duration put_timeout{0};
  bool verify = true;
};

struct RestoreState {
  static inline const char* name = "restore";

  explicit RestoreState(Restore::pointer actor) : self(actor) {}

  enum class Outcome : std::uint8_t { kNone, kConfirmed, kRefused, kUnknown };

  struct Step {
    const model::RestoreStep* step;
    Outcome outcome = Outcome::kNone;
    std::string reason;
  };

  Restore::pointer self;
  RestoreActorOptions options;
  std::vector<Step> writes;
  std::unordered_multimap<std::uint32_t, std::size_t> by_channel;  // channel → index in writes
  std::size_t next = 0;                                            // first write that was not begun
  std::uint32_t chunks_away = 0;                                   // begun and not ended
  bool cancelled = false;
  bool cut_short = false;  // by the cancel: something was not sent
  SteadyTime reported_at{};
  std::vector<std::size_t> to_verify;  // indices of confirmed writes
  std::size_t verified_through = 0;

  void begin_chunks();
  void send_chunk(std::uint32_t begin, std::uint32_t end);
  void end_chunk(std::uint32_t begin, const std::string& reason);
  void verify_more();
  void finish();
  void report(bool always);
  void add_failure(const Step& step, const char* state);
};

Restore::behavior_type restore_actor(Restore::stateful_pointer<RestoreState> self,
                                     RestoreActorOptions options);

}  // namespace tidemark::actors
