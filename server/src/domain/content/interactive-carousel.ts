import { invalid, listAt, objectAt, wordAt } from './fields.ts';
import { checkCta } from './interactive-buttons.ts';
import { checkProduct } from './interactive-commerce.ts';
import { checkHeader, checkLabel } from './interactive-parts.ts';

/** Cards and characters: Meta, messages/interactive-media-carousel-messages. */
const LIMITS = { least: 2, most: 10, body: 160 } as const;

/** Two to ten cards side by side, all of one type: a picture or film with a button, or a product. */
export function checkCarousel(path: string, value: unknown): void {
  const { cards } = objectAt(path, value, ['cards']);
  const headers = new Set<string>();
  const types = new Set<string>();
  listAt(`${path}.cards`, cards, LIMITS.least, LIMITS.most).forEach((card, i) => {
    checkCard(`${path}.cards[${i}]`, card, i, headers, types);
  });
}

function checkCard(path: string, value: unknown, place: number, headers: Set<string>, types: Set<string>): void {
  const { card_index, type, header, body, action } = objectAt(path, value, [
    'card_index',
    'type',
    'header',
    'body',
    'action',
  ]);
  if (card_index !== place)
    throw invalid(`${path}.card_index`, `must be ${place}: the cards are numbered in order from 0`);
  types.add(wordAt(`${path}.type`, type, ['cta_url', 'product']));
  if (types.size > 1) throw invalid(`${path}.type`, 'must be the same for all cards');
  if (types.has('product')) {
    checkProduct(`${path}.action`, action);
    return;
  }
  headers.add(checkHeader(`${path}.header`, header, ['image', 'video']));
  if (headers.size > 1) throw invalid(`${path}.header.type`, 'must be the same for all cards');
  if (body !== undefined) checkLabel(`${path}.body`, body, LIMITS.body);
  checkCta(`${path}.action`, action);
}
