import { askJson } from '../net/json-client.ts';

/**
 * The conversation service that sender-service documents: it keeps what was said, and is told of each message that was sent.
 * `POST {url}/api/v1/messages` with the header X-Tenant-Id.
 */
export interface ConversationService {
  /** Hands over one message. Never throws. @param tenant as that service knows it. */
  store(tenant: string, message: SaidMessage, signal: AbortSignal): Promise<Storing>;
}

/** As it is posted. */
export interface SaidMessage {
  conversation_id: string;
  /** `llm`, `agent`, `bot` or `user`. */
  sender_type: string;
  content: string;
  whatsapp_message_id: string | null;
}

/**
 * What came of it. `refused`: it does not want this message and will not later either. `away`: it does not answer, or as
 * something else would; the message may be stored all the same.
 */
export type Storing = { kind: 'stored' } | { kind: 'refused'; status: number } | { kind: 'away'; reason: string };

/** Refusals that speak of the message, whoever says them: a proxy too may find it too large. */
const THE_MESSAGE = new Set([400, 413, 415, 422]);
/** Refusals that speak of the caller, the address or the moment, not of the message. */
const NOT_THE_MESSAGE = new Set([401, 402, 403, 405, 407, 408, 421, 423, 425, 426, 429]);
/** It has this message: the first time its answer was lost. */
const CONFLICT = 409;

/** @param timeout milliseconds for the whole exchange. */
export function conversationService(url: string, timeout: number): ConversationService {
  const address = new URL(`${url}/api/v1/messages`);
  return {
    async store(tenant, message, signal) {
      try {
        const { status, text } = await askJson(address, timeout, message, { 'x-tenant-id': tenant }, signal);
        return readAnswer(status, text);
      } catch (error) {
        return { kind: 'away', reason: error instanceof Error ? error.message || error.name : String(error) };
      }
    },
  };
}

/** A page in place of JSON is of a proxy or of another program: the service itself said nothing. */
function readAnswer(status: number, text: string): Storing {
  const itself = text.trim() === '' || isJson(text);
  const ok = status >= 200 && status < 300;
  if (ok && itself) return { kind: 'stored' };
  if (ok) return { kind: 'away', reason: `it answered ${status} with something that is not JSON` };
  if (status === CONFLICT) return { kind: 'stored' };
  const final = status >= 400 && status < 500 && !NOT_THE_MESSAGE.has(status) && isJson(text);
  return final || THE_MESSAGE.has(status)
    ? { kind: 'refused', status }
    : { kind: 'away', reason: `it answered ${status}` };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
