import { openPool } from '../../src/db/pool.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { memorySignals } from '../../src/signals/signals.ts';
import { webhookParts } from './webhook-world.ts';

/** An instance that makes and posts deliveries in a process of its own, to be killed: `node webhook-process.ts DATABASE_URL FAILPOINT`. */
const [database = '', failpoint = ''] = process.argv.slice(2);
armFailpoints([parseFailpoint(failpoint)]);
const silent = { error() {}, warn() {}, info() {} };
const db = openPool({ connection: database, max: 5, onError() {} });
for (const part of webhookParts({ db, signals: memorySignals() }, silent)) await part.start();
process.stdout.write('started\n');
