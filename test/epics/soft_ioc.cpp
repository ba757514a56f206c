#include "test/epics/soft_ioc.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "base/check.h"
#include "base/uuid.h"

extern char** environ;  // NOLINT: POSIX declares it nowhere.

namespace tidemark::test {
namespace {

/// A port that is free for TCP and UDP.
std::uint16_t free_port() {
  for (;;) {
    const int tcp = ::socket(AF_INET, SOCK_STREAM, 0);
    const int udp = ::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    const bool both = ::bind(tcp, raw, length) == 0 && ::getsockname(tcp, raw, &length) == 0 &&
                      ::bind(udp, raw, length) == 0;
    ::close(tcp);
    ::close(udp);
    if (both) return ntohs(address.sin_port);
  }
}

constexpr const char* kProgram = R"(
import sys
import epicscorelibs.ioc as ioc
if len(sys.argv) > 2:
    ioc.dbCore.asSetFilename(sys.argv[2].encode())
ioc.start_ioc(database=sys.argv[1])
sys.stdin.read()
)";

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path);
  file << text;
  TIDEMARK_CHECK(file.good());
}

}  // namespace

SoftIoc::SoftIoc(const std::string& database, const std::string& access)
    : folder_(std::filesystem::temp_directory_path() / ("tidemark-ioc-" + Uuid::random().text())),
      port_(free_port()) {
  std::filesystem::create_directory(folder_);
  write_file(folder_ / "test.db", database);
  if (!access.empty()) write_file(folder_ / "test.acf", access);
  start();
}

SoftIoc::~SoftIoc() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void SoftIoc::start() {
  TIDEMARK_CHECK(pid_ < 0);
  int pipe[2];
  TIDEMARK_CHECK(::pipe2(pipe, O_CLOEXEC) == 0);
  stdin_ = pipe[1];

  const auto port = std::to_string(port_);
  const std::vector<std::string> variables = {
      "EPICS_CA_SERVER_PORT=" + port,       "EPICS_CAS_SERVER_PORT=" + port,
      "EPICS_CAS_INTF_ADDR_LIST=127.0.0.1", "EPICS_CAS_BEACON_ADDR_LIST=127.0.0.1",
      "EPICS_CA_ADDR_LIST=127.0.0.1",       "EPICS_CA_AUTO_ADDR_LIST=NO"};
  std::vector<char*> environment;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!std::string_view(*each).starts_with("EPICS_C")) environment.push_back(*each);
  }
  for (const auto& each : variables) environment.push_back(const_cast<char*>(each.c_str()));
  environment.push_back(nullptr);

  const auto database = (folder_ / "test.db").string();
  const auto access = (folder_ / "test.acf").string();
  std::vector<const char*> arguments = {TIDEMARK_PYTHON, "-c", kProgram, database.c_str()};
  if (std::filesystem::exists(access)) arguments.push_back(access.c_str());
  arguments.push_back(nullptr);

  const auto log = (folder_ / "ioc.log").string();
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, pipe[0], 0);
  posix_spawn_file_actions_addopen(&files, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&files, 1, 2);
  const int status = ::posix_spawn(&pid_, TIDEMARK_PYTHON, &files, nullptr,
                                   const_cast<char* const*>(arguments.data()), environment.data());
  posix_spawn_file_actions_destroy(&files);
  ::close(pipe[0]);
  TIDEMARK_CHECK(status == 0);
}

void SoftIoc::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
  ::close(stdin_);
  pid_ = -1;
}

void SoftIoc::freeze() {
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);  // It has stopped.
}
void SoftIoc::resume() { ::kill(pid_, SIGCONT); }

epics::CaOptions SoftIoc::options() const {
  epics::CaOptions options;
  options.addr_list = "127.0.0.1";
  options.auto_addr_list = false;
  options.server_port = port_;
  return options;
}

}  // namespace tidemark::test
