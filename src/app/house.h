// Everything of one running pinpipe, built in order and taken down in the reverse one:
// data directory, project, loops, broker, buckets, tables, jobs, connector, scheduler, doors.
// With doors it is a server; without, it works on the directory for one command.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/answer.h"
#include "app/data_directory.h"
#include "app/operation.h"
#include "broker/broker.h"
#include "broker/streams.h"
#include "broker/topics.h"
#include "io/runtime.h"
#include "jobs/batch.h"
#include "jobs/questions.h"
#include "jobs/stream.h"
#include "objects/store.h"
#include "objects/uploads.h"
#include "project/project.h"
#include "scheduler/scheduler.h"
#include "sink/connectors.h"

namespace pinpipe::jobs {
class Tracer;
}

namespace pinpipe::app {

class House {
 public:
  struct Options {
    std::string data_path = {};
    project::Project project = {};
    bool doors = true;
    bool any_ports = false;  // pick free ports instead of the project's
    bool course = false;     // only what the course's AWS account had
  };

  // An error leaves nothing behind that was not there.
  static Result<std::unique_ptr<House>> open(Options options);
  ~House();
  House(const House&) = delete;

  // To be run on the runtime's first loop. Itself not to be called on a loop thread.
  io::Task<Result<Answer>> task_of(const Operation& operation, codec::Json arguments);
  // The same, and waits for it.
  Result<Answer> call(const Operation& operation, codec::Json arguments);

  // Where the project's tables are in the lake's store: folders right below this bucket.
  static constexpr const char* lake_bucket = "delta";

  const project::Project& project() const;
  const Endpoints& endpoints() const;
  const std::string& token() const;
  const DataDirectory& directory() const;
  io::Runtime& runtime();
  broker::Topics& topics();
  broker::Broker& broker();
  broker::Streams& streams();
  objects::Uploads& uploads();
  jobs::StreamJob& stream_job();
  // As the S3 door shows them: the project's bucket has the tables under delta/.
  objects::Store& buckets();
  lake::Services& lake();
  // For people: what the lake's own buckets are in, a directory or s3://….
  const std::string& lake_url() const;
  jobs::Batch& batch();
  jobs::Questions& questions();
  jobs::Tracer& tracer();
  scheduler::Scheduler& scheduler();
  const std::string& user_id() const;
  sink::Connectors& connectors();
  // Of the connector that writes the batch path's objects; empty when the project has none.
  std::string connector_name() const;
  // Asks the connectors to close their open objects now. Not on a loop thread.
  Status flush_connectors();
  // Empty where connectors do not run: for a command on the directory itself.
  io::Task<std::vector<sink::SinkStatus>> connector_status();

 private:
  struct Parts;
  explicit House(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace pinpipe::app
