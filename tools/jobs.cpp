#include "tools/jobs.h"

#include <ostream>
#include <thread>

#include "model/api/keeper.h"
#include "tools/documents.h"
#include "tools/interrupt.h"
#include "tools/progress.h"
#include "tools/show.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr auto kJobWait = 250ms;  // between two looks at the progress
constexpr auto kAskBudget = 3s;
constexpr auto kKeeperAwayMax = 30s;  // a restart takes one or two
constexpr auto kRetry = 200ms;

Error left_alone(const model::Job& job, Code code, const std::string& why) {
  const auto id = short_id(job.id);
  return {code, why + ": job " + id + " may still run. See `tidemark job show " + id +
                    "`; `tidemark job cancel " + id + "` stops it"};
}

Color job_color(model::JobState state) {
  switch (state) {
    case model::JobState::kPending:
    case model::JobState::kRunning: return Color::kNone;
    case model::JobState::kCompleted: return Color::kGreen;
    case model::JobState::kPartial:
    case model::JobState::kCancelled: return Color::kYellow;
    case model::JobState::kFailed:
    case model::JobState::kInterrupted: break;
  }
  return Color::kRed;
}

void print_failures(const Context& context, const model::RestoreOutcome& outcome) {
  if (outcome.failures.empty()) return;
  Table table({{"OUTCOME", false, false}, {"PV"}, {"REASON"}});
  // What may have been written unnoticed first, then what was not, then what reads differently.
  for (const auto* state : {"unknown", "refused", "not verified"}) {
    for (const auto& failure : outcome.failures) {
      if (failure.state != state) continue;
      const bool warn = failure.state == "not verified";
      table.add(
          {{failure.state, warn ? Color::kYellow : Color::kRed}, failure.address, failure.reason});
    }
  }
  table.print(context.out, context.columns, context.color());
  const auto all = outcome.refused + outcome.unknown + outcome.unverified;
  if (all > outcome.failures.size()) {
    context.out << "… and " << all - outcome.failures.size() << " more\n";
  }
}

}  // namespace

Result<model::Job> wait_for_job(Context& context, Client& client, model::Job job) {
  const Interrupt interrupt;
  Progress progress(context.err, context.err_terminal, context.columns);
  const auto begin = steady_now();
  auto seen = begin;  // when the keeper last answered
  client.follow_directory();
  while (!model::ended(job.state)) {
    progress.show(job, steady_now());
    if (Interrupt::came()) return left_alone(job, Code::kTimeout, "interrupted");
    if (context.timeout && steady_now() - begin > *context.timeout) {
      return left_alone(job, Code::kTimeout, "not done in time");
    }
    auto answer = client.ask<model::Job>(
        "keeper", "keeper.job", model::api::JobQuery{job.id, kJobWait, context.user}, kAskBudget);
    if (answer) {
      job = std::move(answer).value();
      seen = steady_now();
      continue;
    }
    const auto& error = answer.error();
    if (error.code != Code::kTimeout && error.code != Code::kUnavailable) return error;
    if (steady_now() - seen > kKeeperAwayMax) {
      return left_alone(job, Code::kUnavailable, error.message);
    }
    std::this_thread::sleep_for(kRetry);
    [[maybe_unused]] const auto known = client.refresh(kAskBudget);  // The next ask() says it.
  }
  return job;
}

Exit exit_of(const model::Job& job) {
  if (job.state == model::JobState::kInterrupted) return Exit::kUnknown;
  if (!model::ended(job.state)) return Exit::kUnknown;
  if (job.restore) {
    if (job.restore->unknown > 0) return Exit::kUnknown;
    if (job.restore->refused > 0 || job.restore->unverified > 0) return Exit::kFailed;
  }
  return job.state == model::JobState::kCompleted ? Exit::kFine : Exit::kFailed;
}

void print_job(const Context& context, const model::Job& job) {
  auto& out = context.out;
  if (job.restore) print_failures(context, *job.restore);
  out << "job " << short_id(job.id) << "  "
      << paint(model::to_string(job.state), job_color(job.state), context.color());
  if (!job.message.empty()) out << "  " << printable(job.message);
  if (!job.error.empty() && job.error != job.message) out << "  " << printable(job.error);
  out << "\n";
  if (job.restore) {
    const auto& r = *job.restore;
    out << "written " << r.confirmed;
    const bool looked = r.verified + r.unverified > 0;  // A single put is not read back.
    if (looked) out << " (" << r.verified << " verified, " << r.unverified << " not)";
    out << ", refused " << r.refused << ", unknown " << r.unknown << ", there already " << r.skipped
        << ", of " << r.total << "\n";
  }
  if (job.line_before != 0) out << "the moment before: line " << job.line_before << "\n";
}

}  // namespace tidemark::tools
