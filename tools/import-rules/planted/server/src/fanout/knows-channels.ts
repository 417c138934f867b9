// breaks: room-fanout
import { channelsThing } from '../channels/whatsapp/thing.ts';

export const known = channelsThing;
