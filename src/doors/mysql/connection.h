// One client: its login, then its commands one after the other.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "doors/mysql/database.h"
#include "doors/mysql/door.h"
#include "doors/mysql/login.h"
#include "doors/mysql/packets.h"
#include "doors/mysql/parameters.h"
#include "doors/mysql/plan.h"
#include "doors/mysql/session.h"
#include "io/pool.h"
#include "io/stream.h"

namespace pinpipe::mysql {

class Connection {
 public:
  struct Parts {
    const Door::Options& options;
    Databases& databases;
    io::Pool& work;
    std::function<io::Task<const RsaKey*>()> rsa_key;
  };

  // `stream` must outlive it.
  Connection(Parts parts, io::Stream& stream, uint32_t id);

  // Until the peer has finished, or an error says why not.
  io::Task<Status> serve();

 private:
  struct Prepared {
    std::string text;
    size_t parameters = 0;
    ParameterState state = {};
    size_t long_bytes = 0;
  };

  // A whole packet, or nothing when the peer has finished.
  io::Task<Result<std::optional<std::string>>> read(io::Instant deadline);
  io::Task<Status> send(PacketWriter& packets);
  io::Task<Status> send_one(std::string_view payload);
  io::Task<Status> send_failure(const Failure& failure);
  io::Task<Status> send_ok();

  io::Task<Result<bool>> log_in();
  io::Task<Result<bool>> prove(Login login);
  io::Task<Result<bool>> prove_in_full(const Login& login);
  io::Task<Result<bool>> deny(const Login& login, std::string_view more);
  io::Task<Status> admit(const Login& login, bool proven_fast);
  bool is_admitted(const Login& login) const;

  io::Task<Status> command(std::string_view payload);
  io::Task<Status> change_user(std::string_view payload);
  io::Task<Status> query(std::string_view statement);
  io::Task<Status> list_fields(std::string_view payload);
  io::Task<Status> prepare(std::string_view statement);
  io::Task<Status> execute(std::string_view payload);
  void take_long_data(std::string_view payload);
  io::Task<Status> run(std::string_view statement, std::span<const Parameter> values, RowForm form);
  io::Task<Status> send_rows(const Translated& select, std::span<const Parameter> values,
                             RowForm form);
  void add_columns(PacketWriter& to, const std::vector<ColumnFacts>& columns) const;
  void add_end_of_columns(PacketWriter& to) const;

  Parts parts_;
  io::Stream& stream_;
  PacketAssembler packets_;
  Session session_;
  std::string nonce_;
  uint32_t capabilities_ = 0;
  bool trusted_ = false;  // a peer on loopback, where any login will do
  bool ending_ = false;
  std::string buffer_;
  std::map<uint32_t, Prepared> prepared_;
  uint32_t next_prepared_ = 1;
};

}  // namespace pinpipe::mysql
