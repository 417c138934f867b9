import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A planted folder is a small repository made of mistakes. A file whose first line says `// breaks: RULE` must break that
 * rule and no other; every other file must break none.
 * @returns `FILE RULE` for each planted mistake, in order.
 */
export function plantedMistakes(folder: string): string[] {
  return globSync('**/*.ts', { cwd: folder })
    .flatMap((file) => {
      const rule = /^\/\/ breaks: (\S+)\n/.exec(readFileSync(join(folder, file), 'utf8'))?.[1];
      return rule ? [`${file.replaceAll('\\', '/')} ${rule}`] : [];
    })
    .sort();
}

/** What a checker found, in the form of `plantedMistakes`: twice the same rule in a file counts once. */
export function foundMistakes(found: readonly { file: string; rule: string }[]): string[] {
  return [...new Set(found.map(({ file, rule }) => `${file} ${rule}`))].sort();
}
