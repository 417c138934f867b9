import type { Identifier } from '../access/identify.ts';
import type { ChatActions } from '../actions/chat.ts';
import { createDevices } from '../actions/devices.ts';
import { AldisError } from '../domain/errors.ts';
import { createFrameActions, type FrameActionsDeps } from '../fanout/websocket/frame-actions.ts';
import { createHub } from '../fanout/websocket/hub.ts';
import { createSocketDoor, type SocketDoor } from '../fanout/websocket/upgrade.ts';
import { type Part, part } from '../runtime/lifecycle.ts';
import type { Config } from '../runtime/settings.ts';
import type { Common } from './engine.ts';

export interface SocketsOptions {
  identifier: Identifier;
  chat: ChatActions;
  say: FrameActionsDeps['say'];
  showCustomer: FrameActionsDeps['showCustomer'];
  markCustomersRead: FrameActionsDeps['markCustomersRead'];
  /** What an unexpected error means for the client; null: it is a mistake of ours. */
  troubleOf(error: unknown): 'unavailable' | 'overloaded' | 'storage_full' | null;
}

/** The sockets of an instance as a part, with the door by which they come. Stopped before the server that they come by. */
export interface Sockets extends Part, SocketDoor {}

/** Seconds after which it is worth trying again when nothing better is known. */
const SOON = 1;

export function buildSockets(
  config: Pick<Config, 'ws' | 'server'>,
  common: Pick<Common, 'db' | 'signals' | 'clock' | 'metrics' | 'logger' | 'instance'>,
  { identifier, chat, say, showCustomer, markCustomersRead, ...options }: SocketsOptions,
): Sockets {
  const { logger } = common;
  const { client_buffer_size, max_connections, frames_per_second, says_per_second, max_frame_size } = config.ws;
  const troubleOf = (error: unknown): AldisError => {
    const trouble = options.troubleOf(error);
    if (trouble) return new AldisError(trouble, undefined, { retryAfter: SOON });
    logger.error({ error, part: 'websocket' }, 'a frame or the opening of a socket failed');
    return new AldisError('internal');
  };
  const hub = createHub({
    ...common,
    identifier,
    devices: createDevices(common),
    actions: createFrameActions({
      ...common,
      chat,
      say,
      showCustomer,
      markCustomersRead,
      failed: (error) => logger.warn({ error, part: 'websocket' }, 'that messages were delivered could not be written'),
    }),
    settings: {
      buffer: client_buffer_size,
      most: max_connections,
      frames: { rate: frames_per_second, burst: 2 * frames_per_second },
      saying: { rate: says_per_second, burst: 2 * says_per_second },
    },
    troubleOf,
  });
  const door = createSocketDoor({
    hub,
    identifier,
    origins: config.server.cors_origins,
    maxFrame: max_frame_size,
    troubleOf,
  });
  return { ...door, ...part('sockets', async () => hub.start(), hub.stop) };
}
