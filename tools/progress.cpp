#include "tools/progress.h"

#include <algorithm>
#include <ostream>

#include "tools/table.h"

namespace tidemark::tools {
namespace {

using namespace std::chrono_literals;

constexpr auto kLineInterval = 10s;
constexpr std::size_t kBarCells = 30;
constexpr std::size_t kColumnsGuess = 80;  // of a terminal that does not say

}  // namespace

std::string progress_bar(const model::Job& job, std::size_t columns) {
  const double share =
      job.total == 0 ? 0.0 : std::min(1.0, static_cast<double>(job.done) / job.total);
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarCells));
  std::string bar = "[";
  for (std::size_t i = 0; i < kBarCells; ++i) bar += i < full ? "█" : "·";
  bar += "] " + std::to_string(static_cast<int>(share * 100)) + " %";
  if (job.total > 0) bar += "  " + std::to_string(job.done) + " of " + std::to_string(job.total);
  if (!job.message.empty()) bar += "  " + printable(job.message);
  return shorten(bar, columns == 0 ? kColumnsGuess : columns);
}

Progress::Progress(std::ostream& err, bool terminal, std::size_t columns)
    : err_(err), terminal_(terminal), columns_(columns), next_line_(steady_now() + kLineInterval) {}

Progress::~Progress() {
  if (drawn_) err_ << "\r\x1b[K" << std::flush;
}

void Progress::show(const model::Job& job, SteadyTime now) {
  if (terminal_) {
    err_ << "\r\x1b[K" << progress_bar(job, columns_) << std::flush;
    drawn_ = true;
    return;
  }
  if (now < next_line_) return;
  next_line_ = now + kLineInterval;
  err_ << job.type << ": " << job.done << " of " << job.total;
  if (!job.message.empty()) err_ << ", " << printable(job.message);
  err_ << std::endl;
}

}  // namespace tidemark::tools
