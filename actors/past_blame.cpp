// actors/past_blame.cpp
//
// Who changed it: the last changes of a PV, and the jobs of ours that wrote them.

#include <algorithm>

#include "actors/past.h"
#include "journal/reader.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

/// A put and the update that it caused stand no further apart than this.
constexpr Duration kPutEffect = std::chrono::seconds(10);

/// Puts on that address that were confirmed shortly before `line`, and the jobs that they were of.
Result<Unit> find_culprit(const journal::Store& store, const std::string& address,
                          api::BlamedChange& change) {
  journal::Query puts;
  puts.newest_first = true;
  puts.to = Line{change.line};
  puts.kinds = journal::kind_bit(model::RecordKind::kPutIntended);
  puts.since = change.recorded_at - kPutEffect;
  puts.subject = address;
  puts.limit = 1;
  const auto put = journal::read(store, puts);
  if (!put) return put.error();
  if (put.value().entries.empty()) return Unit{};
  const auto* record = std::get_if<model::Record>(&put.value().entries[0].what);
  const auto* intended = record == nullptr ? nullptr : std::get_if<model::PutIntended>(record);
  if (intended == nullptr || !model::same_value(intended->value, change.value.value)) {
    return Unit{};
  }
  change.job = intended->job;
  journal::Query jobs;
  jobs.newest_first = true;
  jobs.to = put.value().entries[0].line;
  jobs.kinds = journal::kind_bit(model::RecordKind::kJobAccepted);
  jobs.subject = "job " + intended->job.text();
  jobs.limit = 1;
  const auto job = journal::read(store, jobs);
  if (!job) return job.error();
  if (job.value().entries.empty()) return Unit{};
  record = std::get_if<model::Record>(&job.value().entries[0].what);
  if (const auto* accepted = std::get_if<model::JobAccepted>(record)) {
    change.type = accepted->type;
    change.title = accepted->title;
    change.user = accepted->user;
  }
  return Unit{};
}

}  // namespace

Result<Unit> answer_blame(const Past& self, const bus::Call& call, const api::BlameQuery& query) {
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto& store = self.projections->store();
  const auto at = resolve(*self.projections, query.at);
  if (!at) return at.error();
  const auto count = std::clamp(query.count, 1u, api::BlameQuery::kChangesMax);
  const auto newest = self.archive->newest(channel.value(), Line{at.value().line}, count);
  if (!newest) return newest.error();
  api::Blame reply;
  for (const auto& sample : newest.value().samples) {
    const auto& update = sample.update;
    ChannelState row;
    const bool lost = update.event == model::PvUpdate::Event::kDisconnected;
    row.state = lost ? model::LiveState::kDisconnected : model::LiveState::kConnected;
    row.value = update.value;
    row.alarm = update.alarm;
    row.taken_at = update.taken_at;
    row.meta = self.projections->meta_at(channel.value(), sample.line);
    api::BlamedChange change;
    change.line = raw(sample.line);
    change.value = live_value(query.address, channel.value(), &row);
    const auto time = recorded_at(store, sample.line);
    if (!time) return time.error();
    change.recorded_at = time.value();
    if (update.event == model::PvUpdate::Event::kValue) {
      const auto found = find_culprit(store, query.address, change);
      if (!found) return found;
    }
    reply.changes.push_back(std::move(change));
  }
  if (newest.value().cut) {
    reply.next = reply.changes.back().line - 1;
  } else if (reply.changes.size() < count) {
    const auto oldest = reply.changes.empty() ? at.value().line : reply.changes.back().line;
    reply.expired = expired_updates(store, Line{1}, Line{oldest});
  }
  call.done(model::pack(reply));
  return Unit{};
}

}  // namespace tidemark::actors
