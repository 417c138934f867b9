import { AldisError } from '../errors.ts';
import { isMediaUrl } from '../media.ts';
import { checkUnique, listAt, missing, objectAt, optionalStringAt, stringAt, wordAt } from './fields.ts';

/** Characters and numbers of what a customer can tap: Meta, messages/interactive-reply-buttons-messages and -list-messages. */
const LIMITS = {
  buttons: 3,
  buttonTitle: 20,
  buttonId: 256,
  listButton: 20,
  sections: 10,
  sectionTitle: 24,
  rows: 10,
  rowTitle: 24,
  rowDescription: 72,
  rowId: 200,
  ctaText: 20,
} as const;

/** Up to three buttons that answer. */
export function checkButtons(path: string, value: unknown): void {
  const { buttons } = objectAt(path, value, ['buttons']);
  const ids = new Set<string>();
  const titles = new Set<string>();
  listAt(`${path}.buttons`, buttons, 1, LIMITS.buttons).forEach((one, i) => {
    const at = `${path}.buttons[${i}]`;
    const button = objectAt(at, one, ['type', 'reply']);
    wordAt(`${at}.type`, button['type'], ['reply']);
    const reply = objectAt(`${at}.reply`, button['reply'], ['id', 'title']);
    checkUnique(`${at}.reply.id`, stringAt(`${at}.reply.id`, reply['id'], LIMITS.buttonId), ids);
    checkUnique(`${at}.reply.title`, stringAt(`${at}.reply.title`, reply['title'], LIMITS.buttonTitle), titles);
  });
}

/** Up to ten rows, in sections, behind one button. */
export function checkList(path: string, value: unknown): void {
  const { button, sections } = objectAt(path, value, ['button', 'sections']);
  stringAt(`${path}.button`, button, LIMITS.listButton);
  const ids = new Set<string>();
  let total = 0;
  checkSections(`${path}.sections`, sections, 'rows', (at, row) => {
    checkTotal(at, ++total, LIMITS.rows, 'rows');
    const { id, title, description } = objectAt(at, row, ['id', 'title', 'description']);
    checkUnique(`${at}.id`, stringAt(`${at}.id`, id, LIMITS.rowId), ids);
    stringAt(`${at}.title`, title, LIMITS.rowTitle);
    optionalStringAt(`${at}.description`, description, LIMITS.rowDescription);
  });
}

/** Sections of rows or products: each needs a title when there are several. */
export function checkSections(
  path: string,
  value: unknown,
  items: 'rows' | 'product_items',
  checkItem: (path: string, item: unknown) => void,
): void {
  const sections = listAt(path, value, 1, LIMITS.sections);
  sections.forEach((one, i) => {
    const at = `${path}[${i}]`;
    const section = objectAt(at, one, ['title', items]);
    const { title } = section;
    if (title === undefined && sections.length > 1) throw missing(`${at}.title`, 'is required with several sections');
    optionalStringAt(`${at}.title`, title, LIMITS.sectionTitle);
    const list = listAt(`${at}.${items}`, section[items], 1, Number.POSITIVE_INFINITY);
    list.forEach((item, place) => {
      checkItem(`${at}.${items}[${place}]`, item);
    });
  });
}

/** Holds that a message has no more than `most` of something in all its sections together. */
export function checkTotal(path: string, total: number, most: number, what: string): void {
  if (total <= most) return;
  const text = `${path} is one too many: all sections together may have at most ${most} ${what}.`;
  throw new AldisError('invalid_field', text, { field: path, details: { limit: most } });
}

/** One button that opens a page. */
export function checkCta(path: string, value: unknown): void {
  const { name, parameters } = objectAt(path, value, ['name', 'parameters']);
  wordAt(`${path}.name`, name, ['cta_url']);
  const { display_text, url } = objectAt(`${path}.parameters`, parameters, ['display_text', 'url']);
  stringAt(`${path}.parameters.display_text`, display_text, LIMITS.ctaText);
  if (url === undefined) throw missing(`${path}.parameters.url`);
  if (typeof url !== 'string' || !isMediaUrl(url)) {
    const field = `${path}.parameters.url`;
    throw new AldisError('invalid_field', `${field} must be an http or https URL of at most 2048 characters.`, {
      field,
      details: { limit: 2048 },
    });
  }
}

/** An action that only has a name. */
export function checkNamed(word: string): (path: string, value: unknown) => void {
  return (path, value) => {
    wordAt(`${path}.name`, objectAt(path, value, ['name'])['name'], [word]);
  };
}
