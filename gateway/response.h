// gateway/response.h
//
// An answer before it is HTTP: small ones are a string, large ones are made piece by piece while
// the client reads, so no answer holds the loop, or tens of megabytes, for itself.

#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "gateway/json_writer.h"
#include "gateway/problem.h"

namespace tidemark::gateway {

inline constexpr std::size_t kPieceBytes = 128u << 10;  // some 0.3 ms of work each

struct Piece {
  std::string bytes;
  bool last = false;
};
/// The next piece at each call, until one is the last.
using Pieces = std::function<Piece()>;

struct Response {
  unsigned status = 200;
  std::string_view content_type = "application/json";
  std::string body;
  Pieces pieces;             // instead of `body`, when it is set
  std::string allow;         // of a 405
  bool retry_after = false;  // of a 503
};

/// What stands around the body of an answer: nothing, or the older clients' envelope.
struct Frame {
  bool envelope = false;

  void begin(JsonWriter& json) const;
  void end(JsonWriter& json) const;
  /// 200 with what `write` writes.
  template <class Write>
  Response ok(Write write) const {
    JsonWriter json;
    begin(json);
    write(json);
    end(json);
    Response response;
    response.body = json.take();
    return response;
  }
  Response error(unsigned status, std::string_view detail) const;
  /// By what the caller can do next; what an operator must look at stays in the log.
  Response error(const Error& error) const;
  Response invalid(const Problems& problems) const;  // 422
};

}  // namespace tidemark::gateway
