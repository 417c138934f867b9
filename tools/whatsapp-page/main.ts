import { existsSync, readFileSync } from 'node:fs';
import { PAGE, readProofs } from './proofs.ts';

/*
 * Holds docs/whatsapp-names.txt against the titles of the tests, and docs/whatsapp.md against both. Exit code 1 when something
 * falls short.
 */
const { page, flaws, summary } = readProofs();
if (!existsSync(PAGE) || readFileSync(PAGE, 'utf8') !== page) {
  flaws.push('docs/whatsapp.md is not what the tests say: npm run generate');
}
for (const flaw of flaws) console.error(flaw);
console.log(`${summary}, ${flaws.length} fall short`);
process.exitCode = flaws.length > 0 ? 1 : 0;
