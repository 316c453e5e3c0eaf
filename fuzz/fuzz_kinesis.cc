// A Kinesis request in JSON or CBOR: the action's name on the first line, the body behind it, read
// as both. What passes the checks has every member it must have, in its type; numbers and tickets
// that are read are ours.
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "broker/streams_sequence.h"
#include "broker/streams_ticket.h"
#include "codec/json.h"
#include "doors/kinesis/action.h"

using namespace pinpipe;

namespace {

void check_required(const codec::Json& given, std::span<const kinesis::Member> members) {
  for (const kinesis::Member& member : members) {
    const codec::Json& value = given[member.name];
    bool required = member.required && (member.unless.empty() || given[member.unless].is_null());
    CHECK(!required || !value.is_null(), "a required member is there");
    if (value.is_null()) continue;
    bool is_text = member.type == kinesis::Type::text || member.type == kinesis::Type::blob;
    CHECK(!is_text || value.is_string(), "a text is a text");
    if (member.type == kinesis::Type::structure) check_required(value, member.members);
    if (member.type != kinesis::Type::list) continue;
    for (const codec::Json& element : value.elements())
      check_required(element, member.element->members);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (auto sequence = broker::Sequence::from_text(input))
    CHECK(sequence->text() == input, "a number that is read is written the same");
  CHECK(!broker::read_ticket(input, "a key nobody can guess"), "no ticket is guessed");
  size_t line = std::min(input.find('\n'), input.size());
  const kinesis::Action* action = kinesis::find_action(input.substr(0, line));
  if (action == nullptr) return 0;
  std::string_view body = input.substr(std::min(line + 1, input.size()));
  for (kinesis::Form form : {kinesis::Form::json, kinesis::Form::cbor}) {
    auto given = kinesis::parse_request(body, form, action->members);
    if (!given) continue;
    if (auto wrong = kinesis::check_members(*given, action->members, form)) {
      CHECK(wrong->message.size() < (200U << 10), "a refusal is bounded");
      continue;
    }
    check_required(*given, action->members);
    // A blob that passed is decoded without asking again.
    std::string decoded;
    if (action->name == "PutRecord") (void)kinesis::blob_of((*given)["Data"], form, decoded);
  }
  return 0;
}
