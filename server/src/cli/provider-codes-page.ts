import { PROBES } from '../domain/pause.ts';
import { knownCodes, type ProviderError, providerError, TABLE_DATE } from '../domain/provider-errors.ts';

/** The provider's error codes and what follows each, as a page. */
export function providerCodesPage(): string {
  const rows = knownCodes().map((code) => {
    const error = providerError(code);
    const { class: kind, meaning, tries, advice } = error;
    const most = kind === 'refuse' ? '' : (tries ?? '');
    return `| ${code} | ${meaning} | ${kind} | ${stopped(error)} | ${next(error)} | ${most} | ${advice ?? ''} |`;
  });
  const probes = Object.entries(PROBES).map(([cause, { base, cap, least }]) => {
    return `| \`${cause}\` | ${span(base * least)} to ${span(base)} | ${base === cap ? 'the same' : span(cap)} |`;
  });
  return `# Error codes of WhatsApp

What Aldis does when WhatsApp answers a send with an error, or tells of one later by a receipt. The codes and their meanings are
those of Meta's page *Error codes* (support/error-codes) as of ${TABLE_DATE}; the classes are our own reading of them. Aldis goes by
the code, never by the HTTP status.

| class | what follows |
|---|---|
| \`retry\` | another attempt. Where the table names no time: after a wait drawn at random below \`engine.backoff_base\`, doubled with each attempt up to \`engine.backoff_cap\`; a \`Retry-After\` is a lower bound. *Most attempts* in all, else as long as the message is valid |
| \`breaker\` | the same, and it counts for the circuit breaker of its sender, as calls without an answer do |
| \`throttle\` | the same, and the number's rate is lowered |
| \`pair\` | too many messages to one recipient: another attempt after 1, 4, 16, 64, 256, then every 1,024 seconds |
| \`pause\` | nothing is wrong with the message: the queue that the table names stands still, and the message waits in it, whatever the attempts were |
| \`template\` | messages with that template are held until WhatsApp sends it again |
| \`refuse\` | the message fails at once |

\`engine.max_attempts\`, where it is set, ends all of them but \`pause\`; the message's validity ends all. Codes 200 to 299 are \`pause\`
(permission missing), 131200 to 131299 \`refuse\` (groups), and a code that is not in the table is \`retry\`, three attempts in all.

| Code | Meaning | Class | Stops | Next attempt | Most attempts | What you can do |
|---|---|---|---|---|---|---|
${rows.join('\n')}

## Pauses

While a queue stands still, one message at a time is let through to see. If it goes well, all follow. Otherwise the next wait is twice as
long, up to the longest. [operations.md](operations.md#pauses-and-holds) says how to see them and end them.

| cause | first probe after | longest wait |
|---|---|---|
${probes.join('\n')}

This page is made of \`server/src/domain/provider-errors.ts\` and \`server/src/domain/pause.ts\`.
`;
}

function stopped({ class: kind, scope, cause }: ProviderError): string {
  if (scope === null) return '';
  return kind === 'pause' ? `${scope}: \`${cause}\`` : scope;
}

function next({ schedule, notBefore }: ProviderError): string {
  switch (schedule.kind) {
    case 'fixed':
      return `after ${span(schedule.base)}`;
    case 'power':
      return `after 4^n times ${span(schedule.base)}`;
    case 'never':
      return notBefore > 0 ? `by a person, after ${span(notBefore)}` : '';
    case 'held':
    case 'backoff':
      return '';
  }
}

function span(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.round(seconds)} s`;
}
