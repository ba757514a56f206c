#include "actors/past.h"

#include <algorithm>

#include "actors/live_value.h"
#include "base/glob.h"
#include "journal/expired_runs.h"

namespace tidemark::actors {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

void Past::learn_channels() {
  const auto& store = projections->store();
  if (store.channel_count() == by_address.size()) return;
  for (auto& [channel, address] : store.channels()) by_address[std::move(address)] = channel;
}

api::LiveValue live_value(const std::string& address, model::ChannelId channel,
                          const ChannelState* row) {
  api::LiveValue value;
  value.address = address;
  value.channel = channel;
  if (row == nullptr) return value;
  value.state = row->state;
  value.value = row->value;
  value.alarm = row->alarm;
  value.taken_at = row->taken_at;
  if (row->meta) describe(value, *row->meta);
  return value;
}

Result<UtcTime> recorded_at(const journal::Store& store, Line line) {
  UtcTime time{};
  if (line == Line{0}) return time;
  journal::BlockFilter times;
  times.payloads = false;
  const auto scanned = store.scan(line, times, [&](journal::Block& block) {
    time = block.recorded_at;
    return false;
  });
  if (!scanned) return scanned.error();
  return time;
}

std::vector<model::Expired> expired_updates(const journal::Store& store, Line first, Line last) {
  std::vector<model::Expired> found;
  const auto of = journal::RecordClass::kPvUpdates;
  for (const auto& run : store.expired()->touching(of, first, last)) {
    found.push_back({std::string(to_string(of)),
                     raw(run.first),
                     raw(run.last),
                     run.since,
                     run.until,
                     run.lines,
                     run.bytes,
                     {}});
  }
  return found;
}

Result<api::MomentReply> resolve(const journal::Projections& projections,
                                 const api::Moment& moment) {
  api::MomentReply reply;
  const auto& store = projections.store();
  const auto last = store.last();
  reply.last_line = raw(last);
  if (!moment.mark.empty()) {
    const auto line = projections.marks().line_of(moment.mark);
    if (!line) return line.error();
    reply.line = raw(line.value());
    reply.last_line = std::max(reply.last_line, reply.line);
  } else if (moment.time) {
    const auto line = store.line_at(*moment.time);
    if (!line) return line.error();
    reply.line = raw(line.value());
  } else {
    reply.line = moment.line == 0 ? raw(last) : moment.line;
    if (reply.line > raw(last)) {
      return Error{Code::kInvalidArgument, "line " + std::to_string(reply.line) +
                                               " is not there yet: the last is " +
                                               std::to_string(raw(last))};
    }
  }
  const auto time = recorded_at(store, Line{reply.line});
  if (!time) return time.error();
  reply.recorded_at = time.value();
  return reply;
}

Result<Unit> check_lateness(Duration lateness, Duration most) {
  if (lateness >= Duration{0} && lateness <= most) return Unit{};
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(most).count();
  return Error{Code::kInvalidArgument, "lateness: 0 to " + std::to_string(seconds) + " s"};
}

namespace {}  // namespace

Wanted wanted(const Past& past, const std::vector<std::string>& addresses,
              std::vector<std::string>& unknown) {
  Wanted found;
  if (addresses.empty()) {
    found.assign(past.by_address.begin(), past.by_address.end());
    return found;
  }
  for (const auto& address : addresses) {
    if (is_glob(address)) {
      for (const auto& each : past.by_address) {
        if (glob_match(address, each.first)) found.push_back(each);
      }
      continue;
    }
    const auto known = past.by_address.find(address);
    if (known == past.by_address.end()) {
      unknown.push_back(address);
    } else {
      found.push_back(*known);
    }
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::vector<model::ChannelId> numbers_of(const Wanted& channels) {
  std::vector<model::ChannelId> numbers;
  for (const auto& [address, channel] : channels) numbers.push_back(channel);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

Result<model::ChannelId> find(const Past& past, const std::string& address) {
  const auto known = past.by_address.find(address);
  if (known != past.by_address.end()) return known->second;
  return Error{Code::kNotFound, "the journal has never heard of '" + address + "'"};
}

}  // namespace tidemark::actors
