import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configurationFlaws } from './configuration.ts';
import { ledgerFlaws } from './coverage.ts';
import { documentedNames, ledgerText, PROJECT, readLedger, type Service } from './ledger.ts';
import { compatibilityPage } from './page.ts';
import { type Replayed, replay } from './replay.ts';

/**
 * `npm run conformance`: holds docs/compat.yaml against the documented names, against its page and against running programs.
 * Exit code 1 when something falls short.
 *
 *   npm run conformance                     everything
 *   npm run conformance -- queue-service    everything, of the running programs only this service's
 *   npm run conformance -- ledger           the ledger and its page; nothing is started
 *   npm run conformance -- write            writes docs/compatibility.md
 */
const PAGE = join(PROJECT, 'docs/compatibility.md');
/** How many run side by side: each has a database and a simulator of its own. */
const SIDE_BY_SIDE = 2;

const [word] = process.argv.slice(2);
const began = performance.now();
const ledger = readLedger(ledgerText());
const page = compatibilityPage(ledger.services);
const wanted = ledger.services.filter(
  ({ key, examples }) => examples.length > 0 && (word === undefined || word === key),
);
if (word === 'write') {
  writeFileSync(PAGE, page);
} else if (word !== undefined && word !== 'ledger' && wanted.length === 0) {
  console.error(`no service called ${word}: ${ledger.services.map(({ key }) => key).join(', ')}; or ledger, or write`);
  process.exitCode = 2;
} else {
  const flaws = ledgerFlaws(ledger, documentedNames());
  if (read(PAGE) !== page)
    flaws.push('docs/compatibility.md is not what the ledger says: npm run conformance -- write');
  let asked = 0;
  if (word !== 'ledger') {
    const [configuration, replayed] = await Promise.all([configurationFlaws(ledger.services), replayAll(wanted)]);
    flaws.push(...configuration, ...replayed.flatMap((one) => one.flaws));
    asked = replayed.reduce((sum, one) => sum + one.asked, 0);
  }
  for (const flaw of flaws) console.error(flaw);
  const entries = ledger.services.flatMap((service) => service.entries);
  const count = (verdict: string) => `${entries.filter((entry) => entry.verdict === verdict).length} ${verdict}`;
  const verdicts = ['works', 'read as', 'not kept', 'later'].map(count).join(', ');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${entries.length} names (${verdicts}), ${asked} requests, ${flaws.length} fall short, ${seconds} s`);
  process.exitCode = flaws.length > 0 ? 1 : 0;
}

async function replayAll(services: readonly Service[]): Promise<Replayed[]> {
  const waiting = [...services];
  const done: Replayed[] = [];
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) done.push(await replay(next));
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return done;
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
