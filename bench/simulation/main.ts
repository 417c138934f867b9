import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { simulateDay } from './day.ts';
import { plotThroughput, plotWaits } from './plots.ts';

const USAGE = `usage: npm run simulation [-- --messages N] [--seed N] [--plots FOLDER]
  --messages  messages of the day (default 10,000,000)
  --seed      repeats the same day (default 1)
  --plots     writes the plots into this folder
Runs a day of 1,000 tenants, of which 100 send campaigns, through the schedule of dispatch on a virtual clock. Prints JSON. Exit code 1: a
limit was exceeded, an order broken, or a gate missed.`;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000000' },
    seed: { type: 'string', default: '1' },
    plots: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const seed = Number(values.seed);
if (values.help || !Number.isInteger(messages) || messages < 1000 || !Number.isInteger(seed)) {
  console.error(USAGE);
  process.exit(values.help ? 0 : 2);
}

/** High priority leaves within this, 99 of 100, in milliseconds; and this much of each allowed rate is used while work waits. */
const MOST_WAIT = 2000;
const LEAST_USED = 0.95;

const result = simulateDay({ seed, messages, tenants: 1000, campaigners: 100, log: (text) => console.error(text) });
const { slices, ...told } = result;
const breaches = [
  [told.rateBreaches, 'senders exceeded their rate'],
  [told.pairBreaches, 'messages exceeded the rate of a pair'],
  [told.limitBreaches, 'portfolios exceeded their users'],
  [told.orderBreaches, 'messages left before an earlier one of their line'],
  [told.waits.code.p99 > MOST_WAIT ? 1 : 0, `p99 of high priority is ${told.waits.code.p99} ms`],
  [told.used.least < LEAST_USED ? 1 : 0, `only ${told.used.least.toFixed(3)} of a rate was used while work waited`],
].flatMap(([count, what]) => (Number(count) > 0 ? [`${count} × ${what}`] : []));
if (values.plots) {
  mkdirSync(values.plots, { recursive: true });
  writeFileSync(join(values.plots, 'simulation-throughput.svg'), plotThroughput(result));
  writeFileSync(join(values.plots, 'simulation-waits.svg'), plotWaits(result));
}
console.log(JSON.stringify({ seed, ...told, breaches, pass: breaches.length === 0 }, null, 1));
process.exitCode = breaches.length === 0 ? 0 : 1;
