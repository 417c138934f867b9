import { once } from 'node:events';
import { createContext, Script } from 'node:vm';
import { WebSocket } from 'ws';
import type { SocketExample, SocketStep } from './ledger.ts';
import { differences } from './match.ts';
import { prepare, until } from './preparations.ts';
import { ask, type World } from './world.ts';
import { fillIn, readHandshake, readRequest, replaceAll, vary } from './written-text.ts';

/** One end of a conversation over sockets, and every frame that it was told. */
interface End {
  socket: WebSocket;
  readonly frames: readonly unknown[];
}

/** What came of the documented script and of the steps after it. */
export interface ReplayedSocket {
  /** How many requests and frames were tried. */
  asked: number;
  flaws: string[];
}

const GRACE = 5000;

/**
 * Runs a service's own script beside the socket of another user, then each step: what is documented is asked or sent, and the frames
 * that the documents tell of are waited for, at the end that they are told to.
 */
export async function replaySocket(world: World, example: SocketExample): Promise<ReplayedSocket> {
  const values = { ...(await prepare(world, example.before)), key: world.key, socket: addressOf(world) };
  const sockets: WebSocket[] = [];
  try {
    const other = await connect(fillIn(replaceAll(example.connect.text, example.connect.replaced), values), sockets);
    const script = await runScript(
      fillIn(replaceAll(example.script.text, example.script.replaced), values),
      example,
      sockets,
    );
    const flaws: string[] = [];
    const ends = { script, other };
    let since = { script: 0, other: 0 };
    for (const step of example.steps) {
      // What the step before, or the script, brought about has the frames of this one too.
      if (step.request !== undefined || step.sends !== undefined)
        since = { script: script.frames.length, other: other.frames.length };
      const found = await tryStep(world, step, ends, since, values).catch((error: Error) => [error.message]);
      flaws.push(...found.map((flaw) => `${step.title}: ${flaw}`));
    }
    return { asked: example.steps.length, flaws };
  } catch (error) {
    return { asked: 0, flaws: [error instanceof Error ? error.message : String(error)] };
  } finally {
    await Promise.all(sockets.map(close));
  }
}

/** Opens a socket as it is documented: the address, and the headers below it. */
async function connect(text: string, sockets: WebSocket[]): Promise<End> {
  const { url, headers } = readHandshake(text);
  const socket = new WebSocket(url, { headers });
  sockets.push(socket);
  // One that does not open is told below; what comes after that, by the frames that do not come.
  socket.on('error', () => {});
  const frames: unknown[] = [];
  socket.on('message', (data) => frames.push(JSON.parse((data as Buffer).toString())));
  await once(socket, 'open');
  return { socket, frames };
}

/**
 * Runs the documented script with `ws`. It sends right away, before any socket can be open, so what follows the documented words
 * `pause` runs when it has printed that it is connected, as it does for whoever types it.
 */
async function runScript(text: string, { script }: SocketExample, sockets: WebSocket[]): Promise<End> {
  const printed: unknown[][] = [];
  const errors: Error[] = [];
  class Watched extends WebSocket {
    constructor(...given: ConstructorParameters<typeof WebSocket>) {
      super(...given);
      sockets.push(this);
      this.on('error', (error) => errors.push(error));
    }
  }
  const context = createContext({ WebSocket: Watched, console: { log: (...words: unknown[]) => printed.push(words) } });
  const at = text.indexOf(script.pause);
  if (at < 0) throw new Error(`the script does not say: ${script.pause}`);
  new Script(text.slice(0, at)).runInContext(context);
  const socket = sockets.at(-1);
  if (!socket) throw new Error('the script opens no socket');
  await until('the socket of the script', async () => {
    if (errors[0]) throw errors[0];
    return printed.some(([word]) => word === script.prints) ? true : null;
  });
  new Script(text.slice(at)).runInContext(context);
  return {
    socket,
    // The script prints a word, and the frame.
    get frames() {
      return printed.filter((words) => words.length === 2).map(([, frame]) => frame);
    },
  };
}

async function tryStep(
  world: World,
  { request, sends, replaced, tells }: SocketStep,
  ends: Readonly<Record<'script' | 'other', End>>,
  since: Readonly<Record<'script' | 'other', number>>,
  values: Record<string, string>,
): Promise<string[]> {
  const given = (text: string) => fillIn(replaceAll(text, replaced), values);
  if (request !== undefined) {
    const { method, path, headers, body } = readRequest(given(request));
    const reply = await ask(world.program.credentials.url, {
      method,
      path,
      headers: { authorization: `Bearer ${world.key}`, ...headers },
      ...(body === null ? {} : { body }),
    });
    if (reply.status >= 300) return [`${method} ${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`];
  }
  if (sends !== undefined) ends.script.socket.send(given(sends));
  const flaws = tells.map(async ({ to, frame, varies = {} }) => {
    const documented: unknown = JSON.parse(fillIn(vary(frame, varies), values));
    return frameFlaws(documented, to, () => ends[to].frames.slice(since[to]));
  });
  return (await Promise.all(flaws)).flat();
}

/** Waits for a frame like the documented one. */
async function frameFlaws(documented: unknown, to: string, came: () => unknown[]): Promise<string[]> {
  const typeOf = (frame: unknown) => (frame as { type?: unknown }).type;
  const wanted = () => came().filter((frame) => typeOf(frame) === typeOf(documented));
  try {
    await until('the frame', async () =>
      wanted().some((frame) => differences(documented, frame).length === 0) ? true : null,
    );
    return [];
  } catch {
    const last = wanted().at(-1);
    if (last !== undefined) return [`${to}: ${differences(documented, last).join('; ')}\n    ${JSON.stringify(last)}`];
    const types = [...new Set(came().map(typeOf))].join(', ') || 'nothing';
    return [`${to} was told ${types}, and not ${String(typeOf(documented))}`];
  }
}

function addressOf({ program }: World): string {
  return program.credentials.url.replace(/^http/, 'ws');
}

/** Closes a socket, and waits until it is. */
async function close(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = once(socket, 'close');
  const stubborn = setTimeout(() => socket.terminate(), GRACE);
  socket.close();
  await closed;
  clearTimeout(stubborn);
}
