// Documents go stale where they name files. This holds three things: every file that ARCHITECTURE.md names in backticks
// exists; in its section on the engine every word in italics is a state of a message, and every name with an underscore stands in
// the domain or in the schema; and every relative link in every document leads somewhere.

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
  const text = read('ARCHITECTURE.md');
  const from = text.indexOf('\n## The engine\n');
  if (from < 0) complaints.push('ARCHITECTURE.md has no section "The engine"');
  else checkEngine(text, from, text.indexOf('\n## ', from + 1));
} else {
  complaints.push('ARCHITECTURE.md is missing');
}

/** Blanks what is not the section, so that line numbers stay. */
function checkEngine(text, from, to) {
  const section = text.slice(0, from).replace(/[^\n]/g, ' ') + text.slice(from, to);
  const domain = globSync('server/src/domain/**/*.ts', { cwd: ROOT })
    .map((file) => read(file))
    .join('\n');
  const states = /export const STATES = \[(.*?)\]/s.exec(domain)?.[1] ?? '';
  const schema = read('server/src/db/schema.sql');
  for (const { name, line } of matches(section, /(?<![*\w])\*([a-z]+)\*(?!\*)/g)) {
    named++;
    if (!states.includes(`'${name}'`)) complaints.push(`ARCHITECTURE.md:${line}: *${name}* is no state of a message`);
  }
  for (const { name, line } of matches(section, /`(?:[a-z]+\.)?([a-z]+_[a-z_]+)`/g)) {
    named++;
    if (!domain.includes(name) && !schema.includes(name)) {
      complaints.push(`ARCHITECTURE.md:${line}: ${name} stands neither in the domain nor in the schema`);
    }
  }
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
console.log(`${named} files and words named by ARCHITECTURE.md, ${links} links, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;
