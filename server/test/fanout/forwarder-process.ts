import { openPool } from '../../src/db/pool.ts';
import { newId } from '../../src/domain/ids.ts';
import { createForwarder } from '../../src/fanout/conversation-service/forwarder.ts';
import { conversationService } from '../../src/outside/conversation-service.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';

/** A forwarder in a process of its own, to be killed: `node forwarder-process.ts DATABASE_URL SERVICE_URL LEASE`. */
const [database = '', service = '', lease = ''] = process.argv.slice(2);
const silent = { error() {}, warn() {}, info() {} };
await createForwarder({
  db: openPool({ connection: database, max: 3, onError() {} }),
  service: conversationService(service, 5000),
  clock: systemClock,
  logger: silent,
  metrics: createMetrics({ version: 'test', node: false }),
  instance: newId(),
  alone: false,
  pollInterval: 10,
  lease: Number(lease),
}).start();
process.stdout.write('forwarding\n');
