#include "nodes/children.h"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <deque>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "nodes/last_words.h"

namespace tidemark::nodes {
namespace {

constexpr std::size_t kLastWords = 10;  // lines

ChildEnd what_happened(int status) {
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    return {"killed by signal " + std::to_string(number), number, {}};
  }
  if (WEXITSTATUS(status) == 0) return {"stopped", 0, {}};
  return {"exited with " + std::to_string(WEXITSTATUS(status)), 0, {}};
}

std::size_t size_of(int fd) {
  const auto end = ::lseek(fd, 0, SEEK_END);
  return end < 0 ? 0 : static_cast<std::size_t>(end);
}

/// In the child, between fork and exec: system calls only.
[[noreturn]] void become(const ChildSpec& spec, char* const* argv, int log) {
  ::setpgid(0, 0);  // Ctrl-C goes to the supervisor alone: it stops the others in order.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  ::dup2(null, STDIN_FILENO);
  if (log >= 0) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  ::execv(spec.executable.c_str(), argv);
  ::_exit(127);
}

}  // namespace

class Children::Watcher {
 public:
  explicit Watcher(std::function<void(std::string, int, ChildEnd)> on_exit)
      : on_exit_(std::move(on_exit)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        thread_([this] { run(); }) {}

  ~Watcher() {
    post([this] { stopping_ = true; });
    thread_.join();
    ::close(wake_);
  }

  void post(std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      work_.push_back(std::move(work));
    }
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }

  Result<int> start(ChildSpec spec) {
    std::promise<Result<int>> started;
    auto result = started.get_future();
    post([&] { started.set_value(spawn(spec)); });
    return result.get();
  }

  void signal(int pid, int number) {
    post([this, pid, number] {
      if (children_.contains(pid)) ::kill(pid, number);
    });
  }

  std::size_t running() const { return running_; }

 private:
  struct Child {
    std::string name;
    int fd;
    std::string log_file;
    std::size_t log_begin;  // of what this child says
  };

  Result<int> spawn(const ChildSpec& spec) {
    if (::access(spec.executable.c_str(), X_OK) != 0) {
      return Error{Code::kUnavailable,
                   "cannot run " + spec.executable + ": " + std::strerror(errno)};
    }
    std::vector<char*> argv;
    argv.push_back(const_cast<char*>(spec.executable.c_str()));
    for (const auto& each : spec.arguments) argv.push_back(const_cast<char*>(each.c_str()));
    argv.push_back(nullptr);
    const int log = ::open(spec.log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const auto log_begin = log < 0 ? 0 : size_of(log);
    const pid_t pid = ::fork();
    if (pid == 0) become(spec, argv.data(), log);
    if (log >= 0) ::close(log);
    if (pid < 0) {
      return Error{Code::kUnavailable, "cannot start " + spec.name + ": " + std::strerror(errno)};
    }
    // By number: the header of glibc 2.36 declares pidfd_open() without extern "C".
    children_[pid] = {spec.name, static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)), spec.log_file,
                      log_begin};
    ++running_;
    return pid;
  }

  void reap(int pid) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return;
    const auto child = children_[pid];
    ::close(child.fd);
    children_.erase(pid);
    --running_;
    auto end = what_happened(status);
    if (end.what != "stopped") {
      end.last_words = last_lines(child.log_file, child.log_begin, kLastWords);
    }
    on_exit_(child.name, pid, std::move(end));
  }

  void run() {
    while (!stopping_) {
      std::vector<pollfd> fds{{wake_, POLLIN, 0}};
      std::vector<int> pids{0};
      for (const auto& [pid, child] : children_) {
        fds.push_back({child.fd, POLLIN, 0});
        pids.push_back(pid);
      }
      ::poll(fds.data(), fds.size(), -1);
      for (std::size_t i = 1; i < fds.size(); ++i) {
        if (fds[i].revents != 0) reap(pids[i]);
      }
      std::uint64_t count = 0;
      (void)!::read(wake_, &count, sizeof count);
      std::deque<std::function<void()>> work;
      {
        const std::lock_guard lock(mutex_);
        work.swap(work_);
      }
      for (const auto& each : work) each();
    }
    for (const auto& [pid, child] : children_) {
      ::kill(pid, SIGKILL);
      ::waitpid(pid, nullptr, 0);
      ::close(child.fd);
    }
  }

  // Constant after construction.
  const std::function<void(std::string, int, ChildEnd)> on_exit_;
  const int wake_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::deque<std::function<void()>> work_;

  // Only on the watching thread.
  std::map<int, Child> children_;
  bool stopping_ = false;

  std::atomic<std::size_t> running_ = 0;
  std::thread thread_;  // Last: it uses everything above.
};

Children::Children(std::function<void(std::string, int, ChildEnd)> on_exit)
    : watcher_(std::make_unique<Watcher>(std::move(on_exit))) {}
Children::~Children() = default;
Result<int> Children::start(ChildSpec spec) { return watcher_->start(std::move(spec)); }
void Children::signal(int pid, int number) { watcher_->signal(pid, number); }
std::size_t Children::running() const { return watcher_->running(); }

}  // namespace tidemark::nodes
