import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A real Kafka: one node in KRaft mode, in a folder of its own, on free ports of loopback. It ends with this process, unless that is killed. */
export interface KafkaNode {
  /** `127.0.0.1:PORT`, the same after every start. */
  readonly broker: string;
  /** Ends it as a crash does. */
  kill(): Promise<void>;
  /** Starts it again with what it has on its disk, and resolves when it lets clients in. */
  start(): Promise<void>;
  /** Lets it stand still with its connections open, until it is killed. */
  freeze(): void;
  /** Ends it for good, and removes its folder. */
  close(): Promise<void>;
}

export interface KafkaNodeOptions {
  /** Addresses beside its plain one, as `NAME://HOST:PORT`; `settings` say what they are. */
  listeners?: readonly string[];
  /** Of its `server.properties`, beside ours or in their place. @param folder its own, for files that they name */
  settings?: (folder: string) => Readonly<Record<string, string | number>>;
}

const HOST = '127.0.0.1';
const JAVA = ['-Xmx300m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xshare:auto'];
/** Milliseconds that a start may take, on a machine that has much to do. */
const PATIENCE = 90_000;
const LOOK_EVERY = 50;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a node that has nothing yet. @param classpath see kafka-files.ts */
export async function startKafkaNode(classpath: string, options: KafkaNodeOptions = {}): Promise<KafkaNode> {
  const folder = mkdtempSync(join(tmpdir(), 'aldis-kafka-'));
  const properties = join(folder, 'server.properties');
  const log = join(folder, 'output');
  const port = await freePort();
  const broker = `${HOST}:${port}`;
  const controller = `${HOST}:${await freePort()}`;
  const all = {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${controller}`,
    listeners: [`PLAINTEXT://${broker}`, `CONTROLLER://${controller}`, ...(options.listeners ?? [])].join(','),
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'num.partitions': 3,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'group.initial.rebalance.delay.ms': 0,
    // After a crash it is let in again when its own session before is over.
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    ...options.settings?.(folder),
  };
  const lines = Object.entries(all).map((pair) => `${pair.join('=')}\n`);
  writeFileSync(properties, lines.join(''));
  const id = randomBytes(16).toString('base64url');
  const storage = ['kafka.tools.StorageTool', 'format', '-t', id, '-c', properties];
  const format = spawnSync('java', [...JAVA, '-cp', classpath, ...storage]);
  if (format.status !== 0) throw new Error(`Kafka's storage was not formatted: ${format.stdout}${format.stderr}`);
  let node: ChildProcess | null = null;

  async function start(): Promise<void> {
    const output = openSync(log, 'a');
    const started = spawn('java', [...JAVA, '-cp', classpath, 'kafka.Kafka', properties], {
      stdio: ['ignore', output, output],
    });
    closeSync(output);
    running.add(started);
    started.once('exit', () => running.delete(started));
    node = started;
    const end = performance.now() + PATIENCE;
    while (!(await letsClientsIn(port))) {
      if (hasEnded(started)) throw new Error(`Kafka ended: ${readFileSync(log, 'utf8').slice(-2000)}`);
      if (performance.now() > end) throw new Error(`Kafka did not answer within ${PATIENCE} ms`);
      await sleep(LOOK_EVERY);
    }
  }

  async function kill(): Promise<void> {
    if (node === null || hasEnded(node)) return;
    const ended = once(node, 'exit');
    node.kill('SIGKILL');
    await ended;
  }

  const close = async (): Promise<void> => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return { broker, kill, start, freeze: () => void node?.kill('SIGSTOP'), close };
}

/** A port of the loopback that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The request Metadata, version 1, for no topic: length, key, version, correlation, client, topics (Kafka protocol guide). */
const METADATA = Buffer.from('0000000e 0003 0001 00000000 ffff 00000000'.replaceAll(' ', ''), 'hex');
/** Where its answer has the number of brokers, after length and correlation. */
const BROKERS_AT = 8;

/** Whether a broker answers there and counts itself among those that clients may use. */
function letsClientsIn(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = dial(port, HOST, () => socket.write(METADATA));
    let answer = Buffer.alloc(0);
    const end = (yes: boolean): void => {
      socket.destroy();
      resolve(yes);
    };
    socket.setTimeout(5000, () => end(false));
    socket.on('data', (part: Buffer) => {
      answer = Buffer.concat([answer, part]);
      if (answer.length >= BROKERS_AT + 4) end(answer.readInt32BE(BROKERS_AT) > 0);
    });
    socket.on('close', () => end(false)).on('error', () => end(false));
  });
}
