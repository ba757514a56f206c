#include "journal/decimated_runs.h"

#include <algorithm>

#include "base/varint.h"
#include "journal/packed_value.h"
#include "journal/projection_keys.h"

namespace tidemark::journal {
namespace {

constexpr std::uint8_t kDecimatedRunFormat = 1;

Error corrupt_decimated_run() {
  return Error{Code::kCorruption, "what is said of lines that were decimated"};
}

}  // namespace

KeyValue encode_decimated_run(const DecimatedRun& run) {
  Bytes value;
  value.push_back(static_cast<char>(kDecimatedRunFormat));
  append_varint(value, raw(run.last) - raw(run.first));
  append_varint(value, zigzag(run.since.time_since_epoch().count()));
  append_varint(value, zigzag(run.until.time_since_epoch().count()));
  append_varint(value, run.samples);
  append_varint(value, run.bytes);
  append_crc(value);
  return {decimated_run_key(static_cast<std::uint64_t>(run.width.count()), run.first),
          std::move(value)};
}

Result<DecimatedRun> decode_decimated_run(BytesView key, BytesView value) {
  const auto sound = checked(value);
  if (!sound || key.size() != decimated_run_key(0, Line{}).size() || key.front() != 'v') {
    return corrupt_decimated_run();
  }
  const auto width = read_be<std::uint64_t>(key, 1);
  VarintReader from(sound.value());
  const auto format = from.take_byte();
  DecimatedRun run;
  run.width = Duration{static_cast<std::int64_t>(width)};
  run.first = Line{read_be<std::uint64_t>(key, 1 + sizeof width)};
  const auto more = from.take();
  run.since = UtcTime{Duration{from.take_signed()}};
  run.until = UtcTime{Duration{from.take_signed()}};
  run.samples = from.take();
  run.bytes = from.take();
  if (!from.ok() || from.left() != 0 || format != kDecimatedRunFormat || run.width <= Duration{0} ||
      run.first == Line{0} || more >= ~std::uint64_t{0} - raw(run.first)) {
    return corrupt_decimated_run();
  }
  run.last = Line{raw(run.first) + more};
  return run;
}

Result<std::vector<DecimatedRun>> load_decimated_runs(const ProjectionTable& table) {
  std::vector<DecimatedRun> runs;
  Result<Unit> result = Unit{};
  const auto scanned = table.scan("v", "w", [&](BytesView key, BytesView value) {
    auto run = decode_decimated_run(key, value);
    if (!run) {
      result = run.error();
      return false;
    }
    runs.push_back(std::move(run).value());
    return true;
  });
  if (!scanned) return scanned.error();
  if (!result) return result.error();
  return runs;
}

std::vector<DecimatedRun> touching(const std::vector<DecimatedRun>& runs, Line first, Line last) {
  std::vector<DecimatedRun> found;
  std::copy_if(runs.begin(), runs.end(), std::back_inserter(found),
               [&](const auto& run) { return run.first <= last && run.last >= first; });
  return found;
}

DecimatedRun join_runs(const std::vector<DecimatedRun>& runs, DecimatedRun run,
                       std::vector<DecimatedRun>& joined) {
  auto whole = run;
  for (const auto& each : runs) {
    if (each.width != run.width ||
        (raw(each.last) + 1 != raw(run.first) && raw(run.last) + 1 != raw(each.first))) {
      continue;
    }
    joined.push_back(each);
    whole.first = std::min(whole.first, each.first);
    whole.last = std::max(whole.last, each.last);
    whole.since = std::min(whole.since, each.since);
    whole.until = std::max(whole.until, each.until);
    whole.samples += each.samples;
    whole.bytes += each.bytes;
  }
  return whole;
}

}  // namespace tidemark::journal
