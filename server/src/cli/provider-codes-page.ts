import { knownCodes, providerError, TABLE_DATE } from '../domain/provider-errors.ts';

/** The provider's error codes and what follows each, as a page. */
export function providerCodesPage(): string {
  const rows = knownCodes().map((code) => {
    const { class: kind, meaning, tries } = providerError(code);
    return `| ${code} | ${meaning} | ${kind} | ${tries ?? ''} |`;
  });
  return `# Error codes of WhatsApp

What Aldis does when WhatsApp answers a send with an error, or tells of one later by a receipt. The codes and their meanings are
those of Meta's page *Error codes* (support/error-codes) as of ${TABLE_DATE}; the classes are our own reading of them. Aldis goes by
the code, never by the HTTP status.

| class | what follows |
|---|---|
| \`retry\` | another attempt, after a wait drawn at random below \`engine.backoff_base\`, doubled with each attempt up to \`engine.backoff_cap\`; a \`Retry-After\` is a lower bound. *Most attempts* in all, else as long as the message is valid |
| \`throttle\` | the same, and the number's saved-up rate is thrown away |
| \`pair\` | too many messages to one recipient: another attempt after 4, 16, 64, 256, then every 1,024 seconds |
| \`hold\` | nothing is wrong with the message and only a person can mend it: another attempt every 30 to 60 seconds |
| \`refuse\` | the message fails at once |

\`engine.max_attempts\`, where it is set, and the message's validity end all of them. Codes 200 to 299 are \`hold\` (permission missing),
131200 to 131299 \`refuse\` (groups), and a code that is not in the table is \`retry\`, three attempts in all.

| Code | Meaning | Class | Most attempts |
|---|---|---|---|
${rows.join('\n')}

This page is made of \`server/src/domain/provider-errors.ts\`.
`;
}
