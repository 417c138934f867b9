import type { Queryable } from '../../db/pool.ts';
import type { Config } from '../../runtime/settings.ts';
import { type Finding, ok, warn } from './finding.ts';

const living = {
  name: 'doctor_instances',
  text: 'select count(*)::integer as count from instances where expires_at > clock_timestamp()',
};

/** Whether the instances that are at work now, if there are several, find each other's files. */
export async function checkInstances(db: Queryable, { media }: Config): Promise<Finding[]> {
  const [row] = await db.query<{ count: number }>(living);
  const count = row?.count ?? 0;
  if (count < 2) return [];
  const name = 'instances';
  const inBucket = media.s3.bucket !== null && media.store !== 'disk';
  if (inBucket || media.folder !== null) return [ok(name, `${count} are at work`)];
  return [
    warn(
      name,
      `${count} are at work, and this one keeps files in its own data folder, where the others do not find them`,
      'set media.s3.bucket, or media.folder to a folder that all of them reach',
    ),
  ];
}
