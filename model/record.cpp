#include "model/record.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <type_traits>

#include "model/kv/text.h"

namespace tidemark::model {
namespace {

struct KindName {
  RecordKind kind;
  std::string_view name;
};
constexpr std::array<KindName, 30> kKindNames = {{
    {RecordKind::kPvDefined, "PvDefined"},
    {RecordKind::kPvUpdate, "PvUpdate"},
    {RecordKind::kPvConnected, "PvConnected"},
    {RecordKind::kPvDisconnected, "PvDisconnected"},
    {RecordKind::kKvUpdate, "KvUpdate"},
    {RecordKind::kEventCalled, "EventCalled"},
    {RecordKind::kEventFeedback, "EventFeedback"},
    {RecordKind::kEventAnswered, "EventAnswered"},
    {RecordKind::kJobAccepted, "JobAccepted"},
    {RecordKind::kJobProgress, "JobProgress"},
    {RecordKind::kPutIntended, "PutIntended"},
    {RecordKind::kPutConfirmed, "PutConfirmed"},
    {RecordKind::kPutRefused, "PutRefused"},
    {RecordKind::kPutUnknown, "PutUnknown"},
    {RecordKind::kJobFinished, "JobFinished"},
    {RecordKind::kLogMessage, "LogMessage"},
    {RecordKind::kMarkBegin, "MarkBegin"},
    {RecordKind::kMarkEnd, "MarkEnd"},
    {RecordKind::kSnapshotTaken, "SnapshotTaken"},
    {RecordKind::kTagChanged, "TagChanged"},
    {RecordKind::kCatalogChanged, "CatalogChanged"},
    {RecordKind::kNodeUp, "NodeUp"},
    {RecordKind::kNodeDown, "NodeDown"},
    {RecordKind::kNodeRestarted, "NodeRestarted"},
    {RecordKind::kGap, "Gap"},
    {RecordKind::kKeyframe, "Keyframe"},
    {RecordKind::kStatusChanged, "StatusChanged"},
    {RecordKind::kStreamGap, "StreamGap"},
    {RecordKind::kExpired, "Expired"},
    {RecordKind::kPolicyChanged, "PolicyChanged"},
}};

bool same_text(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

constexpr std::size_t kElementsShown = 8;  // elements of an array, in a line

std::string with(const kv::Value& value) {
  return value.is_none() ? "" : ", " + kv::to_text(value, kElementsShown);
}

/// Of a mark that was set after the fact.
std::string set_for(UtcTime at) { return at == UtcTime{} ? "" : " at " + to_iso(at); }

template <class... Ts>
struct Overload : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overload(Ts...) -> Overload<Ts...>;  // Clang 14 does not deduce it by itself.

}  // namespace

std::string_view to_string(RecordKind kind) {
  for (const auto& each : kKindNames) {
    if (each.kind == kind) return each.name;
  }
  return "Unknown";
}

std::optional<RecordKind> parse_record_kind(std::string_view text) {
  for (const auto& each : kKindNames) {
    if (same_text(each.name, text)) return each.kind;
  }
  return std::nullopt;
}

std::string_view to_string(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarning: return "warning";
    case Level::kError: return "error";
  }
  return "error";
}

std::optional<Level> parse_level(std::string_view text) {
  for (const auto level : {Level::kDebug, Level::kInfo, Level::kWarning, Level::kError}) {
    if (same_text(to_string(level), text)) return level;
  }
  return std::nullopt;
}

RecordKind kind_of(const Record& record) {
  return std::visit(
      Overload{
          [](const PvDefined&) { return RecordKind::kPvDefined; },
          [](const JobAccepted&) { return RecordKind::kJobAccepted; },
          [](const JobProgress&) { return RecordKind::kJobProgress; },
          [](const PutIntended&) { return RecordKind::kPutIntended; },
          [](const PutConfirmed&) { return RecordKind::kPutConfirmed; },
          [](const PutRefused&) { return RecordKind::kPutRefused; },
          [](const PutUnknown&) { return RecordKind::kPutUnknown; },
          [](const JobFinished&) { return RecordKind::kJobFinished; },
          [](const LogMessage&) { return RecordKind::kLogMessage; },
          [](const SnapshotTaken&) { return RecordKind::kSnapshotTaken; },
          [](const TagChanged&) { return RecordKind::kTagChanged; },
          [](const CatalogChanged&) { return RecordKind::kCatalogChanged; },
          [](const NodeUp&) { return RecordKind::kNodeUp; },
          [](const NodeDown&) { return RecordKind::kNodeDown; },
          [](const NodeRestarted&) { return RecordKind::kNodeRestarted; },
          [](const Gap&) { return RecordKind::kGap; },
          [](const KvUpdate&) { return RecordKind::kKvUpdate; },
          [](const EventCalled&) { return RecordKind::kEventCalled; },
          [](const EventFeedback&) { return RecordKind::kEventFeedback; },
          [](const EventAnswered&) { return RecordKind::kEventAnswered; },
          [](const MarkBegin&) { return RecordKind::kMarkBegin; },
          [](const MarkEnd&) { return RecordKind::kMarkEnd; },
          [](const StatusChanged&) { return RecordKind::kStatusChanged; },
          [](const StreamGap&) { return RecordKind::kStreamGap; },
          [](const Expired&) { return RecordKind::kExpired; },
          [](const PolicyChanged&) { return RecordKind::kPolicyChanged; },
          [](const UnknownRecord& each) { return static_cast<RecordKind>(each.kind); },
      },
      record);
}

Level level_of(const Record& record) {
  // What arrives may have one of a later version, or of a careless client.
  const auto known = [](Level level) { return std::min(level, Level::kError); };
  return std::visit(Overload{
                        [&](const LogMessage& each) { return known(each.level); },
                        [](const PutRefused&) { return Level::kWarning; },
                        [](const PutUnknown&) { return Level::kWarning; },
                        [](const NodeDown& each) {
                          return each.reason == "stopped" ? Level::kInfo : Level::kWarning;
                        },
                        [](const NodeRestarted&) { return Level::kWarning; },
                        [](const Gap&) { return Level::kWarning; },
                        [](const StreamGap&) { return Level::kWarning; },
                        [](const EventAnswered& each) {
                          return each.state == "done" ? Level::kInfo : Level::kWarning;
                        },
                        [&](const StatusChanged& each) { return known(each.severity); },
                        [](const auto&) { return Level::kInfo; },
                    },
                    record);
}

std::string subject_of(const Record& record) {
  return std::visit(
      [](const auto& each) -> std::string {
        if constexpr (requires { each.address; }) {
          return each.address;
        } else if constexpr (requires { each.node; }) {
          return each.node;
        } else if constexpr (requires { each.snapshot; }) {
          return "snapshot " + each.snapshot.text();
        } else if constexpr (requires { each.job; }) {
          return "job " + each.job.text();
        } else if constexpr (requires { each.source; }) {
          return each.source;
        } else if constexpr (requires { each.tag; }) {
          return each.tag;
        } else if constexpr (requires { each.key; }) {
          return each.key;
        } else if constexpr (requires { each.event; }) {
          return each.event;
        } else if constexpr (requires { each.mark; }) {
          return each.name;
        } else if constexpr (requires { each.item; }) {
          return each.item;
        } else if constexpr (requires { each.of; }) {
          return each.of;
        } else if constexpr (requires { each.policy; }) {
          return "policy " + each.policy;
        } else if constexpr (requires { each.subject; }) {
          return each.subject;
        } else {
          return {};
        }
      },
      record);
}

std::string describe(const Record& record) {
  return std::visit(
      Overload{
          [](const PvDefined& each) { return "channel " + std::to_string(raw(each.channel)); },
          [](const JobAccepted& each) {
            return each.type + " '" + each.title + "' asked by " + each.user +
                   (each.detail.empty() ? "" : ": " + each.detail);
          },
          [](const JobProgress& each) {
            return std::to_string(each.done) + " of " + std::to_string(each.total);
          },
          [](const PutIntended& each) {
            return "about to write " + to_text(each.value) + " for job " + each.job.text();
          },
          [](const PutConfirmed& each) { return "written for job " + each.job.text(); },
          [](const PutRefused& each) {
            return "not written: " + each.reason + ", job " + each.job.text();
          },
          [](const PutUnknown& each) {
            return "nobody knows whether it was written: " + each.reason + ", job " +
                   each.job.text();
          },
          [](const JobFinished& each) { return each.state + ": " + each.message; },
          [](const LogMessage& each) { return each.text + with(each.data); },
          [](const SnapshotTaken& each) {
            return "'" + each.title + "', " + std::to_string(each.values) + " values, " +
                   std::to_string(each.missing) + " missing";
          },
          [](const KvUpdate& each) {
            return kv::to_text(each.value, kElementsShown) +
                   (each.writer.empty() ? "" : ", written by " + each.writer);
          },
          [](const EventCalled& each) {
            std::string targets;
            for (const auto& target : each.targets)
              targets += (targets.empty() ? "" : ", ") + target;
            return "called by " + each.caller + " on " + (targets.empty() ? "nobody" : targets) +
                   with(each.argument);
          },
          [](const EventFeedback& each) {
            return each.target + ": " + each.text + with(each.value);
          },
          [](const EventAnswered& each) {
            return each.target + " " + each.state +
                   (each.reason.empty() ? "" : ": " + each.reason) + with(each.value);
          },
          [](const MarkBegin& each) {
            return "begin" + set_for(each.at) + ", by " + each.who + with(each.data);
          },
          [](const MarkEnd& each) {
            return "end" + set_for(each.at) + ", by " + each.who + with(each.data);
          },
          [](const StatusChanged& each) {
            auto what = each.text + " (" + std::to_string(each.code) + ")";
            if (!each.active) what = "cleared";
            return what + (each.acknowledged_by.empty()
                               ? ""
                               : ", acknowledged by " + each.acknowledged_by);
          },
          [](const TagChanged& each) { return each.what + " by " + each.user; },
          [](const CatalogChanged& each) { return each.what + " by " + each.user; },
          [](const NodeUp& each) {
            return "up as incarnation " + std::to_string(each.incarnation) + " on " + each.host +
                   ", pid " + std::to_string(each.pid);
          },
          [](const NodeDown& each) {
            return "incarnation " + std::to_string(each.incarnation) + " down: " + each.reason;
          },
          [](const NodeRestarted& each) {
            return "restarted (" + std::to_string(each.restarts) + ") as pid " +
                   std::to_string(each.pid) + ": " + each.reason +
                   (each.last_words.empty() ? "" : "; it said last: " + each.last_words.back());
          },
          [](const Gap& each) {
            std::string what = "of incarnation " + std::to_string(each.incarnation) + ", ";
            what += each.to == 0
                        ? "an unknown number of records after " +
                              std::to_string(each.from == 0 ? 0 : each.from - 1)
                        : "records " + std::to_string(each.from) + " to " + std::to_string(each.to);
            return what + " are missing, between " + to_iso(each.since) + " and " +
                   to_iso(each.until) + ": " + each.reason;
          },
          [](const StreamGap& each) {
            return "missed items " + std::to_string(each.from) + " to " + std::to_string(each.to) +
                   " of stream " + std::to_string(each.stream) + " of " + each.source +
                   ", incarnation " + std::to_string(each.incarnation) +
                   "; it has fetched the state";
          },
          [](const Expired& each) {
            auto what = "lines " + std::to_string(each.first) + " to " + std::to_string(each.last) +
                        ", recorded " + to_iso(each.since) + " to " + to_iso(each.until) + ": " +
                        std::to_string(each.lines) + " of " + each.of + " have expired";
            if (!each.reason.empty()) what += " by " + each.reason;
            if (each.bytes != 0) what += ", " + std::to_string(each.bytes) + " bytes";
            return what;
          },
          [](const PolicyChanged& each) {
            const auto what = each.after.empty()    ? "removed, was " + each.before
                              : each.before.empty() ? each.after
                                                    : each.after + "; before " + each.before;
            return what + ", by " + each.user;
          },
          [](const UnknownRecord& each) {
            return "kind " + std::to_string(each.kind) + " of a later version, " +
                   std::to_string(each.packed.size()) + " bytes";
          },
      },
      record);
}

}  // namespace tidemark::model
