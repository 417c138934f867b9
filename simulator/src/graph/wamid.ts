import { randomBytes } from 'node:crypto';

/**
 * WhatsApp message ids as Meta's look: `wamid.` and base64 of a small binary record that holds the phone number, one
 * byte for the direction and an upper-case hex id. Callers must treat them as opaque; that they resemble real ones shows
 * up a caller who does not (they hold `/`, `+` and `=`, and are longer than a UUID).
 */
const DIRECTIONS = { outbound: { mark: 0x11, length: 18 }, inbound: { mark: 0x12, length: 20 } } as const;

/** What sets this run of the program apart from every other. */
const RUN = randomBytes(4).toString('hex').toUpperCase();
let counter = 0;

/** A new id, unlike every other of this run and, in all likelihood, of any run. `address` is the customer's. */
export function newWamid(address: string, direction: keyof typeof DIRECTIONS): string {
  const { mark, length } = DIRECTIONS[direction];
  const id =
    RUN +
    (++counter)
      .toString(16)
      .toUpperCase()
      .padStart(length - RUN.length, '0');
  const shown = address.slice(0, 40);
  const size = String.fromCharCode;
  const record = `\x1c\x18${size(shown.length)}${shown}\x15\x02\x00${size(mark)}\x18${size(length)}${id}\x00`;
  return `wamid.${Buffer.from(record, 'latin1').toString('base64')}`;
}
