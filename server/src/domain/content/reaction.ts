import type { Reaction } from '../message.ts';
import { checkString, invalid, missing, objectAt, stringAt } from './fields.ts';

/** Characters of an id, ours or the provider's. */
const ID = 512;
/** What an emoji has in it: a picture, a flag's letter, a keycap's frame. */
const PICTURE = /\p{Extended_Pictographic}|\p{RI}|\u20e3/u;
const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Checks a reaction (Meta, messages/reaction-messages): one emoji, or an empty one that takes the reaction back.
 * @param wamid the provider's id of the message, where `message_id` is our own. null: it has none.
 */
export function checkReaction(path: string, value: unknown, wamid: string | null | undefined): Reaction {
  const { message_id, emoji } = objectAt(path, value, ['message_id', 'emoji']);
  const id = stringAt(`${path}.message_id`, message_id, ID);
  if (wamid === null) throw invalid(`${path}.message_id`, 'names no message that has reached WhatsApp');
  return { message_id: id, emoji: checkEmoji(`${path}.emoji`, emoji), whatsapp_message_id: wamid ?? id };
}

export function checkEmoji(path: string, value: unknown): string {
  if (value === undefined) throw missing(path, 'is required; an empty one takes the reaction back');
  if (typeof value !== 'string') throw invalid(path, 'must be a string');
  if (value === '') return value;
  // No emoji is that long, and splitting is dear.
  if (value.length > 64 || [...graphemes.segment(value)].length !== 1 || !PICTURE.test(value)) {
    throw invalid(path, 'must be one emoji, or empty', 1);
  }
  return checkString(path, value);
}
