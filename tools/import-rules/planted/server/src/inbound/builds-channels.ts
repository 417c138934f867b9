// breaks: contract-inbound
import { channelsThing } from '../channels/whatsapp/thing.ts';

export const built = channelsThing;
