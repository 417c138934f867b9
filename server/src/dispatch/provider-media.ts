import { forgetMediaUpload, rememberMediaUpload } from '../actions/media.ts';
import type { Db } from '../db/pool.ts';
import type { WhatsAppSender } from '../domain/channel.ts';
import { isUuid, type MediaId } from '../domain/ids.ts';
import type { MediaFiles } from '../domain/media-files.ts';
import { nameFor } from '../domain/media-types.ts';
import { isGoodUpload, type MediaUploader, UPLOAD_VALIDITY } from '../domain/media-upload.ts';
import type { Outcome } from '../domain/outcome.ts';
import { failpoint } from '../runtime/failpoints.ts';
import type { Logger } from '../runtime/logger.ts';
import { findUploadableMedia } from '../store/media.read.ts';

/**
 * What the provider calls our files. A file is uploaded once for each sender, however many messages wait for it, and its id is
 * remembered until shortly before the provider forgets it.
 */
export interface ProviderMedia {
  /** The provider's id of a file, when it is known at once. @param attempt which one of the message it is for. */
  known(sender: WhatsAppSender, media: string, attempt: number): ProviderFile | undefined;
  /** The same, or what came of uploading it in place of an id: the outcome of the attempt. Never throws. */
  find(sender: WhatsAppSender, media: string, attempt: number): Promise<ProviderFile | Outcome>;
  /** The provider does not know an id any longer: the next one who asks uploads the file anew. Never throws. */
  forget(sender: WhatsAppSender, media: string, id: string): Promise<void>;
  /** Ends uploads that are under way. */
  stop(): void;
}

/** An id at the provider. Milliseconds since 1970. */
export interface ProviderFile {
  kind: 'ready';
  id: string;
  uploadedAt: number;
  expiresAt: number;
}

export interface ProviderMediaOptions {
  db: Db;
  files: Pick<MediaFiles, 'open'>;
  uploader: MediaUploader;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** Most ids in memory; the others are in the database. */
const MOST_KNOWN = 10_000;
/** Most uploads at once. */
const TOGETHER = 8;

export function createProviderMedia({ db, files, uploader, logger }: ProviderMediaOptions): ProviderMedia {
  const remembered = new Map<string, ProviderFile>();
  const finding = new Map<string, Promise<ProviderFile | Outcome>>();
  const ending = new AbortController();
  const waiting: (() => void)[] = [];
  let uploading = 0;

  function remember(name: string, file: ProviderFile): ProviderFile {
    remembered.delete(name);
    remembered.set(name, file);
    const [oldest] = remembered.keys();
    if (remembered.size > MOST_KNOWN && oldest !== undefined) remembered.delete(oldest);
    return file;
  }

  function known(sender: WhatsAppSender, media: string, attempt: number): ProviderFile | undefined {
    const file = remembered.get(nameOf(sender, media));
    return file && isGoodUpload(file, attempt, Date.now()) ? file : undefined;
  }

  async function look(sender: WhatsAppSender, media: string, attempt: number): Promise<ProviderFile | Outcome> {
    const { tenant_id: tenant, id } = sender;
    const found = isUuid(media) ? await findUploadableMedia(db, tenant, id, media as MediaId) : null;
    if (found === null) return gone('no file of that media_id');
    const { provider_id, uploaded_at, expires_at } = found;
    if (provider_id !== null && uploaded_at !== null && expires_at !== null) {
      const stored = { id: provider_id, uploadedAt: uploaded_at.getTime(), expiresAt: expires_at.getTime() };
      if (isGoodUpload(stored, attempt, Date.now())) {
        return remember(nameOf(sender, media), { kind: 'ready', ...stored });
      }
    }
    const bytes = await files.open(tenant, found.sha256);
    if (bytes === null) {
      logger.warn({ tenant_id: tenant, media_id: media }, 'the bytes of a stored file are gone');
      return gone('the bytes of the file are gone');
    }
    const since = Date.now();
    const { size, mime_type } = found;
    await failpoint('upload.before_call');
    const uploaded = await uploader.upload(
      sender,
      { bytes, size, mime_type, filename: nameFor(mime_type) },
      ending.signal,
    );
    await failpoint('upload.after_call');
    const about = { tenant_id: tenant, sender_id: id, media_id: media, size, ms: Date.now() - since };
    if (uploaded.kind !== 'uploaded') {
      logger.warn({ ...about, outcome: uploaded.kind, detail: uploaded.detail }, 'a file could not be uploaded');
      return uploaded;
    }
    logger.info(about, 'a file was uploaded');
    const file: ProviderFile = {
      kind: 'ready',
      id: uploaded.id,
      uploadedAt: since,
      expiresAt: since + UPLOAD_VALIDITY,
    };
    remember(nameOf(sender, media), file);
    const row = { sender: id, media: media as MediaId, providerId: uploaded.id, validity: UPLOAD_VALIDITY };
    // Not remembered, it is uploaded once more some day; the message need not wait for that.
    await rememberMediaUpload(db, tenant, row).catch((error: unknown) =>
      logger.warn({ ...about, error }, 'the id of an uploaded file could not be remembered'),
    );
    await failpoint('upload.after_commit');
    return file;
  }

  /** Looks once there is room for one more. */
  async function inTurn(work: () => Promise<ProviderFile | Outcome>): Promise<ProviderFile | Outcome> {
    if (uploading >= TOGETHER) await new Promise<void>((resolve) => waiting.push(resolve));
    else uploading++;
    try {
      return await work();
    } catch (error) {
      const detail = `the file is not ready: ${error instanceof Error ? error.message : error}`;
      return { kind: 'not_sent', detail, own: true };
    } finally {
      const next = waiting.shift();
      if (next) next();
      else uploading--;
    }
  }

  return {
    known,
    find(sender, media, attempt) {
      const file = known(sender, media, attempt);
      if (file) return Promise.resolve(file);
      const name = nameOf(sender, media);
      let found = finding.get(name);
      if (!found) {
        found = inTurn(() => look(sender, media, attempt)).finally(() => finding.delete(name));
        finding.set(name, found);
      }
      return found;
    },
    async forget(sender, media, id) {
      const name = nameOf(sender, media);
      if (remembered.get(name)?.id === id) remembered.delete(name);
      const upload = { sender: sender.id, media: media as MediaId, providerId: id };
      await forgetMediaUpload(db, sender.tenant_id, upload).catch((error: unknown) =>
        logger.warn({ error, sender_id: sender.id, media_id: media }, 'the id of a file could not be forgotten'),
      );
    },
    stop: () => ending.abort(),
  };
}

function nameOf(sender: WhatsAppSender, media: string): string {
  return `${sender.id} ${media}`;
}

function gone(detail: string): Outcome {
  return { kind: 'refused', code: 0, title: 'The file is not there', detail };
}
