import type { Content, Message, Template } from '../message.ts';
import { bodyTextOf } from './interactive.ts';

/** What a message says in one line of text, for who keeps texts only: its own, else what names its other parts. */
export function plainText(content: Message['content'], template: Template | null): string {
  const { text, media_url, filename, media_id, location, contacts, reaction, interactive } = (content ?? {}) as Content;
  if (text !== undefined) return text;
  if (location !== undefined) {
    const { name, address, latitude, longitude } = location;
    return [name, address].filter((part) => part).join(', ') || `${latitude}, ${longitude}`;
  }
  if (contacts !== undefined) return contacts.map(({ name }) => name.formatted_name).join(', ');
  return (
    reaction?.emoji ??
    bodyTextOf(interactive) ??
    media_url ??
    filename ??
    media_id ??
    template?.name ??
    interactive?.type ??
    ''
  );
}
