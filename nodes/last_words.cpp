// The file: one line of words for each thing that was said, "<ns since 1970> <signal> <text>". The
// signal of an exception is 0; SIGABRT follows it.

#include "nodes/last_words.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <exception>
#include <filesystem>
#include <fstream>

namespace tidemark::nodes {
namespace {

constexpr std::size_t kWordsBytesMax = 4096;  // of the file
constexpr std::size_t kTailBytes = 8192;      // of a log, from the end
constexpr std::size_t kLineBytesMax = 1024;
constexpr int kFatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

// Set once, before the handlers are.
std::atomic<int> words_fd{-1};
std::terminate_handler default_terminate = nullptr;

/// A line put together without memory or locks.
class Line {
 public:
  Line& text(const char* said) {
    while (*said != '\0' && size_ < sizeof line_ - 1) {
      line_[size_++] = *said == '\n' ? ' ' : *said;
      ++said;
    }
    return *this;
  }
  Line& number(std::uint64_t value, int base = 10) {
    const auto [end, error] = std::to_chars(line_ + size_, line_ + sizeof line_ - 1, value, base);
    if (error == std::errc{}) size_ = static_cast<std::size_t>(end - line_);
    return *this;
  }
  Line& begin(int signal) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    return number(static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
                  static_cast<std::uint64_t>(now.tv_nsec))
        .text(" ")
        .number(static_cast<std::uint64_t>(signal))
        .text(" ");
  }
  void write() {
    line_[size_++] = '\n';
    for (const int fd : {words_fd.load(), STDERR_FILENO}) {
      if (fd >= 0) (void)!::write(fd, line_, size_);
    }
  }

 private:
  char line_[512];
  std::size_t size_ = 0;
};

const char* name_of(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGABRT: return "SIGABRT";
    case SIGKILL: return "SIGKILL";
    case SIGTERM: return "SIGTERM";
    case SIGINT: return "SIGINT";
    default: return nullptr;
  }
}

void on_fatal(int number, siginfo_t* about, void*) {
  Line line;
  line.begin(number).text("ended by ").text(name_of(number));
  if (number == SIGSEGV || number == SIGBUS) {
    line.text(" at address 0x").number(reinterpret_cast<std::uintptr_t>(about->si_addr), 16);
  }
  if (about->si_code <= 0 && number != SIGABRT) {
    line.text(", sent by process ").number(static_cast<std::uint64_t>(about->si_pid));
  }
  line.write();
  // SA_RESETHAND put the default back: it ends the process as the signal would have.
  ::raise(number);
}

[[noreturn]] void on_terminate() {
  Line line;
  line.begin(0).text("an exception that nobody caught");
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
    line.text(", or std::terminate()");
  } catch (const std::exception& failure) {
    line.text(": ").text(failure.what());
  } catch (...) {
  }
  line.write();
  if (default_terminate != nullptr) default_terminate();
  std::abort();
}

}  // namespace

std::string signal_name(int number) {
  const char* name = name_of(number);
  return name == nullptr ? "signal " + std::to_string(number) : name;
}

std::optional<LastWords> take_last_words(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(kWordsBytesMax, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  LastWords words;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    const std::string line = bytes.substr(0, end);
    bytes.erase(0, end + 1);
    std::uint64_t at = 0;
    int signal = 0;
    const auto* last = line.data() + line.size();
    const auto time = std::from_chars(line.data(), last, at);
    if (time.ec != std::errc{} || time.ptr == last) continue;
    const auto number = std::from_chars(time.ptr + 1, last, signal);
    if (number.ec != std::errc{} || number.ptr == last) continue;
    words.at = UtcTime{Duration{static_cast<std::int64_t>(at)}};
    if (signal != 0) words.signal = signal;
    words.text += (words.text.empty() ? "" : "; ") + std::string(number.ptr + 1, last);
  }
  if (words.text.empty()) return std::nullopt;
  return words;
}

void keep_last_words(const std::string& file) {
  if (words_fd >= 0) return;
  words_fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
  default_terminate = std::set_terminate(on_terminate);
  // A stack that overflowed has no room for a handler: this is for the thread that calls, the
  // main one.
  static char stack[64 << 10];
  stack_t other{};
  other.ss_sp = stack;
  other.ss_size = sizeof stack;
  ::sigaltstack(&other, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_fatal;
  action.sa_flags = static_cast<int>(SA_SIGINFO | SA_RESETHAND | SA_ONSTACK);
  sigemptyset(&action.sa_mask);
  for (const int each : kFatal) {
    struct sigaction before {};
    // Who has a handler of its own, such as a sanitizer, keeps it.
    if (::sigaction(each, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) {
      ::sigaction(each, &action, nullptr);
    }
  }
}

std::vector<std::string> last_lines(const std::string& file, std::size_t from,
                                    std::size_t lines_max) {
  std::ifstream stream(file, std::ios::binary | std::ios::ate);
  if (!stream) return {};
  const auto size = static_cast<std::size_t>(stream.tellg());
  const auto begin = std::max(from, size - std::min(size, kTailBytes));
  if (begin >= size) return {};
  std::string bytes(size - begin, '\0');
  stream.seekg(static_cast<std::streamoff>(begin));
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  std::vector<std::string> lines;
  while (!bytes.empty()) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    if (end > 0) lines.push_back(bytes.substr(0, std::min(end, kLineBytesMax)));
    bytes.erase(0, end + 1);
  }
  // A line that was cut at its beginning says little.
  if (begin > from && lines.size() > 1) lines.erase(lines.begin());
  if (lines.size() > lines_max) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(lines_max));
  }
  return lines;
}

}  // namespace tidemark::nodes
