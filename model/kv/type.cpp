#include "model/kv/type.h"

#include <charconv>
#include <limits>
#include <set>

#include "model/kv/scanner.h"

namespace tidemark::model::kv {
namespace {

constexpr std::array<std::string_view, 12> kKindNames = {
    "any",   "bool", "int64",     "uint64",   "double", "string",
    "bytes", "enum", "timestamp", "duration", "array",  "struct"};
constexpr std::size_t kLabelsMax = std::numeric_limits<std::uint16_t>::max() + 1u;

Error wrong_type(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

Result<Unit> check_names(const std::set<std::string_view>& distinct, std::size_t count,
                         const std::string& what) {
  if (distinct.contains("")) return wrong_type(what + " without a name");
  if (distinct.size() != count) return wrong_type("two of one name: " + what);
  return Unit{};
}

Result<Unit> check_labels(const Type& type) {
  if (type.labels.empty()) return wrong_type("an enum without labels");
  if (type.labels.size() > kLabelsMax) return wrong_type("an enum of more than 65536 labels");
  return check_names({type.labels.begin(), type.labels.end()}, type.labels.size(), "an enum label");
}

Result<Unit> check_depth(const Type& type, std::size_t depth);

Result<Unit> check_fields(const Type& type, std::size_t depth) {
  std::set<std::string_view> names;
  for (const auto& field : type.members) {
    names.insert(field.name);
    if (const auto fine = check_depth(field.type, depth + 1); !fine) return fine;
  }
  return check_names(names, type.members.size(), "a struct field");
}

Result<Unit> check_depth(const Type& type, std::size_t depth) {
  const bool is_enum = type.kind == Kind::kEnum;
  const bool is_array = type.kind == Kind::kArray;
  const bool is_struct = type.kind == Kind::kStruct;
  if (depth > kTypeDepthMax) {
    return wrong_type("a type of more than " + std::to_string(kTypeDepthMax) + " levels");
  }
  if (type.kind > Kind::kStruct) {
    return wrong_type("a type of unknown kind " + std::to_string(static_cast<unsigned>(type.kind)));
  }
  if ((!is_enum && !type.labels.empty()) || type.element.size() != (is_array ? 1u : 0u) ||
      (!is_array && type.length) || (!is_struct && !type.members.empty())) {
    return wrong_type("parts of another kind in a type of kind " +
                      std::string(to_string(type.kind)));
  }
  if (is_enum) return check_labels(type);
  if (is_array) return check_depth(type.element.front(), depth + 1);
  return check_fields(type, depth);
}

Result<Type> read_type(Scanner& scan, std::size_t depth);

Result<Type> read_enum(Scanner& scan) {
  Type type = scalar(Kind::kEnum);
  if (!scan.accept('(')) return scan.expected("the labels of the enum, as in (off|on)");
  do {
    auto label = scan.name();
    if (!label) return label.error();
    type.labels.push_back(std::move(label).value());
  } while (scan.accept('|'));
  if (!scan.accept(')')) return scan.expected("| or )");
  return type;
}

Result<Type> read_struct(Scanner& scan, std::size_t depth) {
  Type type = scalar(Kind::kStruct);
  if (scan.accept('}')) return type;
  do {
    auto name = scan.name();
    if (!name) return name.error();
    if (!scan.accept(':')) return scan.expected("a colon and the type of the field");
    auto field = read_type(scan, depth + 1);
    if (!field) return field.error();
    type.members.push_back({std::move(name).value(), std::move(field).value()});
  } while (scan.accept(','));
  if (!scan.accept('}')) return scan.expected(", or }");
  return type;
}

Result<Type> read_base(Scanner& scan, std::size_t depth) {
  if (scan.accept('{')) return read_struct(scan, depth);
  scan.peek();
  const auto begin = scan.position();
  const auto word = scan.word();
  if (word == "enum") return read_enum(scan);
  for (std::size_t kind = 0; kind < static_cast<std::size_t>(Kind::kArray); ++kind) {
    if (kKindNames[kind] == word) return scalar(static_cast<Kind>(kind));
  }
  return scan.expected(
      "any, bool, int64, uint64, double, string, bytes, enum(…), timestamp, duration or {…}",
      begin);
}

/// A base, and [] or [length] any number of times. The base does not know how many follow, so the
/// whole is checked once more by parse_type(); here only the recursion is limited.
Result<Type> read_type(Scanner& scan, std::size_t depth) {
  if (depth > kTypeDepthMax) {
    return scan.expected("at most " + std::to_string(kTypeDepthMax) + " levels");
  }
  auto type = read_base(scan, depth);
  if (!type) return type;
  for (auto level = depth; scan.accept('['); ++level) {
    if (level == kTypeDepthMax) {
      return scan.expected("at most " + std::to_string(kTypeDepthMax) + " levels");
    }
    std::optional<std::uint32_t> length;
    const auto begin = scan.position();
    if (const auto digits = scan.word(); !digits.empty()) {
      const auto* end = digits.data() + digits.size();
      const auto [stopped, error] = std::from_chars(digits.data(), end, length.emplace());
      if (error != std::errc{} || stopped != end) {
        return scan.expected("a length below 4294967296", begin);
      }
    }
    if (!scan.accept(']')) return scan.expected("]");
    type = array_of(std::move(type).value(), length);
  }
  return type;
}

}  // namespace

std::string_view to_string(Kind kind) {
  const auto index = static_cast<std::size_t>(kind);
  return index < kKindNames.size() ? kKindNames[index] : "unknown";
}

bool Type::operator==(const Type& other) const { return fields(*this) == fields(other); }

bool Type::coherent() const { return check_type(*this).ok(); }

Type scalar(Kind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type enum_of(std::vector<std::string> labels) {
  Type type = scalar(Kind::kEnum);
  type.labels = std::move(labels);
  return type;
}

Type array_of(Type element, std::optional<std::uint32_t> length) {
  Type type = scalar(Kind::kArray);
  type.element.push_back(std::move(element));
  type.length = length;
  return type;
}

Type struct_of(std::vector<TypeField> members) {
  Type type = scalar(Kind::kStruct);
  type.members = std::move(members);
  return type;
}

Result<Unit> check_type(const Type& type) { return check_depth(type, 1); }

std::string to_text(const Type& type) {
  std::string out;
  switch (type.kind) {
    case Kind::kEnum:
      for (const auto& label : type.labels) out += (out.empty() ? "" : "|") + name_text(label);
      return "enum(" + out + ")";
    case Kind::kArray:
      for (const auto& element : type.element) out += to_text(element);
      return out + "[" + (type.length ? std::to_string(*type.length) : "") + "]";
    case Kind::kStruct:
      for (const auto& field : type.members) {
        out += (out.empty() ? "" : ", ") + name_text(field.name) + ": " + to_text(field.type);
      }
      return "{" + out + "}";
    default: return std::string(to_string(type.kind));
  }
}

Result<Type> parse_type(std::string_view text) {
  Scanner scan(text);
  auto type = read_type(scan, 1);
  if (!type) return type;
  if (!scan.at_end()) return scan.expected("the end");
  if (const auto fine = check_type(type.value()); !fine) return fine.error();
  return type;
}

}  // namespace tidemark::model::kv
