// bus/resend.h
//
// Asking a publisher for frames that were lost on the way: answered by every link itself, from
// the ring of its last frames.
//
//   bus.resend   Resend → each frame as one progress, then an empty answer
//                kNotFound, kUnavailable   not to be had: ask for the whole state

#pragma once

#include <tuple>

#include "bus/frame.h"

namespace tidemark::bus {

inline constexpr std::string_view kResendMethod = "bus.resend";

struct Resend {
  StreamNumber stream = 0;
  Incarnation incarnation = 0;
  std::uint64_t from = 0;  // first item
  std::uint64_t to = 0;    // last item
  static auto fields(auto& s) { return std::tie(s.stream, s.incarnation, s.from, s.to); }
};

Bytes pack_resend(const Resend& resend);
Result<Resend> unpack_resend(BytesView payload);

}  // namespace tidemark::bus
