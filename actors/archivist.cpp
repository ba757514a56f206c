#include "actors/archivist.h"

#include <algorithm>

#include "actors/mark_list.h"
#include "base/glob.h"
#include "journal/reader.h"
#include "journal/reduce.h"

namespace tidemark::actors {
namespace {

namespace api = model::api;
using journal::ChannelState;
using journal::Line;
using journal::raw;

constexpr std::size_t kRowsPerPart = 2048;
constexpr std::size_t kPartBytes = 4u << 20;
constexpr std::uint32_t kSamplesPerPart = 16'384;
/// A put and the update that it caused stand no further apart than this.
constexpr Duration kPutEffect = std::chrono::seconds(10);

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
  if (row->meta) {
    value.units = row->meta->units;
    value.precision = row->meta->precision;
    value.labels = row->meta->labels;
    value.native_type = row->meta->native_type;
    value.host = row->meta->host;
    value.writable = row->meta->writable;
  }
  return value;
}

Result<UtcTime> recorded_at(const journal::Store& store, Line line) {
  UtcTime time{};
  if (line == Line{0}) return time;
  const auto scanned = store.scan(line, {}, [&](journal::Block& block) {
    time = block.recorded_at;
    return false;
  });
  if (!scanned) return scanned.error();
  return time;
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

/// The channels that are asked for, by address; `unknown` gets exact addresses that nobody defined.
using Wanted = std::vector<std::pair<std::string, model::ChannelId>>;
Wanted wanted(const ArchivistState& state, const std::vector<std::string>& addresses,
              std::vector<std::string>& unknown) {
  Wanted found;
  if (addresses.empty()) {
    found.assign(state.by_address.begin(), state.by_address.end());
    return found;
  }
  for (const auto& address : addresses) {
    if (is_glob(address)) {
      for (const auto& each : state.by_address) {
        if (glob_match(address, each.first)) found.push_back(each);
      }
      continue;
    }
    const auto known = state.by_address.find(address);
    if (known == state.by_address.end()) {
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

Result<model::ChannelId> find(const ArchivistState& state, const std::string& address) {
  const auto known = state.by_address.find(address);
  if (known != state.by_address.end()) return known->second;
  return Error{Code::kNotFound, "the journal has never heard of '" + address + "'"};
}

/// Sends rows in parts, and counts them.
template <class Part>
class Parts {
 public:
  explicit Parts(const bus::Call& call) : call_(call) {}

  Part& part() { return part_; }
  void added(std::size_t bytes) {
    ++rows_;
    bytes_ += bytes;
    if (rows_ >= kRowsPerPart || bytes_ >= kPartBytes) send();
  }
  void send() {
    if (rows_ == 0) return;
    call_.progress(model::pack(part_));
    part_ = {};
    rows_ = 0;
    bytes_ = 0;
    ++count_;
  }
  std::uint32_t count() const { return count_; }

 private:
  const bus::Call& call_;
  Part part_;
  std::size_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::uint32_t count_ = 0;
};

Result<Unit> answer_state(const ArchivistState& self, const bus::Call& call,
                          const api::StateQuery& query) {
  api::PastEnd end;
  const auto at = resolve(*self.projections, query.at);
  if (!at) return at.error();
  end.at = at.value();
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto state =
      self.archive->state_at(Line{end.at.line}, query.addresses.empty() ? nullptr : &numbers);
  if (!state) return state.error();
  Parts<api::PastValues> parts(call);
  for (const auto& [address, channel] : channels) {
    const auto* row = state.value().find(channel);
    // Before it was defined there was no such PV.
    if (row == nullptr && query.addresses.empty()) continue;
    parts.part().values.push_back(live_value(address, channel, row));
    parts.part().lines.push_back(row == nullptr ? 0 : raw(row->value_line));
    parts.added(row == nullptr ? 0 : model::content_bytes(row->value));
  }
  parts.send();
  end.parts = parts.count();
  call.done(model::pack(end));
  return Unit{};
}

bool differ(const ChannelState* a, const ChannelState* b) {
  if (a == nullptr || b == nullptr) return a != b;
  if (a->last_line() == b->last_line()) return false;
  return a->state != b->state || a->alarm != b->alarm || !model::same_value(a->value, b->value);
}

Result<Unit> answer_changes(const ArchivistState& self, const bus::Call& call,
                            const api::ChangesQuery& query) {
  api::ChangesEnd end;
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  end.from = from.value();
  end.to = to.value();
  const auto channels = wanted(self, query.addresses, end.unknown);
  const auto numbers = numbers_of(channels);
  const auto* only = query.addresses.empty() ? nullptr : &numbers;
  const auto before = self.archive->state_at(Line{end.from.line}, only);
  if (!before) return before.error();
  const auto after = self.archive->state_at(Line{end.to.line}, only);
  if (!after) return after.error();
  Parts<api::Changes> parts(call);
  for (const auto& [address, channel] : channels) {
    ++end.looked_at;
    const auto* was = before.value().find(channel);
    const auto* is = after.value().find(channel);
    if (!differ(was, is)) continue;
    parts.part().before.push_back(live_value(address, channel, was));
    parts.part().after.push_back(live_value(address, channel, is));
    parts.part().lines.push_back(std::max(was == nullptr ? 0 : raw(was->last_line()),
                                          is == nullptr ? 0 : raw(is->last_line())));
    parts.added((was == nullptr ? 0 : model::content_bytes(was->value)) +
                (is == nullptr ? 0 : model::content_bytes(is->value)));
  }
  parts.send();
  end.parts = parts.count();
  call.done(model::pack(end));
  return Unit{};
}

Result<Unit> answer_history(const ArchivistState& self, const bus::Call& call,
                            const api::HistoryQuery& query) {
  api::HistoryEnd end;
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  end.from = from.value();
  end.to = to.value();
  if (end.from.line > end.to.line) {
    return Error{Code::kInvalidArgument, "the history ends before it begins"};
  }

  std::vector<model::PvUpdate> updates;
  api::HistorySamples part;
  std::size_t bytes = 0;
  std::uint64_t sent = 0;
  const auto send = [&] {
    if (updates.empty()) return;
    part.updates.bytes = model::encode_updates(updates);
    call.progress(model::pack(part));
    updates.clear();
    part = {};
    bytes = 0;
    ++end.parts;
  };
  const auto take = [&](const journal::Sample& sample) {
    if (query.limit != 0 && sent == query.limit) {
      end.cut = true;
      return false;
    }
    const auto more = model::content_bytes(sample.update.value);
    // Before it grows beyond what the bus carries.
    if (updates.size() >= kSamplesPerPart || (bytes > 0 && bytes + more > kPartBytes)) send();
    updates.push_back(sample.update);
    part.lines.push_back(raw(sample.line));
    bytes += more;
    ++sent;
    return !call.cancelled();
  };
  // What was in force at the beginning.
  const auto before = self.archive->newest(channel.value(), Line{end.from.line}, 1);
  if (!before) return before.error();
  for (const auto& each : before.value()) take(each);
  const auto read =
      self.archive->samples(channel.value(), Line{end.from.line + 1}, Line{end.to.line},
                            [&](const std::vector<journal::Sample>& samples) {
                              return std::all_of(samples.begin(), samples.end(), take);
                            });
  if (!read) return read.error();
  send();
  const std::vector<model::ChannelId> only{channel.value()};
  const auto state = self.archive->state_at(Line{end.to.line}, &only);
  if (!state) return state.error();
  end.now = live_value(query.address, channel.value(), state.value().find(channel.value()));
  call.done(model::pack(end));
  return Unit{};
}

Result<Unit> answer_bins(const ArchivistState& self, const bus::Call& call,
                         const api::BinsQuery& query) {
  if (query.bins == 0 || query.bins > api::BinsQuery::kBinsMax) {
    return Error{Code::kInvalidArgument, "bins: 1 to " + std::to_string(api::BinsQuery::kBinsMax)};
  }
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto from = resolve(*self.projections, query.from);
  if (!from) return from.error();
  const auto to = resolve(*self.projections, query.to);
  if (!to) return to.error();
  api::HistoryBins reply;
  reply.from = from.value();
  reply.to = to.value();
  journal::Reduction wanted;
  wanted.from = Line{reply.from.line + 1};
  wanted.to = Line{reply.to.line};
  wanted.begin = query.from.time.value_or(reply.from.recorded_at);
  wanted.end = query.to.time.value_or(reply.to.recorded_at);
  wanted.bins = query.bins;
  auto bins = journal::reduce(*self.archive, channel.value(), wanted);
  if (!bins) return bins.error();
  reply.begin = wanted.begin;
  reply.width = journal::bin_width(wanted);
  reply.bins = std::move(bins).value();
  const std::vector<model::ChannelId> only{channel.value()};
  const auto state = self.archive->state_at(wanted.to, &only);
  if (!state) return state.error();
  reply.now = live_value(query.address, channel.value(), state.value().find(channel.value()));
  call.done(model::pack(reply));
  return Unit{};
}

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

Result<Unit> answer_blame(const ArchivistState& self, const bus::Call& call,
                          const api::BlameQuery& query) {
  const auto channel = find(self, query.address);
  if (!channel) return channel.error();
  const auto& store = self.projections->store();
  const auto at = resolve(*self.projections, query.at);
  if (!at) return at.error();
  const auto count = std::clamp(query.count, 1u, api::BlameQuery::kChangesMax);
  const auto samples = self.archive->newest(channel.value(), Line{at.value().line}, count);
  if (!samples) return samples.error();
  api::Blame reply;
  for (const auto& sample : samples.value()) {
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
  call.done(model::pack(reply));
  return Unit{};
}

Result<Unit> answer_marks(const ArchivistState& self, const bus::Call& call,
                          const api::MarksQuery& query) {
  const auto reply = list_marks(self.projections->marks(), query);
  if (!reply) return reply.error();
  call.done(model::pack(reply.value()));
  return Unit{};
}

Result<Unit> answer_moment(const ArchivistState& self, const bus::Call& call,
                           const api::Moment& moment) {
  const auto reply = resolve(*self.projections, moment);
  if (!reply) return reply.error();
  call.done(model::pack(reply.value()));
  return Unit{};
}

/// Unpacks the request, answers it, or fails it.
template <class Request, class Answer>
void serve_one(ArchivistState& self, const bus::Call& call, Answer&& answer) {
  const auto request = model::unpack<Request>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  self.learn_channels();
  const Result<Unit> answered = answer(self, call, request.value());
  if (!answered) call.fail(answered.error());
}

}  // namespace

void ArchivistState::learn_channels() {
  const auto& store = projections->store();
  if (store.channel_count() == by_address.size()) return;
  for (auto& [channel, address] : store.channels()) by_address[std::move(address)] = channel;
}

Archivist::behavior_type archivist_actor(Archivist::stateful_pointer<ArchivistState> self,
                                         std::shared_ptr<const journal::Projections> projections) {
  auto& state = self->state;
  state.projections = projections;
  state.archive = std::make_unique<journal::Archive>(std::move(projections));
  return {
      [&state](moment_atom, const bus::Call& call) {
        serve_one<api::Moment>(state, call, answer_moment);
      },
      [&state](state_atom, const bus::Call& call) {
        serve_one<api::StateQuery>(state, call, answer_state);
      },
      [&state](changes_atom, const bus::Call& call) {
        serve_one<api::ChangesQuery>(state, call, answer_changes);
      },
      [&state](history_atom, const bus::Call& call) {
        serve_one<api::HistoryQuery>(state, call, answer_history);
      },
      [&state](bins_atom, const bus::Call& call) {
        serve_one<api::BinsQuery>(state, call, answer_bins);
      },
      [&state](blame_atom, const bus::Call& call) {
        serve_one<api::BlameQuery>(state, call, answer_blame);
      },
      [&state](marks_atom, const bus::Call& call) {
        serve_one<api::MarksQuery>(state, call, answer_marks);
      },
  };
}

}  // namespace tidemark::actors
