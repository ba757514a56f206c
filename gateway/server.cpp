#include "gateway/server.h"

#include <spdlog/spdlog.h>

#include <boost/asio/ip/tcp.hpp>
#include <charconv>
#include <thread>

#include "gateway/session.h"

namespace tidemark::gateway {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::size_t kRefusalsMax = 64;  // told so at once; more are closed without a word
constexpr auto kAcceptPause = std::chrono::milliseconds(100);  // when out of file descriptors
constexpr int kBacklog = 1024;

std::optional<tcp::endpoint> parse_endpoint(const std::string& listen) {
  const auto colon = listen.rfind(':');
  if (colon == std::string::npos) return std::nullopt;
  auto host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  std::uint16_t port = 0;
  const auto* const last = listen.data() + listen.size();
  const auto [end, error] = std::from_chars(listen.data() + colon + 1, last, port);
  if (error != std::errc{} || end != last) return std::nullopt;
  boost::system::error_code bad;
  const auto address = asio::ip::make_address(host, bad);
  if (bad) return std::nullopt;
  return tcp::endpoint(address, port);
}

class BeastServer final : public Server {
 public:
  BeastServer(ServerOptions options, Backend& backend)
      : context_(std::make_unique<asio::io_context>(1)),
        loop_(std::make_shared<Loop>(*context_)),
        hub_(std::move(options), backend, loop_),
        acceptor_(std::make_unique<tcp::acceptor>(*context_)),
        pause_(std::make_unique<asio::steady_timer>(*context_)) {}

  ~BeastServer() override {
    loop_->close();  // From here a reply is dropped where it is made.
    context_->stop();
    if (thread_.joinable()) thread_.join();
    acceptor_.reset();
    pause_.reset();
    context_.reset();  // Sessions are owned by what they wait for, and go with it.
  }

  Result<Unit> open(const tcp::endpoint& endpoint) {
    boost::system::error_code error;
    acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(kBacklog, error);
    if (!error) port_ = acceptor_->local_endpoint(error).port();
    if (!error) return Unit{};
    const auto what = "gateway: listen on " + hub_.options.listen + ": " + error.message();
    if (error == asio::error::address_in_use) return Error{Code::kConflict, what};
    if (error == boost::system::errc::address_not_available) {
      return Error{Code::kInvalidArgument, what};
    }
    if (error == asio::error::access_denied) return Error{Code::kRefused, what};
    return Error{Code::kUnavailable, what};
  }

  void run() {
    accept();
    thread_ = std::thread([this] {
      for (;;) {
        try {
          context_->run();
          return;
        } catch (const std::exception& error) {
          // Out of memory in the middle of a session: that session ends, the others go on.
          spdlog::error("gateway: {}", error.what());
        }
      }
    });
  }

  std::uint16_t port() const override { return port_; }

 private:
  void accept() {
    acceptor_->async_accept([this](boost::system::error_code error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) {
        spdlog::warn("gateway: accept: {}", error.message());
        pause_->expires_after(kAcceptPause);
        pause_->async_wait([this](boost::system::error_code aborted) {
          if (!aborted) accept();
        });
        return;
      }
      begin(std::move(socket));
      accept();
    });
  }

  void begin(tcp::socket socket) {
    const bool full = hub_.sessions >= hub_.options.limits.connections_max;
    if (full) {
      hub_.metrics.connection_refused();
      if (hub_.refusals >= kRefusalsMax) return;  // The socket closes.
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    try {
      std::make_shared<Session>(std::move(socket), hub_, full)->start();
    } catch (const std::exception& failure) {
      spdlog::error("gateway: a new connection: {}", failure.what());
    }
  }

  std::unique_ptr<asio::io_context> context_;
  const std::shared_ptr<Loop> loop_;
  Hub hub_;  // Only on the loop thread.
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> pause_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> start_server(ServerOptions options, Backend& backend) {
  const auto endpoint = parse_endpoint(options.listen);
  if (!endpoint) {
    return Error{Code::kInvalidArgument,
                 "gateway: '" + options.listen + "' is not <address>:<port>, like 127.0.0.1:8080"};
  }
  auto server = std::make_unique<BeastServer>(std::move(options), backend);
  if (auto opened = server->open(*endpoint); !opened) return opened.error();
  server->run();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace tidemark::gateway
