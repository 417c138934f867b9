import type { SampleOutcome, SampleUploader } from '../../domain/template-samples.ts';
import type { FileClient } from '../../net/file-client.ts';
import { type GraphAnswer, readGraph } from './graph-answer.ts';

export interface SampleUploadOptions {
  client: FileClient;
  /** `https://graph.facebook.com` */
  origin: string;
  /** Of the Graph API: `v26.0`. */
  version: string;
  /** Milliseconds for an answer without a file. */
  timeout: number;
  /** Milliseconds for a file. */
  fileTimeout: number;
}

/** Samples of templates by resumable upload (Meta: graph-api/guides/upload): a session is begun, then all bytes follow at once. */
export function sampleUpload({ client, origin, version, timeout, fileTimeout }: SampleUploadOptions): SampleUploader {
  return {
    async upload({ access_token }, app, { filename, mime_type, size, bytes }, ending) {
      try {
        const begin = new URL(`/${version}/${app ?? 'app'}/uploads`, origin);
        begin.searchParams.set('file_name', filename);
        begin.searchParams.set('file_length', String(size));
        begin.searchParams.set('file_type', mime_type);
        const headers = { authorization: `Bearer ${access_token}` };
        const begun = await client.send({ method: 'POST', url: begin, headers, timeout, ending });
        const session = wordOf(
          readGraph({ status: begun.status, text: await begun.text() }),
          'id',
          /^upload:[\x21-\x7e]{1,2000}$/,
        );
        if (typeof session !== 'string') return session;
        const answer = await client.send({
          method: 'POST',
          // A session's id brings a signature along, which looks like a query.
          url: new URL(`/${version}/${session}`, origin),
          headers: {
            authorization: `OAuth ${access_token}`,
            file_offset: '0',
            'content-type': 'application/octet-stream',
          },
          body: { bytes, size },
          timeout: fileTimeout,
          ending,
        });
        const handle = wordOf(
          readGraph({ status: answer.status, text: await answer.text() }),
          'h',
          /^[\s\x21-\x7e]{1,4000}$/,
        );
        return typeof handle === 'string' ? { kind: 'uploaded', handle } : handle;
      } catch (error) {
        const detail = error instanceof Error ? error.message || error.name : String(error);
        return { kind: 'later', detail: `a sample was not uploaded: ${detail}`, retryAfter: null };
      }
    },
    close: () => client.close(),
  };
}

/** A word of an answer, or what came in its place. */
function wordOf(
  answer: GraphAnswer,
  name: string,
  form: RegExp,
): string | Exclude<SampleOutcome, { kind: 'uploaded' }> {
  if (answer.kind !== 'answer') return answer;
  const word = answer.body[name];
  if (typeof word === 'string' && form.test(word)) return word;
  return { kind: 'later', detail: 'WhatsApp gave no handle for a sample', retryAfter: null };
}
