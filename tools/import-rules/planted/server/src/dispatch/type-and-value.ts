// breaks: contract-dispatch
import type { ChannelsThing } from '../channels/whatsapp/thing.ts';
import { channelsThing } from '../channels/whatsapp/thing.ts';

export const built: ChannelsThing = channelsThing;
