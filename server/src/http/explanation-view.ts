import Type, { type Static } from 'typebox';
import { type ExplainSettings, explain } from '../domain/explanation.ts';
import { CAUSES, type Cause, STEPS, type Step } from '../domain/explanation-texts.ts';
import { statusOf } from '../domain/message.ts';
import type { Explained } from '../store/explanations.read.ts';
import { HistoryStep, historyView } from './history-view.ts';
import { NullableString, NullableTime, reference, StateWord, StatusWord } from './schemas.ts';

/** Why a message has not left, what happens next, and what a person can do. */
export const ExplanationObject = Type.Object(
  {
    message_id: Type.String(),
    status: StatusWord,
    state: StateWord,
    cause: Type.Unsafe<{
      code: Cause;
      since: Date | null;
      until: Date | null;
      detail: string | null;
      provider_code: number | null;
    } | null>({
      type: ['object', 'null'],
      description: 'What holds it back now; null: nothing, for it has left or ended.',
      properties: {
        code: { type: 'string', enum: [...CAUSES], description: 'docs/explain.md lists them.' },
        since: { type: ['string', 'null'], format: 'date-time', description: 'Null: not known.' },
        until: {
          type: ['string', 'null'],
          format: 'date-time',
          description: 'When it ends by itself, if that is known.',
        },
        detail: { type: ['string', 'null'] },
        provider_code: { type: ['integer', 'null'], description: "The provider's error code behind it." },
      },
    }),
    explanation: Type.String({ description: 'Its state and its cause in words.' }),
    next: Type.Unsafe<{ what: Step; at: Date | null } | null>({
      type: ['object', 'null'],
      description: 'What happens next; null: nothing more.',
      properties: {
        what: { type: 'string', enum: Object.keys(STEPS) },
        at: {
          type: ['string', 'null'],
          format: 'date-time',
          description: 'Null: nobody knows when. Of a turn in a queue it is a guess.',
        },
      },
    }),
    advice: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'What a person can do.' }),
    uncertain: Type.Boolean({ description: 'Whether it may have arrived, though nothing has told so.' }),
    scheduled_at: NullableTime,
    expires_at: NullableTime,
    sender_id: Type.String(),
    to: NullableString,
    history: Type.Array(reference(HistoryStep), {
      description: 'Every attempt, decision, failure and receipt, in order.',
    }),
  },
  { $id: 'Explanation' },
);
export type ExplanationObject = Static<typeof ExplanationObject>;

export function explanationView(message: Explained, settings: ExplainSettings): ExplanationObject {
  const { id, state, scheduled_at, expires_at, sender_id, address, direction } = message;
  return {
    message_id: id,
    status: statusOf(state),
    state,
    ...explain(message, settings),
    scheduled_at,
    expires_at,
    sender_id,
    to: direction === 'outbound' ? address : null,
    history: historyView(message),
  };
}
