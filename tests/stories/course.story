# The AWS course's milestones 2 to 9, each by its own gesture, on a house that has only what the course's account had: a
# database, two buckets, a gateway. docs/course.md tells the same as a table; what it promises is tried here.

needs /usr/bin/aws
needs kcat
needs /usr/lib/python3/dist-packages/sqlalchemy
needs /usr/lib/python3/dist-packages/pymysql
needs /usr/lib/python3/dist-packages/kafka
with
start --course

# There is nothing yet that a learner has to make.
cli topic list -o csv
-> 0
  topic,partitions,start,end,records
cli connector list -o csv
-> 0
  ~ ^connector,state,tasks,topics,bucket$$
aws s3 ls
-> 0
  ~ mwaa-dags-bucket$$
  ~ user-0e90e0175553-bucket$$
aws kinesis list-streams
-> 0
  ~ "StreamNames": \[\]

# Milestone 2: the Pinterest infrastructure. The database is there; db_creds.yaml is written instead of handed out.
cli init $TMP/home
-> 0

# Milestone 3: the Kafka client. Topics from its command line, and a message from the console producer to its consumer.
python $HERE/course/create_topics.py $KAFKA $ID.pin $ID.geo $ID.user
-> 0
  ~ ^Created topic 0e90e0175553.pin[.]$$
kcat -L
-> 0
  ~ topic "0e90e0175553.user" with 1 partitions

# Milestone 4: MSK Connect. The connector's properties, line by line as the course gives them.
write $TMP/home/connector.properties
  connector.class=io.confluent.connect.s3.S3SinkConnector
  s3.region=us-east-1
  flush.size=1
  schema.compatibility=NONE
  tasks.max=3
  topics.regex=$ID.*
  format.class=io.confluent.connect.s3.format.json.JsonFormat
  partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
  value.converter.schemas.enable=false
  value.converter=org.apache.kafka.connect.json.JsonConverter
  storage.class=io.confluent.connect.s3.storage.S3Storage
  key.converter=org.apache.kafka.connect.storage.StringConverter
  s3.bucket.name=user-$ID-bucket
cli connector create --file $TMP/home/connector.properties --name $ID-connector
-> 0

# Milestone 5: the API in front of the REST proxy, and the script with only its URL changed. Seed 100 draws 7528 first.
python $SOURCE/tests/clients/mysql/user_posting_emulation.py 3
-> 0
  ~ ^0e90e0175553.user 200$$
kcat -C -t $ID.pin -o beginning -e -q
-> 0
  ~ "index":7528,"unique_id":"fbe53c66-3442-4773-b19e-d3ec6f54dddf"
POST $GATEWAY/prod/consumers/students
  Content-Type: application/vnd.kafka.v2+json
  {"name": "my_consumer", "format": "json", "auto.offset.reset": "earliest"}
-> 200
POST $GATEWAY/prod/consumers/students/instances/my_consumer/subscription
  Content-Type: application/vnd.kafka.v2+json
  {"topics": ["$ID.geo"]}
-> 204
until 10s GET $GATEWAY/prod/consumers/students/instances/my_consumer/records
  Accept: application/vnd.kafka.json.v2+json
-> 200
  ~ "country":"Albania"

# One object a record, under the names that the notebooks read.
until 20s aws s3 ls s3://user-$ID-bucket/topics/$ID.user/partition=0/
-> 0
  ~ 0e90e0175553[.]user[+]0[+]0000000000[.]json$$
  ~ 0e90e0175553[.]user[+]0[+]0000000002[.]json$$

# Milestones 6 and 7: read the mounted bucket, clean the three frames, ask the eight questions.
cli sql "select country from objects('/mnt/pinterest/topics/$ID.geo/partition=0/*.json') where ind = 7528" -o csv
-> 0
  country
  Albania
until 20s objects of $ID.pin hold each record once
until 20s objects of $ID.geo hold each record once
cli run
-> 0
cli sql "select ind, title, description, follower_count, save_location from df_pin where ind = 7528" -o csv
-> 0
  ind,title,description,follower_count,save_location
  7528,,,,/data/mens-fashion
cli sql "select coordinates from df_geo where ind = 7528" -o csv
-> 0
  ~ -89.9787
cli sql "select user_name from df_user where ind = 7528" -o csv
-> 0
  user_name
  Abigail Ali
for q in q1 q2 q3a q3b q4 q5 q6 q7 q8
  cli ask $q
  -> 0

# Milestone 8: the DAG goes into the bucket, appears, and is triggered.
write $TMP/home/0e90e0175553_dag.py
  from airflow import DAG
  from airflow.providers.databricks.operators.databricks import DatabricksSubmitRunOperator
  from datetime import datetime, timedelta

  notebook_task = {'notebook_path': '/Users/somebody@example.com/pinterest_batch'}
  notebook_params = {"Variable": 5}
  default_args = {'owner': '0e90e0175553', 'depends_on_past': False, 'email_on_failure': False, 'email_on_retry': False,
                  'retries': 1, 'retry_delay': timedelta(minutes=2)}

  with DAG('0e90e0175553_dag', start_date=datetime(2024, 1, 1), schedule_interval='@daily', catchup=False,
           default_args=default_args) as dag:
      opr_submit_run = DatabricksSubmitRunOperator(task_id='submit_run', databricks_conn_id='databricks_default',
                                                   existing_cluster_id='1108-162752-8okw8dgg',
                                                   notebook_task=notebook_task)
aws s3 cp $TMP/home/0e90e0175553_dag.py s3://mwaa-dags-bucket/dags/
-> 0
until 5s cli dag list -o csv
-> 0
  ~ ^0e90e0175553_dag,@daily,
cli dag run --wait -o csv
-> 0
  ~ ^submit_run,success,1,

# Milestone 9: streams from the AWS CLI, records through the gateway, and what a viewer and the tables show.
for name in pin geo user
  aws kinesis create-stream --stream-name streaming-$ID-$name --shard-count 1
  -> 0
aws kinesis list-streams
-> 0
  ~ "streaming-0e90e0175553-user"
python $HERE/course/user_posting_emulation_streaming.py 3
-> 0
  ~ ^user 200 shardId-000000000000$$
aws kinesis get-shard-iterator --stream-name streaming-$ID-user --shard-id shardId-000000000000 --shard-iterator-type TRIM_HORIZON
-> 0
keep ITERATOR "ShardIterator": "([^"]+)"
aws kinesis get-records --shard-iterator $ITERATOR
-> 0
  ~ "PartitionKey": "partition-1"
cli sql "select data ->> 'first_name' as first_name from stream('streaming-$ID-user') limit 1" -o csv
-> 0
  first_name
  Abigail
until 30s cli table read 0e90e0175553_user_table -o csv
-> 0
  ~ ^7528,Abigail Ali,20,
until 30s cli ask q1 --from stream -o csv
-> 0
  ~ ^Albania,mens-fashion,1$$
until 10s cli account -o csv
-> 0
  ~ ^user,batch,3,0,3,3,3,0,0,3,3,closes$$
  ~ ^user,stream,3,0,3,3,3,0,0,3,3,closes$$
stop
