// subsystem/key_pattern.h
//
// Which keys of whom: "subsystem/key", with * and ? in either part. Without a slash: all keys.

#pragma once

#include <string>
#include <string_view>

#include "base/glob.h"

namespace tidemark::subsystem {

class KeyPattern {
 public:
  explicit KeyPattern(std::string_view pattern)
      : subsystem_(pattern.substr(0, pattern.find('/'))),
        key_(pattern.size() == subsystem_.size() ? "*" : pattern.substr(subsystem_.size() + 1)) {}

  bool matches(std::string_view subsystem, std::string_view key) const {
    return glob_match(subsystem_, subsystem) && glob_match(key_, key);
  }
  /// With its slash. As one pattern it fits all that fits its parts, and sometimes more.
  std::string text() const { return subsystem_ + "/" + key_; }

 private:
  std::string subsystem_;
  std::string key_;
};

}  // namespace tidemark::subsystem
