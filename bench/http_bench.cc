// HTTP/1.1 keep-alive POSTs of 600 bytes with a trivial handler: our server on one loop against the
// barest epoll loop that can answer them, same load, same run, in turns; and on two loops. Prints
// requests per second and the server threads' CPU time per request; the ratio of the latter is the
// steadier one on a machine that is shared.
#include <arpa/inet.h>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <future>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include "base/check.h"
#include "http/server.h"
#include "io/runtime.h"

namespace {

using pinpipe::http::Handler;
using pinpipe::http::Request;
using pinpipe::http::Response;

constexpr int rounds = 5;
constexpr std::chrono::milliseconds round_length{1000};

double thread_cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  auto micros = [](timeval t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return micros(usage.ru_utime) + micros(usage.ru_stime);
}

int listen_any(uint16_t& port) {
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(::bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0,
        "loopback can be bound");
  CHECK(::listen(listener, 1024) == 0, "a bound socket listens");
  socklen_t size = sizeof at;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  port = ntohs(at.sin_port);
  return listener;
}

// Reads, looks for the head's end and the length, answers; nothing else.
class BareServer {
 public:
  BareServer() : listener_(listen_any(port_)), thread_([this] { run(); }) {}
  ~BareServer() {
    stop_ = true;
    thread_.join();
    ::close(listener_);
  }
  uint16_t port() const { return port_; }
  double cpu_us() const { return cpu_us_; }

 private:
  struct Peer {
    int socket;
    size_t have = 0;
    char bytes[32 * 1024]{};
  };

  void run() {
    int poll = ::epoll_create1(0);
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, listener_, &event);
    std::array<epoll_event, 64> ready;
    while (!stop_) {
      int count = ::epoll_wait(poll, ready.data(), 64, 50);
      for (int i = 0; i < count; ++i) {
        auto* peer = static_cast<Peer*>(ready[static_cast<size_t>(i)].data.ptr);
        if (peer == nullptr) {
          accept_into(poll);
        } else if (!serve(*peer)) {
          ::close(peer->socket);
          delete peer;
        }
      }
      cpu_us_ = thread_cpu_us();
    }
    ::close(poll);
  }

  void accept_into(int poll) const {
    int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (socket < 0) return;
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto* peer = new Peer{socket};
    epoll_event event{.events = EPOLLIN, .data = {.ptr = peer}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
  }

  static bool serve(Peer& peer) {
    constexpr std::string_view answer =
        "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain\r\n"
        "Content-Length: 2\r\n\r\nok";
    ssize_t got = ::recv(peer.socket, peer.bytes + peer.have, sizeof peer.bytes - peer.have, 0);
    if (got <= 0) return got < 0 && errno == EAGAIN;
    peer.have += static_cast<size_t>(got);
    std::string out;
    size_t at = 0;
    while (true) {
      std::string_view rest(peer.bytes + at, peer.have - at);
      size_t end = rest.find("\r\n\r\n");
      size_t length_at = rest.find("Content-Length: ");
      if (end == rest.npos || length_at == rest.npos) break;
      size_t whole = end + 4 + static_cast<size_t>(std::atoi(rest.data() + length_at + 16));
      if (rest.size() < whole) break;
      out += answer;
      at += whole;
    }
    std::memmove(peer.bytes, peer.bytes + at, peer.have - at);
    peer.have -= at;
    return out.empty() || ::send(peer.socket, out.data(), out.size(), MSG_NOSIGNAL) > 0;
  }

  uint16_t port_ = 0;
  int listener_;
  std::atomic<bool> stop_{false};
  std::atomic<double> cpu_us_{0};
  std::thread thread_;
};

// How many connections, and how many requests are under way on each.
struct Shape {
  size_t connections;
  size_t depth;
};

uint64_t load(uint16_t port, Shape shape) {
  const auto [connections, depth] = shape;
  std::string one =
      "POST /topics/a.pin HTTP/1.1\r\nHost: localhost\r\nUser-Agent: python-requests/2.31.0\r\n"
      "Accept-Encoding: gzip, deflate\r\nAccept: */*\r\nConnection: keep-alive\r\n"
      "Content-Type: application/vnd.kafka.json.v2+json\r\nContent-Length: 600\r\n\r\n" +
      std::string(600, 'x');
  std::string burst;
  for (size_t i = 0; i < depth; ++i) burst += one;
  int poll = ::epoll_create1(0);
  std::vector<int> sockets;
  std::vector<size_t> answered(connections, 0);
  for (size_t i = 0; i < connections; ++i) {
    int socket = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    CHECK(::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0,
          "the server is there");
    int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{.events = EPOLLIN, .data = {.u64 = i}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, socket, &event);
    sockets.push_back(socket);
    CHECK(::send(socket, burst.data(), burst.size(), 0) > 0, "a burst fits the socket");
  }
  uint64_t total = 0;
  std::array<epoll_event, 64> ready;
  std::array<char, 64 * 1024> buffer;
  auto end = std::chrono::steady_clock::now() + round_length;
  while (std::chrono::steady_clock::now() < end) {
    int count = ::epoll_wait(poll, ready.data(), 64, 100);
    for (int i = 0; i < count; ++i) {
      size_t who = ready[static_cast<size_t>(i)].data.u64;
      ssize_t got = ::recv(sockets[who], buffer.data(), buffer.size(), 0);
      CHECK(got > 0, "the server keeps the connection");
      // Every answer has exactly one status line.
      std::string_view all(buffer.data(), static_cast<size_t>(got));
      for (size_t at = all.find("HTTP/1.1 200"); at != all.npos;
           at = all.find("HTTP/1.1 200", at + 100))
        ++answered[who];
      if (answered[who] < depth) continue;
      total += answered[who];
      answered[who] = 0;
      CHECK(::send(sockets[who], burst.data(), burst.size(), 0) > 0, "a burst fits the socket");
    }
  }
  for (int socket : sockets) ::close(socket);
  ::close(poll);
  return total;
}

// Our server with a trivial handler.
class Ours {
 public:
  explicit Ours(size_t loops)
      : runtime_({.loops = loops}),
        server_(runtime_, {}, [](Request&, Response& response) -> pinpipe::io::Task<> {
          response.headers.set("Content-Type", "text/plain");
          response.body = "ok";
          co_return;
        }) {
    port_ = *server_.listen_tcp("127.0.0.1", 0);
    server_.start();
  }
  ~Ours() { server_.stop(); }
  uint16_t port() const { return port_; }
  double cpu_us() {
    double sum = 0;
    for (size_t i = 0; i < runtime_.loop_count(); ++i) {
      std::promise<double> answer;
      runtime_.loop(i).post([&] { answer.set_value(thread_cpu_us()); });
      sum += answer.get_future().get();
    }
    return sum;
  }

 private:
  pinpipe::io::Runtime runtime_;
  pinpipe::http::Server server_;
  uint16_t port_ = 0;
};

struct Figures {
  double rate = 0;      // requests/s, the best round
  double cpu_us = 1e9;  // per request, the best round
};

template <class Server>
void measure(Figures& into, Server& server, Shape shape) {
  double before = server.cpu_us();
  auto count = static_cast<double>(load(server.port(), shape));
  double used = server.cpu_us() - before;
  into.rate = std::max(into.rate, count * 1000 / static_cast<double>(round_length.count()));
  into.cpu_us = std::min(into.cpu_us, used / count);
}

}  // namespace

int main() {
  BareServer bare;
  Ours one_loop(1);
  Ours two_loops(2);
  // With few connections a wake-up brings two loops half of what it brings one; the last is what
  // says whether they are in each other's way.
  for (Shape shape : {Shape{32, 1}, Shape{32, 16}, Shape{256, 1}}) {
    Figures epoll, one, two;
    for (int i = 0; i < rounds; ++i) {
      measure(epoll, bare, shape);
      measure(one, one_loop, shape);
      measure(two, two_loops, shape);
    }
    std::printf(
        "POST 600 B, %3zu connections, %2zu deep: bare epoll %7.0f/s %5.2f us CPU | pinpipe "
        "%7.0f/s "
        "%5.2f us CPU | rate %.0f %%, CPU %.2fx | two loops %7.0f/s %5.2f us CPU, %.2fx of one\n",
        shape.connections, shape.depth, epoll.rate, epoll.cpu_us, one.rate, one.cpu_us,
        100 * one.rate / epoll.rate, one.cpu_us / epoll.cpu_us, two.rate, two.cpu_us,
        two.cpu_us / one.cpu_us);
  }
}
