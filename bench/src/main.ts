import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { start } from './child.ts';
import { startBare, startFloor } from './floor.ts';
import { temporaryFolder } from './folder.ts';
import { openLoad } from './load.ts';
import { type Bench, CONNECTIONS, type Measure } from './measure.ts';
import { startPair } from './pair.ts';
import { aldisContestant, graphileContestant, undiciContestant } from './peers.ts';
import { plotGrowth, plotMillion } from './plots.ts';
import { tree } from './procfs.ts';
import { type Aldis, startAldis, startProduct } from './product.ts';
import { startProvider } from './provider.ts';
import { startRedis } from './redis.ts';
import { machine, table } from './report.ts';
import { accept } from './scenarios/accept.ts';
import { batch } from './scenarios/batch.ts';
import { type Counted, claiming, GROWTHS } from './scenarios/claiming.ts';
import { deliveries } from './scenarios/deliveries.ts';
import { fill } from './scenarios/fill.ts';
import { growth } from './scenarios/growth.ts';
import { history } from './scenarios/history.ts';
import { idle } from './scenarios/idle.ts';
import { life } from './scenarios/life.ts';
import { memory } from './scenarios/memory.ts';
import { million } from './scenarios/million.ts';
import { peers } from './scenarios/peers.ts';
import { reads } from './scenarios/reads.ts';
import { receipts } from './scenarios/receipts.ts';
import { send } from './scenarios/send.ts';
import { sockets } from './scenarios/sockets.ts';
import { socketsPair } from './scenarios/sockets-pair.ts';
import { webhooks } from './scenarios/webhooks.ts';
import { startSimulator } from './simulator.ts';
import { openStock } from './stock.ts';
import { type Store, startStore } from './store.ts';

const USAGE = `usage: npm run bench [-- --only NAME,…] [--runs N] [--quick] [--long] [--plots FOLDER] [--messages N]
  --only   some of: idle, send, receipts, life, accept, batch, memory, growth, reads, history, webhooks, deliveries, sockets (default: all of these), peers, million
  --runs   runs of each side, after one to warm up (default 3)
  --quick  a tenth of the messages: tries the benchmark, no figures to quote
  --long   growth: sends from a store that grows to ten million messages, and nothing else of it
  --plots  writes plots of growth and million into this folder
  --messages  history: so many in the store instead of five million, from 5,000
Prints a table and then, as the last line, JSON. Exit code 1: a gate was missed.`;

/** Measured on one product and one floor beside it, in this order: the last two leave due work behind. */
const BESIDE_THE_FLOOR = { idle, send, receipts, life, accept, batch };
const USUAL = [
  ...Object.keys(BESIDE_THE_FLOOR),
  'memory',
  'growth',
  'reads',
  'history',
  'webhooks',
  'deliveries',
  'sockets',
];
/** The others take a network, for packages, or long. */
const ALL = [...USUAL, 'peers', 'million'];
/** Their messages are sent by so many, so that the limits of none are the bound: 1,000 a second each. */
const MANY_SENDERS = 40;

const log = (text: string): void => console.error(text);

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: USUAL.join() },
    runs: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    plots: { type: 'string' },
    messages: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const only = values.only.split(',');
const runs = Number(values.runs);
const messages = Number(values.messages ?? (values.quick ? 500_000 : 5_000_000));
const unknown = only.find((name) => !ALL.includes(name));
const few = !Number.isInteger(messages) || messages < 5000;
if (values.help || unknown !== undefined || !Number.isInteger(runs) || runs < 1 || few) {
  if (unknown !== undefined) log(`--only: "${unknown}" is none of ${ALL.join(', ')}`);
  else if (few) log(`--messages: "${values.messages}" is no whole number from 5000`);
  else if (!values.help) log(`--runs: "${values.runs}" is no whole number from 1`);
  log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const measures: Measure[] = [];
for (const part of [
  besideTheFloor,
  besidePeers,
  filling,
  growing,
  reading,
  remembering,
  receiving,
  posting,
  connecting,
  running,
])
  measures.push(...(await part()));
const pass = measures.every((measure) => measure.pass);
console.log(table(measures));
console.log(JSON.stringify({ pass, quick: values.quick, machine: machine(), measures }));
// Not by running out of work: see drills/main.ts.
process.exit(pass ? 0 : 1);

async function besideTheFloor(): Promise<Measure[]> {
  const wanted = Object.entries(BESIDE_THE_FLOOR).filter(([name]) => only.includes(name));
  if (wanted.length === 0) return [];
  using folder = temporaryFolder('aldis-bench');
  await using forFloor = await startSimulator();
  await using floor = await startFloor(subfolder(folder.path, 'floor'), forFloor, CONNECTIONS);
  await using forProduct = await startSimulator();
  await using product = await startProduct(subfolder(folder.path, 'product'), forProduct, CONNECTIONS);
  await using bare = await startBare();
  const bench: Bench = { product, floor, bare: bare.url, runs, quick: values.quick, log };
  const found: Measure[] = [];
  for (const [, scenario] of wanted) found.push(...(await scenario(bench)));
  return found;
}

/** Three that send what waits: the product, undici, and another queue. */
async function besidePeers(): Promise<Measure[]> {
  if (!only.includes('peers')) return [];
  using folder = temporaryFolder('aldis-bench');
  await using simulator = await startSimulator();
  await using provider = await startProvider(simulator);
  await using peer = await graphileContestant(subfolder(folder.path, 'peer'), provider);
  await using undici = await undiciContestant(provider);
  const own = { senders: MANY_SENDERS };
  await using product = await startProduct(subfolder(folder.path, 'product'), provider, CONNECTIONS, own);
  return await peers({ runs, quick: values.quick, log }, aldisContestant(product), undici, peer);
}

/** Memory, then growth on what memory's messages have filled; an empty store beside it. */
async function filling(): Promise<Measure[]> {
  const grows = only.includes('growth') && !values.long;
  if (!only.includes('memory') && !grows) return [];
  const { quick } = values;
  using folder = temporaryFolder('aldis-bench');
  await using forFull = await startSimulator();
  await using full = await startProduct(subfolder(folder.path, 'full'), forFull, CONNECTIONS);
  const found: Measure[] = [];
  const half = quick ? 50_000 : 500_000;
  if (only.includes('memory')) found.push(...(await memory({ quick, log }, full)));
  if (!grows) return found;
  await fill(full, only.includes('memory') ? half : 2 * half, () => {});
  log(`${2 * half} messages stored`);
  await using forEmpty = await startSimulator();
  await using empty = await startProduct(subfolder(folder.path, 'empty'), forEmpty, CONNECTIONS);
  found.push(...(await growth({ quick, log, runs }, full, empty)));
  return found;
}

/** Sends from a store that is filled behind the product's back, and from an empty one. */
async function growing(): Promise<Measure[]> {
  if (!only.includes('growth')) return [];
  const form = GROWTHS[values.quick ? 'quick' : values.long ? 'long' : 'usual'];
  using folder = temporaryFolder('aldis-bench');
  await using store = await startStore(subfolder(folder.path, 'store'));
  await using full = await startCounted(subfolder(folder.path, 'full'), store);
  const most = { stored: form.stored.at(-1) ?? 0, waiting: form.waiting };
  await using stock = await openStock(store.url, most, log);
  const { measures, points } = await claiming({ growth: form, runs, log }, full, stock, async () => {
    const own = temporaryFolder('aldis-bench');
    await using started = new AsyncDisposableStack();
    started.use(own);
    const emptyStore = started.use(await startStore(subfolder(own.path, 'store')));
    const empty = started.use(await startCounted(subfolder(own.path, 'empty'), emptyStore));
    const stack = started.move();
    return { side: empty.side, provider: empty.provider, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  });
  draw('growth.svg', () => plotGrowth(points, form.waiting));
  return measures;
}

/** A product whose sends a bare provider counts. */
async function startCounted(folder: string, store: Store): Promise<Counted & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const simulator = started.use(await startSimulator());
  const provider = started.use(await startProvider(simulator));
  const side = started.use(await startProduct(folder, provider, CONNECTIONS, { senders: MANY_SENDERS, store }));
  const stack = started.move();
  return { side, provider, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** A million messages to their end, and nothing else. */
async function running(): Promise<Measure[]> {
  if (!only.includes('million')) return [];
  using folder = temporaryFolder('aldis-bench');
  await using store = await startStore(subfolder(folder.path, 'store'));
  await using simulator = await startSimulator();
  await using product = await startProduct(subfolder(folder.path, 'product'), simulator, CONNECTIONS, { store });
  const { measures, samples } = await million({ quick: values.quick, log }, product, store.url);
  draw('million.svg', () => plotMillion(samples));
  return measures;
}

function draw(name: string, svg: () => string): void {
  if (values.plots === undefined) return;
  mkdirSync(values.plots, { recursive: true });
  writeFileSync(join(values.plots, name), svg());
}

/** A product on a store that the benchmark fills behind its back. @param env more settings */
async function startOnStore(
  env: Record<string, string> = {},
): Promise<{ store: Store; aldis: Aldis } & AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  const { path } = started.use(temporaryFolder('aldis-bench'));
  const store = started.use(await startStore(subfolder(path, 'store')));
  const simulator = started.use(await startSimulator());
  const aldis = started.use(
    await startAldis({
      folder: subfolder(path, 'product'),
      simulatorUrl: simulator.url,
      env: { ALDIS_DATABASE_URL: store.url, ...env },
    }),
  );
  const stack = started.move();
  return { store, aldis, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Lists and statistics on a store of millions, which is filled behind the product's back. */
async function reading(): Promise<Measure[]> {
  if (!only.includes('reads')) return [];
  await using started = await startOnStore();
  const { store, aldis } = started;
  const { url, api_key, tenant_id: tenant, sender_id: sender } = aldis.credentials;
  await using load = openLoad(url, 1, { authorization: `Bearer ${api_key}` });
  return await reads({ databaseUrl: store.url, tenant, sender, load }, values.quick, log);
}

/** All that is read of conversations, on a store of millions, which is filled behind the product's back. */
async function remembering(): Promise<Measure[]> {
  if (!only.includes('history')) return [];
  await using started = await startOnStore();
  const { store, aldis } = started;
  const pids = () => [...tree(store.pid), ...tree(aldis.child.pid)];
  return await history({ messages, databaseUrl: store.url, pids, aldis, log });
}

/** Webhooks at a fixed rate, on a product that does nothing else. */
async function receiving(): Promise<Measure[]> {
  if (!only.includes('webhooks')) return [];
  using folder = temporaryFolder('aldis-bench');
  await using simulator = await startSimulator();
  await using product = await startProduct(subfolder(folder.path, 'product'), simulator, CONNECTIONS);
  return await webhooks({ runs, quick: values.quick, log }, product);
}

/** Events posted to one endpoint, from a log that is written behind the product's back. */
async function posting(): Promise<Measure[]> {
  if (!only.includes('deliveries')) return [];
  await using started = await startOnStore({ ALDIS_WEBHOOKS_OUT_ALLOW_PRIVATE: 'true' });
  const { store, aldis } = started;
  const { url, api_key, tenant_id: tenant, sender_id: sender } = aldis.credentials;
  await using load = openLoad(url, 1, { authorization: `Bearer ${api_key}` });
  const processes = () => ({ server: tree(aldis.child.pid), postgres: tree(store.pid), provider: [] });
  return await deliveries({ databaseUrl: store.url, tenant, sender, load, processes }, values.quick, runs, log);
}

/** Sockets, on a product that does nothing else, beside `ws` alone; then on two instances. */
async function connecting(): Promise<Measure[]> {
  if (!only.includes('sockets')) return [];
  const { quick } = values;
  const found = await onOne();
  await using redis = await startRedis().catch(() => null);
  if (redis === null) log('there is no redis-server here: two instances are tried without it only');
  for (const bus of redis === null ? [null] : [null, redis]) {
    await using pair = await startPair(bus);
    const by = bus === null ? 'the database' : 'Redis';
    found.push(...(await socketsPair({ quick, log, door: pair.first, hall: pair.second, by })));
  }
  return found;

  async function onOne(): Promise<Measure[]> {
    using folder = temporaryFolder('aldis-bench');
    await using simulator = await startSimulator();
    await using bare = await start('bench/floors/sockets/server.ts', [], { ready: /^sockets ready (http:\/\/\S+)$/m });
    await using chatStore = await startStore(subfolder(folder.path, 'floor'));
    await using chat = await start('bench/floors/chat/server.ts', ['--database', chatStore.url], {
      ready: /^chat ready (http:\/\/\S+)$/m,
    });
    await using aldis = await startAldis({ folder: subfolder(folder.path, 'product'), simulatorUrl: simulator.url });
    return await sockets({ quick, log, aldis, bare, chat });
  }
}

function subfolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o755 });
  return path;
}
