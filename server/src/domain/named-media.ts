import { isUuid } from './ids.ts';
import type { Content, Template } from './message.ts';

/** What of a message can name files of ours. */
interface Naming {
  type: string;
  content: Content | null;
  template: Template | null;
}

/** Under these names stand files in what is passed on to the provider: headers of templates, of their cards, of interactive messages. */
const FILES: ReadonlySet<string> = new Set(['image', 'video', 'document', 'audio', 'sticker']);
const NONE: readonly string[] = [];

/**
 * The ids of the files that a message is sent with. The provider's own ids are digits, so a UUID is always one of ours. What a
 * template's message would have said is only kept for display, and names nothing.
 */
export function namedMedia({ type, content, template }: Naming): readonly string[] {
  if (type === 'template') return template?.components === undefined ? NONE : idsIn(template.components);
  if (content === null) return NONE;
  if (content.interactive !== undefined) return idsIn(content.interactive);
  return content.media_id === undefined ? NONE : [content.media_id];
}

/** The same message with the provider's ids in the places of ours. */
export function withProviderMedia<M extends Naming>(
  message: M,
  ids: ReadonlyMap<string, string>,
): M & { provider_media_id: string | null } {
  const { type, content, template } = message;
  const replaced = { ...message, provider_media_id: null };
  if (type === 'template') {
    return template?.components === undefined
      ? replaced
      : { ...replaced, template: { ...template, components: replacedIn(template.components, ids) } };
  }
  if (content?.interactive !== undefined) {
    return { ...replaced, content: { ...content, interactive: replacedIn(content.interactive, ids) } };
  }
  return { ...replaced, provider_media_id: ids.get(content?.media_id ?? '') ?? null };
}

/** A file of ours where it stands. */
export interface NamedFile {
  id: string;
  /** What it is sent as: image, video, document, audio or sticker. */
  as: string;
  /** `[0].parameters[0].image` */
  path: string;
}

/** What of a message is deeper than this is refused. */
const DEEPEST = 16;

/** The files of ours that are named in what is passed on to the provider. */
export function filesIn(value: unknown): NamedFile[] {
  const found: NamedFile[] = [];
  gather(value, 0, found);
  return found;
}

/** Most values name none: paths are written on the way back from one. */
function gather(value: unknown, depth: number, found: NamedFile[]): void {
  if (typeof value !== 'object' || value === null || depth === DEEPEST) return;
  const parts: Iterable<[string | number, unknown]> = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [name, part] of parts) {
    const before = found.length;
    if (typeof name === 'string' && FILES.has(name) && isOurs(part)) found.push({ id: part.id, as: name, path: '' });
    else gather(part, depth + 1, found);
    for (const file of found.slice(before))
      file.path = `${typeof name === 'number' ? `[${name}]` : `.${name}`}${file.path}`;
  }
}

function idsIn(value: unknown): readonly string[] {
  const files = filesIn(value);
  return files.length === 0 ? NONE : [...new Set(files.map(({ id }) => id))];
}

function replacedIn<T>(value: T, ids: ReadonlyMap<string, string>): T {
  return walk(value, (file) => ({ ...file, id: ids.get(file.id) ?? file.id })) as T;
}

/** Goes through a value and gives it back with each file in it as `visit` gives it. */
function walk(value: unknown, visit: (file: { id: string }) => object): unknown {
  if (Array.isArray(value)) return value.map((item) => walk(item, visit));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [
      name,
      FILES.has(name) && isOurs(part) ? visit(part) : walk(part, visit),
    ]),
  );
}

function isOurs(value: unknown): value is { id: string } {
  return (
    typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && isUuid(value.id)
  );
}
