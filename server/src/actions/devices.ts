import type { Db } from '../db/pool.ts';
import { retryingOnConflict } from '../db/retry.ts';
import type { InstanceId, TenantId } from '../domain/ids.ts';
import type { Signals } from '../signals/signals.ts';
import { findLivingOf } from '../store/devices.read.ts';
import { type DeviceRow, deleteDevices, insertDevices, sweepDevices, type UserGone } from '../store/devices.write.ts';

export type { DeviceRow };

/**
 * Which devices are connected, written for others to read: many at a time, off the path of sockets. Only the last word about a device
 * is written, so one that comes again at once is never taken away by the end of its older socket.
 */
export interface Devices {
  /** Notes that a device is connected here, or is no more. Written by the next `write`. */
  note(device: DeviceRow, connected: boolean): void;
  /** Writes what was noted, and tells who came and went. What cannot be written is kept for the next time. */
  write(): Promise<void>;
  /** Takes away the devices of instances that died. */
  sweep(): Promise<void>;
}

/** Most devices in one statement. */
const TOGETHER = 1000;

export function createDevices({ db, signals, instance }: { db: Db; signals: Signals; instance: InstanceId }): Devices {
  /** By tenant, user and device. At most one for each socket that was opened or closed since the last write. */
  let noted = new Map<string, { device: DeviceRow; connected: boolean }>();
  let writing: Promise<void> = Promise.resolve();

  /**
   * Tells of those who have no device any more. One who moved to another instance meanwhile was written there by a transaction that
   * this one did not see: so it is asked once more, after the commit. Who comes later than that is told of later.
   */
  async function tellGone(all: readonly UserGone[]): Promise<void> {
    const gone = all.filter(({ online }) => !online);
    for (let from = 0; from < gone.length; from += TOGETHER) {
      const part = gone.slice(from, from + TOGETHER);
      // When that cannot be asked, what was read stands: their devices are gone, and it will not be told again.
      const living = await findLivingOf(db, part).catch(() => []);
      const back = new Set(living.map((one) => userKey(one.tenant_id, one.user_id)));
      for (const { tenant_id: tenant, user_id: user, online, last_seen } of part) {
        if (!back.has(userKey(tenant, user))) signals.say({ kind: 'presence', tenant, user, online, last_seen });
      }
    }
  }

  async function writeNoted(): Promise<void> {
    const all = [...noted];
    noted = new Map();
    for (let from = 0; from < all.length; from += TOGETHER) {
      const part = all.slice(from, from + TOGETHER);
      try {
        await writePart(part.map(([, one]) => one));
      } catch (error) {
        // A newer word about the same device stands.
        for (const [key, one] of all.slice(from)) if (!noted.has(key)) noted.set(key, one);
        throw error;
      }
    }
  }

  async function writePart(part: readonly { device: DeviceRow; connected: boolean }[]): Promise<void> {
    const come = part.filter((one) => one.connected).map((one) => one.device);
    const gone = part.filter((one) => !one.connected).map((one) => one.device);
    if (come.length > 0) {
      const fresh = await retryingOnConflict(() => insertDevices(db, instance, come));
      for (const { tenant_id: tenant, user_id: user, last_seen } of fresh) {
        signals.say({ kind: 'presence', tenant, user, online: true, last_seen });
      }
    }
    if (gone.length > 0) await tellGone(await retryingOnConflict(() => deleteDevices(db, instance, gone)));
  }

  return {
    note(device, connected) {
      noted.set(keyOf(device.tenant_id, device.user_id, device.device_id), { device, connected });
    },
    write() {
      if (noted.size === 0) return writing;
      // One after the other: a device's last word must be the last one written.
      const turn = writing.then(writeNoted);
      writing = turn.catch(() => {});
      return turn;
    },
    async sweep() {
      await tellGone(await retryingOnConflict(() => sweepDevices(db)));
    },
  };
}

function userKey(tenant: TenantId, user: string): string {
  return `${tenant}\0${user}`;
}

function keyOf(tenant: TenantId, user: string, device: string): string {
  return `${userKey(tenant, user)}\0${device}`;
}
