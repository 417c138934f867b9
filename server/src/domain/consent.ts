import type { ContactId, MessageId, TenantId } from './ids.ts';

/**
 * Consent: who agreed to be written to, and who refused. Each word is kept with its source and its time; for each scope the
 * latest one holds. The scopes stand side by side: taking part in marketing again does not take back a refusal of everything.
 */
export const CONSENT_SCOPES = ['marketing', 'all'] as const;
export type ConsentScope = (typeof CONSENT_SCOPES)[number];

export const CONSENT_STATES = ['in', 'out'] as const;
export type ConsentState = (typeof CONSENT_STATES)[number];

/** By what the customer said so: a word in a message, our API, the provider's own switch, or a list brought along. */
export const CONSENT_SOURCES = ['keyword', 'api', 'whatsapp', 'import'] as const;
export type ConsentSource = (typeof CONSENT_SOURCES)[number];

/** One word of a customer on whether he wants to be written to. */
export interface Consent {
  tenant: TenantId;
  contact: ContactId;
  scope: ConsentScope;
  state: ConsentState;
  source: ConsentSource;
  /** The keyword, the provider's words, or what the caller says of it. */
  detail: string | null;
  /** The message that said it. Null: none did. */
  message: MessageId | null;
  /** When it was said. Milliseconds since 1970. */
  at: number;
}

/** Words by which customers opt out and in. A text counts when it is one of them, whole. */
export interface ConsentKeywords {
  opt_out: readonly string[];
  opt_in: readonly string[];
}

/** What a text says of consent, and the word it says it by. */
export interface KeywordMatch {
  state: ConsentState;
  /** As the list has it. */
  keyword: string;
}

/** A longer text is no keyword. Characters. */
const LONGEST_KEYWORD = 100;

/**
 * Makes what reads texts by lists of keywords: whole, whatever its case, accents, and spaces, marks or symbols around it. A hyphen
 * is a space: OPT OUT is `opt-out` as well. A word of both lists opts out.
 */
export function keywordReader({ opt_out, opt_in }: ConsentKeywords): (text: string) => KeywordMatch | null {
  const words = new Map<string, KeywordMatch>();
  for (const keyword of opt_in) words.set(plain(keyword), { state: 'in', keyword });
  for (const keyword of opt_out) words.set(plain(keyword), { state: 'out', keyword });
  words.delete('');
  return (text) => (text.length > LONGEST_KEYWORD ? null : (words.get(plain(text)) ?? null));
}

/**
 * Accents: marks that any script may have, and the points of Arabic and Hebrew, which are seldom written. In the scripts of India
 * marks are vowels, and another vowel makes another word: रुको is "wait", and रोकें "stop". So do the two marks of the Japanese.
 */
const ACCENTS = /[\p{Cf}[[\p{M}&&[\p{Script=Inherited}\p{Script=Arabic}\p{Script=Hebrew}]]--[\u3099\u309a]]]/gv;

/** Accents are left out after they were taken apart from their letters: `É` is `e` with one. Telephones write ’ for '. */
function plain(text: string): string {
  return text
    .normalize('NFKD')
    .replace(ACCENTS, '')
    .toLowerCase()
    .replace(/^[\p{P}\p{S}\s\p{Cc}]+|[\p{P}\p{S}\s\p{Cc}]+$/gu, '')
    .replace(/[\s\p{Pd}]+/gu, ' ')
    .replace(/[\u2018\u2019\u02bc]/g, "'");
}

/**
 * The texts of a customer's message that may be keywords: what he wrote, and the title and payload of a button or row that he
 * tapped. Captions are none: they are about their file.
 * @param content as it is stored; anything may be absent or of another type.
 */
export function sayingsOf(type: string, content: Readonly<Record<string, unknown>> | null): string[] {
  if (content === null) return [];
  const { text, reply } = content;
  const { title, payload } = isRecord(reply) ? reply : {};
  return [type === 'text' ? text : undefined, title, payload].filter(
    (saying): saying is string => typeof saying === 'string' && saying.length <= LONGEST_KEYWORD,
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
