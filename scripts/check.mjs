// `npm run check`: everything that can be said about the code without running it. All steps run at once, each prints only
// if it has something to say. `npm run check -- types lint` runs the steps named; `npm run check -- fix` formats first.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const RULES = join(ROOT, 'tools/import-rules');
/** oxlint looks for its half that knows types in the root only, and is told where it is. */
const ENVIRONMENT = { ...process.env, OXLINT_TSGOLINT_PATH: join(RULES, 'node_modules/.bin/tsgolint') };
const bin = (name) => join(ROOT, 'node_modules/.bin', name);
const node = (...args) => [process.execPath, ...args];

/** Each step: what it holds, and its command. A step that needs the checkers waits for their installation. */
const STEPS = {
  lint: { holds: 'format and lint rules', command: [bin('biome'), 'check', '--max-diagnostics=200', '.'] },
  promises: {
    holds: 'no promise alone, no any let in, no case forgotten',
    command: [join(RULES, 'node_modules/.bin/oxlint'), '--type-aware', '.'],
    needsCheckers: true,
  },
  types: { holds: 'types of every workspace', command: [bin('tsc'), '-p', 'tsconfig.json'], needsCheckers: true },
  browser: { holds: 'types of the client as a page has them', command: [bin('tsc'), '-p', 'client/tsconfig.json'] },
  imports: {
    holds: 'who may import whom',
    command: node('tools/import-rules/check.ts'),
    needsCheckers: true,
  },
  planted: {
    holds: 'each rule still catches its planted mistake',
    command: node('--test', '--test-reporter=dot', 'tools/*/*.test.ts'),
    needsCheckers: true,
  },
  unused: {
    holds: 'no dead files, exports, dependencies',
    command: node('node_modules/knip/bin/knip.js', '--no-progress'),
    needsCheckers: true,
  },
  files: { holds: 'names and texts of all files', command: node('tools/check-files.ts') },
  whatsapp: { holds: 'every name of WhatsApp has a test', command: node('tools/whatsapp-page/main.ts') },
  documents: { holds: 'documents name what exists', command: node('scripts/check-architecture.mjs') },
};

/** Runs a command in the root and gathers what it prints. */
function run([command, ...args], cwd = ROOT) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = [];
    child.stdout.on('data', (chunk) => output.push(chunk));
    child.stderr.on('data', (chunk) => output.push(chunk));
    child.on('error', (error) => resolve({ code: 1, output: String(error) }));
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(output).toString() }));
  });
}

/**
 * The import checker reads sources by an older TypeScript than ours, so it lives in a folder of its own with a lock file
 * of its own, and the checker of promises with it. Both are installed when missing or made from another lock file.
 */
async function installCheckers() {
  const lock = createHash('sha256')
    .update(readFileSync(join(RULES, 'package-lock.json')))
    .digest('hex');
  const marker = join(RULES, 'node_modules/.made-from');
  if (existsSync(marker) && readFileSync(marker, 'utf8') === lock) return;
  console.error('installing the checkers (tools/import-rules)');
  const { code, output } = await run(['npm', 'ci', '--no-audit', '--no-fund'], RULES);
  if (code !== 0) {
    console.error(output.trim());
    throw new Error('npm ci failed in tools/import-rules: it needs the npm registry once');
  }
  writeFileSync(marker, lock);
}

async function step(name, installed) {
  const { command, needsCheckers } = STEPS[name];
  if (needsCheckers) await installed;
  const started = performance.now();
  const { code, output } = await run(command);
  const seconds = ((performance.now() - started) / 1000).toFixed(1).padStart(5);
  console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name.padEnd(9)} ${seconds} s  ${STEPS[name].holds}`);
  if (code !== 0) console.log(`\n${output.trim()}\n`);
  return code === 0;
}

const wanted = process.argv.slice(2);
if (wanted[0] === 'fix') {
  wanted.shift();
  console.log((await run([bin('biome'), 'check', '--write', '--max-diagnostics=0', '.'])).output.trim());
}
const unknown = wanted.filter((name) => !Object.hasOwn(STEPS, name));
if (unknown.length > 0) {
  console.error(`no step called ${unknown.join(', ')}: there are ${Object.keys(STEPS).join(', ')}`);
  process.exit(2);
}
try {
  const installed = installCheckers();
  const names = wanted.length > 0 ? wanted : Object.keys(STEPS);
  const results = await Promise.all([installed, ...names.map((name) => step(name, installed))]);
  process.exitCode = results.includes(false) ? 1 : 0;
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
