import { randomInt } from 'node:crypto';
import type { WebSocket } from 'ws';
import type { Identifier } from '../../access/identify.ts';
import type { Principal } from '../../access/principal.ts';
import type { DeviceRow, Devices } from '../../actions/devices.ts';
import type { Queryable } from '../../db/pool.ts';
import { type CloseName, closeLabel } from '../../domain/close-codes.ts';
import type { AldisError } from '../../domain/errors.ts';
import type { EventPosition } from '../../domain/event-cursor.ts';
import type { InstanceId, TenantId } from '../../domain/ids.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { createRounds } from '../../runtime/rounds.ts';
import type { Signals } from '../../signals/signals.ts';
import { countDevices } from '../../store/devices.read.ts';
import { createCatchUp } from './catch-up.ts';
import type { Allowance } from './credit.ts';
import { createIncoming } from './incoming.ts';
import { createRoom, type Room } from './room.ts';
import { Socket } from './socket.ts';
import type { SocketActions } from './socket-actions.ts';

/**
 * All sockets of an instance, by tenant. One look a quarter of a second goes over them all: who is to be pinged, who is dead, whose token
 * has expired; there is no timer a socket.
 */
export interface Hub {
  readonly size: number;
  /** Whether it takes sockets; not while it stops, nor when it is full. */
  readonly open: boolean;
  /** The room of a tenant, held open until `admit` or `leave`. Rejects when the log cannot be read. */
  enter(tenant: TenantId): Promise<Room>;
  leave(room: Room): void;
  /** Where a client wants to begin: at its cursor, or (null) now. */
  findStart(room: Room, cursor: string | null): Promise<SocketBegin | CloseName>;
  /** Takes an open socket. */
  admit(room: Room, ws: WebSocket, arrival: Arrival): void;
  start(): void;
  /** Closes all sockets, and tells each when to come again. */
  stop(): Promise<void>;
}

/** null: with what comes from now on. */
export type SocketBegin = { place: EventPosition; cursor: string } | null;

export interface Arrival {
  principal: Principal;
  device: Pick<DeviceRow, 'device_id' | 'platform' | 'app_version'>;
  begin: SocketBegin | CloseName;
}

export interface HubSettings {
  /** Most frames that wait for a client. */
  buffer: number;
  /** Most sockets of the instance. */
  most: number;
  /** Frames of one socket. */
  frames: Allowance;
  /** What one user says. */
  saying: Allowance;
}

export interface HubDeps {
  db: Queryable;
  signals: Signals;
  clock: Clock;
  logger: Pick<Logger, 'warn' | 'error'>;
  metrics: Pick<Metrics, 'onScrape' | 'sockets' | 'socketFrames' | 'socketCloses' | 'eventDelivery'>;
  instance: InstanceId;
  devices: Devices;
  identifier: Pick<Identifier, 'refusedNow'>;
  actions: SocketActions;
  settings: HubSettings;
  troubleOf(error: unknown): AldisError;
}

const LOOK_EVERY = 250;
/** Milliseconds without proof that a new message came, before the client is asked. */
const PROOF_WITHIN = 1000;
const PING_EVERY = 20_000;
const DEAD_AFTER = 30_000;
/** A client that does not answer a close frame is not waited for any longer. */
const CLOSING_LASTS = 5_000;
/** The room of a tenant stays for those who come back soon. */
const ROOM_LASTS = 30_000;
const CHECK_KEYS_EVERY = 5_000;
const SWEEP_EVERY = 5_000;
const FORGIVE_EVERY = 10_000;
const LOG_EVERY = 10_000;
/** Within this clients come back after a stop: so long for each thousand of them, at least a second. */
const SPREAD_A_THOUSAND = 1_000;
const GOODBYE = 1_500;

export function createHub(deps: HubDeps): Hub {
  const { db, signals, clock, logger, metrics, devices, identifier, settings } = deps;
  const rooms = new Map<TenantId, Room>();
  const held = new Map<Room, number>();
  const sockets = new Map<Socket, { room: Room; device: DeviceRow | null }>();
  const closing = new Set<Socket>();
  const kept = { bytes: 0 };
  let stopping = false;
  let keysChanged = false;
  let failedAt = Number.NEGATIVE_INFINITY;
  let checkedAt = clock.monotonic();
  let sweptAt = clock.monotonic();
  let forgaveAt = clock.monotonic();
  const unlisten: (() => void)[] = [];

  /** The database is away: it is said now and then, not by each reader at each try. */
  function failed(error: unknown): void {
    if (clock.monotonic() - failedAt < LOG_EVERY) return;
    failedAt = clock.monotonic();
    logger.warn({ error, part: 'websocket' }, 'the event log cannot be read for sockets; it is tried again');
  }

  const count = (direction: 'in' | 'out', type: string) => metrics.socketFrames.add(1, { direction, type });
  const catchUp = createCatchUp({ db, clock, failed });
  const incoming = createIncoming({
    ...settings,
    clock,
    actions: deps.actions,
    count,
    troubleOf: deps.troubleOf,
    async resume(room, socket, cursor) {
      const begin = await catchUp.find(room, cursor);
      if (typeof begin === 'string') return socket.close(begin);
      if (socket.closing) return;
      socket.moveTo(begin.place, begin.cursor);
      socket.tell('resuming', { cursor: begin.cursor });
      follow(room, socket);
    },
  });

  function follow(room: Room, socket: Socket): void {
    const { turn } = socket;
    catchUp.run(room, socket).then(() => {
      if (socket.live && socket.turn === turn) socket.tell('resumed', { cursor: socket.cursor });
    }, failed);
  }

  const options = {
    buffer: settings.buffer,
    count,
    closed(socket: Socket, code: number) {
      metrics.socketCloses.add(1, { code: closeLabel(code) });
      const here = sockets.get(socket);
      if (!here) return;
      sockets.delete(socket);
      socket.closedAt = clock.monotonic();
      closing.add(socket);
      const last = here.room.remove(socket);
      if (last && here.device !== null) devices.note(here.device, false);
    },
  };

  function heard(room: Room, socket: Socket): void {
    const proven = socket.heard(clock.monotonic());
    if (proven === null || socket.user === null) return;
    deps.actions.delivered(room.tenant, socket.user, proven).then((written) => {
      if (!written) socket.takeBack(proven, clock.monotonic());
    }, failed);
  }

  /** Never waits for the database: a client is pinged and dropped in time whatever that does. */
  async function look(): Promise<void> {
    const now = clock.monotonic();
    const time = clock.now();
    const forgiving = now - forgaveAt >= FORGIVE_EVERY;
    if (forgiving) forgaveAt = now;
    for (const socket of sockets.keys()) {
      const { expires_at } = socket.principal;
      if (expires_at !== null && expires_at <= time) socket.close('expired');
      else if (now - socket.heardAt >= DEAD_AFTER - LOOK_EVERY) {
        socket.close('no_answer');
        socket.terminate();
      } else if (socket.unprovenSince !== 0 && now - socket.unprovenSince >= PROOF_WITHIN) {
        if (socket.pingedAt < socket.unprovenSince) socket.ping(now);
      } else if (now - Math.max(socket.heardAt, socket.pingedAt) >= PING_EVERY) socket.ping(now);
      if (forgiving) socket.refusals >>= 1;
    }
    for (const socket of closing) if (now - socket.closedAt >= CLOSING_LASTS) socket.terminate();
    for (const [tenant, room] of rooms) {
      room.expireTyping(now);
      room.missed.expire(now);
      if (room.size > 0 || held.has(room) || now - room.emptySince < ROOM_LASTS) continue;
      rooms.delete(tenant);
      void room.reader.stop();
    }
  }

  async function write(): Promise<void> {
    await devices.write();
    await checkKeys(clock.monotonic());
    await sweep(clock.monotonic());
    for (const room of rooms.values()) {
      for (let socket = room.takeDoubtful(); socket; socket = room.takeDoubtful()) await forgetStrangers(room, socket);
    }
  }

  /** Ends the presence of users with whom a socket's shares no conversation any more. */
  async function forgetStrangers(room: Room, socket: Socket): Promise<void> {
    const watched = [...(socket.watched ?? [])];
    try {
      const known = new Set((await deps.actions.presence(socket.principal, watched)).map((one) => one.user_id));
      const strangers = watched.filter((user) => !known.has(user));
      if (strangers.length > 0) room.unwatch(socket, strangers);
    } catch (error) {
      room.doubt(socket);
      throw error;
    }
  }

  async function checkKeys(now: number): Promise<void> {
    if (sockets.size === 0 || (!keysChanged && now - checkedAt < CHECK_KEYS_EVERY)) return;
    keysChanged = false;
    checkedAt = now;
    const principals = new Set<Principal>();
    for (const { principal } of sockets.keys()) principals.add(principal);
    const refused = await identifier.refusedNow(principals);
    if (refused.size === 0) return;
    for (const socket of sockets.keys()) if (refused.has(socket.principal)) socket.close('refused');
  }

  /** Others' devices are taken away when their instance died; ours are written again if somebody thought so of us. */
  async function sweep(now: number): Promise<void> {
    if (now - sweptAt < SWEEP_EVERY) return;
    sweptAt = now;
    await devices.sweep();
    if (sockets.size === 0) return;
    const written = await countDevices(db, deps.instance);
    if (written >= sockets.size) return;
    const known = new Map<string, DeviceRow>();
    for (const { device } of sockets.values()) {
      if (device) known.set(`${device.tenant_id}\0${device.user_id}\0${device.device_id}`, device);
    }
    if (written < known.size) for (const device of known.values()) devices.note(device, true);
  }

  const failedToWrite = (error: unknown) =>
    logger.warn({ error, part: 'websocket' }, 'what is to be written of sockets could not be');
  const looks = createRounds({ every: LOOK_EVERY, round: look, failed: failedToWrite });
  const writes = createRounds({ every: LOOK_EVERY, round: write, failed: failedToWrite });

  function letGo(room: Room): void {
    const others = (held.get(room) ?? 1) - 1;
    if (others === 0) held.delete(room);
    else held.set(room, others);
  }

  return {
    get size() {
      return sockets.size;
    },
    get open() {
      return !stopping && sockets.size < settings.most;
    },
    async enter(tenant) {
      let room = rooms.get(tenant);
      if (!room) {
        room = createRoom(tenant, {
          ...{ db, signals, clock, kept, failed },
          delivered: (seconds) => metrics.eventDelivery.observe(seconds),
        });
        rooms.set(tenant, room);
      }
      held.set(room, (held.get(room) ?? 0) + 1);
      try {
        await room.reader.started;
        return room;
      } catch (error) {
        letGo(room);
        if (rooms.get(tenant) === room) rooms.delete(tenant);
        void room.reader.stop();
        throw error;
      }
    },
    leave: letGo,
    async findStart(room, cursor) {
      return cursor === null ? null : catchUp.find(room, cursor);
    },
    admit(room, ws, { principal, device, begin }) {
      letGo(room);
      const start = begin !== null && typeof begin !== 'string' ? begin : room.reader;
      const { device_id } = device;
      const { place, cursor } = start;
      const socket = new Socket(ws, { principal, device: device_id, place, cursor, now: clock.monotonic() }, options);
      const {
        user,
        principal: { tenant_id },
      } = socket;
      const row = user === null ? null : { ...device, tenant_id, user_id: user };
      sockets.set(socket, { room, device: row });
      const older = room.add(socket);
      ws.on('message', (data: Buffer, isBinary) => {
        if (socket.closing) return;
        heard(room, socket);
        if (isBinary) ws.close(1003, 'frames are text');
        else void incoming.take(room, socket, data.toString());
      });
      ws.on('pong', () => {
        if (!socket.closing) heard(room, socket);
      });
      // What is wrong with a connection is told by its end.
      ws.on('error', () => {});
      ws.on('close', (code) => {
        socket.ended(code);
        closing.delete(socket);
      });
      older?.close('replaced');
      if (typeof begin === 'string') return socket.close(begin);
      if (stopping) return socket.close('shutdown', `retry_after_ms=${randomInt(SPREAD_A_THOUSAND)}`);
      if (row !== null) devices.note(row, true);
      socket.tell('hello', { user_id: user, device_id, cursor });
      if (begin === null) room.goLive(socket);
      else follow(room, socket);
    },
    start() {
      unlisten.push(
        signals.hear((word) => rooms.get(word.tenant)?.hear(word)),
        signals.listen('keys', () => {
          keysChanged = true;
          writes.wake();
        }),
      );
      metrics.onScrape('websocket', () => metrics.sockets.set(sockets.size));
      looks.start();
      writes.start();
    },
    async stop() {
      stopping = true;
      for (const end of unlisten.splice(0)) end();
      const spread = Math.ceil(Math.max(1, sockets.size / 1000) * SPREAD_A_THOUSAND);
      for (const socket of [...sockets.keys()]) socket.close('shutdown', `retry_after_ms=${randomInt(spread)}`);
      const until = clock.monotonic() + GOODBYE;
      while (closing.size > 0 && clock.monotonic() < until) await new Promise((resolve) => setTimeout(resolve, 20));
      for (const socket of closing) socket.terminate();
      await Promise.all([looks.stop(), writes.stop()]);
      await devices.write().catch(failed);
      await Promise.all([...rooms.values()].map((room) => room.reader.stop()));
      rooms.clear();
    },
  };
}
