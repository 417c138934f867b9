import { boolean, bytes, choice, duration, text, url } from '../setting.ts';
import { DAY, HOUR, KIB, MB, MIB, MINUTE, SECOND } from '../units.ts';

/* Files that come, go and are made. */

export const MEDIA = {
  store: choice({
    default: 'auto',
    words: ['auto', 'disk', 's3'],
    about:
      'Where files lie: on the disk, or in an object storage that speaks as S3 does. `auto` is S3 when `media.s3.bucket` is set, else the disk.',
  }),
  folder: text({ default: null, about: 'The folder of files on the disk. Without one, `media` in the data folder.' }),
  max_file_size: bytes({
    default: 100 * MB,
    min: KIB,
    max: 2 * 1024 * MIB,
    aliases: ['AWS_S3_MAX_FILE_SIZE'],
    about: "The largest file that is taken in. WhatsApp's own limit for its type counts where it is smaller.",
  }),
  upload_timeout: duration({
    default: 10 * MINUTE,
    min: SECOND,
    max: HOUR,
    about: 'How long an upload may take to arrive whole. Other requests have `server.request_timeout`.',
  }),
  fetch_timeout: duration({
    default: MINUTE,
    min: SECOND,
    max: 10 * MINUTE,
    about: 'How long it may take to fetch a file from a URL that a request names.',
  }),
  link_lifetime: duration({
    default: 15 * MINUTE,
    min: SECOND,
    max: 7 * DAY,
    about: 'How long the link to a file works that `GET /api/v1/media/{id}` gives.',
  }),
  s3: {
    bucket: text({
      default: null,
      aliases: ['AWS_S3_BUCKET'],
      about: 'The bucket. It has to be there, and should be readable by nobody else.',
    }),
    region: text({
      default: 'us-east-1',
      aliases: ['AWS_REGION', 'AWS_DEFAULT_REGION'],
      about: 'Its region. Most servers but those of Amazon take any.',
    }),
    endpoint: url({
      default: null,
      aliases: ['AWS_ENDPOINT_URL_S3', 'AWS_ENDPOINT_URL'],
      about: "Where the object storage is. Without one, Amazon's own for the region.",
    }),
    access_key_id: text({
      default: null,
      secret: true,
      aliases: ['AWS_ACCESS_KEY_ID'],
      about: 'Who asks. Without one, the surroundings tell, such as the role of the machine.',
    }),
    secret_access_key: text({
      default: null,
      secret: true,
      aliases: ['AWS_SECRET_ACCESS_KEY'],
      about: 'The secret of that key.',
    }),
    session_token: text({
      default: null,
      secret: true,
      aliases: ['AWS_SESSION_TOKEN'],
      about: 'What a key that is lent for a while needs beside its secret.',
    }),
    path_style: boolean({
      default: false,
      about: 'Names the bucket in the path and not in the host name, as most servers but those of Amazon want it.',
    }),
    prefix: text({
      default: '',
      pattern: /^[\w./-]{0,200}$/,
      expects: 'letters, digits and . _ - /',
      about: 'What stands before the key of each object, such as `aldis/`.',
    }),
  },
} as const;

export const EXPORTS = {
  retention: duration({
    default: 7 * DAY,
    min: MINUTE,
    max: 90 * DAY,
    about: 'How long an export is kept when it has ended. Then it is removed, with its file.',
  }),
} as const;
