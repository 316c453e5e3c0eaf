#include "codec/csv.h"

#include <fmt/format.h>

namespace pinpipe::codec {

CsvWriter& CsvWriter::field(std::string_view text) {
  if (fields_in_row_++ > 0) out_.push_back(',');
  only_field_is_empty_ = fields_in_row_ == 1 && text.empty();
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out_.append(text);
    return *this;
  }
  out_.push_back('"');
  for (char c : text) {
    if (c == '"') out_.push_back('"');
    out_.push_back(c);
  }
  out_.push_back('"');
  return *this;
}

CsvWriter& CsvWriter::end_row() {
  // A row of one empty field would look like an empty line, which readers skip.
  if (only_field_is_empty_) out_ += "\"\"";
  out_.push_back('\n');
  fields_in_row_ = 0;
  only_field_is_empty_ = false;
  return *this;
}

void CsvWriter::row(const std::vector<std::string>& fields) {
  for (const std::string& text : fields) field(text);
  end_row();
}

namespace {

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}
  bool at_end() const { return at_ == text_.size(); }

  Status read_row(CsvRow& row) {
    row.clear();
    for (;;) {
      if (row.size() == csv_columns_max) return error("too many columns");
      CsvField& field = row.emplace_back();
      Status read = !at_end() && text_[at_] == '"' ? read_quoted(field) : read_plain(field);
      if (!read) return read;
      if (take_line_end()) return {};
      ++at_;  // the comma
    }
  }

 private:
  Error error(std::string_view what) const {
    return {Code::invalid, fmt::format("CSV line {}: {}", line_, what)};
  }
  bool at_line_end() const {
    return at_end() || text_[at_] == '\n' || text_.substr(at_, 2) == "\r\n";
  }
  bool take_line_end() {
    if (!at_line_end()) return false;
    if (!at_end()) at_ += text_[at_] == '\r' ? 2 : 1;
    ++line_;
    return true;
  }
  Status read_plain(CsvField& field) {
    const size_t from = at_;
    for (; !at_line_end() && text_[at_] != ','; ++at_) {
      if (text_[at_] == '"') return error("a quote inside an unquoted field");
    }
    field.text = text_.substr(from, at_ - from);
    return {};
  }
  Status read_quoted(CsvField& field) {
    field.was_quoted = true;
    for (++at_;; ++at_) {
      if (at_end()) return error("a quote is left open");
      if (text_[at_] == '"') {
        ++at_;
        if (at_line_end() || text_[at_] == ',') return {};
        if (text_[at_] != '"') return error("text after a closing quote");
      } else if (text_[at_] == '\n') {
        ++line_;
      }
      field.text.push_back(text_[at_]);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  size_t line_ = 1;
};

}  // namespace

Status read_csv(std::string_view text, const std::function<Status(const CsvRow&)>& take) {
  CsvReader reader(text);
  CsvRow row;
  while (!reader.at_end()) {
    if (Status read = reader.read_row(row); !read) return read;
    if (row.size() == 1 && row[0].text.empty() && !row[0].was_quoted) continue;
    if (Status taken = take(row); !taken) return taken;
  }
  return {};
}

}  // namespace pinpipe::codec
