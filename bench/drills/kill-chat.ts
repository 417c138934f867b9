import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from '../src/folder.ts';
import { type Aldis, startAldis } from '../src/product.ts';
import { startSimulator } from '../src/simulator.ts';
import { type CarefulClient, carefulClient } from './careful-client.ts';
import { type ChatBook, compareChat } from './chat-verdict.ts';
import type { DrillOptions, Verdict } from './drill.ts';
import { CHAT_ROUNDS, type FailpointRound } from './failpoint-rounds.ts';
import { type Visitor, visitFailpoint } from './failpoint-visit.ts';
import { type Random, seeded } from './random.ts';

/*
 * kill --what chat: Aldis dies again and again while people talk.
 *
 * 1. Each failpoint of saying, changing and reading is armed with a kill at a seeded passage.
 * 2. All of it happens beside each other, and `kill -9` comes at seeded times.
 *
 * The clients repeat each request until it is acknowledged. In the end each thing that was acknowledged is there once, and was told
 * once (see `chat-verdict.ts`).
 */

const USERS = ['ana', 'ben', 'cem', 'dua'] as const;
const TALKS = 5;
const REACHED_WITHIN_MS = 20_000;

interface Scene extends Visitor {
  random: Random;
  book: ChatBook;
  /** What waits for an acknowledgement. */
  pending: Set<Promise<void>>;
  failures: unknown[];
  /** The last change of the title: of two under way at once a repeated request could win. */
  titling: Promise<unknown>;
}

export async function killChat({ seed, short, log }: DrillOptions): Promise<Verdict> {
  using folder = temporaryFolder('aldis-kill-chat');
  await using simulator = await startSimulator();
  const start = (env: Record<string, string> = {}): Promise<Aldis> =>
    startAldis({ folder: folder.path, simulatorUrl: simulator.url, env });
  const first = await start();
  await using client = carefulClient(first.credentials.sender_id);
  await client.connect(first.credentials);
  const book: ChatBook = { users: USERS, talks: await makeTalks(client), said: new Map(), titles: [], begun: 0 };
  await first.child.stop();
  const scene: Scene = {
    ...{ client, log, start, kills: 0, random: seeded(seed), book },
    ...{ pending: new Set(), failures: [], titling: Promise.resolve() },
  };

  const breaches: string[] = [];
  for (let time = 0; time < (short ? 1 : 5); time++) {
    for (const round of CHAT_ROUNDS) {
      if (!(await visit(scene, round))) breaches.push(`failpoint ${round.name} was not reached`);
    }
  }
  await using last = await talkUnderKills(scene, short ? 4 : 40);
  while (scene.pending.size > 0) await Promise.all(scene.pending);
  for (const failure of scene.failures) breaches.push(`an act failed: ${String(failure)}`);
  const compared = await compareChat(client, book);
  await last.child.stop();
  return {
    drill: 'kill chat',
    seed,
    short,
    counts: { kills: scene.kills, repeats: client.repeats, ...compared.counts },
    breaches: [...breaches, ...compared.breaches].slice(0, 30),
  };
}

async function makeTalks(client: CarefulClient): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < TALKS; n++) {
    const body = { type: 'group', external_id: `talk ${n}`, participants: USERS.map((user_id) => ({ user_id })) };
    const { body: made } = await client.ask('/api/v1/conversations', { method: 'POST', body: JSON.stringify(body) });
    ids.push((made as { id: string }).id);
  }
  return ids;
}

/** Kills at one failpoint while people talk; tells whether it was reached. */
function visit(scene: Scene, { name, latest }: FailpointRound): Promise<boolean> {
  return visitFailpoint(scene, {
    name,
    passage: scene.random.integer(1, latest),
    withinMs: REACHED_WITHIN_MS,
    every: 50,
    work: () => begin(scene),
  });
}

/** Talk, and kills at seeded times; gives the one that lives. Some is not acknowledged yet. */
async function talkUnderKills(scene: Scene, kills: number): Promise<Aldis> {
  const { client, random, log, start } = scene;
  let aldis = await start();
  await client.connect(aldis.credentials);
  for (let i = 0; i < kills; i++) {
    const end = performance.now() + random.integer(300, 1500);
    while (performance.now() < end) {
      begin(scene);
      await sleep(random.integer(5, 40));
    }
    await aldis.child.kill();
    scene.kills++;
    log(`kill -9 with ${scene.book.said.size} acknowledged, ${scene.pending.size} under way`);
    aldis = await start();
    await client.connect(aldis.credentials);
  }
  return aldis;
}

function begin(scene: Scene): void {
  const talk = speak(scene)
    .catch((error: unknown) => void scene.failures.push(error))
    .finally(() => scene.pending.delete(talk));
  scene.pending.add(talk);
}

/** Somebody says something; then it may be changed, liked and read, and the conversation may be called otherwise. */
async function speak(scene: Scene): Promise<void> {
  const { client, random, book } = scene;
  const [author, reader, talk] = [random.pick(USERS), random.pick(USERS), random.pick(book.talks)];
  const [isEdited, isLiked, isRead, isTitled] = [0.4, 0.4, 0.4, 0.2].map((share) => random.next() < share);
  const text = `message ${book.begun++}`;
  const id = await tell(client, author, 'POST', '/messages', { conversation_id: talk, content: text }, text);
  const said = { id, talk, text, edited: null as string | null, likedBy: null as string | null };
  book.said.set(text, said);
  if (isEdited) {
    said.edited = `${text}, that is`;
    await tell(client, author, 'PUT', `/messages/${id}`, { content: said.edited });
  }
  if (isLiked) {
    said.likedBy = reader;
    await tell(client, reader, 'POST', `/messages/${id}/reactions`, { emoji: '👍' });
  }
  if (isRead) await tell(client, reader, 'POST', `/messages/${id}/read`, {});
  if (isTitled) {
    const title = `title ${book.titles.length}`;
    book.titles.push(title);
    scene.titling = scene.titling.then(() => tell(client, null, 'PATCH', `/conversations/${book.talks[0]}`, { title }));
    await scene.titling;
  }
}

/** Asks until it is acknowledged, as software if no user is named; gives the id in the answer. */
async function tell(
  client: CarefulClient,
  user: string | null,
  method: 'POST' | 'PUT' | 'PATCH',
  path: string,
  body: object,
  key?: string,
): Promise<string> {
  const headers = { ...(user !== null && { 'x-user-id': user }), ...(key !== undefined && { 'idempotency-key': key }) };
  const options = { method, body: JSON.stringify(body), headers };
  // 409: the first request with that key is still being worked on.
  const isDone = ({ status }: { status: number }) =>
    status < 500 && status !== 429 && (key === undefined || status !== 409);
  const { status, body: answer } = await client.ask(`/api/v1${path}`, options, isDone);
  if (status >= 300) throw new Error(`${method} ${path} was answered ${status}: ${JSON.stringify(answer)}`);
  return (answer as { id: string }).id;
}
