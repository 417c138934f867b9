import type { MediaType } from './message.ts';

/**
 * Which files WhatsApp takes, by extension. From Meta's page on supported media types, read 2026-09; the provider looks at
 * the content itself, so this only spares what would surely fail.
 */
const TYPES: Readonly<Record<string, MediaType>> = {
  jpg: 'image',
  jpeg: 'image',
  png: 'image',
  mp4: 'video',
  '3gp': 'video',
  aac: 'audio',
  amr: 'audio',
  m4a: 'audio',
  mp3: 'audio',
  ogg: 'audio',
  opus: 'audio',
  txt: 'document',
  pdf: 'document',
  doc: 'document',
  docx: 'document',
  xls: 'document',
  xlsx: 'document',
  ppt: 'document',
  pptx: 'document',
};

/** Files that other services take and WhatsApp does not, with what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  gif: 'WhatsApp takes no GIF; send it as JPEG, PNG or an MP4 video',
  webp: 'WhatsApp takes WebP only as a sticker; send the image as JPEG or PNG',
  mpeg: 'WhatsApp takes no MPEG video; send it as MP4',
  mpg: 'WhatsApp takes no MPEG video; send it as MP4',
  wav: 'WhatsApp takes no WAV; send it as MP3, AAC or OGG with Opus',
};

const LONGEST_URL = 2048;

/** Whether a string is an absolute http or https URL that a provider can fetch. Nothing is fetched here. */
export function isMediaUrl(value: string): boolean {
  // URL parsing forgives blanks and drops tabs and line ends; what is stored must be the URL itself.
  return value.length <= LONGEST_URL && /^https?:\/\/[^\s\\]+$/i.test(value) && URL.canParse(value);
}

/**
 * What the extension of a URL's path tells: a type, why it is refused, or null when it tells nothing.
 * @param asked what it is to be sent as: WebP is taken as a sticker only.
 */
export function mediaTypeOf(url: string, asked?: MediaType): { type: MediaType } | { refused: string } | null {
  const extension = /\.([a-z0-9]{1,5})$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase();
  if (extension === undefined) return null;
  if (extension === 'webp' && asked === 'sticker') return { type: 'sticker' };
  if (Object.hasOwn(REFUSED, extension)) return { refused: REFUSED[extension] as string };
  return Object.hasOwn(TYPES, extension) ? { type: TYPES[extension] as MediaType } : null;
}
