import { resolve } from 'node:path';
import { breaches } from './cruise.ts';

/** Holds the repository against the import rules: prints each breach with the rule's reason, and exits 1 if there is one. */
const root = resolve(import.meta.dirname, '../..');
const { breaches: found, files } = await breaches(root);
for (const { rule, reason, from, to } of found) console.log(`${from} → ${to}\n  ${rule}: ${reason}`);
console.log(`${files} files, ${found.length} ${found.length === 1 ? 'breach' : 'breaches'} of the import rules`);
process.exitCode = found.length > 0 ? 1 : 0;
