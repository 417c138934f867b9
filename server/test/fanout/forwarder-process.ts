import { createForwarder } from '../../src/fanout/conversation-service/forwarder.ts';
import { conversationService } from '../../src/outside/conversation-service.ts';
import { surroundings } from './lonely-follower.ts';

/** A forwarder in a process of its own, to be killed: `node forwarder-process.ts DATABASE_URL SERVICE_URL LEASE`. */
const [database = '', service = '', lease = ''] = process.argv.slice(2);
await createForwarder({ ...surroundings(database, lease), service: conversationService(service, 5000) }).start();
process.stdout.write('forwarding\n');
