import { readFileSync } from 'node:fs';
import {
  compatibilityPartitioner,
  findErrorBy,
  Producer,
  type ProducerOptions,
  stringSerializers,
} from '@platformatic/kafka';

/** One record of a topic. Records of one key keep their order. */
export interface KafkaRecord {
  topic: string;
  key: string;
  value: string;
  headers: Readonly<Record<string, string>>;
}

/**
 * `stored`: all in-sync replicas have all of the records. `too_large`: the broker takes no record, or batch of them, of this size; some
 * may be stored nevertheless. `away`: nobody knows which of them are stored.
 */
export type Publishing = { kind: 'stored' } | { kind: 'too_large' } | { kind: 'away'; reason: string };

export interface KafkaPublisher {
  /** Stores records in their order. What is asked together is stored one after the other. Never rejects. */
  publish(records: readonly KafkaRecord[], ending: AbortSignal): Promise<Publishing>;
  close(): Promise<void>;
}

export interface KafkaOptions {
  /** `HOST:PORT` of at least one broker. */
  brokers: readonly string[];
  clientId: string;
  /** Whether a topic that is not there is asked for, where the brokers allow it. */
  createTopics: boolean;
  /** Milliseconds that a call may take. */
  timeout: number;
  /** null: unencrypted. Files are PEM. */
  tls: { caFile: string | null; certFile: string | null; keyFile: string | null } | null;
  sasl: { mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512'; username: string; password: string } | null;
}

/** A topic that was just made has no leader for a moment. */
const TRIES = 6;
const BETWEEN_TRIES = 200;
const TOO_LARGE = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'];

/**
 * The producer of records: acknowledged by all in-sync replicas, and idempotent: what the client itself sends again is stored once. After
 * a failure there is another producer, so that nothing of the old one's state is believed.
 */
export function kafkaPublisher(options: KafkaOptions): KafkaPublisher {
  const { timeout } = options;
  let producer: Producer<string, string, string, string> | null = null;
  let turn: Promise<unknown> = Promise.resolve();

  async function send(records: readonly KafkaRecord[], ending: AbortSignal): Promise<Publishing> {
    if (ending.aborted) return away('stopping');
    try {
      producer ??= new Producer(producerOptions(options));
      const messages = records.map((record) => ({ ...record }));
      await within(timeout * 2, ending, producer.send({ messages }));
      return { kind: 'stored' };
    } catch (error) {
      drop();
      return TOO_LARGE.some((id) => findErrorBy(error as Error, 'apiId', id))
        ? { kind: 'too_large' }
        : away(reasonOf(error));
    }
  }

  function drop(): void {
    producer?.close(true).catch(() => {});
    producer = null;
  }

  return {
    publish(records, ending) {
      const sent = turn.then(() => send(records, ending));
      turn = sent;
      return sent;
    },
    async close() {
      await turn;
      drop();
    },
  };
}

function producerOptions(options: KafkaOptions): ProducerOptions<string, string, string, string> {
  const { timeout, tls, sasl } = options;
  const file = (path: string | null) => (path === null ? undefined : readFileSync(path));
  return {
    clientId: options.clientId,
    bootstrapBrokers: [...options.brokers],
    serializers: stringSerializers,
    idempotent: true,
    // As Kafka's own clients choose: whoever writes there besides puts a key into the same partition.
    partitioner: compatibilityPartitioner,
    autocreateTopics: options.createTopics,
    retries: TRIES - 1,
    retryDelay: BETWEEN_TRIES,
    timeout,
    connectTimeout: timeout,
    requestTimeout: timeout,
    ...(tls && {
      tls: withoutAbsent({ ca: file(tls.caFile), cert: file(tls.certFile), key: file(tls.keyFile) }),
      tlsServerName: true,
    }),
    ...(sasl && { sasl }),
  };
}

function withoutAbsent<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: NonNullable<T[K]>;
  };
}

/** What `work` gives; rejects when it takes longer than `ms`, or all is to end. */
async function within<T>(ms: number, ending: AbortSignal, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let end = () => {};
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    end = () => reject(new Error('stopping'));
    ending.addEventListener('abort', end);
  });
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
    ending.removeEventListener('abort', end);
    // It may still fail, when nobody waits for it any more.
    work.catch(() => {});
  }
}

function away(reason: string): Publishing {
  return { kind: 'away', reason };
}

/** The innermost error says what happened; those around it, how often. */
function reasonOf(error: unknown): string {
  let inner = error;
  while (inner instanceof AggregateError && inner.errors.length > 0) inner = inner.errors.at(-1);
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  return inner instanceof Error ? inner.message : String(inner);
}
