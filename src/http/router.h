// Which handler answers which method and path.
//   router.add("GET", "/topics/{topic}/partitions/{partition}", handler);
//   router.add("GET", "/files/{path...}", handler);   // the rest of the path, slashes included
// Literal segments win over parameters. A path that is known under other methods answers 405 with
// Allow; HEAD falls back to GET; the rest goes to the fallback. The method "*" stands for all.
#pragma once

#include <memory>
#include <string_view>

#include "http/message.h"

namespace pinpipe::http {

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  void add(std::string_view method, std::string_view pattern, Handler handler);
  // Answers what no route matches; by default 404 as text.
  void set_fallback(Handler handler);
  // Answers a known path under an unknown method; by default 405 with Allow as text.
  void set_wrong_method(Handler handler);

  // Trailing and double slashes are dropped before matching when asked for (REST proxy, gateway).
  // Before the first add().
  void set_lenient_slashes(bool lenient);

  io::Task<> handle(Request& request, Response& response) const;
  // The router as a Handler; the router must outlive it.
  Handler handler() const;

 private:
  struct Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace pinpipe::http
