// bus/envelope.cpp

#include "bus/envelope.h"

#include <cstring>
#include <limits>

#include "base/check.h"
#include "base/digest.h"
#include "bus/frame.h"

namespace tidemark::bus {
namespace {

constexpr std::size_t kHeaderSizeOffset = 2;
constexpr std::size_t kBudgetOffset = 24;  // in a final answer: the count of parts
constexpr std::size_t kServerOffset = kEnvelopeHeaderBytes;
constexpr std::size_t kLongHeaderBytes = kEnvelopeHeaderBytes + 8;

Error corrupt_envelope(std::string what) {
  return Error{Code::kCorruption, "envelope: " + std::move(what)};
}

bool known_kind(std::uint8_t byte) {
  switch (static_cast<EnvelopeKind>(byte)) {
    case EnvelopeKind::kRequest:
    case EnvelopeKind::kProgress:
    case EnvelopeKind::kDone:
    case EnvelopeKind::kFailed:
    case EnvelopeKind::kCancel: return true;
  }
  return false;
}

}  // namespace

CallId make_call_id(NodeNumber caller, Incarnation incarnation, std::uint64_t counter) {
  Bytes bytes;
  append_be(bytes, static_cast<std::uint32_t>(caller));
  append_le(bytes, incarnation);
  append_le(bytes, counter);
  CallId call;
  std::memcpy(call.bytes.data(), bytes.data(), call.bytes.size());
  return call;
}

NodeNumber caller_of(const CallId& call) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = (number << 8) | call.bytes[i];
  return NodeNumber{number};
}

Bytes encode_envelope(const Envelope& envelope) {
  return encode_envelope(envelope, envelope.method, envelope.payload);
}

Bytes encode_envelope(const Envelope& header, std::string_view method, BytesView payload) {
  TIDEMARK_CHECK(method.size() <= kMethodBytesMax);
  TIDEMARK_CHECK(payload.size() <= std::numeric_limits<std::uint32_t>::max());
  Bytes out;
  out.reserve(kEnvelopeHeaderBytes + method.size() + payload.size());
  append_le(out, static_cast<std::uint8_t>(header.kind));
  append_le(out, kWireMajor);
  append_le(out, static_cast<std::uint8_t>(kEnvelopeHeaderBytes / 8));
  append_le(out, static_cast<std::uint8_t>(method.size()));
  append_le(out, header.incarnation);
  out.append(reinterpret_cast<const char*>(header.call.bytes.data()), header.call.bytes.size());
  append_le(out, header.kind == EnvelopeKind::kDone
                     ? header.parts
                     : static_cast<std::uint64_t>(header.budget.count()));
  append_le(out, static_cast<std::uint32_t>(payload.size()));
  append_le(out, crc32(payload, crc32(method)));
  out.append(method);
  out.append(payload);
  if (header.server != 0) set_server(out, header.server);
  return out;
}

void set_budget(Bytes& encoded, Duration budget) {
  TIDEMARK_CHECK(encoded.size() >= kEnvelopeHeaderBytes);
  const std::int64_t count = budget.count();
  std::memcpy(encoded.data() + kBudgetOffset, &count, sizeof count);
}

void set_server(Bytes& encoded, Incarnation server) {
  TIDEMARK_CHECK(encoded.size() >= kEnvelopeHeaderBytes);
  Bytes tail;
  append_le(tail, server);
  append_le(tail, std::uint32_t{0});
  encoded.insert(kServerOffset, tail);
  encoded[kHeaderSizeOffset] = static_cast<char>(kLongHeaderBytes / 8);
}

Result<Envelope> decode_envelope(BytesView bytes) {
  if (bytes.size() < kEnvelopeHeaderBytes) {
    return corrupt_envelope(std::to_string(bytes.size()) + " bytes are no header");
  }
  const auto major = read_le<std::uint8_t>(bytes, 1);
  if (major != kWireMajor) return corrupt_envelope("wire version " + std::to_string(major));
  const auto kind = read_le<std::uint8_t>(bytes, 0);
  if (!known_kind(kind)) return corrupt_envelope("kind " + std::to_string(kind));

  const std::size_t header_bytes = std::size_t{read_le<std::uint8_t>(bytes, kHeaderSizeOffset)} * 8;
  const std::size_t method_bytes = read_le<std::uint8_t>(bytes, 3);
  const std::size_t payload_bytes = read_le<std::uint32_t>(bytes, 32);
  if (header_bytes < kEnvelopeHeaderBytes ||
      header_bytes + method_bytes + payload_bytes != bytes.size()) {
    return corrupt_envelope("a header of " + std::to_string(header_bytes) + ", a method of " +
                            std::to_string(method_bytes) + " and a payload of " +
                            std::to_string(payload_bytes) + " bytes do not make " +
                            std::to_string(bytes.size()));
  }
  const bool is_request = static_cast<EnvelopeKind>(kind) == EnvelopeKind::kRequest;
  if (method_bytes > kMethodBytesMax) {
    return corrupt_envelope("a method's name of more than 64 bytes");
  }
  if (is_request != (method_bytes > 0)) {
    return corrupt_envelope("requests name a method, others do not");
  }
  const auto budget = read_le<std::int64_t>(bytes, kBudgetOffset);
  const bool is_done = static_cast<EnvelopeKind>(kind) == EnvelopeKind::kDone;
  if (budget < 0 && !is_done) return corrupt_envelope("a budget below nothing");
  // CRC-32 of the method followed by the payload, which stand side by side.
  if (read_le<std::uint32_t>(bytes, 36) != crc32(bytes.substr(header_bytes))) {
    return corrupt_envelope("checksum differs");
  }

  Envelope envelope;
  envelope.kind = static_cast<EnvelopeKind>(kind);
  envelope.incarnation = read_le<std::uint32_t>(bytes, 4);
  std::memcpy(envelope.call.bytes.data(), bytes.data() + 8, envelope.call.bytes.size());
  if (is_done) {
    envelope.parts = static_cast<std::uint64_t>(budget);
  } else {
    envelope.budget = Duration{budget};
  }
  if (is_request && header_bytes >= kLongHeaderBytes) {
    envelope.server = read_le<std::uint32_t>(bytes, kServerOffset);
  }
  envelope.method = bytes.substr(header_bytes, method_bytes);
  envelope.payload = bytes.substr(header_bytes + method_bytes);
  return envelope;
}

}  // namespace tidemark::bus
