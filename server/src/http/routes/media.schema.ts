import Type from 'typebox';
import { MEDIA_TYPES } from '../../domain/message.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, reference, Time, words } from '../schemas.ts';
import { closed, DeletedAnswer, PAGE, pageOf } from './record-pages.schema.ts';

const MediaObject = Type.Object(
  {
    id: Type.String(),
    kind: words([...MEDIA_TYPES, 'other'], {
      description:
        'As what it can be sent. `other`: a customer sent it, and WhatsApp does not take it from a business.',
    }),
    mime_type: Type.String({ description: 'By its content, whatever it was called.' }),
    size: Type.Integer({ description: 'Bytes.' }),
    sha256: Type.String({ description: 'Of its content, hexadecimal.' }),
    animated: Type.Unsafe<boolean | null>({
      type: ['boolean', 'null'],
      description: 'Of a sticker: whether it moves. null for everything else.',
    }),
    filename: NullableString,
    source: words(['upload', 'url', 'inbound'], { description: '`inbound`: a customer sent it.' }),
    created_at: Time,
    url: Type.String({ description: 'Where it can be read without a key, until `url_expires_at`; with ranges.' }),
    url_expires_at: Time,
  },
  { $id: 'Media', description: 'A file. Each content is there once.' },
);
const MediaList = pageOf('media', reference(MediaObject), 'MediaList');
export const MediaPage = Type.Object(PAGE, closed);

/** What a file may be called. */
const Filename = Type.String({ minLength: 1, maxLength: 240, pattern: '^[^\\p{Cc}\\p{Cs}/\\\\]+$' });

/** What is validated: a form has no body to validate. */
export const MediaBody = Type.Unsafe<{ url?: string; filename?: string } | null>({
  type: ['object', 'null'],
  properties: {
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: 'Where the file is to be fetched from: http or https, at a public address.',
    }),
    filename: Type.Optional(Filename),
  },
  ...closed,
});

/** What is documented: a body of either type. */
export const MEDIA_BODIES = {
  content: {
    'multipart/form-data': {
      schema: {
        type: 'object',
        required: ['file'],
        properties: { file: { type: 'string', format: 'binary' } },
        additionalProperties: false,
      },
    },
    'application/json': { schema: { ...MediaBody, type: 'object', required: ['url'] } },
  },
};

const tags = ['media'];
const one = { 200: reference(MediaObject), ...ERRORS_OF_ROUTES };

export const MEDIA_ROUTES = {
  create: {
    tags,
    summary: 'Store a file',
    description:
      'Either `multipart/form-data` with one part, `file`, or JSON with the `url` to fetch it from. What it is, its content says: JPEG and PNG up to 5 MB; MP4 and 3GP, AAC, AMR, MP3, M4A and OGG with Opus up to 16 MB; text, PDF, Word, Excel and PowerPoint up to 100 MB; WebP as a sticker, up to 100 KB or, animated, 500 KB. 201: it is new. 200: there was one of the same content, which is told.',
    querystring: NO_QUERY,
    body: MediaBody,
    response: { 201: reference(MediaObject), ...one },
  },
  list: {
    tags,
    summary: 'List files, the newest first',
    querystring: MediaPage,
    response: { 200: reference(MediaList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'A file, with a link to its content', querystring: NO_QUERY, response: one },
  remove: {
    tags,
    summary: 'Delete a file that no open message is to send',
    querystring: NO_QUERY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const MEDIA_PARTS = [MediaObject, MediaList];
