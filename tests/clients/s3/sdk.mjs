// aws-sdk-js v3 against a running S3 door: puts, gets, streams, multipart, links.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { Readable } from "node:stream";

const require = createRequire(process.env.NODE_PATH + "/");
const { S3Client, CreateBucketCommand, PutObjectCommand, GetObjectCommand, ListObjectsV2Command, DeleteObjectsCommand,
  DeleteBucketCommand, HeadObjectCommand, CopyObjectCommand, UploadPartCopyCommand, CreateMultipartUploadCommand,
  CompleteMultipartUploadCommand, GetObjectAttributesCommand } = require("@aws-sdk/client-s3");
const { Upload } = require("@aws-sdk/lib-storage");
const { getSignedUrl } = require("@aws-sdk/s3-request-presigner");

const s3 = new S3Client({ endpoint: process.argv[2], region: "us-east-1", forcePathStyle: true,
  credentials: { accessKeyId: "test", secretAccessKey: "test" } });
const Bucket = "sdk-" + process.pid;
const text = async (key, more = {}) => (await s3.send(new GetObjectCommand({ Bucket, Key: key, ...more }))).Body.transformToString();

await s3.send(new CreateBucketCommand({ Bucket }));
await s3.send(new PutObjectCommand({ Bucket, Key: "grüße 🦆/a+b.txt", Body: "hello", Metadata: { who: "ada" } }));
assert.equal(await text("grüße 🦆/a+b.txt"), "hello");
assert.equal(await text("grüße 🦆/a+b.txt", { Range: "bytes=1-2" }), "el");
assert.equal((await s3.send(new HeadObjectCommand({ Bucket, Key: "grüße 🦆/a+b.txt" }))).Metadata.who, "ada");

// A stream of unknown kind goes out in aws-chunked framing with a trailing checksum.
const body = "x".repeat(100_000);
await s3.send(new PutObjectCommand({ Bucket, Key: "streamed", Body: Readable.from([body.slice(0, 40_000), body.slice(40_000)]),
  ContentLength: body.length }));
assert.equal(await text("streamed"), body);

const large = Buffer.alloc(12 << 20, "l");
await new Upload({ client: s3, params: { Bucket, Key: "large", Body: large }, partSize: 5 << 20 }).done();
const head = await s3.send(new HeadObjectCommand({ Bucket, Key: "large", ChecksumMode: "ENABLED" }));
assert.equal(head.ContentLength, large.length);
assert.match(head.ETag, /-3"$/);

const attributes = await s3.send(new GetObjectAttributesCommand({ Bucket, Key: "large",
  ObjectAttributes: ["ETag", "ObjectSize", "ObjectParts", "Checksum"] }));
assert.equal(attributes.ObjectSize, large.length);
assert.equal(attributes.ObjectParts.TotalPartsCount, 3);

const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: "from-parts" }));
const part = await s3.send(new UploadPartCopyCommand({ Bucket, Key: "from-parts", UploadId, PartNumber: 1,
  CopySource: `${Bucket}/large`, CopySourceRange: "bytes=0-9" }));
await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key: "from-parts", UploadId,
  MultipartUpload: { Parts: [{ PartNumber: 1, ETag: part.CopyPartResult.ETag }] } }));
assert.equal(await text("from-parts"), "l".repeat(10));

await s3.send(new CopyObjectCommand({ Bucket, Key: "copied", CopySource: `${Bucket}/streamed` }));
await assert.rejects(s3.send(new PutObjectCommand({ Bucket, Key: "copied", Body: "", IfNoneMatch: "*" })),
  (error) => error.name === "PreconditionFailed");
const link = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: "streamed" }), { expiresIn: 60 });
assert.equal(await (await fetch(link)).text(), body);

const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket }));
assert.equal(Contents.length, 5);
const gone = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects: Contents.map(({ Key }) => ({ Key })) } }));
assert.equal(gone.Deleted.length, 5);
await s3.send(new DeleteBucketCommand({ Bucket }));
