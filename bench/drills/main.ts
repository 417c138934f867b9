import { parseArgs } from 'node:util';
import type { DrillOptions, Verdict } from './drill.ts';
import { kill } from './kill.ts';
import { killWhatsApp } from './kill-whatsapp.ts';
import { power } from './power.ts';
import { receipts } from './receipts.ts';
import { soak } from './soak.ts';

type Drill = (options: DrillOptions) => Promise<Verdict>;
/** What goes on while it is killed, by `--what`. */
const KILLS: Record<string, Drill> = { messages: kill, whatsapp: killWhatsApp };
const DRILLS: Record<string, readonly Drill[]> = {
  kill: Object.values(KILLS),
  power: [power],
  receipts: [receipts],
  soak: [soak],
};
const USAGE = `usage: npm run drills -- kill|power|receipts|soak … [--short] [--seed N] [--what messages|whatsapp]
  --short  the form for CI
  --seed   repeats the choices of an earlier run (default 1)
  --what   of kill, only this half: plain messages, or the rest of what WhatsApp has
Prints one line of JSON a drill. Exit code 1: a promise was broken.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    what: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const { what } = values;
const unknown = positionals.find((name) => !Object.hasOwn(DRILLS, name));
const unknownHalf = what !== undefined && !Object.hasOwn(KILLS, what);
const wrong = unknown !== undefined || unknownHalf || !Number.isSafeInteger(seed);
if (values.help || positionals.length === 0 || wrong) {
  if (unknown !== undefined) console.error(`"${unknown}" is none of ${Object.keys(DRILLS).join(', ')}`);
  else if (unknownHalf) console.error(`--what: "${what}" is none of ${Object.keys(KILLS).join(', ')}`);
  else if (!Number.isSafeInteger(seed)) console.error(`--seed: "${values.seed}" is no whole number`);
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

for (const name of positionals) {
  const half = name === 'kill' && what !== undefined ? KILLS[what] : undefined;
  for (const drill of half ? [half] : (DRILLS[name] ?? [])) await run(name, drill);
}

async function run(name: string, drill: Drill): Promise<void> {
  const log = (text: string): void => console.error(`${name}: ${text}`);
  const began = performance.now();
  const verdict = await drill({ seed, short: values.short, log });
  const passed = verdict.breaches.length === 0;
  log(`${passed ? 'passed' : 'BREACHED'} after ${Math.round((performance.now() - began) / 1000)} s`);
  for (const breach of verdict.breaches) log(breach);
  console.log(JSON.stringify({ ...verdict, passed }));
  if (!passed) process.exitCode = 1;
}
