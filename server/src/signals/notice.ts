import { type InstanceId, isUuid } from '../domain/ids.ts';
import type { Topic, Word } from './signals.ts';

/** What one instance tells the others at once. */
export interface Notice {
  /** A UUIDv7: later ones of an instance are greater. */
  id: string;
  from: InstanceId;
  /** `EVERYTHING` stands for all topics. */
  topics: readonly (Topic | typeof EVERYTHING)[];
  words: readonly Word[];
}

/** More topics than are told one by one, or which ones is not known. */
export const EVERYTHING = '*';

/** As it goes over a bus that takes text: `{"f":FROM,"i":ID,"t":[TOPICS],"w":[WORDS]}`, the fields in this order. */
export function writeNotice({ id, from, topics, words }: Notice): string {
  return JSON.stringify({ f: from, i: id, t: topics, w: words });
}

/** What each notice of an instance begins with: one's own are told by it without being read. */
export function headOf(from: InstanceId): string {
  return `{"f":"${from}",`;
}

/** The other way round; null for what is no notice: others may write to the same bus. */
export function readNotice(text: string): Notice | null {
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof read !== 'object' || read === null || !('i' in read && 'f' in read && 't' in read && 'w' in read))
    return null;
  const { i: id, f: from, t: topics, w: words } = read;
  if (typeof id !== 'string' || !isUuid(id) || typeof from !== 'string' || !isUuid(from)) return null;
  if (!Array.isArray(topics) || !topics.every((topic) => typeof topic === 'string')) return null;
  if (!Array.isArray(words) || !words.every(isWord)) return null;
  return { id, from: from as InstanceId, topics: topics as Topic[], words };
}

/** By shape: of the version that runs beside this one while instances are replaced one by one, words may be unknown. */
function isWord(word: unknown): word is Word {
  return typeof word === 'object' && word !== null && 'kind' in word && typeof word.kind === 'string';
}
