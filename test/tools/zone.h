// test/tools/zone.h
//
// Another time zone while it lives. As a rule, not by name: no database of zones is needed.

#pragma once

#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>

namespace tidemark::tools {

class Zone {
 public:
  static constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

  explicit Zone(const char* rule) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    ::setenv("TZ", rule, 1);
    ::tzset();
  }
  ~Zone() {
    if (before_) {
      ::setenv("TZ", before_->c_str(), 1);
    } else {
      ::unsetenv("TZ");
    }
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::optional<std::string> before_;
};

}  // namespace tidemark::tools
