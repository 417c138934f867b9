import { startEmbeddedPostgres } from '../../src/db/embedded/embedded.ts';
import { StartError } from '../../src/runtime/start-error.ts';
import type { OwnerOrder, OwnerReport } from './embedded-rig.ts';

// A program that owns an embedded database, for tests that kill it, run it twice or as somebody else. Its order is its
// argument; it reports on one line of stdout, and stops when its stdin ends.

const order: OwnerOrder = JSON.parse(process.argv[2] ?? '');
if (order.as) {
  // Only now, when the modules are read: the project may lie where that user cannot go.
  process.setgroups?.([]);
  process.setgid?.(order.as.gid);
  process.setuid?.(order.as.uid);
}
const tell = (message: string) => console.error(message);
try {
  const log = { debug: tell, info: tell, warn: tell, error: tell };
  const database = await startEmbeddedPostgres({ ...order.options, log });
  const { connection, adopted, folder, pid } = database;
  report({ connection, adopted, folder, pid });
  process.stdin.on('end', () => void database.stop().then(() => process.exit(0)));
  process.stdin.resume();
} catch (error) {
  report({ error: error instanceof Error ? error.message : String(error), mendable: error instanceof StartError });
  process.exitCode = 1;
}

function report(value: OwnerReport): void {
  console.log(JSON.stringify(value));
}
