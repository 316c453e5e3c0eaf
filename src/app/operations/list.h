// The functions behind the list of operations, one file a subject.
#pragma once

#include "app/answer.h"
#include "app/house.h"
#include "codec/json.h"
#include "io/task.h"
#include "jobs/batch.h"

namespace pinpipe::app {

Answer answer_of(const jobs::QuestionAnswer& question);
Answer answer_of(const jobs::BatchReport& report);
// "manual__2026-01-02T10:15:00.000Z"
std::string manual_run_name(const Clock& clock);

io::Task<Result<Answer>> ask(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_questions(House& house, codec::Json arguments);
io::Task<Result<Answer>> query_sql(House& house, codec::Json arguments);
io::Task<Result<Answer>> run_batch(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_runs(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_dags(House& house, codec::Json arguments);
io::Task<Result<Answer>> run_dag(House& house, codec::Json arguments);
io::Task<Result<Answer>> show_run(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_dag_runs(House& house, codec::Json arguments);
io::Task<Result<Answer>> pause_dag(House& house, codec::Json arguments);
io::Task<Result<Answer>> resume_dag(House& house, codec::Json arguments);
io::Task<Result<Answer>> clear_run(House& house, codec::Json arguments);
io::Task<Result<Answer>> show_task_log(House& house, codec::Json arguments);
io::Task<Result<Answer>> tell_stream_job(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_quarantine(House& house, codec::Json arguments);
io::Task<Result<Answer>> tell_status(House& house, codec::Json arguments);
io::Task<Result<Answer>> tell_environment(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_topics(House& house, codec::Json arguments);
io::Task<Result<Answer>> create_topic(House& house, codec::Json arguments);
io::Task<Result<Answer>> delete_topic(House& house, codec::Json arguments);
io::Task<Result<Answer>> tail_topic(House& house, codec::Json arguments);
io::Task<Result<Answer>> list_objects(House& house, codec::Json arguments);
io::Task<Result<Answer>> show_object(House& house, codec::Json arguments);

// Plain forms: "export NAME=value" of name and value columns; the first cell of each row as a line.
std::string shell_lines(const Answer& answer);
std::string first_cells(const Answer& answer);

}  // namespace pinpipe::app
