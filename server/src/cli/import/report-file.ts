import { type FileHandle, open, rm } from 'node:fs/promises';

/** A CSV file of rows that did not go through, written as they are found. */
export interface ReportFile {
  readonly path: string;
  /** Rows written so far. */
  readonly rows: number;
  write(fields: readonly (string | number)[]): Promise<void>;
  /** Writes what is left. Without rows there is no file. */
  close(): Promise<void>;
}

const BUFFER = 64 * 1024;

/** Begins a report. One of an earlier run at the same path is removed: it would be taken for this one's. */
export async function createReport(path: string, header: readonly string[], delimiter = ','): Promise<ReportFile> {
  await rm(path, { force: true });
  let file: FileHandle | null = null;
  let pending = '';
  let rows = 0;

  async function flush(): Promise<void> {
    if (pending === '') return;
    file ??= await open(path, 'w', 0o600);
    const text = pending;
    pending = '';
    await file.appendFile(text);
  }

  return {
    path,
    get rows() {
      return rows;
    },
    async write(fields) {
      if (rows++ === 0) pending = csvLine(header, delimiter);
      pending += csvLine(fields, delimiter);
      if (pending.length > BUFFER) await flush();
    },
    async close() {
      await flush();
      await file?.close();
      file = null;
    },
  };
}

function csvLine(fields: readonly (string | number)[], delimiter: string): string {
  const quoted = fields.map((field) => {
    const text = String(field);
    return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${quoted.join(delimiter)}\n`;
}
