// test/journal/journal_waveforms.cpp
//
// A journal whose segments weigh far more than memory should take: one of 1024 lines has more than
// 400 MB of waveforms of 1 MB, and some of 10 MB, two in a block. One step each process, so that
// the most that it ever took is the step's own. It prints what it saw, and that figure:
//
//   journal_waveforms <directory> fill|thin|scan|back|pages|newest|state|check
//   <lines> <a sum over all updates and their lines> <KiB>

#include <cstdio>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>

#include "journal/archive.h"
#include "journal/check.h"
#include "journal/reader.h"
#include "journal/scrubber.h"
#include "journal_samples.h"
#include "small_segments.h"

namespace {

using namespace tidemark;
using namespace tidemark::journal;

constexpr std::uint32_t kWaveforms = 3;  // channels 1 to 3
constexpr std::uint32_t kLarge = 4;      // a channel of 10 MB
constexpr std::uint32_t kScalar = 5;
constexpr std::size_t kElements = 125'000;  // doubles: 1 MB
constexpr std::size_t kLargeElements = 1'250'000;
constexpr int kBlocks = 120;

template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return std::move(result).value();
}

/// What was seen; of two that saw the same it is equal, in whatever order.
struct Seen {
  std::uint64_t lines = 0;
  std::uint64_t sum = 0;

  void add(Line line, const model::PvUpdate& update) {
    ++lines;
    double total = model::as_number(update.value).value_or(0);
    if (const auto* array = std::get_if<model::SharedArray>(&update.value)) {
      for (const auto each : std::get<std::vector<double>>(**array)) total += each;
    }
    sum += raw(line) * (raw(update.channel) + 7 * static_cast<std::uint64_t>(total));
  }
  void add(const Block& block) {
    auto line = raw(block.first);
    for (const auto& section : block.sections) {
      if (section.format == SectionFormat::kUpdates) {
        for (const auto& each : must(model::decode_updates(section.payload))) {
          add(Line{line++}, each);
        }
      } else {
        lines += section.count;
        line += section.count;
      }
    }
  }
};

model::PvUpdate waveform(std::uint32_t channel, int number, std::size_t elements) {
  auto update = value_of(channel, 0);
  std::vector<double> values(elements);
  for (std::size_t i = 0; i < elements; ++i) values[i] = number + static_cast<double>(i % 16);
  update.value = model::SharedArray(std::move(values));
  return update;
}

class Journal {
 public:
  explicit Journal(const std::string& directory) {
    RocksStoreOptions options;
    options.directory = directory;
    options.sync = SyncMode::kInterval;  // nothing here is about power
    auto limits = SmallSegments::of_lines(1024);
    limits.head_bytes_max = 32u << 20;  // so that what is measured is not the head
    segments.emplace(must(open_rocks_journal(options)), limits);
  }
  Store& store() { return segments->store(); }

  void append(std::vector<Section> sections, Seen& seen) {
    std::vector<InspectedSection> all;
    Block block;
    block.first = Line{raw(store().last()) + 1};
    for (auto& each : sections) {
      each.sequence = sequence_;
      sequence_ += each.count;
      block.sections.push_back(each);
      all.push_back(inspected(std::move(each)));
    }
    seen.add(block);
    must(store().append(all));
  }

  std::optional<SmallSegments> segments;

 private:
  std::uint64_t sequence_ = 1;
};

Seen fill(Journal& journal) {
  Seen seen;
  for (int number = 0; number < kBlocks; ++number) {
    std::vector<model::PvUpdate> updates;
    for (std::uint32_t channel = 1; channel <= kWaveforms; ++channel) {
      updates.push_back(waveform(channel, number, kElements));
    }
    updates.push_back(value_of(kScalar, number));
    journal.append({section_of(updates), section_of({message("a shot")})}, seen);
    if (number % 40 != 0) continue;
    // Seldom a word of the channel that is a waveform otherwise: quiet, in a part of the segment.
    journal.append({section_of({disconnected(kLarge)})}, seen);
    journal.append({section_of({waveform(kLarge, number, kLargeElements)}),
                    section_of({waveform(kLarge, number + 1, kLargeElements)})},
                   seen);
  }
  while (raw(journal.store().last()) < 6 * 1024) {
    journal.append({section_of(std::vector<model::PvUpdate>(100, value_of(kScalar, 1)))}, seen);
  }
  return seen;
}

/// What the projection thread does.
Seen thin(Journal& journal) {
  Seen seen;
  journal.segments->settle();
  seen.lines = raw(journal.segments->projections()->projected());
  if (journal.segments->thinner().counters().closed < 2 ||
      journal.segments->thinner().counters().in_log != 0) {
    throw std::runtime_error("the segment of waveforms was not closed");
  }
  return seen;
}

Seen scan(Journal& journal, bool back) {
  Seen seen;
  const auto visit = [&](Block& block) {
    seen.add(block);
    return true;
  };
  (void)must(back ? journal.store().scan_back(journal.store().last(), {}, visit)
                  : journal.store().scan(Line{1}, {}, visit));
  return seen;
}

Seen pages(Journal& journal) {
  Seen seen;
  Query query;
  query.limit = 10'000;
  for (Page page; !page.end;) {
    page = must(read(journal.store(), query));
    query.from = page.next;
    for (const auto& each : page.entries) {
      const auto* update = std::get_if<model::PvUpdate>(&each.what);
      if (update == nullptr) {
        ++seen.lines;
      } else {
        seen.add(each.line, *update);
      }
    }
  }
  return seen;
}

/// All that every channel did, page by page, and back to the first of it.
Seen newest(Journal& journal) {
  Seen seen;
  const Archive archive(journal.segments->projections());
  for (std::uint32_t channel = 1; channel <= kScalar; ++channel) {
    auto to = journal.store().last();
    for (bool more = true; more;) {
      const auto page = must(archive.newest(model::ChannelId{channel}, to, 10'000));
      for (const auto& each : page.samples) seen.add(each.line, each.update);
      more = page.cut;
      if (more) to = Line{raw(page.samples.back().line) - 1};
    }
  }
  return seen;
}

/// The machine amid the waveforms, again and again.
Seen state(Journal& journal) {
  Seen seen;
  const Archive archive(journal.segments->projections());
  for (const std::uint64_t line : {100, 500, 900, 6000}) {
    const auto found = must(archive.state_at(Line{line}));
    seen.lines += found.size();
  }
  return seen;
}

Seen check(Journal& journal) {
  Seen seen;
  const auto report = must(check_lines(journal.store(), [](std::uint64_t) { return true; }));
  if (!report.damage.empty()) throw std::runtime_error("damaged");
  seen.lines = report.lines;
  ScrubWalk walk(std::shared_ptr<const Store>(&journal.store(), [](const Store*) {}));
  while (!must(walk.step(1u << 20)).end) {
  }
  if (walk.figures().lines != seen.lines) throw std::runtime_error("lines were not scrubbed");
  return seen;
}

std::uint64_t peak_kib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
  }
  throw std::runtime_error("no VmHWM");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string step = argv[2];
  try {
    Journal journal(argv[1]);
    const auto seen = step == "fill"     ? fill(journal)
                      : step == "thin"   ? thin(journal)
                      : step == "scan"   ? scan(journal, false)
                      : step == "back"   ? scan(journal, true)
                      : step == "pages"  ? pages(journal)
                      : step == "newest" ? newest(journal)
                      : step == "state"  ? state(journal)
                      : step == "check"  ? check(journal)
                                         : throw std::runtime_error("cannot " + step);
    std::printf("%llu %llu %llu\n", static_cast<unsigned long long>(seen.lines),
                static_cast<unsigned long long>(seen.sum),
                static_cast<unsigned long long>(peak_kib()));
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "journal_waveforms: %s\n", failure.what());
    return 1;
  }
  return 0;
}
