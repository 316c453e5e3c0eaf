// What an S3 service answers, read into our own terms.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "objects/store.h"

namespace pinpipe::objects {

// The error that an answer means, by the code in its XML and otherwise by its status.
Error error_of_answer(const http::Response& response);
// Size, time, ETag and attributes from the headers of a GET, HEAD or PUT.
ObjectFacts facts_of_answer(std::string key, const http::Response& response);
// The whole size of an object from an answer to a ranged GET.
uint64_t total_of_answer(const http::Response& response);
void add_attributes(http::Headers& headers, const Attributes& attributes);
void add_condition(http::Headers& headers, const Condition& condition);
std::string without_quotes(std::string_view etag);
// One page of ListObjectsV2; `token` is where to go on, empty at the end.
struct ListPage {
  Listing listing;
  std::string token;
};
Result<ListPage> page_of_answer(std::string_view xml);

}  // namespace pinpipe::objects
