import { isUuid } from './ids.ts';
import type { Content, Template } from './message.ts';

/** What of a message can name files of ours. */
interface Naming {
  type: string;
  content: Content | null;
  template: Template | null;
}

/** Under these names stand files in what is passed on to the provider: headers of templates, of their cards, of buttons. */
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

function idsIn(value: unknown): readonly string[] {
  const ids = new Set<string>();
  walk(value, (file) => {
    ids.add(file.id);
    return file;
  });
  return ids.size === 0 ? NONE : [...ids];
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
