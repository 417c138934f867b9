import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { StartError } from '../../runtime/start-error.ts';
import { socketFolder } from './socket-folder.ts';
import { ourselves } from './who.ts';

/*
 * One program a data folder, also across containers, where process numbers say nothing: the owner listens on a Unix
 * socket in the folder for as long as it lives, and the kernel ends that with the process, however it ends.
 *
 * A dead owner's socket file stays behind. Removing it to bind again would be a race (of two that find it dead, the
 * slower removes the quicker one's new socket), so no name is used twice: owner.1.sock, owner.2.sock, … Who finds the
 * highest one dead claims the next by link(2), which fails when the name exists; and the socket listens before it gets
 * the name, so that a name which does not answer is dead for good. The highest file is never removed, except by the owner
 * of a higher one; who has claimed a name and then sees a higher one was overtaken, and steps back.
 */

/** A data folder that is ours until `release`, or until this process ends. */
export interface FolderLock {
  release(): Promise<void>;
}

const NAME = /^owner\.(\d+)\.sock$/;
const LONGEST_NAME = 'owner.999999999.deadbeef.sock';

/** How long an owner has to say its process number. That it accepts the connection is proof enough that it lives. */
const ANSWER_MS = 300;

/**
 * Takes the data folder (which exists) for this process.
 * @throws {StartError} "the data folder is in use" when another process, or this one, has it.
 */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const place = socketFolder(path.join(folder, 'lock'), LONGEST_NAME, ourselves());
  const draft = path.join(place, `draft.${randomBytes(4).toString('hex')}.sock`);
  const server = await listen(draft).catch((error: Error) => {
    throw new StartError(
      `The data folder ${folder} cannot be locked (${error.message}): start Aldis as the user it belongs to, or name another folder in ALDIS_DATA_DIR.`,
    );
  });
  try {
    for (;;) {
      const highest = highestIn(place);
      if (highest > 0) {
        const owner = await ask(nameIn(place, highest), folder);
        if (owner) throw new StartError(inUse(folder, owner));
      }
      const mine = highest + 1;
      if (!claim(draft, nameIn(place, mine))) continue;
      if (highestIn(place) > mine) {
        fs.rmSync(nameIn(place, mine), { force: true });
        continue;
      }
      fs.rmSync(draft);
      removeBelow(place, mine);
      return { release: () => close(server) };
    }
  } catch (error) {
    await close(server);
    throw error;
  }
}

function listen(at: string): Promise<net.Server> {
  const server = net.createServer((connection) => {
    connection.on('error', () => {});
    connection.end(`${process.pid}\n`, () => connection.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // The folder keeps others out; root's socket must not keep the folder's owner from seeing that it is dead.
    server.listen({ path: at, readableAll: true, writableAll: true }, () => {
      server.off('error', reject);
      // The lock is held by living, it is no reason to live.
      server.unref();
      resolve(server);
    });
  });
}

/** The process number the owner behind a socket gives (`unknown` when it is too busy to), or undefined when it is dead. */
function ask(socket: string, folder: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = net.connect(socket);
    const settle = (owner: string | undefined) => {
      clearTimeout(timer);
      connection.destroy();
      resolve(owner);
    };
    const timer = setTimeout(() => settle('unknown'), ANSWER_MS);
    connection.setEncoding('utf8');
    connection.on('data', (text: string) => {
      answer = (answer + text).slice(0, 20);
    });
    connection.on('end', () => settle(answer.trim() || 'unknown'));
    connection.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') return settle(undefined);
      // A full queue of connections, or a connection cut while it was answered: somebody is there.
      if (error.code === 'EAGAIN' || error.code === 'ECONNRESET' || error.code === 'EPIPE') return settle('unknown');
      clearTimeout(timer);
      reject(
        new StartError(
          `Whether the data folder ${folder} is in use cannot be told (${error.message}): start Aldis as the user it belongs to, or name another folder in ALDIS_DATA_DIR.`,
        ),
      );
    });
  });
}

function inUse(folder: string, owner: string): string {
  const by = owner === 'unknown' ? 'another process' : `process ${owner}`;
  return `The data folder ${folder} is in use by ${by}: stop that one first, or name another folder in ALDIS_DATA_DIR.`;
}

/** Gives the listening socket its name, unless the name is taken. */
function claim(draft: string, name: string): boolean {
  try {
    fs.linkSync(draft, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function highestIn(place: string): number {
  return Math.max(0, ...numbersIn(place));
}

function numbersIn(place: string): number[] {
  return fs.readdirSync(place).flatMap((name) => {
    const number = NAME.exec(name)?.[1];
    return number ? [Number(number)] : [];
  });
}

function removeBelow(place: string, mine: number): void {
  for (const number of numbersIn(place)) if (number < mine) fs.rmSync(nameIn(place, number), { force: true });
}

function nameIn(place: string, number: number): string {
  return path.join(place, `owner.${number}.sock`);
}

function close(server: net.Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
