import { readBatch } from '../answers.ts';
import type { Client } from '../client.ts';
import { CliError, EXIT } from '../exit-codes.ts';
import type { ChunkResult } from './journal.ts';
import type { Mapped } from './row-mapper.ts';

export type MessageRow = Extract<Mapped, { kind: 'message' }>;

/**
 * Asks the server for the messages of one chunk, as a batch of its own. The key is made of the run and the chunk's
 * number, so that asking again, in this process or in another, does nothing twice and has the same answer.
 * @throws {CliError} when the server refuses the chunk as a whole, or is gone for too long
 */
export async function uploadChunk(
  client: Client,
  runId: string,
  chunk: number,
  rows: readonly MessageRow[],
): Promise<ChunkResult> {
  if (rows.length === 0) return { batchId: null, accepted: 0, refused: [] };
  const answer = readBatch(
    await client
      .request({
        method: 'POST',
        path: '/api/v1/messages/batch',
        body: JSON.stringify({ messages: rows.map((row) => row.body) }),
        idempotencyKey: `import-${runId}-${chunk}`,
        timeout: 60_000,
      })
      .catch(explainMismatch),
  );
  return {
    batchId: answer.batchId,
    accepted: answer.accepted,
    refused: answer.errors.map(({ index, error, message }) => {
      const row = rows[index];
      if (row === undefined) {
        throw new CliError(
          EXIT.failure,
          'strange_answer',
          `the server refused item ${index}, which was not in the chunk`,
        );
      }
      return { line: row.line, error, reason: message };
    }),
  };
}

function explainMismatch(error: unknown): never {
  if (error instanceof CliError && error.code === 'idempotency_mismatch') {
    throw new CliError(
      error.exitCode,
      error.code,
      `${error.message}; an earlier run of this import asked for other rows here, perhaps by another version of aldis. ` +
        'What it asked for stands. To send the rest, put the remaining rows in a file of their own.',
    );
  }
  throw error;
}
