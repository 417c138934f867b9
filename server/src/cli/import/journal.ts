import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { isObject, type JsonObject } from '../answers.ts';

/**
 * What has been done of an import, a JSON line a step, beside the file. The server refuses to do a chunk twice by its
 * Idempotency-Key, but forgets keys after a while (24 hours by default); the journal does not. One file serves all
 * imports of a CSV file, each under its own run.
 *
 * A chunk is noted twice: before it is asked for, and when its answer has come. Chunks go one after the other, so what
 * is done is always the chunks before some number, and at most the next one is in doubt.
 */
export interface Journal {
  /** How many chunks are done, from the first on. */
  readonly done: number;
  /** When the chunk behind them was asked for, in milliseconds since 1970, if its answer is not known. */
  readonly askedAt: number | null;
  /** The results of the chunks that are done, in order, read as they are asked for. */
  results(): AsyncGenerator<ChunkResult, void>;
  /** Notes that a chunk is about to be asked for. */
  asking(chunk: number): Promise<void>;
  /** Notes what came of it. */
  answered(chunk: number, result: ChunkResult): Promise<void>;
  close(): Promise<void>;
}

/** What the server made of one chunk. */
export interface ChunkResult {
  /** Null when the chunk had no row worth asking for. */
  batchId: string | null;
  accepted: number;
  refused: { line: number; error: string; reason: string }[];
}

/**
 * Opens the journal at `path` for one run, and reads how far the run has come. A line cut by a crash is passed over.
 * @param run tells this run from others of the same file: content, options, and whose import it is
 */
export async function openJournal(path: string, run: string): Promise<Journal> {
  const file = await open(path, 'a+', 0o600);
  let done = 0;
  let askedAt: number | null = null;
  for await (const step of steps(path, run)) {
    if (step.chunk !== done) continue;
    if (typeof step.asked_at === 'string') {
      askedAt = Date.parse(step.asked_at);
    } else {
      done++;
      askedAt = null;
    }
  }
  await endCutLine(file);

  async function append(step: JsonObject): Promise<void> {
    await file.appendFile(`${JSON.stringify({ run, ...step })}\n`);
  }

  return {
    done,
    askedAt,
    async *results() {
      let next = 0;
      for await (const step of steps(path, run)) {
        if (step.chunk !== next || typeof step.asked_at === 'string') continue;
        yield readResult(step);
        if (++next === done) return;
      }
    },
    asking: (chunk) => append({ chunk, asked_at: new Date().toISOString() }),
    answered: (chunk, { batchId, accepted, refused }) => append({ chunk, batch_id: batchId, accepted, refused }),
    close: () => file.close(),
  };
}

async function* steps(path: string, run: string): AsyncGenerator<JsonObject> {
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input })) {
      const step = parseStep(line);
      if (step?.run === run) yield step;
    }
  } finally {
    input.destroy();
  }
}

function parseStep(line: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function readResult(step: JsonObject): ChunkResult {
  const refused = Array.isArray(step.refused) ? step.refused.filter(isObject) : [];
  return {
    batchId: typeof step.batch_id === 'string' ? step.batch_id : null,
    accepted: Number(step.accepted),
    refused: refused.map(({ line, error, reason }) => ({
      line: Number(line),
      error: String(error),
      reason: String(reason),
    })),
  };
}

/** A crash may have left half a line; what is appended must not become part of it. */
async function endCutLine(file: FileHandle): Promise<void> {
  const { size } = await file.stat();
  if (size === 0) return;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer[0] !== 0x0a) await file.appendFile('\n');
}
