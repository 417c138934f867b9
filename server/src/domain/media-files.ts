import type { TenantId } from './ids.ts';
import type { FileType, MediaKind } from './media-types.ts';

/**
 * Taking files in and giving them out. A file first comes to rest as a draft, where its length, its hash and its type are
 * found; only what is wanted goes to the store, under its tenant and its hash. Nothing is ever whole in memory.
 */
export interface MediaFiles {
  /**
   * Reads a file to its end.
   * @param source `sent`: must be of a type and size that WhatsApp takes. `received`: what WhatsApp gave, of any type.
   * @throws {AldisError} `unsupported_type`, `payload_too_large`, `invalid_field` for an empty one. Whatever reading `bytes` throws.
   */
  draft(bytes: AsyncIterable<Uint8Array>, source: 'sent' | 'received'): Promise<MediaDraft>;
  /** The bytes of a file, or some of them; both ends included. null: they are gone. */
  open(
    tenant: TenantId,
    sha256: Buffer,
    range?: { start: number; end: number },
  ): Promise<AsyncIterable<Uint8Array> | null>;
  /** Removes the bytes of a file. */
  remove(tenant: TenantId, sha256: Buffer): Promise<void>;
}

export interface MediaDraft {
  readonly file: DraftFile;
  /** Stores the file for a tenant, in place of one of the same content. */
  keep(tenant: TenantId): Promise<void>;
  /** Forgets the draft. What was kept stays. */
  drop(): Promise<void>;
}

export interface DraftFile extends FileType {
  size: number;
  sha256: Buffer;
}

/** A file as it is stored. */
export interface StoredMedia {
  sha256: Buffer;
  size: number;
  mime_type: string;
  kind: MediaKind;
  animated: boolean | null;
  filename: string | null;
}
