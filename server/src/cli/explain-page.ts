import { DEFERRAL_CAUSES, PAUSE_CAUSES } from '../domain/causes.ts';
import { CAUSE_TEXTS, type Cause, FOUND_CAUSES, STATE_TEXTS, STEPS, type Text } from '../domain/explanation-texts.ts';
import { STATES } from '../domain/message.ts';

/** What `explain` says of each cause and each state, as a page. */
export function explainPage(): string {
  const causes = (of: readonly Cause[]) => of.map((cause) => row(cause, CAUSE_TEXTS[cause])).join('\n');
  const states = STATES.map((state) => row(state, STATE_TEXTS[state])).join('\n');
  const steps = Object.entries(STEPS).map(([step, words]) => `| \`${step}\` | ${words} |`);
  return `# Why has it not left?

\`GET /api/v1/messages/{id}/explain\` and \`aldis explain ID\` say of a message what state it is in, what holds it back now, what happens
next and when, what a person can do, and what has happened so far. All of it is of one moment, by the clock of the database.

\`\`\`json
{"message_id": "…", "state": "queued",
 "cause": {"code": "token_invalid", "since": "…", "until": "…", "detail": "…", "provider_code": 190},
 "explanation": "The queue stands still: the access token is missing, expired or invalid. …",
 "next": {"what": "probe", "at": "…"}, "advice": "Give a new token: …", "uncertain": false, "history": […]}
\`\`\`

\`cause\` is null for what has left or ended. Of several causes the first that is true is told, in this order: its batch, its schedule, its
template, its tenant, its sender, a pause of its queue, what puts this message off, the owner of its lane, a pace, its turn. \`until\` and
\`next.at\` are null when nobody knows; of its turn (\`ahead\`) they are a guess by the rate of the sender. \`next\` is \`expiry\` when the
message expires before anything else would happen. \`uncertain\` is true while it may have arrived without anything telling so:
an attempt is open, or a doubtful one was followed by another or by a failure.

## Causes that are found by looking

| Cause | What it means | Next | What a person can do |
|---|---|---|---|
${causes(FOUND_CAUSES)}

## Causes that put one message off

| Cause | What it means | Next | What a person can do |
|---|---|---|---|
${causes(DEFERRAL_CAUSES)}

## Causes that pause a queue

A pause holds every message of a sender, of an account, of an app, or all that goes to WhatsApp. Nothing of it fails; from time to time
one message is let through to see.

| Cause | What it means | Next | What a person can do |
|---|---|---|---|
${causes(PAUSE_CAUSES)}

## States

| State | What it means | Next | What a person can do |
|---|---|---|---|
${states}

## What comes next

| \`next.what\` | Meaning |
|---|---|
${steps.join('\n')}

## The history

Each step has its time and its \`source\`: \`answer\` is the answer to the call, \`receipt\` a webhook of WhatsApp, \`policy\` what Aldis decided
of a message in doubt. \`postponed\`: its grace was over without evidence; \`evidence\`: receipts of later messages proved that its own
did not come; \`decision\`: it was sent once more (\`resend\`), or told as failed (\`tell\`).

This page is made of \`server/src/domain/explanation-texts.ts\`.
`;
}

function row(word: string, { sentence, next, advice }: Text): string {
  return `| \`${word}\` | ${sentence} | ${next === null ? '' : `\`${next}\``} | ${advice ?? ''} |`;
}
