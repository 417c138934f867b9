import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isKind, PROJECT } from './names.ts';

/** A test whose title names something of WhatsApp. */
export interface Mark {
  /** `field account_alerts` */
  id: string;
  /** From the project's folder. */
  file: string;
  /** The title, without its marks. */
  title: string;
}

/** Stands for each code of the table. */
const LOOPED = /\$\{code\}/;

/**
 * The marks of tests: a title names in square brackets what it proves, `a list is answered [received interactive list_reply]`.
 * Titles are read as they stand in the source, so that nothing runs. A title that is made in a loop over the table of codes
 * has `${code}` in the place of a code: then it is there for each of `codes`.
 */
export function readMarks(file: string, text: string, codes: readonly string[]): Mark[] {
  const marks: Mark[] = [];
  for (const { 2: literal = '' } of text.matchAll(/(['"`])((?:(?!\1)[^\\\n]|\\.)*)\1/g)) {
    const found = [...literal.matchAll(/\[(\w+) ([\w${} -]+)\]/g)].filter(([, kind]) => isKind(kind));
    if (found.length === 0) continue;
    const title = literal
      .replace(/\s*\[(\w+) [\w${} -]+\]/g, (mark, kind: string) => (isKind(kind) ? '' : mark))
      .replaceAll("\\'", "'")
      .trim();
    for (const [, kind, name = ''] of found) {
      if (kind === 'code' && LOOPED.test(name)) {
        for (const code of codes) marks.push({ id: `code ${code}`, file, title: title.replace(LOOPED, code) });
      } else {
        marks.push({ id: `${kind} ${name}`, file, title });
      }
    }
  }
  return marks;
}

/** The marks of all tests of the server. */
export function allMarks(codes: readonly string[]): Mark[] {
  const files = globSync('server/test/**/*.test.ts', { cwd: PROJECT }).map((file) => file.replaceAll('\\', '/'));
  return files.sort().flatMap((file) => readMarks(file, readFileSync(join(PROJECT, file), 'utf8'), codes));
}
