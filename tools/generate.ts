import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './whatsapp-page/names.ts';
import { PAGE, readProofs } from './whatsapp-page/proofs.ts';

/* `npm run generate`: every file that is made of the code, then what is made of those, and the one that is made of the titles of its tests. */
const failed = ['server/src/cli/generate.ts', 'tools/client-types/generate.ts'].filter(
  (program) => spawnSync(process.execPath, [join(PROJECT, program)], { stdio: 'inherit' }).status !== 0,
);
const { page, summary } = readProofs();
writeFileSync(PAGE, page);
console.log(`docs/whatsapp.md: ${summary}`);
process.exitCode = failed.length > 0 ? 1 : 0;
