// test/gateway/http_client.h
//
// A small blocking HTTP client for tests: one connection, and its answers.

#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace tidemark::gateway::test {

namespace http = boost::beast::http;

struct Answer {
  unsigned status = 0;
  std::string body;
  http::fields fields;
  bool keep_alive = false;

  nlohmann::json json() const { return nlohmann::json::parse(body); }
  std::string header(const std::string& name) const {
    const auto value = fields[name];
    return {value.data(), value.size()};
  }
};

class HttpClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit HttpClient(std::uint16_t port) {
    socket_.connect({boost::asio::ip::address_v4::loopback(), port});
    socket_.set_option(boost::asio::ip::tcp::no_delay(true));
  }

  void send(const std::string& method, const std::string& target, const std::string& body = "",
            const Headers& headers = {}) {
    http::request<http::string_body> request;
    request.version(11);
    request.method_string(method);
    request.target(target);
    request.set(http::field::host, "localhost");
    for (const auto& [name, value] : headers) request.set(name, value);
    if (!body.empty()) request.body() = body;
    request.prepare_payload();
    boost::system::error_code ignored;  // The server may answer and close before it has all.
    http::write(socket_, request, ignored);
  }
  void send_raw(const std::string& bytes) {
    boost::asio::write(socket_, boost::asio::buffer(bytes));
  }

  /// Status 0: the connection was closed instead.
  Answer receive(bool to_head = false) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(256u << 20);
    parser.skip(to_head);
    boost::system::error_code error;
    http::read(socket_, buffer_, parser, error);
    if (error) return {};
    auto message = parser.release();
    Answer answer;
    answer.status = message.result_int();
    answer.keep_alive = message.keep_alive();
    answer.body = std::move(message.body());
    answer.fields = std::move(message.base());
    return answer;
  }
  bool closed_by_server() {
    boost::system::error_code error;
    char byte = 0;
    return socket_.read_some(boost::asio::buffer(&byte, 1), error) == 0 && error;
  }

  Answer get(const std::string& target, const Headers& headers = {}) {
    send("GET", target, "", headers);
    return receive();
  }
  Answer post(const std::string& target, const std::string& body, Headers headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    send("POST", target, body, headers);
    return receive();
  }

 private:
  boost::asio::io_context context_;
  boost::asio::ip::tcp::socket socket_{context_};
  boost::beast::flat_buffer buffer_;
};

}  // namespace tidemark::gateway::test
