// actors/past_blame.cpp
//
// Who changed it: the last changes of a PV, and the jobs of ours that wrote them.

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "actors/past.h"
#include "actors/restore_detail.h"
#include "journal/reader.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

/// A put and the update that it caused stand no further apart than this.
constexpr Duration kPutEffect = std::chrono::seconds(10);

/// Every record that `query` finds, page by page, until `take` has enough and says false.
Result<Unit> read_each_record(const journal::Store& store, journal::Query query,
                              const std::function<bool(Line, const model::Record&)>& take) {
  while (true) {
    const auto page = journal::read(store, query);
    if (!page) return page.error();
    for (const auto& entry : page.value().entries) {
      const auto* record = std::get_if<model::Record>(&entry.what);
      if (record != nullptr && !take(entry.line, *record)) return Unit{};
    }
    if (page.value().end) return Unit{};
    (query.newest_first ? query.to : query.from) = page.value().next;
  }
}

struct BlamedPut {
  Line line{};
  model::PutIntended intended;
};

/// An IOC keeps the type of its record: it makes 4.25 a 4 where that is a long.
bool is_as_intended(const model::PvValue& intended, const model::PvValue& value) {
  if (model::same_value(intended, value)) return true;
  const auto wanted = model::as_number(intended);
  const auto is = model::as_number(value);
  if (!wanted || !is) return false;
  if (std::holds_alternative<float>(value)) return static_cast<float>(*wanted) == *is;
  return !std::holds_alternative<double>(value) && std::trunc(*wanted) == *is;
}

bool are_numbers(const model::PvValue& a, const model::PvValue& b) {
  return model::as_number(a) && model::as_number(b);
}

/// Its IOC has taken it, and said so near the change.
Result<bool> was_confirmed(const journal::Store& store, const BlamedPut& put, UtcTime changed_at) {
  journal::Query query;
  query.from = put.line;
  query.kinds = journal::kind_bit(model::RecordKind::kPutConfirmed);
  query.until = changed_at + kPutEffect;
  query.subject = put.intended.address;
  bool confirmed = false;
  const auto read = read_each_record(store, query, [&](Line, const model::Record& record) {
    const auto* said = std::get_if<model::PutConfirmed>(&record);
    confirmed = said != nullptr && said->job == put.intended.job;
    return !confirmed;
  });
  if (!read) return read.error();
  return confirmed;
}

/// What the journal says of the job that the put at `line` was of.
Result<Unit> name_job(const journal::Store& store, Line line, api::BlamedChange& change) {
  journal::Query jobs;
  jobs.newest_first = true;
  jobs.to = line;
  jobs.kinds = journal::kind_bit(model::RecordKind::kJobAccepted);
  jobs.subject = "job " + change.job.text();
  return read_each_record(store, jobs, [&](Line, const model::Record& record) {
    const auto* accepted = std::get_if<model::JobAccepted>(&record);
    if (accepted == nullptr) return true;
    change.type = accepted->type;
    change.title = accepted->title;
    change.user = accepted->user;
    change.snapshot = snapshot_in(accepted->detail);
    return false;
  });
}

/// Which of our puts made `change`, the next after line `before`: the newest of that value, of
/// those behind that line, or the newest of all. When the newest behind it is of another number,
/// and its IOC has confirmed it, the IOC has clamped what was put.
Result<Unit> find_culprit(const journal::Store& store, const std::string& address, Line before,
                          api::BlamedChange& change) {
  journal::Query query;
  query.newest_first = true;
  query.to = Line{change.line};
  query.kinds = journal::kind_bit(model::RecordKind::kPutIntended);
  query.since = change.recorded_at - kPutEffect;
  query.subject = address;
  std::optional<BlamedPut> newest;
  std::optional<BlamedPut> culprit;
  const auto read = read_each_record(store, query, [&](Line line, const model::Record& record) {
    const auto* intended = std::get_if<model::PutIntended>(&record);
    if (intended == nullptr) return true;
    if (newest && line < before) return false;
    if (!newest) newest = BlamedPut{line, *intended};
    if (is_as_intended(intended->value, change.value.value)) culprit = BlamedPut{line, *intended};
    return !culprit && line > before;
  });
  if (!read) return read;
  if (!culprit && newest && newest->line > before &&
      are_numbers(newest->intended.value, change.value.value)) {
    const auto confirmed = was_confirmed(store, *newest, change.recorded_at);
    if (!confirmed) return confirmed.error();
    change.clamped = confirmed.value();
    if (change.clamped) culprit = newest;
  }
  if (!culprit) return Unit{};
  change.job = culprit->intended.job;
  return name_job(store, culprit->line, change);
}

/// The line of the channel's change before that; 0: it is the first.
Result<Line> change_before(const journal::Archive& archive, model::ChannelId channel, Line line) {
  const auto found = archive.newest(channel, Line{raw(line) - 1}, 1);
  if (!found) return found.error();
  return found.value().samples.empty() ? Line{0} : found.value().samples.front().line;
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
  const auto& samples = newest.value().samples;
  api::Blame reply;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto& sample = samples[i];
    const auto before = i + 1 < samples.size()
                            ? Result<Line>(samples[i + 1].line)
                            : change_before(*self.archive, channel.value(), sample.line);
    if (!before) return before.error();
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
      const auto found = find_culprit(store, query.address, before.value(), change);
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
