// Does what deploy/Containerfile says without a container engine: `node scripts/test-containerfile.mjs [file]`, as root, on
// Linux. It reads the file itself, so that the two cannot drift, and an instruction that it does not know fails. Each stage
// becomes a folder; COPY copies into it, RUN runs in it, with the Node of the project, which has to be the image's. Then the tree
// is made read-only, ENTRYPOINT and CMD start as the USER, HEALTHCHECK has to pass, SIGTERM has to end it with 0 within ten
// seconds, and nothing outside the volume may have changed. What only an engine can show stays open: the base image itself.

import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const FILE = resolve(process.argv[2] ?? join(ROOT, 'deploy/Containerfile'));
const NODE = join(ROOT, 'node_modules', '.bin', 'node');
/** Milliseconds. */
const START_LIMIT = 60_000;
const STOP_LIMIT = 10_000;

/** The instructions of a Containerfile, each with its line; continued lines are one. */
function readInstructions(text) {
  const instructions = [];
  let open = '';
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trimStart().startsWith('#')) continue;
    open += line.trim().replace(/\\$/, ' ');
    if (line.trimEnd().endsWith('\\')) continue;
    const [, name, rest] = /^(\S+)\s+(.*)$/.exec(open) ?? fail(`line ${index + 1} is no instruction`);
    instructions.push({ name: name.toUpperCase(), rest: rest.trim(), line: index + 1 });
    open = '';
  }
  return instructions;
}

function fail(text) {
  throw new Error(text);
}

function check(right, text) {
  if (!right) fail(text);
  console.log(`ok    ${text}`);
}

/** A stage's folder, and what its instructions have set. */
function newStage(rest, work, stages) {
  const [, image, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(rest) ?? fail(`FROM ${rest}`);
  const tag = /^docker\.io\/library\/node:(\d+\.\d+\.\d+)-slim$/.exec(image);
  check(tag !== null, `the base image ${image} is pinned to a version`);
  check(tag[1] === nodeVersion(), `its Node ${tag[1]} is the one that the project brings`);
  const folder = join(work, `stage${stages.length}`);
  mkdirSync(folder);
  return { name: name ?? String(stages.length), folder, workdir: '/', env: {}, volumes: [], user: 'root' };
}

function nodeVersion() {
  return spawnSync(NODE, ['--version'], { encoding: 'utf8' }).stdout.trim().replace(/^v/, '');
}

/** Where a path of the image is here. */
function place(stage, path) {
  return join(stage.folder, resolve(stage.workdir, path));
}

function copy(stage, stages, rest) {
  const words = rest.split(/\s+/);
  const from = words[0].startsWith('--from=') ? words.shift().slice('--from='.length) : null;
  const source = from === null ? null : (stages.find(({ name }) => name === from) ?? fail(`there is no stage ${from}`));
  const target = words.pop();
  for (const word of words) {
    const path = source ? place(source, word) : join(ROOT, word);
    const isFolder = lstatSync(path).isDirectory();
    // A folder's content goes into the target, a file beside others when the target ends with a slash.
    const to =
      isFolder || !/(^\.|\/)$/.test(target) ? place(stage, target) : join(place(stage, target), basename(path));
    mkdirSync(dirname(to), { recursive: true });
    cpSync(path, to, { recursive: true, verbatimSymlinks: true });
  }
}

/** The image's own folders in a command or a value, as they are called here. */
function moved(stage, text) {
  return [stage.workdir, ...stage.volumes].reduce((all, path) => all.replaceAll(path, join(stage.folder, path)), text);
}

function environment(stage, bin) {
  const own = Object.fromEntries(Object.entries(stage.env).map(([name, value]) => [name, moved(stage, value)]));
  return { PATH: `${bin}:${process.env.PATH}`, ...own };
}

function run(stage, command, bin) {
  console.log(`run   ${command}`);
  const { status } = spawnSync('sh', ['-ec', moved(stage, command)], {
    cwd: place(stage, '.'),
    // The registry is this user's.
    env: { ...environment(stage, bin), HOME: process.env.HOME },
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) fail(`RUN ${command} ended with ${status}`);
}

function readEnv(rest) {
  const pairs = rest.split(/\s+/).map((pair) => /^([A-Z_]+)=(\S+)$/i.exec(pair) ?? fail(`ENV ${pair}`));
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}

/** Does every instruction and gives the last stage. */
function build(instructions, work, bin) {
  const stages = [];
  for (const { name, rest, line } of instructions) {
    const stage = stages.at(-1);
    if (name === 'FROM') stages.push(newStage(rest, work, stages));
    else if (name === 'WORKDIR') mkdirSync(place(Object.assign(stage, { workdir: rest }), '.'), { recursive: true });
    else if (name === 'COPY') copy(stage, stages, rest);
    else if (name === 'ENV') Object.assign(stage.env, readEnv(rest));
    else if (name === 'VOLUME') stage.volumes.push(rest);
    else if (name === 'USER') stage.user = rest;
    else if (name === 'RUN') run(withVolumes(stage, instructions, line), rest, bin);
    else if (name === 'HEALTHCHECK') stage.health = JSON.parse(/ CMD (\[.*\])$/.exec(rest)?.[1] ?? fail('HEALTHCHECK'));
    else if (name === 'ENTRYPOINT' || name === 'CMD') stage[name] = JSON.parse(rest);
    else if (name === 'STOPSIGNAL') stage.signal = rest;
    else if (name === 'EXPOSE') stage.port = Number(rest);
    else fail(`line ${line}: ${name} is not known here`);
  }
  return stages.at(-1);
}

/** RUN prepares the volumes that are declared behind it. */
function withVolumes(stage, instructions, line) {
  const behind = instructions.filter((each) => each.name === 'VOLUME' && each.line > line).map(({ rest }) => rest);
  return { ...stage, volumes: [...new Set([...stage.volumes, ...behind])] };
}

function* walk(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    yield path;
    if (entry.isDirectory()) yield* walk(path);
  }
}

/** Gives all but the volumes to root, and takes the right to write from everybody. */
function makeReadOnly(stage) {
  const volumes = stage.volumes.map((path) => join(stage.folder, path));
  for (const path of [stage.folder, ...walk(stage.folder)]) {
    if (volumes.some((volume) => path === volume || path.startsWith(`${volume}/`))) continue;
    const { mode } = lstatSync(path);
    lchownSync(path, 0, 0);
    if ((mode & 0o170000) !== 0o120000) chmodSync(path, mode & 0o555);
  }
}

/** What lies outside the volumes, to see whether it stays so. */
function inventory(stage) {
  const volumes = stage.volumes.map((path) => join(stage.folder, path));
  return [...walk(stage.folder)]
    .filter((path) => !volumes.some((volume) => path.startsWith(volume)))
    .map((path) => `${relative(stage.folder, path)} ${lstatSync(path).mtimeMs}`)
    .join('\n');
}

async function live(stage, bin) {
  const [uid, gid] = stage.user.split(':').map(Number);
  const as = { uid, gid, cwd: place(stage, '.') };
  const env = environment(stage, bin);
  const outcome = spawnSync('sh', ['-c', `touch ${place(stage, 'written')}`], { ...as, env, stdio: 'ignore' }).status;
  check(outcome !== 0, 'the tree cannot be written by its user');

  // As with `--embedded` behind the image's name; the port is any free one.
  const [program, ...args] = [...stage.ENTRYPOINT, ...stage.CMD, '--embedded', '--server-port', '0'];
  const server = spawn(program, args, { ...as, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (bytes) => (output += bytes));
  const ended = new Promise((done) => server.on('close', (code, signal) => done(code ?? signal)));
  try {
    const began = performance.now();
    const [probe, ...probeArgs] = stage.health;
    const isHealthy = () => spawnSync(probe, probeArgs, { ...as, env, stdio: 'ignore' }).status === 0;
    while (!isHealthy()) {
      if (server.exitCode !== null || performance.now() - began > START_LIMIT)
        fail(`it did not become healthy:\n${output}`);
      await sleep(200);
    }
    check(true, `the health check passes after ${Math.round(performance.now() - began)} ms`);
    check(/aldis ready/.test(output), 'it says that it is ready');
    check(ownerOf(server.pid) === uid, 'it runs as the user of the image');
    const told = performance.now();
    server.kill(stage.signal);
    const code = await Promise.race([ended, sleep(STOP_LIMIT, 'nothing')]);
    check(code === 0, `${stage.signal} ends it with ${code}, after ${Math.round(performance.now() - told)} ms`);
    check(!isHealthy(), 'the health check fails when it is gone');
  } finally {
    if (server.exitCode === null) server.kill('SIGKILL');
    await ended;
  }
}

function ownerOf(pid) {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

async function main() {
  if (process.getuid() !== 0) fail('run it as root: it becomes the user of the image');
  const work = mkdtempSync(join(tmpdir(), 'aldis-image-'));
  try {
    chmodSync(work, 0o711);
    const bin = join(work, 'bin');
    mkdirSync(bin);
    copyFileSync(NODE, join(bin, 'node'));
    const instructions = readInstructions(readFileSync(FILE, 'utf8'));
    const stage = build(instructions, work, bin);
    check(/^[1-9]\d*:[1-9]\d*$/.test(stage.user), `the user ${stage.user} is not root, and a number`);
    check(Array.isArray(stage.ENTRYPOINT) && stage.ENTRYPOINT[0] === 'node', 'process 1 is node');
    check(!Object.keys(stage.env).some((name) => /SECRET|PASSWORD|TOKEN|KEY|URL/.test(name)), 'ENV holds no secret');
    const missing = ['server/test', 'node_modules/typescript', 'node_modules/@biomejs', '.env', '.git'];
    const extra = missing.filter((path) => existsSync(place(stage, path)));
    check(extra.length === 0, `nothing is in it that production does not need ${extra.join(' ')}`);
    makeReadOnly(stage);
    const before = inventory(stage);
    await live(stage, bin);
    check(inventory(stage) === before, 'nothing outside the volume was changed');
    const bytes = [...walk(stage.folder)].reduce((sum, path) => sum + lstatSync(path).size, 0);
    console.log(`size  ${Math.round(bytes / 2 ** 20)} MiB beside the base image`);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

try {
  await main();
} catch (error) {
  console.error(`failed: ${error.message}`);
  process.exitCode = 1;
}
