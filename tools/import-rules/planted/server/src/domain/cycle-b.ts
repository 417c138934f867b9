// The other half of cycle-a.ts: a cycle is told once.
import type { A } from './cycle-a.ts';

export type B = A | 'b';
