import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  NotFound,
  S3Client,
  S3ServiceException,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { checkedKey } from '../domain/object-key.ts';
import type { ObjectStore } from '../domain/object-store.ts';

export interface S3StoreOptions {
  bucket: string;
  region: string;
  /** null: Amazon's own for the region. */
  endpoint: string | null;
  /** null: what the client finds by itself in the surroundings, such as the role of the machine. */
  credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string | undefined } | null;
  /** The bucket in the path and not in the host name: what most servers but Amazon's want. */
  pathStyle: boolean;
  /** Before each key; `aldis/` and its like. May be empty. */
  prefix: string;
}

export interface S3Store extends ObjectStore {
  /** Asks whether the bucket is there and may be used. @throws when not. */
  check(): Promise<void>;
  /** Gives up uploads that were begun before a time and never ended: their parts are paid for, and nobody sees them. */
  removeOrphans(begunBefore: Date): Promise<void>;
}

/** Of a part of an upload, in bytes: the least that S3 takes is 5 MiB. */
const PART = 8 << 20;
/** Parts of one upload that are under way at once, and so in memory. */
const PARTS_AT_ONCE = 2;
const CONNECT_TIMEOUT = 5000;
/** Milliseconds without a byte. */
const STALL_TIMEOUT = 30_000;

/**
 * Objects in a bucket of S3 or of a server that speaks as S3 does. What is longer than one part goes up in several, and none of
 * it is there before the last of them; an upload that fails is given up, so that its parts go.
 */
export function openS3Store(options: S3StoreOptions): S3Store {
  const { bucket: Bucket, region, endpoint, credentials, pathStyle, prefix } = options;
  const client = new S3Client({
    region,
    ...(endpoint === null ? {} : { endpoint }),
    ...(credentials === null ? {} : { credentials }),
    forcePathStyle: pathStyle,
    // Servers that are not Amazon's choke on checksums that are sent as trailers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 3,
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT, socketTimeout: STALL_TIMEOUT },
  });
  const named = (key: string) => ({ Bucket, Key: prefix + checkedKey(key) });

  return {
    async put(key, bytes, { type }) {
      let size = 0;
      async function* counted() {
        for await (const chunk of bytes) {
          size += chunk.length;
          yield chunk;
        }
      }
      await new Upload({
        client,
        params: { ...named(key), Body: Readable.from(counted(), { objectMode: false }), ContentType: type },
        partSize: PART,
        queueSize: PARTS_AT_ONCE,
      }).done();
      return { size };
    },

    async get(key, range) {
      const Range = range && `bytes=${range.start}-${range.end}`;
      try {
        const {
          Body,
          ContentLength = 0,
          ContentRange,
        } = await client.send(new GetObjectCommand({ ...named(key), Range }));
        const whole = /\/(\d+)$/.exec(ContentRange ?? '')?.[1];
        return { size: whole === undefined ? ContentLength : Number(whole), bytes: asBytes(Body) };
      } catch (error) {
        if (error instanceof NoSuchKey) return null;
        if (!isBeyondEnd(error)) throw error;
        // A range behind the end holds no bytes, and the answer does not say how long the object is.
        const { ContentLength = 0 } = await client.send(new HeadObjectCommand(named(key)));
        return { size: ContentLength, bytes: Readable.from([]) };
      }
    },

    async remove(key) {
      await client.send(new DeleteObjectCommand(named(key))).catch((error: unknown) => {
        if (!(error instanceof NoSuchKey || error instanceof NotFound)) throw error;
      });
    },

    async check() {
      await client.send(new HeadBucketCommand({ Bucket }));
    },

    async removeOrphans(begunBefore) {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket, Prefix: prefix }));
      for (const { Key, UploadId, Initiated } of Uploads) {
        if (Key === undefined || Initiated === undefined || Initiated >= begunBefore) continue;
        await client.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
      }
    },

    async close() {
      client.destroy();
    },
  };
}

function isBeyondEnd(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 416;
}

function asBytes(body: unknown): AsyncIterable<Uint8Array> {
  if (body instanceof Readable) return body;
  throw new TypeError('the object storage gave no stream');
}
