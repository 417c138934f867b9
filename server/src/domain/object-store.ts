/**
 * Where files lie: the disk, or an object storage. Keys are paths of letters, digits and `. _ - /`, made here and never by a
 * user. What `put` has resolved is durable; a `put` that fails leaves nothing that `get` finds.
 */
export interface ObjectStore {
  /** Stores all bytes of a stream, in place of what was there. Nothing is kept whole in memory. */
  put(key: string, bytes: AsyncIterable<Uint8Array>, about: { type: string }): Promise<{ size: number }>;
  /** Reads it, or the bytes from `start` to `end`, both included. null: there is nothing of that key. */
  get(key: string, range?: { start: number; end: number }): Promise<StoredObject | null>;
  /** Removes it; nothing there is well too. */
  remove(key: string): Promise<void>;
  close(): Promise<void>;
}

export interface StoredObject {
  /** Of the whole object, in bytes, whatever range was asked for. */
  size: number;
  bytes: AsyncIterable<Uint8Array>;
}
