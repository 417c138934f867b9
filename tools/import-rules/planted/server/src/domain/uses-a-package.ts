// breaks: domain-is-pure
import { distance } from 'fastest-levenshtein';

export const used = distance;
