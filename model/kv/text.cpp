#include "model/kv/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "model/kv/scanner.h"

namespace tidemark::model::kv {
namespace {

struct DurationUnit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<DurationUnit, 7> kUnits = {{{"d", 86'400'000'000'000},
                                                 {"h", 3'600'000'000'000},
                                                 {"m", 60'000'000'000},
                                                 {"s", 1'000'000'000},
                                                 {"ms", 1'000'000},
                                                 {"us", 1'000},
                                                 {"ns", 1}}};

// To text.

template <class Number>
std::string number_text(Number number) {
  if constexpr (std::is_floating_point_v<Number>) {
    if (std::isnan(number)) return "nan";  // Without a sign: it means nothing.
  }
  char text[64];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

/// In the largest unit from seconds down that says it without a fraction.
std::string duration_text(Duration duration) {
  const auto unit = std::find_if(kUnits.begin() + 3, kUnits.end(), [&](const auto& each) {
    return duration.count() % each.nanoseconds == 0;
  });
  return std::to_string(duration.count() / unit->nanoseconds) + std::string(unit->name);
}

std::string bytes_text(BytesView bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "0x";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

class Writer {
 public:
  explicit Writer(std::size_t elements_max) : elements_max_(elements_max) {}

  void operator()(std::monostate) { out_ += "none"; }
  void operator()(bool flag) { out_ += flag ? "true" : "false"; }
  void operator()(std::int64_t number) { out_ += number_text(number); }
  void operator()(std::uint64_t number) { out_ += number_text(number); }
  void operator()(double number) { out_ += number_text(number); }
  void operator()(const std::string& text) { out_ += nested_ ? name_text(text) : text; }
  void operator()(const Blob& blob) { out_ += bytes_text(blob.bytes); }
  void operator()(UtcTime time) { out_ += to_iso(time, 9); }
  void operator()(Duration duration) { out_ += duration_text(duration); }
  void operator()(const EnumValue& choice) {
    if (choice.label.empty()) {
      (*this)(std::uint64_t{choice.index});
    } else {
      (*this)(choice.label);
    }
  }
  void operator()(const Array& elements) {
    nested_ = true;
    out_ += '[';
    const auto shown = std::min(elements.size(), elements_max_);
    for (std::size_t i = 0; i < shown; ++i) {
      if (i > 0) out_ += ", ";
      elements[i].visit(*this);
    }
    if (shown < elements.size()) {
      out_ += (shown > 0 ? ", … " : "… ") + std::to_string(elements.size());
    }
    out_ += ']';
  }
  void operator()(const Struct& fields) {
    nested_ = true;
    out_ += '{';
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out_ += ", ";
      out_ += name_text(fields[i].name) + ": ";
      fields[i].value.visit(*this);
    }
    out_ += '}';
  }

  std::string text() && { return std::move(out_); }

 private:
  const std::size_t elements_max_;
  bool nested_ = false;
  std::string out_;
};

// From text.

template <class T>
std::optional<T> number(std::string_view text) {
  // from_chars knows no plus sign.
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{} || stopped != end || text.empty()) return std::nullopt;
  return value;
}

/// Whole numbers exactly, fractions as parse_duration() takes them.
std::optional<Duration> duration(std::string_view text) {
  for (const auto& unit : kUnits) {
    if (!text.ends_with(unit.name)) continue;
    const auto count = number<std::int64_t>(text.substr(0, text.size() - unit.name.size()));
    std::int64_t nanoseconds = 0;
    if (count && !__builtin_mul_overflow(*count, unit.nanoseconds, &nanoseconds)) {
      return Duration{nanoseconds};
    }
  }
  return parse_duration(text);
}

std::optional<Blob> bytes(std::string_view text) {
  if (!text.starts_with("0x") || text.size() % 2 != 0) return std::nullopt;
  Blob blob;
  for (text.remove_prefix(2); !text.empty(); text.remove_prefix(2)) {
    unsigned byte = 0;
    const auto [stopped, error] = std::from_chars(text.data(), text.data() + 2, byte, 16);
    if (error != std::errc{} || stopped != text.data() + 2) return std::nullopt;
    blob.bytes += static_cast<char>(byte);
  }
  return blob;
}

std::optional<bool> flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

/// By label first, since a label may be a number.
std::optional<EnumValue> choice(std::string_view text, const std::vector<std::string>& labels) {
  const auto found = std::find(labels.begin(), labels.end(), text);
  if (found != labels.end()) {
    return EnumValue{static_cast<std::uint16_t>(found - labels.begin()), *found};
  }
  const auto index = number<std::uint16_t>(text);
  if (!index || *index >= labels.size()) return std::nullopt;
  return EnumValue{*index, labels[*index]};
}

std::string one_of(const std::vector<std::string>& labels) {
  std::string out;
  for (const auto& label : labels) out += (out.empty() ? "one of: " : ", ") + label;
  return out;
}

Value guess(std::string_view text) {
  if (text == "none") return {};
  if (const auto found = flag(text)) return *found;
  if (const auto found = number<std::int64_t>(text)) return *found;
  if (const auto found = number<std::uint64_t>(text)) return *found;
  if (const auto found = number<double>(text)) return *found;
  return text;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : scan_(text) {}

  /// `stops` end a scalar: nothing at the top, so that a string may have commas there.
  Result<Value> read(const Type& type, std::string_view stops, std::size_t depth) {
    if (depth > kValueDepthMax) {
      return scan_.expected("at most " + std::to_string(kValueDepthMax) + " levels");
    }
    const char next = scan_.peek();
    const auto begin = scan_.position();
    const auto scalar = [&](const auto& read, std::string_view what) -> Result<Value> {
      const auto found = read(scan_.until(stops));
      if (!found) return scan_.expected(what, begin);
      return Value(*found);
    };
    switch (type.kind) {
      case Kind::kAny:
        if (next == '[') return read_array(type, depth);
        if (next == '{') return read_struct(nullptr, depth);
        if (next == '"') return read_name();
        return guess(scan_.until(stops));
      case Kind::kBool: return scalar(flag, "true or false");
      case Kind::kInt64:
        return scalar(number<std::int64_t>,
                      "a whole number from -9223372036854775808 to 9223372036854775807");
      case Kind::kUint64:
        return scalar(number<std::uint64_t>, "a whole number from 0 to 18446744073709551615");
      case Kind::kDouble: return scalar(number<double>, "a number");
      case Kind::kString:
        if (next == '"') return read_name();
        return Value(scan_.until(stops));
      case Kind::kBytes: return scalar(bytes, "bytes such as 0x00ff");
      case Kind::kEnum: return read_enum(type.labels, stops);
      case Kind::kTimestamp: return scalar(parse_iso, "a time such as 2026-11-21T14:05:00Z");
      case Kind::kDuration: return scalar(duration, "a duration such as 500ms, 5s, 10m, 2h or 3d");
      case Kind::kArray: return read_array(type.element.front(), depth);
      case Kind::kStruct: return read_struct(&type.members, depth);
    }
    return scan_.expected("a value of a known type");
  }

  Result<Unit> end() {
    if (!scan_.at_end()) return scan_.expected("the end");
    return Unit{};
  }

 private:
  Result<Value> read_name() {
    auto name = scan_.name();
    if (!name) return name.error();
    return Value(std::move(name).value());
  }

  Result<Value> read_enum(const std::vector<std::string>& labels, std::string_view stops) {
    const bool in_quotes = scan_.peek() == '"';
    const auto begin = scan_.position();
    auto text = in_quotes ? scan_.name() : Result<std::string>(std::string(scan_.until(stops)));
    if (!text) return text.error();
    const auto found = choice(text.value(), labels);
    if (!found) return scan_.expected(one_of(labels), begin);
    return Value(*found);
  }

  Result<Value> read_array(const Type& element, std::size_t depth) {
    if (!scan_.accept('[')) return scan_.expected("an array such as [1, 2, 3]");
    Array elements;
    if (scan_.accept(']')) return Value(std::move(elements));
    do {
      if (scan_.peek() == ',' || scan_.peek() == ']') return scan_.expected("an element");
      auto each = read(element, ",]", depth + 1);
      if (!each) return each;
      elements.push_back(std::move(each).value());
    } while (scan_.accept(','));
    if (!scan_.accept(']')) return scan_.expected(", or ]");
    return Value(std::move(elements));
  }

  /// `members` is null where any field will do.
  Result<Value> read_struct(const std::vector<TypeField>* members, std::size_t depth) {
    static const Type kAnyType;
    if (!scan_.accept('{')) return scan_.expected("a struct such as {x: 1, y: 2}");
    Struct fields;
    if (scan_.accept('}')) return Value(std::move(fields));
    do {
      scan_.peek();
      const auto begin = scan_.position();
      auto name = scan_.name();
      if (!name) return name.error();
      const Type* type = &kAnyType;
      if (members) {
        const auto found = std::find_if(members->begin(), members->end(), [&](const auto& each) {
          return each.name == name.value();
        });
        if (found == members->end()) return scan_.expected(field_names(*members), begin);
        type = &found->type;
      }
      if (!scan_.accept(':')) return scan_.expected("a colon and the value of the field");
      auto each = read(*type, ",}", depth + 1);
      if (!each) return each;
      fields.push_back({std::move(name).value(), std::move(each).value()});
    } while (scan_.accept(','));
    if (!scan_.accept('}')) return scan_.expected(", or }");
    return Value(std::move(fields));
  }

  static std::string field_names(const std::vector<TypeField>& members) {
    std::vector<std::string> names;
    for (const auto& member : members) names.push_back(member.name);
    return names.empty() ? "no field" : one_of(names);
  }

  Scanner scan_;
};

}  // namespace

std::string to_text(const Value& value, std::size_t elements_max) {
  Writer writer(elements_max);
  value.visit(writer);
  return std::move(writer).text();
}

Result<Value> parse_text(std::string_view text, const Type& type) {
  // By themselves these stand as they are, quotes and spaces too.
  if (type.kind == Kind::kString) return Value(text);
  if (type.kind == Kind::kEnum) {
    if (const auto found = choice(text, type.labels)) return Value(*found);
  }
  Reader reader(text);
  auto value = reader.read(type, "", 1);
  if (!value) return value;
  if (const auto ended = reader.end(); !ended) return ended.error();
  return value;
}

}  // namespace tidemark::model::kv
