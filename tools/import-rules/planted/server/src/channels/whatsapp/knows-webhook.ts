// breaks: channels-apart
import { webhookThing } from '../webhook/thing.ts';

export const known = webhookThing;
