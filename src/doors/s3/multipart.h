// Multipart uploads in the S3 API: create, upload and copy parts, complete, abort, list.
#pragma once

#include "doors/s3/call.h"
#include "io/pool.h"
#include "objects/uploads.h"

namespace pinpipe::s3 {

// Requests with ?uploads or ?uploadId for an object.
io::Task<Outcome> answer_multipart(Call& call, objects::Uploads& uploads, io::Pool& disk);
// GET /bucket?uploads
io::Task<Outcome> list_uploads(Call& call, objects::Uploads& uploads);

// UploadPartCopy: a part from (a range of) an object. In part_copy.cc.
io::Task<Outcome> copy_part(Call& call, objects::Uploads& uploads, int number, io::Pool& disk);

}  // namespace pinpipe::s3
