import type { MediaType } from './message.ts';

/**
 * Which files WhatsApp takes, by what they are and not by what they are called, and how large they may be. From Meta's page
 * on media (business-phone-numbers/media, read 2026-09), in bytes. Megabytes are taken as the smaller ones, so that nothing that is
 * accepted here is refused there.
 */
const KB = 1e3;
const MB = 1e6;
export const LARGEST_DOCUMENT = 100 * MB;

/** As what WhatsApp takes a file; `other`: customers may send it, and it cannot be sent to them. */
export type MediaKind = MediaType | 'other';

export interface FileType {
  mime_type: string;
  kind: MediaKind;
  /** Of stickers: whether it moves. null for everything else. */
  animated: boolean | null;
}

const OOXML = 'application/vnd.openxmlformats-officedocument';

/** By the type that the content tells. */
const TAKEN: Readonly<Record<string, MediaType>> = {
  'image/jpeg': 'image',
  'image/png': 'image',
  'image/webp': 'sticker',
  'video/mp4': 'video',
  'video/3gpp': 'video',
  'audio/aac': 'audio',
  'audio/amr': 'audio',
  'audio/mpeg': 'audio',
  'audio/mp4': 'audio',
  'audio/ogg; codecs=opus': 'audio',
  'text/plain': 'document',
  'application/pdf': 'document',
  'application/msword': 'document',
  'application/vnd.ms-excel': 'document',
  'application/vnd.ms-powerpoint': 'document',
  [`${OOXML}.wordprocessingml.document`]: 'document',
  [`${OOXML}.spreadsheetml.sheet`]: 'document',
  [`${OOXML}.presentationml.presentation`]: 'document',
};

/** What to do with files that WhatsApp does not take, by type or by the part of it before the slash. */
const ADVICE: Readonly<Record<string, string>> = {
  'image/gif': 'WhatsApp takes no GIF; send it as JPEG, PNG or an MP4 video',
  'image/heic': 'WhatsApp takes no HEIC; send it as JPEG',
  'image/heif': 'WhatsApp takes no HEIC; send it as JPEG',
  image: 'WhatsApp takes images as JPEG or PNG only',
  'video/mpeg': 'WhatsApp takes no MPEG video; send it as MP4',
  video: 'WhatsApp takes videos as MP4 or 3GP only',
  'audio/wav': 'WhatsApp takes no WAV; send it as MP3, AAC or OGG with Opus',
  'audio/ogg': 'WhatsApp takes OGG only with Opus; send it so, or as MP3 or AAC',
  audio: 'WhatsApp takes audio as AAC, AMR, MP3, M4A or OGG with Opus only',
  'application/zip': 'WhatsApp takes no archives; send the files in it',
  'application/rtf': 'WhatsApp takes no RTF; send it as PDF or DOCX',
};
const OTHERWISE = 'WhatsApp takes documents as PDF, text, Word, Excel or PowerPoint only';

/** The largest file of a type that WhatsApp takes, in bytes. */
export function mostBytes({ kind, animated }: Pick<FileType, 'kind' | 'animated'>): number {
  switch (kind) {
    case 'image':
      return 5 * MB;
    case 'video':
    case 'audio':
      return 16 * MB;
    case 'sticker':
      return animated ? 500 * KB : 100 * KB;
    default:
      return LARGEST_DOCUMENT;
  }
}

/** As what a file is taken, by the type that its content tells; null: as nothing. */
export function kindOf(mimeType: string): MediaType | null {
  return Object.hasOwn(TAKEN, mimeType) ? (TAKEN[mimeType] as MediaType) : null;
}

/** Why a file of a type is not taken, and what to do instead. null: nobody could tell what it is. */
export function adviceFor(mimeType: string | null): string {
  if (mimeType === null) return OTHERWISE;
  const [family = ''] = mimeType.split('/', 1);
  return ADVICE[mimeType] ?? ADVICE[family] ?? OTHERWISE;
}

/** What a browser may show by itself: none of it runs. Everything else is for saving, whatever it is called. */
const SHOWN: ReadonlySet<string> = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'video/mp4',
  'video/3gpp',
  'audio/aac',
  'audio/amr',
  'audio/mpeg',
  'audio/mp4',
  'audio/ogg; codecs=opus',
  'application/pdf',
]);

/** The type that a file is served with, and whether it is shown or saved. */
export function servedAs(mimeType: string): { type: string; disposition: 'inline' | 'attachment' } {
  if (SHOWN.has(mimeType)) return { type: mimeType, disposition: 'inline' };
  if (mimeType === 'text/plain') return { type: 'text/plain; charset=utf-8', disposition: 'attachment' };
  return { type: kindOf(mimeType) === null ? 'application/octet-stream' : mimeType, disposition: 'attachment' };
}

const EXTENSIONS: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'audio/ogg; codecs=opus': 'ogg',
  'text/plain': 'txt',
  'application/pdf': 'pdf',
  'application/msword': 'doc',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.ms-powerpoint': 'ppt',
  [`${OOXML}.wordprocessingml.document`]: 'docx',
  [`${OOXML}.spreadsheetml.sheet`]: 'xlsx',
  [`${OOXML}.presentationml.presentation`]: 'pptx',
};

/** The name a file is saved under when nobody gave it one. */
export function nameFor(mimeType: string): string {
  return `file.${EXTENSIONS[mimeType] ?? 'bin'}`;
}
