import { WebSocket } from 'ws';
import { pour } from './load.ts';

/** A frame as far as the benchmark looks into it. */
export interface Frame {
  type: string;
  cursor?: string;
  prev?: string;
  payload?: { cursor?: string; message?: { content?: string; user_id?: string } };
}

/** A client that only listens. */
export interface Device {
  user: string;
  socket: WebSocket;
  /** Of the last event that came, or where it began. */
  cursor: string | null;
  /** Frames of events that did not follow the one before. */
  broken: number;
}

export interface OpenOptions {
  /** The address of the socket of a user, by `ws:` or `http:`. */
  url(user: string): string;
  headers(user: string): Record<string, string>;
  hear(user: string, frame: Frame): void;
}

/** Sockets that are being opened at a time. */
const OPENING = 100;

export function userOf(n: number): string {
  return `user-${n}`;
}

/** Opens one socket for each of the first `count` users, a hundred at a time. Rejects when one is refused. */
export async function openDevices(count: number, { url, headers, hear }: OpenOptions): Promise<Device[]> {
  const devices: Device[] = new Array<Device>(count);
  await pour(count, OPENING, async (i) => {
    const user = userOf(i);
    const address = url(user).replace(/^http/, 'ws');
    const socket = new WebSocket(address, { headers: headers(user), perMessageDeflate: false });
    const device: Device = { user, socket, cursor: null, broken: 0 };
    devices[i] = device;
    socket.on('message', (data) => {
      const frame = JSON.parse((data as Buffer).toString()) as Frame;
      if (frame.prev !== undefined && frame.prev !== device.cursor) device.broken++;
      device.cursor = frame.cursor ?? (frame.type === 'hello' ? (frame.payload?.cursor ?? null) : device.cursor);
      hear(user, frame);
    });
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    socket.on('error', () => {});
  });
  return devices;
}

/** Cuts them, without a word. */
export function cutDevices(devices: readonly Device[]): void {
  for (const { socket } of devices) socket.terminate();
}
