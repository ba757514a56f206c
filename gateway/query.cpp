#include "gateway/query.h"

#include <algorithm>
#include <charconv>

#include "gateway/json_writer.h"
#include "gateway/utf8.h"

namespace tidemark::gateway {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' && plus_is_space ? ' ' : text[i];
    }
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

/// Cuts `text` at the first `mark` and returns what stood before it.
std::string_view cut(std::string_view& text, char mark) {
  const auto at = std::min(text.find(mark), text.size());
  const auto before = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return before;
}

}  // namespace

const std::string* Target::find(std::string_view name) const {
  const auto found = std::find_if(params.rbegin(), params.rend(),
                                  [&](const auto& param) { return param.first == name; });
  return found == params.rend() ? nullptr : &found->second;
}

std::vector<std::string> Target::all(std::string_view name) const {
  std::vector<std::string> found;
  for (const auto& [key, value] : params) {
    if (key == name) found.push_back(value);
  }
  return found;
}

Result<Target> parse_target(std::string_view text) {
  const Error malformed{Code::kInvalidArgument, "Malformed request target"};
  if (text.empty() || text.front() != '/') return malformed;
  text = cut(text, '#');
  auto path = cut(text, '?');
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);

  Target target;
  while (!path.empty()) {
    auto segment = decode(cut(path, '/'), false);
    if (!segment) return malformed;
    target.segments.push_back(std::move(*segment));
  }
  while (!text.empty()) {
    auto value_text = cut(text, '&');
    if (value_text.empty()) continue;
    auto key = decode(cut(value_text, '='), true);
    auto value = decode(value_text, true);
    if (!key || !value) return malformed;
    target.params.emplace_back(std::move(*key), std::move(*value));
  }
  return target;
}

std::string ParamReader::text(std::string_view name) const {
  const auto* found = target_.find(name);
  return found ? *found : std::string();
}

std::optional<std::uint32_t> ParamReader::integer(std::string_view name, std::uint32_t min,
                                                  std::uint32_t max) {
  const auto* found = target_.find(name);
  if (!found) return std::nullopt;
  std::int64_t value = 0;
  const auto* const last = found->data() + found->size();
  const auto [end, error] = std::from_chars(found->data(), last, value);
  const bool too_long = error == std::errc::result_out_of_range;
  if (end != last || found->empty() || (error != std::errc{} && !too_long)) {
    blame(name, "int_parsing",
          "Input should be a valid integer, unable to parse string as an integer", *found);
    return std::nullopt;
  }
  if (too_long) value = found->front() == '-' ? INT64_MIN : INT64_MAX;
  if (value < min) {
    blame(name, "greater_than_equal",
          "Input should be greater than or equal to " + std::to_string(min), *found);
    return std::nullopt;
  }
  if (value > max) {
    blame(name, "less_than_equal", "Input should be less than or equal to " + std::to_string(max),
          *found);
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(value);
}

bool ParamReader::boolean(std::string_view name, bool otherwise) {
  const auto* found = target_.find(name);
  if (!found) return otherwise;
  std::string lower = *found;
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  for (const auto* word : {"true", "1", "yes", "on", "t", "y"}) {
    if (lower == word) return true;
  }
  for (const auto* word : {"false", "0", "no", "off", "f", "n"}) {
    if (lower == word) return false;
  }
  blame(name, "bool_parsing", "Input should be a valid boolean, unable to interpret input", *found);
  return otherwise;
}

void ParamReader::blame(std::string_view name, std::string_view type, std::string message,
                        std::string_view input) {
  JsonWriter quoted;
  quoted.text(input);
  problems_.push_back(
      {std::string(type), {"query", std::string(name)}, std::move(message), quoted.take()});
}

}  // namespace tidemark::gateway
