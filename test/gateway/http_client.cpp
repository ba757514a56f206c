#include "http_client.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http.hpp>

namespace tidemark::gateway::test {

namespace http = boost::beast::http;

nlohmann::json Answer::json() const { return nlohmann::json::parse(body); }

std::string Answer::header(const std::string& name) const {
  for (const auto& [each, value] : headers) {
    if (boost::beast::iequals(each, name)) return value;
  }
  return "";
}

struct HttpClient::Connection {
  boost::asio::io_context context;
  boost::asio::ip::tcp::socket socket{context};
  boost::beast::flat_buffer buffer;
};

HttpClient::HttpClient(std::uint16_t port) : connection_(std::make_unique<Connection>()) {
  connection_->socket.connect({boost::asio::ip::address_v4::loopback(), port});
  connection_->socket.set_option(boost::asio::ip::tcp::no_delay(true));
}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

void HttpClient::send(const std::string& method, const std::string& target, const std::string& body,
                      const Headers& headers) {
  http::request<http::string_body> request;
  request.version(11);
  request.method_string(method);
  request.target(target);
  request.set(http::field::host, "localhost");
  for (const auto& [name, value] : headers) request.set(name, value);
  if (!body.empty()) request.body() = body;
  request.prepare_payload();
  boost::system::error_code ignored;  // The server may answer and close before it has all.
  http::write(connection_->socket, request, ignored);
}

void HttpClient::send_raw(const std::string& bytes) {
  boost::asio::write(connection_->socket, boost::asio::buffer(bytes));
}

Answer HttpClient::receive(bool to_head) {
  http::response_parser<http::string_body> parser;
  parser.body_limit(256u << 20);
  parser.skip(to_head);
  boost::system::error_code error;
  http::read(connection_->socket, connection_->buffer, parser, error);
  if (error) return {};
  auto message = parser.release();
  Answer answer;
  answer.status = message.result_int();
  answer.keep_alive = message.keep_alive();
  answer.body = std::move(message.body());
  for (const auto& field : message) {
    answer.headers.emplace_back(field.name_string(), field.value());
  }
  return answer;
}

bool HttpClient::closed_by_server() {
  boost::system::error_code error;
  char byte = 0;
  return connection_->socket.read_some(boost::asio::buffer(&byte, 1), error) == 0 && error;
}

Answer HttpClient::get(const std::string& target, const Headers& headers) {
  send("GET", target, "", headers);
  return receive();
}

Answer HttpClient::post(const std::string& target, const std::string& body, Headers headers) {
  headers.emplace_back("Content-Type", "application/json");
  send("POST", target, body, headers);
  return receive();
}

}  // namespace tidemark::gateway::test
