// Allowed: hashes and random bytes.
import { createHash } from 'node:crypto';

export const used = createHash;
