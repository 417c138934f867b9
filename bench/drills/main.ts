import { parseArgs } from 'node:util';
import { clock } from './clock.ts';
import { database } from './database.ts';
import { disk } from './disk.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { freeze } from './freeze.ts';
import { kill } from './kill.ts';
import { killChat } from './kill-chat.ts';
import { killCluster } from './kill-cluster.ts';
import { killWhatsApp } from './kill-whatsapp.ts';
import { power } from './power.ts';
import { provider } from './provider.ts';
import { receipts } from './receipts.ts';
import { soak } from './soak.ts';
import { stream } from './stream.ts';

type Drill = (options: DrillOptions) => Promise<Verdict>;
/** What goes on while it is killed, by `--what`. */
const KILLS: Record<string, Drill> = { messages: kill, whatsapp: killWhatsApp, chat: killChat, cluster: killCluster };
const DRILLS: Record<string, readonly Drill[]> = {
  clock: [clock],
  database: [database],
  disk: [disk],
  freeze: [freeze],
  kill: Object.values(KILLS),
  power: [power],
  provider: [provider],
  receipts: [receipts],
  soak: [soak],
  stream: [stream],
};
const USAGE = `usage: npm run drills -- ${Object.keys(DRILLS).join('|')} … [--short] [--seed N] [--what ${Object.keys(KILLS).join('|')}] [--seconds N] [--without-kafka]
  --short          the form for CI
  --seed           repeats the choices of an earlier run (default 1)
  --what           of kill, only this part: plain messages, the rest of what WhatsApp has, what people say to each other, or several instances
  --seconds        of stream: so long is trouble made, instead of 600 or, with --short, 25
  --without-kafka  of stream: on a machine without Java and Maven
Prints one line of JSON a drill. Exit code 1: a promise was broken.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    what: { type: 'string' },
    seconds: { type: 'string' },
    'without-kafka': { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const { what } = values;
const unknown = positionals.find((name) => !Object.hasOwn(DRILLS, name));
const unknownHalf = what !== undefined && !Object.hasOwn(KILLS, what);
const seconds = values.seconds === undefined ? undefined : Number(values.seconds);
const wrongSeconds = seconds !== undefined && !(Number.isSafeInteger(seconds) && seconds >= 10);
const wrong = unknown !== undefined || unknownHalf || wrongSeconds || !Number.isSafeInteger(seed);
if (values.help || positionals.length === 0 || wrong) {
  if (unknown !== undefined) console.error(`"${unknown}" is none of ${Object.keys(DRILLS).join(', ')}`);
  else if (unknownHalf) console.error(`--what: "${what}" is none of ${Object.keys(KILLS).join(', ')}`);
  else if (!Number.isSafeInteger(seed)) console.error(`--seed: "${values.seed}" is no whole number`);
  else if (wrongSeconds) console.error(`--seconds: "${values.seconds}" is no whole number from 10 on`);
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

for (const name of positionals) {
  const half = name === 'kill' && what !== undefined ? KILLS[what] : undefined;
  for (const drill of half ? [half] : (DRILLS[name] ?? [])) await run(name, drill);
}
// Not by running out of work: with sockets that close at that moment Node 26.10 then spins for ever in its own clean-up (CleanupHandles).
process.exit();

async function run(name: string, drill: Drill): Promise<void> {
  const log = (text: string): void => console.error(`${name}: ${text}`);
  const began = performance.now();
  const verdict = await drill({ seed, short: values.short, seconds, withoutKafka: values['without-kafka'], log });
  const passed = verdict.breaches.length === 0;
  log(`${passed ? 'passed' : 'BREACHED'} after ${Math.round((performance.now() - began) / 1000)} s`);
  for (const breach of verdict.breaches) log(breach);
  console.log(JSON.stringify({ ...verdict, passed }));
  if (!passed) process.exitCode = 1;
}
