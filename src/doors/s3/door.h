// The S3 door: the S3 API over objects::Access.
// Promise: a PUT answers 200 when the object is durable; every checksum and signature that came was
// verified; what is not supported answers S3's own "not there" or NotImplemented, never a made-up
// success. Without `auth_required`, unknown keys and unsigned requests act as the local principal;
// a known key's signature is verified in any case.
// Bounds: those of http::Server, UploadBody and codec/xml.h.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/credentials.h"
#include "base/clock.h"
#include "doors/s3/call.h"
#include "doors/s3/form.h"
#include "http/message.h"
#include "http/server.h"
#include "io/pool.h"
#include "objects/access.h"
#include "objects/uploads.h"

namespace pinpipe::s3 {

class Door {
 public:
  struct Options {
    bool auth_required = false;
    std::string region = "us-east-1";
    // Hosts below which a bucket may be a label: bucket.s3.localhost. IP addresses never are.
    std::vector<std::string> base_domains = {"localhost", "s3.localhost", "s3.amazonaws.com"};
  };
  struct Parts {
    const objects::Objects& objects;
    objects::Uploads& uploads;
    std::function<std::shared_ptr<const auth::Credentials>()> credentials;
    io::Pool& disk;
    Clock& clock = system_clock();
  };
  Door(Parts parts, Options options);

  io::Task<> handle(http::Request& request, http::Response& response) const;
  http::Handler handler() const;
  // For http::Server::Options::plan_body: uploads are streamed, nothing is decoded.
  static http::BodyPlan plan_body(const http::Request& head);

 private:
  io::Task<Outcome> answer(Call& call) const;
  io::Task<Outcome> answer_service(Call& call) const;
  io::Task<Outcome> answer_bucket(Call& call) const;
  io::Task<Outcome> answer_object(Call& call) const;
  Outcome address(Call& call) const;
  Outcome authenticate(Call& call) const;
  Outcome check_link(const Call& call) const;
  io::Task<Outcome> post_object(Call& call) const;  // post_object.cc
  Outcome authenticate_form(Call& call, const Form& form) const;

  Parts parts_;
  Options options_;
};

// By file.
io::Task<Outcome> list_buckets(Call& call, const std::string& region);  // buckets.cc
io::Task<Outcome> create_bucket(Call& call, const std::string& region);
io::Task<Outcome> head_bucket(Call& call, const std::string& region);
io::Task<Outcome> delete_bucket(Call& call);
io::Task<Outcome> bucket_setting(Call& call, const std::string& region);
io::Task<Outcome> list_objects(Call& call);  // listing.cc
io::Task<Outcome> list_objects_v2(Call& call);
io::Task<Outcome> list_versions(Call& call);
io::Task<Outcome> get_object(Call& call);                  // get_object.cc
io::Task<Outcome> put_object(Call& call, io::Pool& disk);  // put_object.cc
io::Task<Outcome> copy_object(Call& call);
io::Task<Outcome> delete_object(Call& call);  // delete_object.cc
io::Task<Outcome> delete_objects(Call& call);
io::Task<Outcome> object_setting(Call& call);
io::Task<Outcome> object_attributes(Call& call);  // object_attributes.cc

}  // namespace pinpipe::s3
