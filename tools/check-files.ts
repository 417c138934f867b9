import { globSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Holds what no linter reads: the names of all files, words that put work off, and what a lock file gives away. */
const ROOT = resolve(import.meta.dirname, '..');
const UNSEEN = /(^|\/)(node_modules|\.git|\.aldis|coverage|planted)$/;

/** Names that say nothing, so that anything ends up in them. The import rules hold the same for what is imported. */
const VAGUE = /(^|\/)(index|utils?|helpers?|common|libs?|interfaces?)(\.[cm]?[jt]s|\/)/;

/** Written apart, so that this file does not find itself. */
const PUT_OFF = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME'].join('|')})\\b`);

const TEXT = /\.([cm]?[jt]s|tsx|sql|md|json|jsonc|ya?ml|grit|py|sh)$/;

/** What `npm install` writes: each package by the path it is installed at. */
interface LockFile {
  packages: Record<string, { optionalDependencies?: Record<string, string> }>;
}

function complaintsOfLock(file: string, text: string): string[] {
  const complaints: string[] = [];
  // A lock file made behind a mirror would name it, and fail everywhere else. See .npmrc.
  if (text.includes('"resolved": "http')) complaints.push(`${file}: names a registry; run npm install with our .npmrc`);
  // A registry that lacks a version for some platforms leaves holes that `npm ci` trips over on every platform.
  const { packages } = JSON.parse(text) as LockFile;
  for (const [path, { optionalDependencies = {} }] of Object.entries(packages)) {
    const missing = Object.keys(optionalDependencies).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${path}/node_modules/${name}`],
    );
    if (missing.length === 0) continue;
    complaints.push(`${file}: ${path} lacks ${missing.join(', ')}; npm ci will fail: take a version that has them all`);
  }
  return complaints;
}

function complaintsOf(file: string): string[] {
  const complaints: string[] = [];
  if (VAGUE.test(file)) complaints.push(`${file}: a name that says nothing; call it after its noun`);
  if (!TEXT.test(file)) return complaints;
  const text = readFileSync(join(ROOT, file), 'utf8');
  if (text.includes('\r\n')) complaints.push(`${file}: lines end in CRLF; they end in LF here`);
  if (file.endsWith('package-lock.json')) return [...complaints, ...complaintsOfLock(file, text)];
  for (const [index, line] of text.split('\n').entries()) {
    const word = PUT_OFF.exec(line)?.[1];
    if (word) complaints.push(`${file}:${index + 1}: ${word}; do it, or write an issue`);
  }
  return complaints;
}

const files = globSync('**/*', { cwd: ROOT, exclude: (path) => UNSEEN.test(path) })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => statSync(join(ROOT, file), { throwIfNoEntry: false })?.isFile());
const complaints = files.flatMap(complaintsOf);
for (const complaint of complaints) console.error(complaint);
console.log(`${files.length} files, ${complaints.length} complaints`);
process.exitCode = complaints.length > 0 ? 1 : 0;
