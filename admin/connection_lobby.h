// Where connections wait until they have sent the head of a request, and then for a thread: a peer
// that sends slowly, or nothing, takes up a place here and never a thread. Who asks for /healthz or
// /readyz, and for nothing else behind it, has a thread of his own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

#include "admin/limited_stream.h"

namespace rfm {

class ConnectionLobby {
 public:
  // A probe is to be answered alone, so that the next one has the thread.
  enum class Kind : std::uint8_t { kUsual, kProbe };

  // On a thread of the lobby. True: more may be asked on the socket, which waits here again; else
  // it is closed.
  using Serve = std::function<bool(int socket, Kind kind)>;

  // `pressure` outlives it.
  ConnectionLobby(Pressure& pressure, int threads, Serve serve);
  ConnectionLobby(const ConnectionLobby&) = delete;
  ConnectionLobby& operator=(const ConnectionLobby&) = delete;
  // Closes who waits, and waits for those that are served.
  ~ConnectionLobby();

  // Takes the socket over: it is closed where there is no place, or it says nothing for too long.
  // Of many the one that has said nothing for longest is closed for another.
  void add(int socket);

 private:
  struct Silent {
    int socket = -1;
    std::chrono::steady_clock::time_point since{};
  };
  // Of one kind, in order of coming; guarded by `mutex_`.
  struct Queue {
    std::deque<int> sockets;
    std::condition_variable changed;
  };

  void listen();
  void look_at(int socket);
  void close_overdue();
  void drop(std::list<Silent>::iterator silent);
  void work(Queue& queue, Kind kind);

  Pressure& pressure_;
  const Serve serve_;
  const int epoll_;
  std::mutex mutex_;
  std::list<Silent> silent_;  // The first to come in front.
  Queue usual_;
  Queue probes_;
  std::vector<std::thread> threads_;
};

}  // namespace rfm
