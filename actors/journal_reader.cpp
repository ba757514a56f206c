#include <algorithm>

#include "actors/journal.h"
#include "actors/log_line.h"
#include "base/glob.h"
#include "journal/reader.h"

namespace tidemark::actors {
namespace {

using model::api::LogLine;
using model::api::ReadReply;
using model::api::ReadRequest;

constexpr Duration kReaderLook = std::chrono::milliseconds(100);
constexpr Duration kReadWaitMax = std::chrono::seconds(30);
constexpr std::size_t kWaitingMax = 256;
constexpr std::size_t kReadBytesMax = 8u << 20;  // of one answer, about: the bus carries 64 MiB

}  // namespace

LogLine log_line(const journal::Entry& entry, const journal::Store& store,
                 const std::string& origin) {
  LogLine line;
  line.line = journal::raw(entry.line);
  line.recorded_at = entry.recorded_at;
  line.origin = origin;
  line.incarnation = entry.incarnation;
  line.sequence = entry.sequence;
  line.kind = journal::kind_of(entry);
  line.level = journal::level_of(entry);
  line.subject = journal::subject_of(entry, store);
  if (const auto* update = std::get_if<model::PvUpdate>(&entry.what)) {
    line.value = update->value;
    line.alarm = update->alarm;
    line.taken_at = update->taken_at;
    switch (update->event) {
      case model::PvUpdate::Event::kValue: line.text = model::to_text(update->value); break;
      case model::PvUpdate::Event::kConnected:
        line.text = "connected to " + update->meta->host;
        break;
      case model::PvUpdate::Event::kDisconnected: line.text = "connection lost"; break;
    }
  } else {
    const auto& record = std::get<model::Record>(entry.what);
    line.text = model::describe(record);
    line.record.bytes = model::encode_records({record});
  }
  return line;
}

std::size_t weight(const LogLine& line) {
  constexpr std::size_t kFixed = 128;
  std::size_t bytes = kFixed + line.text.size() + line.record.bytes.size();
  if (const auto* text = std::get_if<std::string>(&line.value)) bytes += text->size();
  if (const auto* array = std::get_if<model::SharedArray>(&line.value)) {
    bytes += std::visit([](const auto& each) { return each.size() * 9; }, **array);
  }
  return bytes;
}

Result<JournalReaderState::Asked> JournalReaderState::prepare(ReadRequest request) {
  Asked asked;
  if (!request.regex.empty()) {
    auto pattern = journal::TextPattern::compile(request.regex);
    if (!pattern) return pattern.error();
    asked.pattern = std::move(pattern).value();
  }
  if (request.field_tests.size() > model::kFieldTestsMax) {
    return Error{Code::kInvalidArgument,
                 "more than " + std::to_string(model::kFieldTestsMax) + " tests of fields"};
  }
  for (const auto& text : request.field_tests) {
    auto test = model::parse_field_test(text);
    if (!test) return test.error();
    asked.fields.push_back(std::move(test).value());
  }
  asked.request = std::move(request);
  return asked;
}

Result<ReadReply> JournalReaderState::read(const Asked& asked) const {
  const auto& request = asked.request;
  journal::Query query;
  const auto last = store->last();
  query.newest_first = request.newest_first;
  if (request.newest_first) {
    query.to = request.from == 0 ? last : journal::Line{request.from};
    query.from = journal::Line{std::max<std::uint64_t>(request.to, 1)};
  } else {
    query.from = journal::Line{std::max<std::uint64_t>(request.from, 1)};
    if (request.to != 0) query.to = journal::Line{request.to};
  }
  if (!request.mark.empty()) {
    if (!lines_of_mark) return Error{Code::kNotFound, "this journal has no marks"};
    const auto lines = lines_of_mark(request.mark);
    if (!lines) return lines.error();
    query.from = std::max(query.from, lines.value().first);
    query.to = std::min(query.to, lines.value().last);
  }
  query.kinds = request.kinds;
  query.level = request.level;
  query.since = request.since;
  query.until = request.until;
  query.subject = request.subject;
  query.text = request.text;
  query.pattern = asked.pattern;
  query.fields = asked.fields;
  if (!request.origin.empty()) {
    query.origin = [&](const Uuid& origin) {
      return glob_match(request.origin, node_name(origin)) || request.origin == origin.text();
    };
  }
  query.limit = std::min(std::max(request.limit, 1u), ReadRequest::kReadLinesMax);
  query.bytes_max = kReadBytesMax;  // in memory; what is sent is weighed once more
  auto page = journal::read(*store, query);
  if (!page) return page.error();
  ReadReply reply;
  reply.next = journal::raw(page.value().next);
  reply.last_line = journal::raw(last);
  reply.end = page.value().end;
  reply.lines.reserve(page.value().entries.size());
  Uuid origin;
  std::string called;
  std::size_t bytes = 0;
  for (const auto& entry : page.value().entries) {
    if (entry.origin != origin || called.empty()) {
      origin = entry.origin;
      called = node_name(origin);
    }
    auto line = log_line(entry, *store, called);
    bytes += weight(line);
    // At least one, however large: who reads on gets the others.
    if (bytes > kReadBytesMax && !reply.lines.empty()) {
      reply.next = line.line;
      reply.end = false;
      break;
    }
    reply.lines.push_back(std::move(line));
  }
  return reply;
}

void JournalReaderState::take(const bus::Call& call, std::uint64_t from) {
  auto request = model::unpack<ReadRequest>(call.payload());
  if (!request) return call.fail({Code::kInvalidArgument, request.error().message});
  if (from != 0) request.value().from = from;
  auto asked = prepare(std::move(request).value());
  if (!asked) return call.fail(asked.error());
  auto reply = read(asked.value());
  if (!reply) return call.fail(reply.error());
  auto& wanted = asked.value().request;
  const auto wait = std::min(wanted.wait, kReadWaitMax);
  const bool waits = wait > Duration{0} && !wanted.newest_first && reply.value().lines.empty() &&
                     reply.value().end;
  if (!waits) return call.done(model::pack(reply.value()));
  // It looks again before it waits, so no line that came meanwhile is missed.
  if (followers) return caf::anon_send(followers, read_atom_v, call, reply.value().next);
  if (waiting.size() >= kWaitingMax) {
    return call.fail(
        {Code::kUnavailable, "too many followers wait: " + std::to_string(kWaitingMax)});
  }
  wanted.from = reply.value().next;
  waiting.push_back({call, std::move(asked).value(), steady_now() + wait});
}

void JournalReaderState::answer_waiting(SteadyTime now) {
  std::erase_if(waiting, [&](Waiting& each) {
    if (each.call.cancelled()) return true;
    auto reply = read(each.asked);
    if (!reply) {
      each.call.fail(reply.error());
      return true;
    }
    // What was looked at once without a hit need not be looked at again.
    each.asked.request.from = reply.value().next;
    if (reply.value().lines.empty() && now < each.until) return false;
    each.call.done(model::pack(reply.value()));
    return true;
  });
}

JournalReader::behavior_type journal_reader_actor(
    JournalReader::stateful_pointer<JournalReaderState> self, std::shared_ptr<journal::Store> store,
    std::function<std::string(const Uuid&)> node_name, LinesOfMark lines_of_mark,
    JournalReader followers) {
  auto& state = self->state;
  state.store = std::move(store);
  state.node_name = std::move(node_name);
  state.lines_of_mark = std::move(lines_of_mark);
  state.followers = std::move(followers);
  self->send(self, tick_atom_v);
  return {
      [&state](read_atom, const bus::Call& call) { state.take(call, 0); },
      [&state](read_atom, const bus::Call& call, std::uint64_t from) { state.take(call, from); },
      [&state](wake_atom) { state.answer_waiting(steady_now()); },
      [self, &state](tick_atom) {
        self->delayed_send(self, kReaderLook, tick_atom_v);
        const auto now = steady_now();
        const bool over = std::any_of(state.waiting.begin(), state.waiting.end(),
                                      [&](const auto& each) { return each.until <= now; });
        if (over) state.answer_waiting(now);
      },
  };
}

}  // namespace tidemark::actors
