/**
 * How a customer is addressed: by phone number, or by an id that WhatsApp scopes to the business.
 * Only the shape is checked; whether a number exists, WhatsApp decides.
 */
export type AddressKind = 'phone' | 'bsuid';

/** E.164 with the plus sign: without it WhatsApp prepends the business's own country code. */
export const E164 = /^\+[1-9]\d{6,14}$/;

/**
 * Mexico, Argentina and Brazil: there WhatsApp knows many people by another number than is dialled (+5511987654321 is 551187654321
 * to it), takes both, and tells its own in receipts and webhooks.
 */
const SPELT_OTHERWISE = /^\+5[245]/;

/** Whether WhatsApp may call somebody by another number than he is written to with. */
export function mayBeSpeltOtherwise(phone: string): boolean {
  return SPELT_OTHERWISE.test(phone);
}

/** A business-scoped user id: a country code, a dot and up to 128 letters and digits (Meta, business-scoped-user-ids). */
export const BSUID = /^[A-Z]{2}\.[A-Za-z0-9]{1,128}$/;

/** Which kind of address a string is, or null when it is none. */
export function addressKind(value: string): AddressKind | null {
  if (E164.test(value)) return 'phone';
  return BSUID.test(value) ? 'bsuid' : null;
}
