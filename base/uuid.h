// base/uuid.h
//
// 128 bits that name a thing for ever: a node, a PV, a snapshot, a job.

#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark {

struct Uuid {
  std::array<std::uint8_t, 16> bytes{};

  /// Random (version 4), from the operating system's generator.
  static Uuid random();
  /// The same text gives the same UUID (version 8, BLAKE2b).
  static Uuid derive(std::string_view text);
  /// The usual 8-4-4-4-12 form, in either case. Nothing else is accepted.
  static std::optional<Uuid> parse(std::string_view text);

  std::string text() const;
  bool is_nil() const { return *this == Uuid{}; }
  auto operator<=>(const Uuid&) const = default;
};

}  // namespace tidemark

template <>
struct std::hash<tidemark::Uuid> {
  std::size_t operator()(const tidemark::Uuid& uuid) const noexcept {
    std::size_t value = 0;  // Random or digested bytes: any eight of them are a hash.
    for (int i = 0; i < 8; ++i) value = (value << 8) | uuid.bytes[static_cast<std::size_t>(i)];
    return value;
  }
};
