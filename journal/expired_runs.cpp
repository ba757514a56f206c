#include "journal/expired_runs.h"

#include <algorithm>

#include "base/varint.h"
#include "journal/damage.h"
#include "journal/packed_value.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kRunFormat = 1;

Error corrupt_run() { return Error{Code::kCorruption, "what is said of lines that expired"}; }

/// The last run that begins at or before `line`.
template <class Runs>
auto begun_by(const Runs& runs, Line line) {
  auto at = runs.upper_bound(line);
  return at == runs.begin() ? runs.end() : std::prev(at);
}

}  // namespace

const ExpiredRun* ExpiredRuns::holding(RecordClass of, Line line) const {
  const auto& runs = this->of(of);
  const auto at = begun_by(runs, line);
  return at == runs.end() || at->second.last < line ? nullptr : &at->second;
}

std::vector<ExpiredRun> ExpiredRuns::touching(RecordClass of, Line first, Line last) const {
  const auto& runs = this->of(of);
  std::vector<ExpiredRun> found;
  auto at = begun_by(runs, first);
  if (at == runs.end()) at = runs.begin();
  for (; at != runs.end() && at->second.first <= last; ++at) {
    if (at->second.last >= first) found.push_back(at->second);
  }
  return found;
}

const ExpiredRun* ExpiredRuns::ending(RecordClass of, Line after, Line to) const {
  const auto& runs = this->of(of);
  auto at = begun_by(runs, to);
  // The one that has `to` may go on behind it; then the one before counts.
  if (at != runs.end() && at->second.last > to) {
    at = at == runs.begin() ? runs.end() : std::prev(at);
  }
  return at == runs.end() || at->second.last <= after ? nullptr : &at->second;
}

std::vector<ExpiredRun> ExpiredRuns::all(RecordClass of) const {
  std::vector<ExpiredRun> found;
  for (const auto& each : this->of(of)) found.push_back(each.second);
  return found;
}

bool ExpiredRuns::empty() const {
  return std::all_of(runs_.begin(), runs_.end(), [](const auto& each) { return each.empty(); });
}

ExpiredRun ExpiredRuns::add(RecordClass of, const ExpiredRun& run) {
  auto& runs = runs_[static_cast<std::size_t>(of)];
  auto joined = run;
  const auto join = [&](Runs::iterator at) {
    joined.first = std::min(joined.first, at->second.first);
    joined.last = std::max(joined.last, at->second.last);
    joined.since = std::min(joined.since, at->second.since);
    joined.until = std::max(joined.until, at->second.until);
    joined.lines += at->second.lines;
    joined.bytes += at->second.bytes;
    runs.erase(at);
  };
  const auto after = runs.find(Line{raw(run.last) + 1});
  if (after != runs.end()) join(after);
  const auto before = runs.upper_bound(run.first);
  if (before != runs.begin() && raw(std::prev(before)->second.last) + 1 == raw(run.first)) {
    join(std::prev(before));
  }
  runs.emplace(joined.first, joined);
  return joined;
}

KeyValue encode_run(RecordClass of, const ExpiredRun& run) {
  Bytes value;
  value.push_back(static_cast<char>(kRunFormat));
  append_varint(value, raw(run.last) - raw(run.first));
  append_varint(value, zigzag(run.since.time_since_epoch().count()));
  append_varint(value, zigzag(run.until.time_since_epoch().count()));
  append_varint(value, run.lines);
  append_varint(value, run.bytes);
  append_crc(value);
  return {expired_key(of, run.first), std::move(value)};
}

Result<std::pair<RecordClass, ExpiredRun>> decode_run(BytesView key, BytesView value) {
  const auto sound = checked(value);
  if (!sound || key.size() != expired_key({}, Line{}).size() || key.front() != 'x') {
    return corrupt_run();
  }
  const auto number = static_cast<std::uint8_t>(key[1]);
  VarintReader from(sound.value());
  const auto format = from.take_byte();
  ExpiredRun run;
  run.first = Line{read_be<std::uint64_t>(key, 2)};
  const auto more = from.take();
  run.since = UtcTime{Duration{from.take_signed()}};
  run.until = UtcTime{Duration{from.take_signed()}};
  run.lines = from.take();
  run.bytes = from.take();
  if (!from.ok() || from.left() != 0 || format != kRunFormat || number >= kRecordClasses ||
      run.first == Line{0} || more >= ~std::uint64_t{0} - raw(run.first)) {
    return corrupt_run();
  }
  run.last = Line{raw(run.first) + more};
  return std::pair(static_cast<RecordClass>(number), run);
}

Result<ExpiredRuns> load_runs(const ProjectionTable& table) {
  ExpiredRuns runs;
  Result<Unit> result = Unit{};
  const auto scanned = table.scan("x", "y", [&](BytesView key, BytesView value) {
    const auto run = decode_run(key, value);
    if (!run) {
      result = run.error();
      return false;
    }
    runs.add(run.value().first, run.value().second);
    return true;
  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return runs;
}

Error expired_error(const ExpiredRun& run, Line line) {
  return Error{Code::kNotFound, to_text({run.first, run.last}) +
                                    " have expired: what PVs were at line " +
                                    std::to_string(raw(line)) + " is not known; it is from line " +
                                    std::to_string(raw(run.last)) + " on, " + to_iso(run.until)};
}

std::shared_ptr<const ExpiredRuns> Store::expired() const {
  static const auto nothing = std::make_shared<const ExpiredRuns>();
  return nothing;
}

}  // namespace tidemark::journal
