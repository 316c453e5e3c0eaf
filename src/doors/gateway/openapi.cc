#include "doors/gateway/openapi.h"

namespace pinpipe::gateway {

std::string_view openapi_document() {
  return R"json({
"openapi":"3.0.3",
"info":{"title":"pinpipe gateway","version":"1",
"description":"Kafka REST proxy v2 and the Kinesis proxy, as behind API Gateway. Every path may stand behind a stage: /{stage}/topics/..."},
"paths":{
"/topics":{"get":{"summary":"Names of all topics","responses":{"200":{"description":"A list of names"}}}},
"/topics/{topic}":{"parameters":[{"$ref":"#/components/parameters/topic"}],
"get":{"summary":"A topic with its configs and partitions","responses":{"200":{"description":"The topic"},"404":{"$ref":"#/components/responses/error"}}},
"post":{"summary":"Produce records","requestBody":{"$ref":"#/components/requestBodies/records"},"responses":{"200":{"$ref":"#/components/responses/offsets"},"404":{"$ref":"#/components/responses/error"},"415":{"$ref":"#/components/responses/error"},"422":{"$ref":"#/components/responses/error"}}}},
"/topics/{topic}/partitions":{"parameters":[{"$ref":"#/components/parameters/topic"}],
"get":{"summary":"A topic's partitions","responses":{"200":{"description":"The partitions"},"404":{"$ref":"#/components/responses/error"}}}},
"/topics/{topic}/partitions/{partition}":{"parameters":[{"$ref":"#/components/parameters/topic"},{"$ref":"#/components/parameters/partition"}],
"get":{"summary":"One partition","responses":{"200":{"description":"The partition"},"404":{"$ref":"#/components/responses/error"}}},
"post":{"summary":"Produce records into this partition","requestBody":{"$ref":"#/components/requestBodies/records"},"responses":{"200":{"$ref":"#/components/responses/offsets"},"404":{"$ref":"#/components/responses/error"}}}},
"/topics/{topic}/partitions/{partition}/offsets":{"parameters":[{"$ref":"#/components/parameters/topic"},{"$ref":"#/components/parameters/partition"}],
"get":{"summary":"First and next offset","responses":{"200":{"description":"The offsets"},"404":{"$ref":"#/components/responses/error"}}}},
"/brokers":{"get":{"summary":"Ids of the brokers","responses":{"200":{"description":"The brokers"}}}},
"/streams":{"get":{"summary":"ListStreams","responses":{"200":{"description":"As Kinesis answers"}}}},
"/streams/{stream-name}":{"parameters":[{"$ref":"#/components/parameters/stream"}],
"get":{"summary":"DescribeStream","responses":{"200":{"description":"As Kinesis answers"}}},
"post":{"summary":"CreateStream","requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"ShardCount":{"type":"integer","default":5}}}}}},"responses":{"200":{"description":"Empty"}}},
"delete":{"summary":"DeleteStream","responses":{"200":{"description":"Empty"}}}},
"/streams/{stream-name}/record":{"parameters":[{"$ref":"#/components/parameters/stream"}],
"put":{"summary":"PutRecord","requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"Data":{},"PartitionKey":{"type":"string"}}}}}},"responses":{"200":{"description":"As Kinesis answers"}}}},
"/streams/{stream-name}/records":{"parameters":[{"$ref":"#/components/parameters/stream"}],
"put":{"summary":"PutRecords","requestBody":{"content":{"application/json":{"schema":{"type":"object","properties":{"records":{"type":"array","items":{"type":"object","properties":{"data":{"type":"string"},"partition-key":{"type":"string"}}}}}}}}},"responses":{"200":{"description":"As Kinesis answers"}}},
"get":{"summary":"GetRecords","parameters":[{"name":"Shard-Iterator","in":"header","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"As Kinesis answers"}}}},
"/streams/{stream-name}/sharditerator":{"parameters":[{"$ref":"#/components/parameters/stream"}],
"get":{"summary":"GetShardIterator, from the oldest record","parameters":[{"name":"shard-id","in":"query","required":true,"schema":{"type":"string"}}],"responses":{"200":{"description":"As Kinesis answers"}}}}
},
"components":{
"parameters":{
"topic":{"name":"topic","in":"path","required":true,"schema":{"type":"string"}},
"partition":{"name":"partition","in":"path","required":true,"schema":{"type":"integer"}},
"stream":{"name":"stream-name","in":"path","required":true,"schema":{"type":"string"}}},
"requestBodies":{"records":{"required":true,"content":{
"application/vnd.kafka.json.v2+json":{"schema":{"$ref":"#/components/schemas/records"}},
"application/vnd.kafka.binary.v2+json":{"schema":{"$ref":"#/components/schemas/records"}}}}},
"responses":{
"offsets":{"description":"Where each record lies, or why not","content":{"application/vnd.kafka.v2+json":{"schema":{"type":"object"}}}},
"error":{"description":"error_code and message","content":{"application/vnd.kafka.v2+json":{"schema":{"type":"object","properties":{"error_code":{"type":"integer"},"message":{"type":"string"}}}}}}},
"schemas":{"records":{"type":"object","required":["records"],"properties":{"records":{"type":"array","items":{"type":"object","properties":{
"key":{},"value":{},"partition":{"type":"integer"},"timestamp":{"type":"integer"},
"headers":{"type":"array","items":{"type":"object","properties":{"key":{"type":"string"},"value":{"type":"string","format":"byte"}}}}}}}}}}
}})json";
}

}  // namespace pinpipe::gateway
