import { randomBytes } from 'node:crypto';
import type { WhatsAppSender } from '../../domain/channel.ts';
import type { FetchedFile, MediaSource } from '../../domain/media-fetch.ts';
import type { MediaUploader, Uploaded } from '../../domain/media-upload.ts';
import type { FileAnswer, FileClient } from '../../net/file-client.ts';
import { retryAfter } from '../../net/retry-after.ts';
import { isRecord, readAnswer } from './answer.ts';

export interface MediaApiOptions {
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

/** Files at the Cloud API (Meta: business-phone-numbers/media, read 2026-09): uploads for sending, and what customers sent. */
export function whatsappMedia(options: MediaApiOptions): MediaUploader & MediaSource {
  const { client, origin, version, timeout, fileTimeout } = options;

  async function upload(
    sender: WhatsAppSender,
    file: Parameters<MediaUploader['upload']>[1],
    ending: AbortSignal,
  ): Promise<Uploaded> {
    const boundary = `aldis-${randomBytes(16).toString('hex')}`;
    const { mime_type: type } = file;
    const head = Buffer.from(
      `${field(boundary, 'messaging_product', 'whatsapp')}${field(boundary, 'type', type)}--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${file.filename}"\r\nContent-Type: ${type}\r\n\r\n`,
    );
    const tail = Buffer.from(`\r\n--${boundary}--\r\n`);
    async function* form() {
      yield head;
      yield* file.bytes;
      yield tail;
    }
    try {
      const answer = await client.send({
        method: 'POST',
        url: new URL(`/${version}/${encodeURIComponent(sender.phone_number_id)}/media`, origin),
        headers: { ...bearer(sender), 'content-type': `multipart/form-data; boundary=${boundary}` },
        body: { bytes: form(), size: head.length + file.size + tail.length },
        timeout: fileTimeout,
        ending,
      });
      const body = await answer.text();
      const id = idIn(body);
      if (answer.status === 200 && id !== null) return { kind: 'uploaded', id };
      const outcome = readAnswer({ status: answer.status, headers: answer.headers, body });
      if (outcome.kind === 'error') return outcome;
      return { kind: 'not_sent', detail: `the file was not uploaded: HTTP ${answer.status}` };
    } catch (error) {
      return { kind: 'not_sent', detail: `the file was not uploaded: ${messageOf(error)}` };
    }
  }

  async function fetchFile(sender: WhatsAppSender, id: string, ending: AbortSignal): Promise<FetchedFile> {
    try {
      const url = new URL(`/${version}/${encodeURIComponent(id)}`, origin);
      url.searchParams.set('phone_number_id', sender.phone_number_id);
      const told = await client.send({ method: 'GET', url, headers: bearer(sender), timeout, ending });
      const body = await told.text();
      const at = told.status === 200 ? addressIn(body, origin) : null;
      if (at === null) return refused(told, body);
      const file = await client.send({ method: 'GET', url: at, headers: bearer(sender), timeout: fileTimeout, ending });
      if (file.status === 200) return { kind: 'bytes', bytes: file.bytes };
      return refused(file, await file.text());
    } catch (error) {
      return { kind: 'later', detail: messageOf(error), retryAfter: null };
    }
  }

  return { upload, fetch: fetchFile, close: () => client.close() };
}

function field(boundary: string, name: string, value: string): string {
  return `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
}

function bearer({ access_token }: WhatsAppSender): { authorization: string; 'user-agent': string } {
  // Meta gives files to no client that does not say what it is.
  return { authorization: `Bearer ${access_token}`, 'user-agent': 'Aldis' };
}

/** An upload's id, as the store and a send can hold it. */
function idIn(body: string): string | null {
  const answer = parse(body);
  const id = isRecord(answer) ? answer['id'] : undefined;
  return typeof id === 'string' && /^[\x21-\x7e]{1,200}$/.test(id) ? id : null;
}

/** Where a file lies. The token goes there too: by HTTPS, or to where the provider itself is. */
function addressIn(body: string, origin: string): URL | null {
  const answer = parse(body);
  const text = isRecord(answer) ? answer['url'] : undefined;
  if (typeof text !== 'string' || !URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === 'https:' || url.origin === new URL(origin).origin ? url : null;
}

function refused(answer: FileAnswer, body: string): FetchedFile {
  const wish = retryAfter(answer.headers['retry-after']);
  const outcome = readAnswer({ status: answer.status, headers: answer.headers, body });
  const detail =
    outcome.kind === 'error' ? `${outcome.code}: ${outcome.title}` : `HTTP ${answer.status} without a file`;
  return { kind: 'later', detail, retryAfter: wish };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
