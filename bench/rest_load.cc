#include "rest_load.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fstream>
#include <netinet/tcp.h>
#include <sstream>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"

namespace pinpipe::bench {
namespace {

using Steady = std::chrono::steady_clock;

struct Peer {
  int socket = -1;
  std::string_view request;
  std::string answer;
  size_t sent = 0;
  Steady::time_point began;
};

int connect_to(const Load& load) {
  int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(load.port);
  ::inet_pton(AF_INET, load.host.c_str(), &at.sin_addr);
  CHECK(::connect(socket, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0,
        "the server takes connections");
  int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

void send_some(Peer& peer) {
  while (peer.sent < peer.request.size()) {
    ssize_t count = ::send(peer.socket, peer.request.data() + peer.sent,
                           peer.request.size() - peer.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) return;
    CHECK(count > 0, "the server keeps the connection");
    peer.sent += static_cast<size_t>(count);
  }
}

// Whether a whole answer is there: by its length, or by the last chunk's line.
bool is_whole(std::string_view answer) {
  size_t end = answer.find("\r\n\r\n");
  if (end == answer.npos) return false;
  constexpr std::string_view name = "ontent-Length: ";
  size_t at = answer.substr(0, end).find(name);
  if (at == answer.npos) {
    bool in_chunks = answer.substr(0, end).find("ransfer-Encoding: chunked") != answer.npos;
    CHECK(in_chunks, "an answer has its length or comes in chunks");
    return answer.substr(end).ends_with("\r\n0\r\n\r\n");
  }
  size_t length = 0;
  std::from_chars(answer.data() + at + name.size(), answer.data() + end, length);
  return answer.size() >= end + 4 + length;
}

// Some servers end every connection after one answer.
bool ends_connection(std::string_view answer) {
  return answer.substr(0, answer.find("\r\n\r\n")).find("onnection: close") != answer.npos;
}

void open_peer(int poll, const Load& load, Peer& peer, size_t number) {
  if (peer.socket >= 0) ::close(peer.socket);
  peer.socket = connect_to(load);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = number}};
  ::epoll_ctl(poll, EPOLL_CTL_ADD, peer.socket, &event);
}

// What has come so far.
void receive(Peer& peer, std::array<char, 64 * 1024>& buffer) {
  while (true) {
    ssize_t got = ::recv(peer.socket, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return;
    if (got == 0 && is_whole(peer.answer)) return;
    CHECK(got > 0, "the server keeps the connection");
    peer.answer.append(buffer.data(), static_cast<size_t>(got));
  }
}

double percentile(std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  auto at = static_cast<size_t>(share * static_cast<double>(sorted.size()));
  return sorted[std::min(at, sorted.size() - 1)];
}

}  // namespace

Figures run_load(const Load& load, const std::function<double()>& server_cpu_us) {
  int poll = ::epoll_create1(0);
  std::vector<Peer> peers(load.connections);
  for (size_t i = 0; i < peers.size(); ++i) open_peer(poll, load, peers[i], i);
  Figures figures;
  std::vector<double> latencies;
  std::array<epoll_event, 128> ready;
  std::array<char, 64 * 1024> buffer;
  double cpu_before = server_cpu_us();
  const auto began = Steady::now();
  const auto end = began + std::chrono::duration<double>(load.seconds);
  size_t next = 0;
  auto next_request = [&]() -> std::string_view {
    return load.requests.empty() ? load.request : load.requests[next++ % load.requests.size()];
  };
  for (Peer& peer : peers) {
    peer.request = next_request();
    peer.began = Steady::now();
    send_some(peer);
  }
  while (Steady::now() < end && figures.requests < load.requests_max) {
    int count = ::epoll_wait(poll, ready.data(), static_cast<int>(ready.size()), 100);
    for (int i = 0; i < count; ++i) {
      const size_t number = ready[static_cast<size_t>(i)].data.u64;
      Peer& peer = peers[number];
      send_some(peer);
      receive(peer, buffer);
      if (!is_whole(peer.answer)) continue;
      auto now = Steady::now();
      latencies.push_back(std::chrono::duration<double, std::micro>(now - peer.began).count());
      ++figures.requests;
      if (!peer.answer.starts_with("HTTP/1.1 200")) ++figures.refused;
      if (ends_connection(peer.answer)) open_peer(poll, load, peer, number);
      peer.answer.clear();
      peer.sent = 0;
      peer.request = next_request();
      peer.began = now;
      send_some(peer);
    }
  }
  figures.seconds = std::chrono::duration<double>(Steady::now() - began).count();
  figures.server_cpu_us = server_cpu_us() - cpu_before;
  for (Peer& peer : peers) ::close(peer.socket);
  ::close(poll);
  std::ranges::sort(latencies);
  figures.p50_us = percentile(latencies, 0.50);
  figures.p99_us = percentile(latencies, 0.99);
  return figures;
}

std::string produce_request(const std::string& host, const std::string& path, size_t records) {
  std::string value =
      R"({"index": 7528, "unique_id": "fbe53c66-3442-4773-b19e-d3ec6f54dddf", "title": "No Title )"
      R"(Data Available", "poster_name": "User Info Error", "follower_count": "124k", "tag_list": )"
      R"("N,o, ,T,a,g,s, ,A,v,a,i,l,a,b,l,e", "is_image_or_video": "image", "downloaded": 1, )"
      R"("save_location": "Local save in /data/mens-fashion", "category": "mens-fashion", )"
      R"("description": "caf\u00e9 )";
  while (value.size() < 598) value += 'x';
  value += "\"}";
  std::string body = "{\"records\": [";
  for (size_t i = 0; i < records; ++i) {
    body += i > 0 ? ", {\"value\": " : "{\"value\": ";
    body += value + "}";
  }
  body += "]}";
  return "POST " + path + " HTTP/1.1\r\nHost: " + host +
         "\r\nUser-Agent: python-requests/2.31.0\r\nAccept-Encoding: gzip, deflate\r\nAccept: "
         "*/*\r\nConnection: keep-alive\r\nContent-Type: application/vnd.kafka.json.v2+json\r\n"
         "Content-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

double cpu_us_of(const std::vector<int>& pids) {
  static const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  double total = 0;
  for (int pid : pids) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text((std::istreambuf_iterator<char>(file)), {});
    size_t name_end = text.rfind(')');
    if (name_end == text.npos) continue;
    std::istringstream fields(text.substr(name_end + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0;
    double system = 0;
    fields >> user >> system;
    total += (user + system) * 1e6 / ticks;
  }
  return total;
}

}  // namespace pinpipe::bench
