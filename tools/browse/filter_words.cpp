#include "tools/browse/filter_words.h"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/glob.h"
#include "tools/nearest.h"
#include "tools/table.h"

namespace tidemark::tools::browse {
namespace {

constexpr std::array<std::string_view, 10> kNames = {"kind",  "level",  "subject", "text",  "regex",
                                                     "field", "origin", "since",   "until", "in"};

struct Word {
  std::string text;
  std::optional<std::size_t> equals;  // the first = outside of quotes
};

Result<std::vector<Word>> words_of(std::string_view text) {
  std::vector<Word> words;
  Word word;
  bool any = false;  // of this word; it may be '' too
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word.text += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      any = true;
    } else if (c == ' ') {
      if (any) words.push_back(std::exchange(word, {}));
      any = false;
    } else {
      if (c == '=' && !word.equals) word.equals = word.text.size();
      word.text += c;
      any = true;
    }
  }
  if (quote != 0) {
    return Error{Code::kInvalidArgument, std::string("a ") + quote + " is missing at the end"};
  }
  if (any) words.push_back(std::move(word));
  return words;
}

std::string* field(LogFilter& filter, std::string_view name) {
  if (name == "level") return &filter.level;
  if (name == "subject") return &filter.subject;
  if (name == "text") return &filter.text;
  if (name == "regex") return &filter.regex;
  if (name == "origin") return &filter.origin;
  if (name == "since") return &filter.since;
  if (name == "until") return &filter.until;
  if (name == "in") return &filter.mark;
  return nullptr;
}

void take_alone(LogFilter& filter, std::string text) {
  if (model::parse_level(text)) {
    filter.level = std::move(text);
  } else if (model::parse_record_kind(text.substr(0, text.find(',')))) {
    filter.kinds.push_back(std::move(text));
  } else if (is_glob(text)) {
    filter.subject = std::move(text);
  } else {
    filter.text += (filter.text.empty() ? "" : " ") + text;
  }
}

std::string quoted(const std::string& text) {
  if (!text.empty() && text.find_first_of(" '\"=") == std::string::npos) return text;
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "'\"'\"'" : std::string(1, c);
  return out + "'";
}

}  // namespace

Result<LogFilter> parse_filter_words(std::string_view text) {
  auto split = words_of(text);
  if (!split) return split.error();
  LogFilter filter;
  for (auto& word : split.value()) {
    if (!word.equals) {
      take_alone(filter, std::move(word.text));
      continue;
    }
    const auto name = word.text.substr(0, *word.equals);
    auto value = word.text.substr(*word.equals + 1);
    if (name == "kind") {
      filter.kinds.push_back(std::move(value));
    } else if (name == "field") {
      filter.fields.push_back(std::move(value));
    } else if (auto* into = field(filter, name)) {
      *into = std::move(value);
    } else {
      const auto hint = did_you_mean(name, {kNames.begin(), kNames.end()});
      return Error{Code::kInvalidArgument,
                   "'" + printable(name) + "=' is no filter" +
                       (hint.empty() ? ": use kind, level, subject, text, regex, field, origin, "
                                       "since, until, in"
                                     : hint)};
    }
  }
  return filter;
}

std::string filter_words_text(const LogFilter& filter) {
  std::string out;
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) out += (out.empty() ? "" : " ") + std::string(name) + "=" + quoted(value);
  };
  for (const auto& kinds : filter.kinds) add("kind", kinds);
  add("level", filter.level);
  add("subject", filter.subject);
  add("text", filter.text);
  add("regex", filter.regex);
  for (const auto& test : filter.fields) add("field", test);
  add("origin", filter.origin);
  add("since", filter.since);
  add("until", filter.until);
  add("in", filter.mark);
  return out;
}

}  // namespace tidemark::tools::browse
