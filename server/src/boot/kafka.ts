import { createKafkaForwarder, type KafkaForwarder } from '../fanout/kafka/kafka-forwarder.ts';
import type { KafkaOptions } from '../outside/kafka.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

/** The lease of a tenant's events, in milliseconds: it is held on while they are published. */
const LEASE = 5000;

/**
 * The part that publishes events to Kafka, or null when no broker is named.
 * @param alone this process is the only instance.
 */
export async function buildKafka(config: Config, common: Common, alone: boolean): Promise<KafkaForwarder | null> {
  const { kafka } = config;
  if (kafka.brokers.length === 0) return null;
  // Its client is large, and wanted by few.
  const { kafkaPublisher } = await import('../outside/kafka.ts');
  return createKafkaForwarder({
    ...common,
    publisher: kafkaPublisher({
      brokers: kafka.brokers,
      clientId: kafka.client_id,
      createTopics: kafka.create_topics,
      timeout: kafka.timeout,
      tls: kafka.tls.enabled
        ? { caFile: kafka.tls.ca_file, certFile: kafka.tls.cert_file, keyFile: kafka.tls.key_file }
        : null,
      sasl: saslOf(kafka.sasl),
    }),
    names: { prefix: kafka.topic_prefix, notifications: kafka.notifications_topic, mode: kafka.mode },
    alone,
    pollInterval: config.engine.poll_interval,
    lease: LEASE,
  });
}

const MECHANISMS = { plain: 'PLAIN', 'scram-sha-256': 'SCRAM-SHA-256', 'scram-sha-512': 'SCRAM-SHA-512' } as const;

function saslOf({ mechanism, username, password }: Config['kafka']['sasl']): KafkaOptions['sasl'] {
  if (mechanism === 'off' || username === null || password === null) return null;
  return { mechanism: MECHANISMS[mechanism], username, password };
}
