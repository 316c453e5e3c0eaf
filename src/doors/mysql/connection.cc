#include "doors/mysql/connection.h"

#include "doors/mysql/wire.h"
#include "io/peer.h"

namespace pinpipe::mysql {
namespace {

constexpr size_t read_bytes = 16 << 10;

// The first byte of a command.
enum class Command : uint8_t {
  quit = 0x01,
  use = 0x02,
  query = 0x03,
  list_fields = 0x04,
  statistics = 0x09,
  ping = 0x0e,
  change_user = 0x11,
  prepare = 0x16,
  execute = 0x17,
  long_data = 0x18,
  close = 0x19,
  reset_statement = 0x1a,
  set_option = 0x1b,
  reset = 0x1f,
};

uint32_t statement_id(std::string_view payload) {
  return Decoder(payload).le<uint32_t>();
}

Failure unknown_statement() {
  return {1243, "HY000", "Unknown prepared statement handler"};
}

}  // namespace

Connection::Connection(Parts parts, io::Stream& stream, uint32_t id)
    : parts_(std::move(parts)),
      stream_(stream),
      packets_(parts_.options.packet_bytes_max),
      nonce_(fresh_nonce()),
      trusted_(parts_.options.any_login_on_loopback && io::is_loopback(stream.peer())) {
  session_.connection_id = id;
}

io::Task<Status> Connection::serve() {
  auto in = co_await log_in();
  if (!in) co_return in.error();
  if (!*in) co_return Status{};
  while (!ending_) {
    packets_.begin_exchange();
    auto payload = co_await read(io::after(parts_.options.idle_timeout));
    if (!payload) co_return payload.error();
    if (!*payload) break;
    if (Status done = co_await command(**payload); !done) co_return done;
  }
  co_return Status{};
}

io::Task<Result<std::optional<std::string>>> Connection::read(io::Instant deadline) {
  stream_.set_deadline(deadline);
  if (buffer_.empty()) buffer_.resize(read_bytes);
  while (true) {
    auto payload = packets_.take();
    if (!payload || *payload) co_return payload;
    auto got = co_await stream_.read_some(buffer_);
    if (!got) co_return got.error();
    if (*got == 0) co_return std::optional<std::string>();
    packets_.add(std::string_view(buffer_).substr(0, *got));
  }
}

io::Task<Status> Connection::send(PacketWriter& packets) {
  stream_.set_deadline(io::after(parts_.options.write_timeout));
  Status sent = co_await stream_.write(packets.bytes());
  packets.bytes().clear();
  packets_.set_sequence(packets.next_sequence());
  co_return sent;
}

io::Task<Status> Connection::send_one(std::string_view payload) {
  PacketWriter out(packets_.next_sequence());
  out.add(payload);
  co_return co_await send(out);
}

io::Task<Status> Connection::send_failure(const Failure& failure) {
  co_return co_await send_one(failure_packet(failure));
}

io::Task<Status> Connection::send_ok() {
  co_return co_await send_one(ok_packet(session_.autocommit()));
}

io::Task<Status> Connection::command(std::string_view payload) {
  if (payload.empty()) co_return Error(Code::invalid, "an empty command");
  auto kind = static_cast<Command>(payload.front());
  payload.remove_prefix(1);
  switch (kind) {
    case Command::quit:
      ending_ = true;
      co_return Status{};
    case Command::use: {
      auto used = use_database(payload, session_);
      co_return used ? co_await send_ok() : co_await send_failure(used.error());
    }
    case Command::query:
      co_return co_await query(payload);
    case Command::list_fields:
      co_return co_await list_fields(payload);
    case Command::statistics:
      co_return co_await send_one("pinpipe, the embedded source database");
    case Command::ping:
      co_return co_await send_ok();
    case Command::change_user:
      co_return co_await change_user(payload);
    case Command::prepare:
      co_return co_await prepare(payload);
    case Command::execute:
      co_return co_await execute(payload);
    case Command::long_data:
      take_long_data(payload);
      co_return Status{};
    case Command::close:
      prepared_.erase(statement_id(payload));
      co_return Status{};
    case Command::reset_statement: {
      auto found = prepared_.find(statement_id(payload));
      if (found == prepared_.end()) co_return co_await send_failure(unknown_statement());
      found->second.state.long_data.clear();
      found->second.long_bytes = 0;
      co_return co_await send_ok();
    }
    case Command::set_option:
      co_return co_await send_one(eof_packet(session_.autocommit()));
    case Command::reset:
      session_.reset();
      prepared_.clear();
      co_return co_await send_ok();
  }
  co_return co_await send_failure({1047, "08S01", "Unknown command"});
}

io::Task<Status> Connection::query(std::string_view statement) {
  co_return co_await run(statement, {}, RowForm::text);
}

io::Task<Status> Connection::run(std::string_view statement, std::span<const Parameter> values,
                                 RowForm form) {
  auto planned = plan(statement, session_);
  if (!planned) co_return co_await send_failure(planned.error());
  if (planned->kind == Plan::Kind::rows)
    co_return co_await send_rows(planned->select, values, form);
  auto applied = apply(*planned, session_);
  co_return applied ? co_await send_ok() : co_await send_failure(applied.error());
}

// One trip to the pool for a small result: a connection to SQLite, the statement, the first batch.
io::Task<Status> Connection::send_rows(const Translated& select, std::span<const Parameter> values,
                                       RowForm form) {
  PacketWriter out(packets_.next_sequence());
  Databases::Lease database;
  auto add_rows = [&] { return database->add_rows(out, form, parts_.options.batch_bytes); };
  Outcome<bool> more = co_await parts_.work.run([&]() -> Outcome<bool> {
    auto taken = parts_.databases.take();
    if (!taken) return std::unexpected(taken.error());
    database = std::move(*taken);
    auto begun = database->begin(select, values, session_);
    if (!begun) return std::unexpected(begun.error());
    add_columns(out, database->columns());
    return add_rows();
  });
  while (more && *more) {
    if (Status sent = co_await send(out); !sent) co_return sent;
    more = co_await parts_.work.run(add_rows);
  }
  database.reset();
  if (!more) {
    out.add(failure_packet(more.error()));
  } else if ((capabilities_ & capability::deprecate_eof) != 0) {
    out.add(end_of_rows_packet(session_.autocommit()));
  } else {
    out.add(eof_packet(session_.autocommit()));
  }
  co_return co_await send(out);
}

void Connection::add_columns(PacketWriter& to, const std::vector<ColumnFacts>& columns) const {
  std::string count;
  append_length(count, columns.size());
  to.add(count);
  for (const ColumnFacts& column : columns) to.add(column_packet(column));
  add_end_of_columns(to);
}

void Connection::add_end_of_columns(PacketWriter& to) const {
  if ((capabilities_ & capability::deprecate_eof) == 0) to.add(eof_packet(session_.autocommit()));
}

io::Task<Status> Connection::list_fields(std::string_view payload) {
  std::string_view name = Decoder(payload).until_zero();
  auto table = source::table_named(name);
  if (!table || source::schema_of(*table).name != name) {
    co_return co_await send_failure(
        {1146, "42S02",
         "Table '" + session_.database + "." + std::string(name) + "' doesn't exist"});
  }
  PacketWriter out(packets_.next_sequence());
  const source::TableSchema& schema = source::schema_of(*table);
  for (const source::Column& column : schema.columns)
    out.add(column_packet(facts_of(schema, column)) + '\xfb');  // its default: null
  out.add(eof_packet(session_.autocommit()));
  co_return co_await send(out);
}

io::Task<Status> Connection::prepare(std::string_view statement) {
  if (prepared_.size() >= parts_.options.prepared_max) {
    co_return co_await send_failure(
        {1461, "42000", "Can't create more than max_prepared_stmt_count statements"});
  }
  auto planned = plan(statement, session_);
  if (!planned) co_return co_await send_failure(planned.error());
  size_t parameters = planned->select.parameters;
  if (parameters > UINT16_MAX)
    co_return co_await send_failure(
        {1390, "HY000", "Prepared statement contains too many placeholders"});
  std::vector<ColumnFacts> columns;
  if (planned->kind == Plan::Kind::rows) {
    auto looked = co_await parts_.work.run([&]() -> Outcome<std::vector<ColumnFacts>> {
      auto taken = parts_.databases.take();
      if (!taken) return std::unexpected(taken.error());
      auto described = (*taken)->describe_only(planned->select, session_);
      if (!described) return std::unexpected(described.error());
      return (*taken)->columns();
    });
    if (!looked) co_return co_await send_failure(looked.error());
    columns = std::move(*looked);
  }
  uint32_t id = next_prepared_++;
  prepared_[id] = {.text = std::string(statement), .parameters = parameters};
  PacketWriter out(packets_.next_sequence());
  std::string head(1, '\0');
  append_le(head, id);
  append_le(head, static_cast<uint16_t>(columns.size()));
  append_le(head, static_cast<uint16_t>(parameters));
  head.append(3, '\0');
  out.add(head);
  for (size_t i = 0; i < parameters; ++i)
    out.add(column_packet(facts_of_type("?", FieldType::text)));
  if (parameters > 0) add_end_of_columns(out);
  for (const ColumnFacts& column : columns) out.add(column_packet(column));
  if (!columns.empty()) add_end_of_columns(out);
  co_return co_await send(out);
}

io::Task<Status> Connection::execute(std::string_view payload) {
  Decoder in(payload);
  auto found = prepared_.find(in.le<uint32_t>());
  in.take(1 + 4);  // cursor type, iteration count
  if (in.failed()) co_return Error(Code::invalid, "a malformed COM_STMT_EXECUTE");
  if (found == prepared_.end()) co_return co_await send_failure(unknown_statement());
  Prepared& statement = found->second;
  auto values = read_parameters(in.rest(), statement.parameters, statement.state);
  if (!values) co_return values.error();
  statement.state.long_data.clear();
  statement.long_bytes = 0;
  co_return co_await run(statement.text, *values, RowForm::binary);
}

// Has no answer; what is too much is left out, and the execution will say so.
void Connection::take_long_data(std::string_view payload) {
  Decoder in(payload);
  auto found = prepared_.find(in.le<uint32_t>());
  auto parameter = in.le<uint16_t>();
  std::string_view bytes = in.rest();
  if (in.failed() || found == prepared_.end() || parameter >= found->second.parameters) return;
  Prepared& statement = found->second;
  if (statement.long_bytes + bytes.size() > parts_.options.packet_bytes_max) return;
  statement.long_bytes += bytes.size();
  statement.state.long_data[parameter].append(bytes);
}

}  // namespace pinpipe::mysql
