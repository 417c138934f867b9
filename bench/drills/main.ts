import { parseArgs } from 'node:util';
import type { DrillOptions, Verdict } from './drill.ts';
import { kill } from './kill.ts';
import { power } from './power.ts';
import { receipts } from './receipts.ts';
import { soak } from './soak.ts';

const DRILLS: Record<string, (options: DrillOptions) => Promise<Verdict>> = { kill, power, receipts, soak };
const USAGE = `usage: npm run drills -- kill|power|receipts|soak … [--short] [--seed N]
  --short  the form for CI
  --seed   repeats the choices of an earlier run (default 1)
Prints one line of JSON a drill. Exit code 1: a promise was broken.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    short: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    help: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const unknown = positionals.find((name) => !Object.hasOwn(DRILLS, name));
if (values.help || positionals.length === 0 || unknown !== undefined || !Number.isSafeInteger(seed)) {
  if (unknown !== undefined) console.error(`"${unknown}" is none of ${Object.keys(DRILLS).join(', ')}`);
  else if (!Number.isSafeInteger(seed)) console.error(`--seed: "${values.seed}" is no whole number`);
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

for (const name of positionals) {
  const log = (text: string): void => console.error(`${name}: ${text}`);
  const began = performance.now();
  const verdict = await DRILLS[name]?.({ seed, short: values.short, log });
  if (!verdict) continue;
  log(
    `${verdict.breaches.length === 0 ? 'passed' : 'BREACHED'} after ${Math.round((performance.now() - began) / 1000)} s`,
  );
  for (const breach of verdict.breaches) log(breach);
  console.log(JSON.stringify({ ...verdict, passed: verdict.breaches.length === 0 }));
  if (verdict.breaches.length > 0) process.exitCode = 1;
}
