// breaks: client-stands-alone
import { createHash } from 'node:crypto';

export const known = createHash('sha256');
