// breaks: nobody-imports-boot
import { bootThing } from '../boot/thing.ts';

export const known = bootThing;
