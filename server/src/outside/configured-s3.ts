import type { Config } from '../runtime/settings.ts';
import type { S3Store } from './object-store-s3.ts';

/** The object storage that the configuration names, with a look whether it can be used; null: files lie on the disk. */
export async function configuredS3({ s3, store }: Config['media']): Promise<S3Store | null> {
  const { bucket, region, endpoint, path_style: pathStyle, prefix } = s3;
  if (bucket === null || store === 'disk') return null;
  // Its client is large, and wanted by few.
  const { openS3Store } = await import('./object-store-s3.ts');
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = s3;
  const credentials =
    accessKeyId === null || secretAccessKey === null
      ? null
      : { accessKeyId, secretAccessKey, sessionToken: sessionToken ?? undefined };
  return openS3Store({ bucket, region, endpoint, credentials, pathStyle, prefix });
}
