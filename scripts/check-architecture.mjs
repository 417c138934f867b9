// Documents go stale where they name files. This holds two things: every file that ARCHITECTURE.md names in backticks
// exists, and every relative link in every document leads somewhere.

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const UNSEEN = /(^|\/)(node_modules|\.git|\.aldis|coverage)$/;
const complaints = [];

function read(file) {
  // Code blocks show what a reader types or sees: they name no files of ours.
  return readFileSync(join(ROOT, file), 'utf8').replace(/^```[\s\S]*?^```/gm, (block) => block.replace(/[^\n]/g, ' '));
}

/** Every match of `pattern` with its line number. */
function matches(text, pattern) {
  return [...text.matchAll(pattern)].map((match) => ({
    name: match[1],
    line: text.slice(0, match.index).split('\n').length,
  }));
}

let named = 0;
if (existsSync(join(ROOT, 'ARCHITECTURE.md'))) {
  for (const { name, line } of matches(
    read('ARCHITECTURE.md'),
    /`([\w@./-]+\/[\w.-]+\.(?:ts|mjs|sql|md|json|jsonc|yaml))`/g,
  )) {
    named++;
    // Rooms are named as they are spoken of, `http/errors.ts`; all else from the root.
    const found = [name, `server/src/${name}`].some((path) => existsSync(join(ROOT, path)));
    if (!found) complaints.push(`ARCHITECTURE.md:${line}: \`${name}\` is neither in the root nor in server/src`);
  }
} else {
  complaints.push('ARCHITECTURE.md is missing');
}

let links = 0;
for (const document of globSync('**/*.md', { cwd: ROOT, exclude: (path) => UNSEEN.test(path) })) {
  for (const { name, line } of matches(read(document), /\]\(([^)\s]+)\)/g)) {
    const path = decodeURIComponent(name.replace(/#.*$/, ''));
    if (path === '' || /^[a-z]+:/.test(path)) continue;
    links++;
    if (!existsSync(join(ROOT, dirname(document), path))) complaints.push(`${document}:${line}: ${name} leads nowhere`);
  }
}

for (const complaint of complaints) console.error(complaint);
console.log(`${named} files named by ARCHITECTURE.md, ${links} links, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;
