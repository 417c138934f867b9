import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from './whatsapp-page/names.ts';
import { PAGE, readProofs } from './whatsapp-page/proofs.ts';

/* `npm run generate`: every file that is made of the code, and the one that is made of the titles of its tests. */
const { status } = spawnSync(process.execPath, [join(PROJECT, 'server/src/cli/generate.ts')], { stdio: 'inherit' });
const { page, summary } = readProofs();
writeFileSync(PAGE, page);
console.log(`docs/whatsapp.md: ${summary}`);
process.exitCode = status ?? 1;
