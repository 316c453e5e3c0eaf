// Certificates for one test: an authority of its own and a server's certificate that it signed, as
// PEM files in a directory that goes with the object. Made anew each time; no key is kept anywhere.
#pragma once

#include <string>

#include "kit/temporary_directory.h"

namespace pinpipe::kit {

class Certificates {
 public:
  struct Options {
    std::string names = "DNS:localhost,IP:127.0.0.1";  // what the server's certificate names
    int valid_days = 1;                                // below zero: it has run out
  };
  explicit Certificates(Options options);
  Certificates() : Certificates(Options{}) {}

  std::string authority_file() const { return directory_.path() + "/authority.pem"; }
  std::string certificate_file() const { return directory_.path() + "/server.pem"; }
  std::string key_file() const { return directory_.path() + "/server.key"; }

 private:
  TemporaryDirectory directory_;
};

}  // namespace pinpipe::kit
