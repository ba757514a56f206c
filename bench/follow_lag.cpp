// bench/follow_lag.cpp
//
// How old lines are when a follower has printed them: reads what `tidemark log follow --json`
// prints and compares each line's time of the IOC with the clock. The first second is not counted.
//
//   tidemark --json log follow --kind PvUpdate --for 11s | follow_lag
//
// PVs count up by one, so a hole, or a line that came twice, is seen. Prints one line of JSON.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"

namespace tidemark {
namespace {

using Json = nlohmann::json;

constexpr Duration kWarmUp = std::chrono::seconds(1);

class Lags {
 public:
  /// `read_at`: when the line was there.
  void take(const std::string& text, UtcTime read_at) {
    const auto line = Json::parse(text);
    const auto number = line.at("line").get<std::uint64_t>();
    if (number <= last_line_) ++wrong_;
    last_line_ = number;
    if (!line.at("value").is_number()) return;
    const auto value = line.at("value").get<double>();
    const auto [at, is_new] = values_.try_emplace(line.at("subject").get<std::string>(), value);
    // The same value again: an alarm.
    if (!is_new && value != at->second && value != at->second + 1) ++wrong_;
    at->second = value;
    if (first_ == UtcTime{}) first_ = read_at;
    last_ = read_at;
    if (read_at - first_ < kWarmUp) return;
    const auto taken_at = parse_iso(line.at("taken_at").get<std::string>());
    if (!taken_at) throw std::runtime_error("a line has no time of the IOC");
    lags_.push_back(std::chrono::duration<double, std::milli>(read_at - *taken_at).count());
  }
  void print() {
    if (lags_.empty()) throw std::runtime_error("no line came");
    std::sort(lags_.begin(), lags_.end());
    const auto seconds = std::chrono::duration<double>(last_ - first_ - kWarmUp).count();
    std::printf(
        "{\"lines\":%zu,\"lines_per_s\":%.1f,\"wrong\":%zu,\"p50_ms\":%.4f,\"p99_ms\":%.4f,"
        "\"max_ms\":%.4f}\n",
        lags_.size(), static_cast<double>(lags_.size()) / seconds, wrong_, at(0.5), at(0.99),
        lags_.back());
  }

 private:
  double at(double share) const {
    return lags_[static_cast<std::size_t>(share * static_cast<double>(lags_.size() - 1))];
  }

  std::unordered_map<std::string, double> values_;
  std::vector<double> lags_;
  std::uint64_t last_line_ = 0;
  std::size_t wrong_ = 0;
  UtcTime first_{};
  UtcTime last_{};
};

/// What came at once, and when. It is looked at when all has come: taking lines apart would make
/// the next ones look late.
struct Piece {
  UtcTime read_at;
  std::string text;
};

std::vector<Piece> read_all() {
  std::vector<Piece> pieces;
  char buffer[1u << 16];
  while (true) {
    const auto bytes = ::read(STDIN_FILENO, buffer, sizeof buffer);
    if (bytes <= 0) return pieces;
    pieces.push_back({utc_now(), std::string(buffer, static_cast<std::size_t>(bytes))});
  }
}

void run() {
  Lags lags;
  std::string pending;
  for (const auto& piece : read_all()) {
    pending += piece.text;
    std::size_t begin = 0;
    for (auto end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
      lags.take(pending.substr(begin, end - begin), piece.read_at);
      begin = end + 1;
    }
    pending.erase(0, begin);
  }
  lags.print();
}

}  // namespace
}  // namespace tidemark

int main() {
  try {
    tidemark::run();
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "follow_lag: %s\n", failure.what());
    return 1;
  }
}
