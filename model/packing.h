// model/packing.h
//
// Structs to msgpack and back, from the one list of fields that each struct has:
//
//   struct Put { ChannelId channel; PvValue value;
//                static auto fields(auto& s) { return std::tie(s.channel, s.value); } };
//
// A struct is packed as an array in that order. Decoders take longer arrays (a later version
// wrote them) and shorter ones (defaults stay), so fields are only ever appended.
//
// The definitions are in packing_impl.h; a *_codec.cpp instantiates them once per type with
// TIDEMARK_PACKABLE(Type), so msgpack's headers stay out of everybody else's compile time.

#pragma once

#include "base/bytes.h"
#include "base/result.h"

namespace tidemark::model {

/// A field of raw bytes (msgpack bin); std::string fields are text (msgpack str).
struct Blob {
  Bytes bytes;
  bool operator==(const Blob&) const = default;
};

template <class T>
Bytes pack(const T& value);

/// Errors: kCorruption, naming the field's position. Never throws; allocates in proportion to
/// `bytes`, never to a length that `bytes` merely claims.
template <class T>
Result<T> unpack(BytesView bytes);

}  // namespace tidemark::model
