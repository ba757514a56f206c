#include "bus/registration.h"

#include <algorithm>
#include <string>
#include <vector>

namespace tidemark::bus {
namespace {

constexpr std::size_t kPublicKeyBytes = 32;

Error wrong(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

std::string more_than(std::size_t found, std::size_t max, std::string_view unit) {
  return std::to_string(found) + " " + std::string(unit) + ", more than " + std::to_string(max);
}

bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

Result<Unit> check_text(const std::string& field, const std::string& text, std::size_t max) {
  if (text.size() <= max) return Unit{};
  return wrong(field + " has " + more_than(text.size(), max, "bytes"));
}

Result<Unit> check_texts(const std::string& field, const std::vector<std::string>& texts,
                         std::size_t count_max) {
  if (texts.size() > count_max) {
    return wrong(field + " has " + more_than(texts.size(), count_max, "entries"));
  }
  for (const auto& text : texts) {
    if (text.empty()) return wrong("an empty entry in " + field);
    if (const auto fine = check_text("an entry of " + field, text, kNodeTextBytesMax); !fine) {
      return fine;
    }
  }
  return Unit{};
}

}  // namespace

Result<Unit> check_node_name(std::string_view name) {
  if (name.empty()) return wrong("name is empty");
  if (name.size() > kNodeNameBytesMax) {
    return wrong("name has " + more_than(name.size(), kNodeNameBytesMax, "bytes"));
  }
  const bool fine = begins_name(name.front()) && std::all_of(name.begin(), name.end(), [](char c) {
                      return begins_name(c) || c == '.' || c == '-';
                    });
  if (fine) return Unit{};
  return wrong("name '" + std::string(name) +
               "' is not letters, digits, '.', '_' and '-', the first one no '.' or '-'");
}

Result<Unit> check_registration(const NodeInfo& node) {
  if (const auto fine = check_node_name(node.name); !fine) return fine;
  if (node.kind.empty()) return wrong("kind is empty");
  if (node.uuid.is_nil()) return wrong("uuid is zero");
  if (node.incarnation == 0) return wrong("incarnation is 0, which means unknown");
  if (node.data_endpoints.empty()) return wrong("data endpoints: there are none");
  if (node.request_endpoints.empty()) return wrong("request endpoints: there are none");
  const auto key_bytes = node.public_key.bytes.size();
  if (key_bytes != 0 && key_bytes != kPublicKeyBytes) {
    return wrong("public key has " + std::to_string(key_bytes) + " bytes, neither 0 nor 32");
  }
  if (node.surface.bytes.size() > kSurfaceBytesMax) {
    return wrong("surface has " + more_than(node.surface.bytes.size(), kSurfaceBytesMax, "bytes"));
  }
  for (const auto& checked :
       {check_text("kind", node.kind, kNodeNameBytesMax),
        check_text("host", node.host, kNodeTextBytesMax),
        check_texts("data endpoints", node.data_endpoints, kEndpointsMax),
        check_texts("request endpoints", node.request_endpoints, kEndpointsMax),
        check_texts("labels", node.labels, kLabelsMax)}) {
    if (!checked) return checked;
  }
  return Unit{};
}

}  // namespace tidemark::bus
