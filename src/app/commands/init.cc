// `pinpipe init`: the files that a learner's scripts expect beside them.
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "app/command.h"
#include "io/files.h"

namespace pinpipe::app {
namespace {

std::string credentials(std::string_view port) {
  return fmt::format(
      "# Where the source database answers. pinpipe's own needs no password beyond this one;\n"
      "# put your real database's values here to read from it. Never commit this file.\n"
      "HOST: 127.0.0.1\nUSER: pinpipe\nPASSWORD: pinpipe\nDATABASE: pinterest_data\nPORT: {}\n",
      port);
}

// Of the server that runs on the data directory, else the one it would have.
std::string mysql_port(const Invocation& invocation) {
  auto endpoints = read_endpoints(invocation.data_path);
  size_t colon = endpoints ? endpoints->mysql.rfind(':') : std::string::npos;
  return colon == std::string::npos ? "3307" : endpoints->mysql.substr(colon + 1);
}

constexpr std::string_view example =
    "# Posts one row, as the course's script does; only the address is pinpipe's.\n"
    "import json\nimport urllib.request\n\n"
    "invoke_url = \"http://127.0.0.1:8082/test/topics/0e90e0175553.user\"\n"
    "row = {\"ind\": 1, \"first_name\": \"Ada\", \"last_name\": \"Byron\", \"age\": 36,\n"
    "       \"date_joined\": \"2015-12-10T10:15:00\"}\n"
    "request = urllib.request.Request(\n"
    "    invoke_url, method=\"POST\",\n"
    "    data=json.dumps({\"records\": [{\"value\": row}]}).encode(),\n"
    "    headers={\"Content-Type\": \"application/vnd.kafka.json.v2+json\"})\n"
    "print(urllib.request.urlopen(request).read().decode())\n";

constexpr std::string_view ignored = "db_creds.yaml\npinpipe-data/\n";

struct NewFile {
  std::string_view name;
  std::string_view text;
  mode_t mode;
};

// An existing file is its owner's: it stays as it is.
Result<bool> write_new(const std::string& folder, const NewFile& file) {
  std::string path = folder + "/" + std::string(file.name);
  int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, file.mode);
  if (descriptor < 0 && errno == EEXIST) return false;
  if (descriptor < 0) return error_of_errno(errno, "make " + path);
  ssize_t written = ::write(descriptor, file.text.data(), file.text.size());
  int reason = errno;
  ::close(descriptor);
  if (written != static_cast<ssize_t>(file.text.size()))
    return error_of_errno(reason, "write " + path);
  return true;
}

}  // namespace

ExitCode run_init(const Invocation& invocation) {
  std::string folder = text_argument(invocation.arguments, "folder");
  if (Status made = io::posix_files().make_directories(folder); !made) return report(made.error());
  std::string login = credentials(mysql_port(invocation));
  Answer answer;
  answer.columns = {"file", "status"};
  for (const NewFile& file :
       {NewFile{"db_creds.yaml", login, 0600}, NewFile{"post_one.py", example, 0644},
        NewFile{".gitignore", ignored, 0644}}) {
    auto made = write_new(folder, file);
    if (!made) return report(made.error());
    answer.add_row(
        {folder + "/" + std::string(file.name), *made ? "made" : "was there, left as it is"});
  }
  answer.notes = {"next: pinpipe up   ·   python3 " + folder + "/post_one.py"};
  return print(answer, invocation.form);
}

}  // namespace pinpipe::app
