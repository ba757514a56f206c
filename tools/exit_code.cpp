#include "tools/exit_code.h"

namespace tidemark::tools {

Exit exit_of(const Error& error) {
  switch (error.code) {
    case Code::kInvalidArgument: return Exit::kUsage;
    case Code::kUnavailable: return Exit::kUnreachable;
    case Code::kTimeout: return Exit::kUnknown;
    case Code::kNotFound:
    case Code::kConflict:
    case Code::kRefused:
    case Code::kCorruption:
    case Code::kFailed:
    case Code::kCancelled: break;
  }
  return Exit::kFailed;
}

}  // namespace tidemark::tools
