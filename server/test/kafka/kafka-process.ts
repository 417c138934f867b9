import { createKafkaForwarder } from '../../src/fanout/kafka/kafka-forwarder.ts';
import { kafkaPublisher } from '../../src/outside/kafka.ts';
import { armFailpoints, parseFailpoint } from '../../src/runtime/failpoints.ts';
import { surroundings } from '../fanout/lonely-follower.ts';

/** A forwarder in a process of its own, to be killed: `node kafka-process.ts DATABASE_URL BROKER TOPIC_PREFIX LEASE FAILPOINT`. */
const [database = '', broker = '', prefix = '', lease = '', failpoint = ''] = process.argv.slice(2);
armFailpoints([parseFailpoint(failpoint)]);
const brokers = [broker];
await createKafkaForwarder({
  ...surroundings(database, lease),
  publisher: kafkaPublisher({ brokers, clientId: 'aldis', createTopics: true, timeout: 5000, tls: null, sasl: null }),
  names: { prefix, notifications: `${prefix}notifications`, mode: 'structured' },
}).start();
process.stdout.write('forwarding\n');
