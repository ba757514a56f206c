#include "journal/reader.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/ascii.h"
#include "base/glob.h"
#include "journal/record_class.h"

namespace tidemark::journal {
namespace {

bool contains_in_any_case(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool asks_for_text(const Query& query) { return !query.text.empty() || query.pattern; }

/// PV updates have no text, and few fields.
bool wants_updates(const Query& query) {
  return !asks_for_text(query) &&
         std::all_of(query.fields.begin(), query.fields.end(), model::is_of_updates);
}

/// The lines that may be returned: first to last, empty when first > last.
struct Window {
  std::uint64_t first = 1;
  std::uint64_t last = 0;
  bool empty() const { return first > last; }
};

/// Lines of `query` that exist. Times are turned into lines first: lines decide what belongs to
/// a moment.
Result<Window> window_of(const Store& store, const Query& query) {
  Window window{std::max<std::uint64_t>(raw(query.from), 1),
                std::min(raw(query.to), raw(store.last()))};
  if (query.since && *query.since > UtcTime::min()) {
    const auto before = store.line_at(*query.since - Duration{1});
    if (!before) return before.error();
    window.first = std::max(window.first, raw(before.value()) + 1);
  }
  if (query.until) {
    const auto until = store.line_at(*query.until);
    if (!until) return until.error();
    window.last = std::min(window.last, raw(until.value()));
  }
  return window;
}

/// Collects the matching lines of one page, block by block.
class Collector {
 public:
  Collector(const Store& store, const Query& query, Window window)
      : store_(store), query_(query), window_(window) {}

  /// False when the page is full.
  bool take(Block& block);

  std::vector<Entry> entries;
  std::optional<std::uint64_t> full_at;  // the line that filled the page

 private:
  bool wants(const Uuid& origin);
  bool may_match(const Section& section) const;
  bool may_match(RecordClass expired) const;
  void take_expired(RecordClass of, std::uint64_t first, std::uint64_t last, UtcTime recorded_at);
  bool take(const Section& section, std::uint64_t first, const Block& block);
  bool matches(const model::PvUpdate& update);
  bool matches(const model::Record& record) const;
  template <class T>
  bool take_all(std::vector<T>& whats, const Section& section, std::uint64_t first,
                const Block& block);

  const Store& store_;
  const Query& query_;
  const Window window_;
  std::unordered_map<std::uint32_t, bool> channels_;  // whether the address matches the subject
  std::map<Uuid, bool> origins_;                      // whether it is wanted
  std::size_t bytes_ = 0;                             // of the content of the entries, about
  std::size_t found_ = 0;        // of the entries, those that are no Expired in the place of lines
  std::size_t expired_end_ = 0;  // so many entries there were behind the newest of those
};

bool Collector::take(Block& block) {
  std::uint64_t first = raw(block.first);
  if (!query_.newest_first) {
    for (const auto& section : block.sections) {
      if (!take(section, first, block)) return false;
      first += section.count;
    }
    return true;
  }
  first += block.count;
  for (auto at = block.sections.rbegin(); at != block.sections.rend(); ++at) {
    first -= at->count;
    if (!take(*at, first, block)) return false;
  }
  return true;
}

bool Collector::wants(const Uuid& origin) {
  if (!query_.origin) return true;
  const auto [at, is_new] = origins_.try_emplace(origin, false);
  if (is_new) at->second = query_.origin(origin);
  return at->second;
}

bool Collector::may_match(const Section& section) const {
  if (section.format == SectionFormat::kUpdates) {
    return (query_.kinds & kUpdateKinds) != 0 && wants_updates(query_) &&
           query_.level <= model::Level::kWarning;
  }
  return (query_.kinds & ~kUpdateKinds) != 0;
}

bool Collector::take(const Section& section, std::uint64_t first, const Block& block) {
  const std::uint64_t last = first + section.count - 1;
  if (last < window_.first || first > window_.last || !wants(section.origin)) return true;
  if (const auto of = expired_class(section)) {
    if (may_match(*of)) take_expired(*of, first, last, block.recorded_at);
    return true;
  }
  if (!may_match(section)) return true;
  if (section.format == SectionFormat::kUpdates) {
    auto updates = model::decode_updates(section.payload);
    if (updates) return take_all(updates.value(), section, first, block);
  } else {
    auto records = model::decode_records(section.payload);
    if (records) return take_all(records.value(), section, first, block);
  }
  // inspect() took these bytes before they were stored, and their checksum held: a later version
  // wrote them. What they say is unknown here, that they are there is not.
  std::vector<model::Record> unknown(section.count, model::UnknownRecord{});
  return take_all(unknown, section, first, block);
}

/// What kinds and levels they were of is not known any more, nor what they were about.
bool Collector::may_match(RecordClass expired) const {
  if ((query_.kinds & kinds_of(expired)) == 0) return false;
  return expired != RecordClass::kPvUpdates ||
         (wants_updates(query_) && query_.level <= model::Level::kWarning);
}

/// One entry for all that follow each other without one that is there.
void Collector::take_expired(RecordClass of, std::uint64_t first, std::uint64_t last,
                             UtcTime recorded_at) {
  first = std::max(first, window_.first);
  last = std::min(last, window_.last);
  if (entries.empty() || expired_end_ != entries.size()) {
    Entry entry;
    entry.recorded_at = recorded_at;
    entry.what = model::Record(model::Expired{{}, first, last, recorded_at, recorded_at, 0, 0, {}});
    entries.push_back(std::move(entry));
    expired_end_ = entries.size();
  }
  auto& entry = entries.back();
  auto& said = std::get<model::Expired>(std::get<model::Record>(entry.what));
  said.first = std::min(said.first, first);
  said.last = std::max(said.last, last);
  said.since = std::min(said.since, recorded_at);
  said.until = std::max(said.until, recorded_at);
  said.lines += last - first + 1;
  const auto name = std::string(to_string(of));
  if (said.of.find(name) == std::string::npos) said.of += (said.of.empty() ? "" : ", ") + name;
  entry.line = Line{query_.newest_first ? said.last : said.first};  // where reading on begins
  entry.recorded_at = query_.newest_first ? said.until : said.since;
}

/// What it holds; of a record its share of the section, which is no more than a batch in all.
std::size_t weight_in(const Section&, const model::PvUpdate& update) {
  return model::content_bytes(update.value);
}
std::size_t weight_in(const Section& section, const model::Record&) {
  return section.payload.size() / section.count;
}

template <class T>
bool Collector::take_all(std::vector<T>& whats, const Section& section, std::uint64_t first,
                         const Block& block) {
  const auto take_one = [&](std::size_t index) {
    const std::uint64_t line = first + index;
    if (line < window_.first || line > window_.last || !matches(whats[index])) return true;
    bytes_ += weight_in(section, whats[index]);
    entries.push_back({Line{line}, block.recorded_at, section.origin, section.incarnation,
                       section.sequence + index, std::move(whats[index])});
    if (++found_ < query_.limit && bytes_ < query_.bytes_max) return true;
    full_at = line;
    return false;
  };
  for (std::size_t i = 0; i < whats.size(); ++i) {
    if (!take_one(query_.newest_first ? whats.size() - 1 - i : i)) return false;
  }
  return true;
}

bool Collector::matches(const model::PvUpdate& update) {
  if ((query_.kinds & kind_bit(kind_of(update))) == 0) return false;
  if (level_of(update) < query_.level) return false;
  for (const auto& test : query_.fields) {
    if (!model::matches(test, update)) return false;
  }
  if (query_.subject.empty()) return true;
  const auto [at, is_new] = channels_.try_emplace(raw(update.channel), false);
  if (is_new) {
    at->second =
        glob_match(query_.subject, store_.address_of(update.channel).value_or(std::string{}));
  }
  return at->second;
}

bool Collector::matches(const model::Record& record) const {
  if ((query_.kinds & kind_bit(model::kind_of(record))) == 0) return false;
  if (model::level_of(record) < query_.level) return false;
  if (!query_.subject.empty() && !glob_match(query_.subject, model::subject_of(record))) {
    return false;
  }
  for (const auto& test : query_.fields) {
    if (!model::matches(test, record)) return false;
  }
  if (!asks_for_text(query_)) return true;
  const auto text = model::describe(record);
  return (query_.text.empty() || contains_in_any_case(text, query_.text)) &&
         (!query_.pattern || query_.pattern->is_in(text));
}

}  // namespace

model::RecordKind kind_of(const Entry& entry) {
  if (const auto* update = std::get_if<model::PvUpdate>(&entry.what)) return kind_of(*update);
  return model::kind_of(std::get<model::Record>(entry.what));
}

model::Level level_of(const Entry& entry) {
  if (const auto* update = std::get_if<model::PvUpdate>(&entry.what)) return level_of(*update);
  return model::level_of(std::get<model::Record>(entry.what));
}

std::string subject_of(const Entry& entry, const Store& store) {
  if (const auto* update = std::get_if<model::PvUpdate>(&entry.what)) {
    return store.address_of(update->channel).value_or(std::string{});
  }
  return model::subject_of(std::get<model::Record>(entry.what));
}

Result<Page> read(const Store& store, const Query& query) {
  const auto found = window_of(store, query);
  if (!found) return found.error();
  const Window whole = found.value();
  Page page;
  if (whole.empty()) {
    // Nothing yet. Lines that come later are looked at then, so the cursor stays where it is.
    page.next = query.newest_first ? Line{std::min(raw(query.to), raw(store.last()))}
                                   : Line{std::max<std::uint64_t>(raw(query.from), 1)};
    page.end = true;
    return page;
  }

  // The part that one page may look at.
  Window window = whole;
  const std::uint64_t lines_max = std::max<std::uint32_t>(query.scan_lines_max, 1);
  if (window.last - window.first >= lines_max) {
    (query.newest_first ? window.first : window.last) =
        query.newest_first ? window.last - lines_max + 1 : window.first + lines_max - 1;
  }
  BlockFilter filter;
  filter.kinds = wants_updates(query) ? query.kinds : query.kinds & ~kUpdateKinds;
  filter.level = query.level;
  filter.first = Line{window.first};
  filter.last = Line{window.last};
  Collector collector(store, query, window);
  const auto visit = [&](Block& block) { return collector.take(block); };
  if (query.limit > 0) {
    const auto scanned = query.newest_first ? store.scan_back(Line{window.last}, filter, visit)
                                            : store.scan(Line{window.first}, filter, visit);
    if (!scanned) return scanned.error();
  }
  page.entries = std::move(collector.entries);
  if (query.limit == 0) {
    page.next = Line{query.newest_first ? window.last : window.first};
  } else if (query.newest_first) {
    page.next = Line{collector.full_at.value_or(window.first) - 1};
    page.end = raw(page.next) < whole.first;
  } else {
    page.next = Line{collector.full_at.value_or(window.last) + 1};
    page.end = raw(page.next) > whole.last;
  }
  return page;
}

}  // namespace tidemark::journal
