import type { LoadClient } from '../src/load.ts';
import type { Random } from './random.ts';

/** A conversation of the drill. */
export interface Talk {
  id: string;
  /** Who speak there, on devices. */
  users: readonly string[];
  /** Who only hear, and never have a device. */
  away: readonly string[];
}

export const USERS = 60;
const AWAY = 4;
const PAIRS = 30;
const GROUPS = 8;

/** Makes pairs and groups of the users. In each group, and in a few pairs, is somebody without a device. */
export async function makeTalks(api: LoadClient, random: Random): Promise<Talk[]> {
  const wanted: (Omit<Talk, 'id'> & { type: string })[] = [];
  for (let i = 0; i < PAIRS; i++) {
    wanted.push({ type: 'direct', users: [`user-${i}`, `user-${(i + PAIRS) % USERS}`], away: [] });
  }
  for (let i = 0; i < AWAY; i++) wanted.push({ type: 'direct', users: [`user-${i}`], away: [`away-${i}`] });
  for (let i = 0; i < GROUPS; i++) {
    const users = new Set<string>();
    while (users.size < 5 + i * 2) users.add(`user-${random.integer(0, USERS - 1)}`);
    wanted.push({ type: 'group', users: [...users], away: [`away-${i % AWAY}`] });
  }
  const talks: Talk[] = [];
  for (const { type, users, away } of wanted) {
    const participants = [...users, ...away].map((user_id) => ({ user_id }));
    const { status, body } = await api.ask('/api/v1/conversations', {
      method: 'POST',
      body: JSON.stringify({ type, participants }),
    });
    if (status !== 201) throw new Error(`a conversation was answered ${status}: ${JSON.stringify(body)}`);
    talks.push({ id: (body as { id: string }).id, users, away });
  }
  return talks;
}

/** Where the nth message is said, and by whom. */
export function turnOf(talks: readonly Talk[], n: number): { talk: Talk; author: string } {
  const talk = talks[n % talks.length] as Talk;
  return { talk, author: talk.users[Math.floor(n / talks.length) % talk.users.length] as string };
}
