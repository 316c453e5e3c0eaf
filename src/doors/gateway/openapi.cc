#include "doors/gateway/openapi.h"

namespace pinpipe::gateway {
namespace {

constexpr char document[] = {
#embed "openapi.json"
};

}  // namespace

std::string_view openapi_document() {
  return {document, sizeof document};
}

}  // namespace pinpipe::gateway
