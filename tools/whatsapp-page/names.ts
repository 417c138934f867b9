import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The project's folder. */
export const PROJECT = join(import.meta.dirname, '../..');

export const KINDS = ['sent', 'received', 'status', 'field', 'code'] as const;
export type Kind = (typeof KINDS)[number];

/** One thing that the documentation of WhatsApp has. */
export interface Name {
  kind: Kind;
  name: string;
  /** What it is, if that has to be said. */
  about: string;
}

/** docs/whatsapp-names.txt. Its first lines tell how it is written. */
export function readNames(text: string): { names: Name[]; flaws: string[] } {
  const names: Name[] = [];
  const flaws: string[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue;
    const [, kind, name, about = ''] = /^(\w+) ([\w -]+?)(?: # (.+))?$/.exec(line) ?? [];
    if (name === undefined || !isKind(kind)) flaws.push(`docs/whatsapp-names.txt:${i + 1}: not KIND NAME, or no kind`);
    else if (names.some((one) => idOf(one) === `${kind} ${name}`)) flaws.push(`${kind} ${name}: stands there twice`);
    else names.push({ kind, name, about });
  }
  return { names, flaws };
}

export function namesText(): string {
  return readFileSync(join(PROJECT, 'docs/whatsapp-names.txt'), 'utf8');
}

/** How a name stands in the title of a test: `code 131047`. */
export function idOf({ kind, name }: Pick<Name, 'kind' | 'name'>): string {
  return `${kind} ${name}`;
}

export function isKind(word: string | undefined): word is Kind {
  return KINDS.some((kind) => kind === word);
}
