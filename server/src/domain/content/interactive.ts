import { AldisError } from '../errors.ts';
import type { Interactive } from '../message.ts';
import { opaqueFlaw } from '../opaque.ts';
import { invalid, objectAt, openObjectAt, stringAt } from './fields.ts';
import { checkButtons, checkCta, checkList, checkNamed } from './interactive-buttons.ts';
import { checkCarousel } from './interactive-carousel.ts';
import { checkAddress, checkCatalog, checkFlow, checkProduct, checkProducts } from './interactive-commerce.ts';
import { ANY_HEADER, checkHeader, checkLabel, type HeaderType } from './interactive-parts.ts';

/** Characters of the parts of an interactive message (Meta, messages/interactive-*), and bytes of the whole, which are ours. */
const LIMITS = { body: 1024, footer: 60, bytes: 65_536 } as const;

/** What a kind of interactive message has beside its action. */
interface Kind {
  /** The headers it takes; none: it has no header. */
  headers: readonly HeaderType[];
  needsHeader?: true;
  body: 'required' | 'optional';
  footer: boolean;
  checkAction: (path: string, action: unknown) => void;
}

const plain = { headers: [], body: 'required', footer: true } as const;

const KINDS: Readonly<Record<string, Kind>> = {
  button: { ...plain, headers: ANY_HEADER, checkAction: checkButtons },
  list: { ...plain, headers: ['text'], checkAction: checkList },
  cta_url: { ...plain, headers: ANY_HEADER, checkAction: checkCta },
  location_request_message: { ...plain, footer: false, checkAction: checkNamed('send_location') },
  flow: { ...plain, headers: ANY_HEADER, checkAction: checkFlow },
  product: { ...plain, body: 'optional', checkAction: checkProduct },
  product_list: { ...plain, headers: ['text'], needsHeader: true, checkAction: checkProducts },
  catalog_message: { ...plain, checkAction: checkCatalog },
  carousel: { ...plain, footer: false, checkAction: checkCarousel },
  address_message: { ...plain, headers: ANY_HEADER, checkAction: checkAddress },
};

/** The kinds of interactive messages, by the word that WhatsApp has for each. */
const INTERACTIVE_TYPES: readonly string[] = Object.keys(KINDS);

/** The text of an interactive message's body, if it has one: what names are filled in in. */
export function bodyTextOf(interactive: unknown): string | undefined {
  const { body } = isParts(interactive) ? interactive : {};
  const { text } = isParts(body) ? body : {};
  return typeof text === 'string' ? text : undefined;
}

/** Checks what can be tapped, which is passed on as it is. */
export function checkInteractive(path: string, value: unknown): Interactive {
  const whole = openObjectAt(path, value);
  const flaw = opaqueFlaw(whole, LIMITS.bytes);
  if (flaw) throw invalid(`${path}${flaw.path}`, flaw.flaw, LIMITS.bytes);
  const type = stringAt(`${path}.type`, whole['type'], 64);
  const kind = Object.hasOwn(KINDS, type) ? (KINDS[type] as Kind) : undefined;
  if (kind === undefined) {
    const field = `${path}.type`;
    throw new AldisError('unsupported_type', `${field} must be one of ${INTERACTIVE_TYPES.join(', ')}.`, { field });
  }
  const { header, body, footer, action } = objectAt(path, whole, [
    'type',
    ...(kind.headers.length > 0 ? ['header'] : []),
    'body',
    ...(kind.footer ? ['footer'] : []),
    'action',
  ]);
  if (header !== undefined || kind.needsHeader) checkHeader(`${path}.header`, header, kind.headers);
  if (body !== undefined || kind.body === 'required') checkLabel(`${path}.body`, body, LIMITS.body);
  if (footer !== undefined) checkLabel(`${path}.footer`, footer, LIMITS.footer);
  kind.checkAction(`${path}.action`, action);
  return { ...whole, type };
}

function isParts(value: unknown): value is { body?: unknown; text?: unknown } {
  return typeof value === 'object' && value !== null;
}
