// The operations, one file a subject.
#pragma once

#include "app/answer.h"
#include "app/house.h"
#include "codec/json.h"
#include "io/task.h"
#include "jobs/batch.h"

namespace pinpipe::app {

Answer answer_of(const sql::Table& table);
Answer answer_of(const jobs::QuestionAnswer& question);
Answer answer_of(const jobs::BatchReport& report);
Answer checks_of(const jobs::BatchReport& report);
// "manual__2026-01-02T10:15:00.000Z"
std::string manual_run_name(const Clock& clock);

// One table a subject, beside the functions it names. A new subject is a file here and a line in
// list.cc.
std::vector<Operation> status_operations();
std::vector<Operation> environment_operations();
std::vector<Operation> question_operations();
std::vector<Operation> run_operations();
std::vector<Operation> report_operations();
std::vector<Operation> trace_operations();
std::vector<Operation> topic_operations();
std::vector<Operation> record_operations();
std::vector<Operation> group_operations();
std::vector<Operation> stream_operations();
std::vector<Operation> object_operations();
std::vector<Operation> bucket_operations();
std::vector<Operation> connector_operations();
std::vector<Operation> stream_job_operations();
std::vector<Operation> table_operations();
std::vector<Operation> credential_operations();
std::vector<Operation> dag_operations();
std::vector<Operation> dag_change_operations();

// The DAG that is named, or the project's only one.
std::string dag_of(House& house, const codec::Json& arguments);

// Plain forms: "export NAME=value" of name and value columns; the first cell of each row as a line.
std::string shell_lines(const Answer& answer);
std::string first_cells(const Answer& answer);

}  // namespace pinpipe::app
