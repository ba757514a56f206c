// tools/past.h
//
// Asking the journal about the past: what the commands state, diff, history and blame share. Long
// answers come in parts, and are handed over as they come.

#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/api/past.h"
#include "tools/command_line.h"
#include "tools/context.h"

namespace tidemark::tools {

/// A read of a long time takes its time; each part shows that it goes on.
inline constexpr Duration kPastBudget = std::chrono::minutes(2);

/// The line that `moment` means. Errors: as journal.moment.
Result<model::api::MomentReply> resolve(const Context& context, Client& client,
                                        const model::api::Moment& moment);

/// When that was: of a line or a mark, when it was recorded. An error names `option`.
/// Errors: as journal.moment.
Result<UtcTime> time_of(const Context& context, Client& client, const std::string& option,
                        const model::api::Moment& moment);

/// `found` as a question, so that what is asked next is about the same line. By the sources' time a
/// time stays one.
model::api::Moment exactly(const model::api::Moment& asked, const model::api::MomentReply& found,
                           const std::optional<Duration>& lateness = {});

/// "line 4711, 2026-11-21T14:05:00.123Z".
std::string moment_text(const model::api::MomentReply& moment);
/// The same of a moment by the sources' time: which lines count.
std::string moment_text(const model::api::MomentReply& moment,
                        const std::optional<model::api::SourceMoment>& source);

/// Asks, and hands over each part. `End` says how many there were.
/// Errors: kCorruption  a part is missing or cannot be read: what was handed over is incomplete.
///         and those of Client::ask().
template <class Part, class End, class Request>
Result<End> ask_in_parts(const Context& context, Client& client, const std::string& method,
                         const Request& request, const std::function<void(Part)>& take) {
  std::uint32_t parts = 0;
  auto end = client.ask<End>("journal", method, request, context.budget(kPastBudget),
                             [&](const Bytes& packed) {
                               auto part = model::unpack<Part>(packed);
                               if (!part) return;
                               ++parts;
                               take(std::move(part).value());
                             });
  if (end && end.value().parts != parts) {
    return Error{Code::kCorruption, method + ": only " + std::to_string(parts) + " of " +
                                        std::to_string(end.value().parts) + " parts came"};
  }
  return end;
}

/// Says how many are unknown, and which: `never` has addresses that the journal has never heard
/// of; of `patterns` those count that match none of `found`. True when there are any.
class Unknown {
 public:
  explicit Unknown(const std::vector<std::string>& patterns);
  void saw(const std::string& address);
  bool report(const Context& context, Client& client, const std::vector<std::string>& never) const;

 private:
  std::vector<std::string> unmatched_;
};

/// By whose clock times are meant: --by and --lateness.
struct Clock {
  std::string by;
  Duration lateness{-1};  // negative: not said
};
void add_clock(Command command, Clock& clock);
/// As a question has it. Errors: kInvalidArgument  --lateness without --by ioc-time.
Result<std::optional<Duration>> lateness_of(const Clock& clock);
/// "by IOC time, clocks trusted within 2 s".
std::string rule_text(Duration lateness);
/// Adds the rule to a document.
void add_rule(Json& json, const std::optional<Duration>& lateness);

/// --csv. To be checked with csv_or_json() before anything is asked.
Option add_csv(Command command, bool& csv);
Result<Unit> csv_or_json(const Context& context, bool csv);

}  // namespace tidemark::tools
