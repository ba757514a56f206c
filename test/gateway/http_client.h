// test/gateway/http_client.h
//
// A small blocking HTTP client for tests: one connection, and its answers.

#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::gateway::test {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Answer {
  unsigned status = 0;
  std::string body;
  Headers headers;
  bool keep_alive = false;

  nlohmann::json json() const;
  /// Of any case; empty when there is none.
  std::string header(const std::string& name) const;
};

class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port);
  HttpClient(HttpClient&&) noexcept;
  ~HttpClient();

  void send(const std::string& method, const std::string& target, const std::string& body = "",
            const Headers& headers = {});
  void send_raw(const std::string& bytes);

  /// Status 0: the connection was closed instead.
  Answer receive(bool to_head = false);
  bool closed_by_server();

  Answer get(const std::string& target, const Headers& headers = {});
  Answer post(const std::string& target, const std::string& body, Headers headers = {});

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
};

}  // namespace tidemark::gateway::test
