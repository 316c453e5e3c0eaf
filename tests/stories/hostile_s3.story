# What strangers try at the S3 door: paths that lead out, documents that grow, signatures that are not theirs. Each gets S3's
# own error, and nothing outside its bucket is touched.

start
PUT $AWS/user-$ID-bucket/safe
  as it was

# Paths out of the bucket, in every spelling. As keys they are names like others, and stay inside.
for path in ../escaped ..%2fescaped %2e%2e/escaped %2e%2e%2fescaped .%2e/escaped ..%5cescaped ..%5c..%5cescaped ..;/escaped %2fescaped //escaped /./escaped .pinpipe/../../escaped x/../../../escaped %252e%252e%252fescaped ..%00/escaped .pinpipe/journal/escaped .pinpipe/tmp/escaped a%0aescaped/../../escaped
  PUT $AWS/user-$ID-bucket/$path
    hello
  -> 200
  GET $AWS/user-$ID-bucket/$path
  -> 200
    hello
  PUT $AWS/user-$ID-bucket/copied
    X-Amz-Copy-Source: /user-$ID-bucket/$path
  DELETE $AWS/user-$ID-bucket/$path
  -> 204
# Bytes that are no UTF-8, as the overlong forms of a dot and a slash.
for path in ..%c0%afescaped %c0%ae%c0%ae/escaped ..%ff/escaped
  PUT $AWS/user-$ID-bucket/$path
    hello
  -> 400
    ~ <Code>InvalidArgument</Code>
for path in %zz %2 a%
  PUT $AWS/user-$ID-bucket/$path
    hello
  -> 400
    ~ <Code>InvalidURI</Code>
# As buckets they are no names.
for bucket in .. %2e%2e ..%2f..%2fescaped .pinpipe ..%5c..%5cx x%00y Escaped es..caped %c0%ae
  PUT $AWS/$bucket/escaped
    hello
  -> 400
    ~ <Code>InvalidBucketName</Code>
  PUT $AWS/$bucket
  -> 400
    ~ <Code>InvalidBucketName</Code>
  GET $AWS/$bucket
  -> 400
for source in /../../../etc/passwd ..%2f..%2fetc/passwd user-$ID-bucket/../../../../etc/passwd .pinpipe/journal
  PUT $AWS/user-$ID-bucket/copied
    X-Amz-Copy-Source: $source
  ->
    ~ <Code>(InvalidArgument|InvalidBucketName|NoSuchKey|NoSuchBucket)</Code>
for id in ../../safe ..%2f..%2ftmp 00000000000000000000000000000000 %2e%2e
  PUT $AWS/user-$ID-bucket/part?partNumber=1&uploadId=$id
    hello
  -> 404
    ~ <Code>NoSuchUpload</Code>
  POST $AWS/user-$ID-bucket/part?uploadId=$id
    <CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>
  -> 404
    ~ <Code>NoSuchUpload</Code>
  DELETE $AWS/user-$ID-bucket/part?uploadId=$id
  -> 404
    ~ <Code>NoSuchUpload</Code>
POST $AWS/user-$ID-bucket?delete
  <Delete><Object><Key>../../FORMAT</Key></Object><Object><Key>../safe</Key></Object><Object><Key>.pinpipe/journal</Key></Object></Delete>
-> 200
POST $AWS/user-$ID-bucket
  Content-Type: multipart/form-data; boundary=b
  << 10 bytes of b
-> 400
  ~ <Code>MalformedPOSTRequest</Code>
names escaped in $TMP outside $DATA/buckets/user-$ID-bucket
-> 0
GET $AWS/user-$ID-bucket/safe
-> 200
  as it was
cli status

# Documents that grow when they are read, or name files.
for call in user-$ID-bucket?delete user-$ID-bucket/safe?uploadId=00000000000000000000000000000000
  POST $AWS/$call
    <?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Delete><Object><Key>&b;</Key></Object></Delete>
  ->
    ~ <Code>(MalformedXML|NoSuchUpload)</Code>
  POST $AWS/$call
    <?xml version="1.0"?><!DOCTYPE d [<!ENTITY f SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&f;</Key></Object></Delete>
  ->
    ~ <Code>(MalformedXML|NoSuchUpload)</Code>
  POST $AWS/$call
    << 1000000 bytes of <
  ->
    ~ <Code>(MalformedXML|NoSuchUpload)</Code>
  POST $AWS/$call
    << 9000000 bytes of x
  -> 413
PUT $AWS/bomb-bucket
  <!DOCTYPE d [<!ENTITY a "x">]><CreateBucketConfiguration><LocationConstraint>&a;</LocationConstraint></CreateBucketConfiguration>
-> 400
  ~ <Code>MalformedXML</Code>
GET $AWS/bomb-bucket
-> 404
  ~ <Code>NoSuchBucket</Code>

# Uploads that lie about themselves are stored not at all.
PUT $AWS/user-$ID-bucket/liar
  Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==
  hello
-> 400
  ~ <Code>BadDigest</Code>
PUT $AWS/user-$ID-bucket/liar
  x-amz-checksum-crc32: AAAAAA==
  hello
-> 400
  ~ <Code>BadDigest</Code>
PUT $AWS/user-$ID-bucket/liar
  x-amz-content-sha256: 0000000000000000000000000000000000000000000000000000000000000000
  hello
-> 400
  ~ <Code>XAmzContentSHA256Mismatch</Code>
PUT $AWS/user-$ID-bucket/liar
  x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER
  x-amz-decoded-content-length: 5
  ffffffffffffffff
-> 400
  ~ <Code>IncompleteBody</Code>
GET $AWS/user-$ID-bucket/liar
-> 404
GET $AWS/user-$ID-bucket?list-type=2&max-keys=-1
-> 400
  ~ <Code>InvalidArgument</Code>
GET $AWS/user-$ID-bucket?list-type=2&continuation-token=%21
-> 400
  ~ <Code>InvalidArgument</Code>
stop

# Where a key is asked for: without one, with somebody else's, with a guess, too late, and with a link to something else.
write $TMP/keys/pinpipe.yaml
  auth: required
  access_keys: { GOODKEY: a-good-secret }
with --overlay $HERE/overlays/quick --overlay $TMP/keys
start
GET $AWS/user-$ID-bucket/safe
-> 403
  ~ <Code>AccessDenied</Code>
PUT $AWS/user-$ID-bucket/safe
  changed
-> 403
  ~ <Code>AccessDenied</Code>
GET $AWS/user-$ID-bucket/safe?AWSAccessKeyId=GOODKEY&Signature=AAAA&Expires=4000000000
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
GET $AWS/user-$ID-bucket/safe?AWSAccessKeyId=GOODKEY&Signature=AAAA&Expires=1000000000
-> 403
  ~ <Message>Request has expired</Message>
GET $AWS/user-$ID-bucket/safe?AWSAccessKeyId=NOBODY&Signature=AAAA&Expires=4000000000
-> 403
  ~ <Code>InvalidAccessKeyId</Code>
GET $AWS/user-$ID-bucket/safe
  X-Amz-Date: 20260101T000000Z
  Authorization: AWS4-HMAC-SHA256 Credential=NOBODY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00
-> 403
  ~ <Code>InvalidAccessKeyId</Code>
GET $AWS/user-$ID-bucket/safe
  X-Amz-Date: 20260101T000000Z
  Authorization: AWS4-HMAC-SHA256 Credential=GOODKEY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=00
-> 403
  ~ <Code>(RequestTimeTooSkewed|SignatureDoesNotMatch)</Code>
GET $AWS/user-$ID-bucket/safe
  Authorization: AWS4-HMAC-SHA256 Credential=GOODKEY
-> 400
  ~ <Code>AuthorizationHeaderMalformed</Code>

# A link does what it was made for, as often as it is used, until it is over; and nothing else.
cli object presign s3://user-$ID-bucket/safe
keep QUERY \?(.*)
for turn in once again
  GET $AWS/user-$ID-bucket/safe?$QUERY
  -> 200
    as it was
for other in elsewhere safe/ %2e/safe safe%00
  GET $AWS/user-$ID-bucket/$other?$QUERY
  -> 403
    ~ <Code>SignatureDoesNotMatch</Code>
PUT $AWS/user-$ID-bucket/safe?$QUERY
  changed
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
DELETE $AWS/user-$ID-bucket/safe?$QUERY
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
GET $AWS/user-$ID-bucket/safe?$QUERY&response-content-type=text/html
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
GET $AWS/user-$ID-bucket/safe?uploads&$QUERY
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
GET $AWS/user-$ID-bucket/safe?$QUERY
  Host: 127.0.0.1:1
-> 403
  ~ <Code>SignatureDoesNotMatch</Code>
cli object presign s3://user-$ID-bucket/safe --expires 1
keep QUERY \?(.*)
until 5s GET $AWS/user-$ID-bucket/safe?$QUERY
-> 403
  ~ <Message>Request has expired</Message>
cli object cat s3://user-$ID-bucket/safe
-> 0
  as it was
stop
