import { distance } from 'fastest-levenshtein';

/**
 * The known names that somebody who wrote `name` may have meant, the nearest first, at most three: those a few letters
 * away, and those whose last word is (`prot` may mean `server.port`). Case does not count, nor whether words are joined by
 * `.`, `-` or `_`.
 */
function nearNames(name: string, known: Iterable<string>): string[] {
  const wanted = plain(name);
  const found: { name: string; away: number }[] = [];
  for (const one of known) {
    const candidate = plain(one);
    const whole = distance(wanted, candidate);
    const ending = 1 + distance(wanted, candidate.slice(candidate.lastIndexOf('.') + 1));
    if (whole <= Math.max(2, wanted.length / 4)) found.push({ name: one, away: whole });
    else if (ending <= 1 + wanted.length / 2) found.push({ name: one, away: ending });
  }
  found.sort((a, b) => a.away - b.away);
  return found.slice(0, 3).map((one) => one.name);
}

/** "; did you mean a, b or c?", or nothing when no name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  const near = nearNames(name, known);
  const last = near.pop();
  if (last === undefined) return '';
  return `; did you mean ${near.length > 0 ? `${near.join(', ')} or ` : ''}${last}?`;
}

function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[-_.]+/g, '.')
    .replace(/^\.|^aldis\./, '');
}
