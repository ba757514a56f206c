// bus/envelope.h
//
// The header of a request or an answer: 40 bytes (48 when a request is sent again), then the
// method's name (requests only), then the payload, in one ZeroMQ frame. docs/bus-protocol.md has
// every byte.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/node.h"

namespace tidemark::bus {

inline constexpr std::size_t kEnvelopeHeaderBytes = 40;
inline constexpr std::size_t kEnvelopeBytesMax = 64u << 20;  // MAXMSGSIZE of request sockets.
inline constexpr std::size_t kMethodBytesMax = 64;

enum class EnvelopeKind : std::uint8_t {
  kRequest = 'Q',
  kProgress = 'P',  // any number of these before the final answer
  kDone = 'D',
  kFailed = 'F',  // payload: packed {code, message}; a refusal is Code::kRefused
  kCancel = 'C',  // advisory
};

/// Names one call for ever: the caller's node number (4 bytes, big-endian), its incarnation
/// (4 bytes) and its counter (8 bytes).
struct CallId {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const CallId&) const = default;
};
CallId make_call_id(NodeNumber caller, Incarnation incarnation, std::uint64_t counter);
NodeNumber caller_of(const CallId& call);

struct Envelope {
  EnvelopeKind kind = EnvelopeKind::kRequest;
  CallId call;
  Duration budget{0};           // requests: how long the caller waits from now on. Relative, since
                                // clocks differ.
  std::uint64_t parts = 0;      // kDone: how many kProgress came before it, so a lost one shows
  Incarnation incarnation = 0;  // of the sender
  Incarnation server = 0;       // kRequest, sent again: who got it before; nobody else may do it
  std::string method;           // requests only: "journal.append"
  Bytes payload;

  bool operator==(const Envelope&) const = default;
};

Bytes encode_envelope(const Envelope& envelope);
/// The same with method and payload from elsewhere, so a large payload is copied once.
Bytes encode_envelope(const Envelope& header, std::string_view method, BytesView payload);
/// Changes the budget of an encoded request, which may have waited for a connection.
void set_budget(Bytes& encoded, Duration budget);
/// Names the server in an encoded request that names none.
void set_server(Bytes& encoded, Incarnation server);

/// Errors: kCorruption, saying what was wrong. Nothing is allocated before lengths, version and
/// checksum are right.
Result<Envelope> decode_envelope(BytesView bytes);

}  // namespace tidemark::bus

template <>
struct std::hash<tidemark::bus::CallId> {
  std::size_t operator()(const tidemark::bus::CallId& call) const noexcept {
    std::uint64_t caller = 0;
    std::uint64_t counter = 0;
    std::memcpy(&caller, call.bytes.data(), sizeof caller);
    std::memcpy(&counter, call.bytes.data() + sizeof caller, sizeof counter);
    return static_cast<std::size_t>(caller ^ (counter * 0x9e3779b97f4a7c15ULL));
  }
};
