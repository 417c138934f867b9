// breaks: contract-dispatch
import { channelsThing } from '../channels/whatsapp/thing.ts';

export const built = channelsThing;
