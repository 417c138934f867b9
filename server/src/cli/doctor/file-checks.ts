import { accessSync, constants, existsSync } from 'node:fs';
import { configuredS3 } from '../../outside/configured-s3.ts';
import type { Config } from '../../runtime/settings.ts';
import { type Finding, fail, ok, reasonOf } from './finding.ts';

/** Where files lie, if that is not the data folder: a folder of its own, or a bucket. */
export async function checkFiles({ media }: Config): Promise<Finding[]> {
  const store = await configuredS3(media);
  if (store !== null) {
    const bucket = `the bucket ${media.s3.bucket ?? ''}`;
    try {
      await store.check();
      return [ok('files', `${bucket} can be used`)];
    } catch (error) {
      const advice =
        'check media.s3: the bucket has to be there, and the key needs leave to read, write and delete in it';
      return [fail('files', `${bucket} cannot be used: ${reasonOf(error)}`, advice)];
    } finally {
      await store.close();
    }
  }
  const { folder } = media;
  if (folder === null || !existsSync(folder)) return [];
  try {
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    return [ok('files', `${folder} can be written`)];
  } catch (error) {
    const advice = 'give the user of the server the folder (chown), or name another in media.folder';
    return [fail('files', `${folder} cannot be used: ${reasonOf(error)}`, advice)];
  }
}
