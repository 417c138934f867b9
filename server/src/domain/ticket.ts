import { hash, randomBytes } from 'node:crypto';

/** Milliseconds that a ticket may wait to be used. */
export const TICKET_LIFETIME = 30_000;

/** A new one-time ticket: 192 random bits behind a prefix that tells what it is. It is shown once; only its hash is stored. */
export function newTicket(): string {
  return `ticket_${randomBytes(24).toString('base64url')}`;
}

/** What is stored of a ticket: its SHA-256. */
export function hashTicket(ticket: string): Buffer {
  return hash('sha256', ticket, 'buffer');
}

/** Whether a text can be a ticket at all: what cannot is not asked for. */
export function isTicket(text: string): boolean {
  return /^ticket_[\w-]{32}$/.test(text);
}
