import Type from 'typebox';
import { PAUSE_CAUSES } from '../../domain/causes.ts';
import { PAUSE_SCOPES } from '../../domain/provider-errors.ts';
import { ERRORS_OF_ROUTES, NO_QUERY, NullableString, reference, Time, words } from '../schemas.ts';
import { closed, DeletedAnswer, PAGE, pageOf, TENANT, TenantHeader } from './record-pages.schema.ts';

const PauseObject = Type.Object(
  {
    id: Type.String(),
    tenant_id: { ...NullableString, description: "Null: whoever's messages; of an app, or of WhatsApp itself." },
    scope: words([...PAUSE_SCOPES]),
    sender_id: NullableString,
    app: NullableString,
    account_id: NullableString,
    country: {
      ...NullableString,
      description: 'As ISO 3166 has it. Several with + where a number may be of any of them.',
    },
    cause: words([...PAUSE_CAUSES]),
    code: Type.Unsafe<number | null>({
      type: ['integer', 'null'],
      description: "WhatsApp's error code. Null: it did not answer.",
    }),
    title: Type.String(),
    detail: NullableString,
    advice: { ...NullableString, description: 'What a person can do.' },
    opened_at: Time,
    probe_at: Type.Unsafe<Date | null>({
      type: ['string', 'null'],
      format: 'date-time',
      description: 'When one message is let through to see. Null: only a change by a person ends it.',
    }),
    probes: Type.Integer({ description: 'How many messages found it still shut.' }),
  },
  { $id: 'Pause', description: 'A queue that stands still: its messages are held, and none fails of it.' },
);
const PauseList = pageOf('pauses', reference(PauseObject), 'PauseList');
export const PausePage = Type.Object({ ...TENANT, ...PAGE }, closed);

const tags = ['operation'];

export const PAUSE_ROUTES = {
  list: {
    tags,
    summary: 'Queues that stand still, the newest first',
    description:
      "A tenant's own and those that hold one of its senders. An operator's key sees all, or with tenant_id those of a tenant.",
    headers: TenantHeader,
    querystring: PausePage,
    response: { 200: reference(PauseList), ...ERRORS_OF_ROUTES },
  },
  end: {
    tags,
    summary: 'Let a queue go on',
    description:
      "What waits in it goes at once. If the trouble lasts, the next answer shuts it again. One that is not the tenant's alone is ended by an operator.",
    querystring: NO_QUERY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
} as const;

export const PAUSE_PARTS = [PauseObject, PauseList];
