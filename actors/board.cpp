#include "actors/board.h"

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace tidemark::actors {
namespace {

std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

void Board::gauge(const std::string& name, const std::string& help, double value) {
  const std::lock_guard lock(mutex_);
  figures_[name] = {name, help, false, value};
}

void Board::count(const std::string& name, const std::string& help, double total) {
  const std::lock_guard lock(mutex_);
  figures_[name] = {name, help, true, total};
}

void Board::fact(const std::string& name, const std::string& text) {
  const std::lock_guard lock(mutex_);
  facts_[name] = text;
}

void Board::warning(const std::string& what, const std::string& sentence) {
  const std::lock_guard lock(mutex_);
  if (sentence.empty()) {
    warnings_.erase(what);
  } else {
    warnings_[what] = sentence;
  }
}

void Board::fill(model::api::NodeStatus& status) const {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  status.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  status.memory_bytes = resident_bytes();
  const std::lock_guard lock(mutex_);
  status.facts = facts_;
  for (const auto& [what, sentence] : warnings_) status.warnings.push_back(sentence);
  for (const auto& [name, figure] : figures_) status.figures.push_back(figure);
}

}  // namespace tidemark::actors
