// The AWS SDK for Java 2 with its defaults: CBOR, HTTP/1.1 in the blocking client, HTTP/2 in the asynchronous one.
//   java -cp JARS Sdk.java URL COVERAGE     appends "aws-sdk-java<TAB>operation" for each that did what was asked
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisClient;
import software.amazon.awssdk.services.kinesis.model.*;

class Sdk {
  static final Set<String> done = new ConcurrentSkipListSet<>();
  static final Set<String> types = new ConcurrentSkipListSet<>();

  static class Notes implements ExecutionInterceptor {
    @Override
    public void beforeTransmission(Context.BeforeTransmission context, ExecutionAttributes attributes) {
      context.httpRequest().firstMatchingHeader("Content-Type").ifPresent(types::add);
    }
    @Override
    public void afterExecution(Context.AfterExecution context, ExecutionAttributes attributes) {
      done.add(attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME));
    }
  }

  static void check(boolean good, String what) {
    if (!good) throw new AssertionError(what);
  }

  static void records(KinesisClient kinesis, String name) {
    Instant before = Instant.now().minusSeconds(1);
    PutRecordResponse placed = kinesis.putRecord(r -> r.streamName(name).partitionKey("ключ")
        .data(SdkBytes.fromByteArray(new byte[] {0, (byte) 0xff, 7})));
    List<PutRecordsRequestEntry> entries = IntStream.range(0, 500).mapToObj(i -> PutRecordsRequestEntry.builder()
        .partitionKey("k" + i).data(SdkBytes.fromUtf8String(String.valueOf(i))).build()).toList();
    PutRecordsResponse many = kinesis.putRecords(r -> r.streamName(name).records(entries));
    check(many.failedRecordCount() == 0 && many.records().size() == 500, "500 records are placed");
    Set<String> seen = new TreeSet<>();
    for (Shard shard : kinesis.listShards(r -> r.streamName(name)).shards()) {
      String at = kinesis.getShardIterator(r -> r.streamName(name).shardId(shard.shardId())
          .shardIteratorType(ShardIteratorType.AT_TIMESTAMP).timestamp(before)).shardIterator();
      long behind = 1;
      while (behind > 0) {
        String from = at;
        GetRecordsResponse got = kinesis.getRecords(r -> r.shardIterator(from).limit(90));
        for (software.amazon.awssdk.services.kinesis.model.Record one : got.records()) {
          seen.add(one.sequenceNumber() + one.partitionKey());
          check(Duration.between(one.approximateArrivalTimestamp(), Instant.now()).abs().getSeconds() < 60, "arrived now");
          if (one.sequenceNumber().equals(placed.sequenceNumber()))
            check(one.data().asByteArray()[1] == (byte) 0xff && one.partitionKey().equals("ключ"), "the bytes");
        }
        at = got.nextShardIterator();
        behind = got.millisBehindLatest();
      }
    }
    check(seen.size() == 501, "each record once, not " + seen.size());
  }

  static void settings(KinesisClient kinesis, String name, String arn) {
    kinesis.addTagsToStream(r -> r.streamName(name).tags(java.util.Map.of("team", "data", "x", "y")));
    kinesis.removeTagsFromStream(r -> r.streamName(name).tagKeys("x"));
    check(kinesis.listTagsForStream(r -> r.streamName(name)).tags().get(0).value().equals("data"), "a tag");
    kinesis.increaseStreamRetentionPeriod(r -> r.streamARN(arn).retentionPeriodHours(48));
    kinesis.decreaseStreamRetentionPeriod(r -> r.streamARN(arn).retentionPeriodHours(24));
    check(kinesis.describeLimits().openShardCount() >= 2, "limits");
    check(kinesis.listStreams().streamNames().contains(name), "listed");
    StreamDescriptionSummary about = kinesis.describeStreamSummary(r -> r.streamName(name)).streamDescriptionSummary();
    check(Duration.between(about.streamCreationTimestamp(), Instant.now()).abs().getSeconds() < 60, "created now");
    try {
      kinesis.describeStream(r -> r.streamName("nothing"));
      check(false, "nothing was described");
    } catch (ResourceNotFoundException e) {
      check(e.awsErrorDetails().errorMessage().contains("Stream nothing under account"), "the reason: " + e);
    }
    try {
      kinesis.putRecord(r -> r.streamName(name).partitionKey("").data(SdkBytes.fromUtf8String("x")));
      check(false, "an empty key was taken");
    } catch (KinesisException e) {
      check(e.awsErrorDetails().errorCode().equals("ValidationException"), "the code: " + e);
    }
  }

  static void subscription(KinesisClient kinesis, KinesisAsyncClient async, String name, String arn) throws Exception {
    String consumer = kinesis.registerStreamConsumer(r -> r.streamARN(arn).consumerName("c")).consumer().consumerARN();
    check(kinesis.describeStreamConsumer(r -> r.consumerARN(consumer)).consumerDescription().consumerStatus()
        == ConsumerStatus.ACTIVE, "active");
    check(kinesis.listStreamConsumers(r -> r.streamARN(arn)).consumers().size() == 1, "one consumer");
    List<SubscribeToShardEvent> events = new ArrayList<>();
    var handler = SubscribeToShardResponseHandler.builder().subscriber(event -> {
      if (!(event instanceof SubscribeToShardEvent one)) return;
      synchronized (events) {
        boolean first = events.stream().allMatch(e -> e.records().isEmpty()) && !one.records().isEmpty();
        events.add(one);
        if (first) async.updateShardCount(r -> r.streamName(name).targetShardCount(4).scalingType("UNIFORM_SCALING"));
      }
    }).build();
    async.subscribeToShard(r -> r.consumerARN(consumer).shardId("shardId-000000000000")
        .startingPosition(p -> p.type(ShardIteratorType.TRIM_HORIZON)), handler).get(60, TimeUnit.SECONDS);
    int count = events.stream().mapToInt(e -> e.records().size()).sum();
    SubscribeToShardEvent last = events.get(events.size() - 1);
    check(count > 100, "records were sent: " + count);
    check(last.continuationSequenceNumber() == null && last.childShards().size() == 2, "the shard's end: " + last);
    kinesis.deregisterStreamConsumer(r -> r.consumerARN(consumer));
  }

  public static void main(String[] arguments) throws Exception {
    URI url = URI.create(arguments[0]);
    var who = StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"));
    String name = "java-" + ProcessHandle.current().pid();
    try (KinesisClient kinesis = KinesisClient.builder().endpointOverride(url).region(Region.US_EAST_1)
             .credentialsProvider(who).overrideConfiguration(c -> c.addExecutionInterceptor(new Notes())).build();
         KinesisAsyncClient async = KinesisAsyncClient.builder().endpointOverride(url).region(Region.US_EAST_1)
             .credentialsProvider(who).overrideConfiguration(c -> c.addExecutionInterceptor(new Notes())).build()) {
      kinesis.createStream(r -> r.streamName(name).shardCount(2));
      String arn = kinesis.describeStream(r -> r.streamName(name)).streamDescription().streamARN();
      records(kinesis, name);
      settings(kinesis, name, arn);
      for (int i = 0; i < 50; ++i) {
        String key = "async" + i;
        async.putRecord(r -> r.streamARN(arn).partitionKey(key).data(SdkBytes.fromUtf8String(key))).get(10, TimeUnit.SECONDS);
      }
      subscription(kinesis, async, name, arn);
      List<Shard> open = new ArrayList<>(kinesis.listShards(r -> r.streamName(name)
          .shardFilter(f -> f.type("AT_LATEST"))).shards());
      open.sort((a, b) -> new java.math.BigInteger(a.hashKeyRange().startingHashKey())
          .compareTo(new java.math.BigInteger(b.hashKeyRange().startingHashKey())));
      kinesis.mergeShards(r -> r.streamName(name).shardToMerge(open.get(0).shardId())
          .adjacentShardToMerge(open.get(1).shardId()));
      kinesis.splitShard(r -> r.streamName(name).shardToSplit(open.get(2).shardId()).newStartingHashKey(
          new java.math.BigInteger(open.get(2).hashKeyRange().startingHashKey()).add(java.math.BigInteger.TEN).toString()));
      kinesis.updateStreamMode(r -> r.streamARN(arn).streamModeDetails(m -> m.streamMode(StreamMode.ON_DEMAND)));
      kinesis.deleteStream(r -> r.streamName(name));
    }
    System.out.println("sent as " + types);
    check(types.contains("application/x-amz-cbor-1.1"), "CBOR was spoken");
    StringBuilder lines = new StringBuilder();
    for (String operation : done) lines.append("aws-sdk-java\t").append(operation).append('\n');
    Files.writeString(Path.of(arguments[1]), lines, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
  }
}
