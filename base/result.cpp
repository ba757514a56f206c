#include "base/result.h"

namespace tidemark {

std::string_view to_string(Code code) {
  switch (code) {
    case Code::kInvalidArgument: return "invalid argument";
    case Code::kNotFound: return "not found";
    case Code::kConflict: return "conflict";
    case Code::kTimeout: return "timeout";
    case Code::kUnavailable: return "unavailable";
    case Code::kRefused: return "refused";
    case Code::kCorruption: return "corruption";
    case Code::kFailed: return "failed";
    case Code::kCancelled: return "cancelled";
  }
  return "unknown code";  // A peer of a later version may send one that we do not know.
}

}  // namespace tidemark
