// breaks: nobody-knows-the-client
import { clientThing } from '../../../client/src/thing.ts';

export const known = clientThing;
