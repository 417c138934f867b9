import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startBare, startFloor } from './floor.ts';
import { temporaryFolder } from './folder.ts';
import { openLoad } from './load.ts';
import { type Bench, CONNECTIONS, type Measure } from './measure.ts';
import { startAldis, startProduct } from './product.ts';
import { machine, table } from './report.ts';
import { accept } from './scenarios/accept.ts';
import { batch } from './scenarios/batch.ts';
import { fill } from './scenarios/fill.ts';
import { growth } from './scenarios/growth.ts';
import { idle } from './scenarios/idle.ts';
import { life } from './scenarios/life.ts';
import { memory } from './scenarios/memory.ts';
import { reads } from './scenarios/reads.ts';
import { receipts } from './scenarios/receipts.ts';
import { send } from './scenarios/send.ts';
import { webhooks } from './scenarios/webhooks.ts';
import { startSimulator } from './simulator.ts';
import { startStore } from './store.ts';

const USAGE = `usage: npm run bench [-- --only NAME,…] [--runs N] [--quick]
  --only   some of: idle, send, receipts, life, accept, batch, memory, growth, reads, webhooks (default: all)
  --runs   runs of each side, after one to warm up (default 3)
  --quick  a tenth of the messages: tries the benchmark, no figures to quote
Prints a table and then, as the last line, JSON. Exit code 1: a gate was missed.`;

/** Measured on one product and one floor beside it, in this order: the last two leave due work behind. */
const BESIDE_THE_FLOOR = { idle, send, receipts, life, accept, batch };
const ALL = [...Object.keys(BESIDE_THE_FLOOR), 'memory', 'growth', 'reads', 'webhooks'];

const log = (text: string): void => console.error(text);

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: ALL.join() },
    runs: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const only = values.only.split(',');
const runs = Number(values.runs);
const unknown = only.find((name) => !ALL.includes(name));
if (values.help || unknown !== undefined || !Number.isInteger(runs) || runs < 1) {
  if (unknown !== undefined) log(`--only: "${unknown}" is none of ${ALL.join(', ')}`);
  else if (!values.help) log(`--runs: "${values.runs}" is no whole number from 1`);
  log(USAGE);
  process.exit(values.help ? 0 : 2);
}

const measures = [...(await besideTheFloor()), ...(await growing()), ...(await reading()), ...(await receiving())];
const pass = measures.every((measure) => measure.pass);
console.log(table(measures));
console.log(JSON.stringify({ pass, quick: values.quick, machine: machine(), measures }));
process.exitCode = pass ? 0 : 1;

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

/** Memory, then growth on what memory's messages have filled; an empty store beside it. */
async function growing(): Promise<Measure[]> {
  if (!only.includes('memory') && !only.includes('growth')) return [];
  const { quick } = values;
  using folder = temporaryFolder('aldis-bench');
  await using forFull = await startSimulator();
  await using full = await startProduct(subfolder(folder.path, 'full'), forFull, CONNECTIONS);
  const found: Measure[] = [];
  const half = quick ? 50_000 : 500_000;
  if (only.includes('memory')) found.push(...(await memory({ quick, log }, full)));
  if (!only.includes('growth')) return found;
  await fill(full, only.includes('memory') ? half : 2 * half, () => {});
  log(`${2 * half} messages stored`);
  await using forEmpty = await startSimulator();
  await using empty = await startProduct(subfolder(folder.path, 'empty'), forEmpty, CONNECTIONS);
  found.push(...(await growth({ quick, log, runs }, full, empty)));
  return found;
}

/** Lists and statistics on a store of millions, which is filled behind the product's back. */
async function reading(): Promise<Measure[]> {
  if (!only.includes('reads')) return [];
  using folder = temporaryFolder('aldis-bench');
  await using store = await startStore(subfolder(folder.path, 'store'));
  await using simulator = await startSimulator();
  await using aldis = await startAldis({
    folder: subfolder(folder.path, 'product'),
    simulatorUrl: simulator.url,
    env: { ALDIS_DATABASE_URL: store.url },
  });
  const { url, api_key, tenant_id: tenant, sender_id: sender } = aldis.credentials;
  await using load = openLoad(url, 1, { authorization: `Bearer ${api_key}` });
  return await reads({ databaseUrl: store.url, tenant, sender, load }, values.quick, log);
}

/** Webhooks at a fixed rate, on a product that does nothing else. */
async function receiving(): Promise<Measure[]> {
  if (!only.includes('webhooks')) return [];
  using folder = temporaryFolder('aldis-bench');
  await using simulator = await startSimulator();
  await using product = await startProduct(subfolder(folder.path, 'product'), simulator, CONNECTIONS);
  return await webhooks({ runs, quick: values.quick, log }, product);
}

function subfolder(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { mode: 0o755 });
  return path;
}
