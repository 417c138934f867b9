import type { Static } from 'typebox';
import type { GivenConsent } from '../../actions/consent.ts';
import type { SaidBy } from '../../actions/consent-lists.ts';
import type { Consent } from '../../domain/consent.ts';
import { AldisError } from '../../domain/errors.ts';
import { parseTime } from '../../domain/times.ts';
import { listConsents } from '../../store/consents.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import { recordPage } from '../record-page.ts';
import { IdParameter } from '../schemas.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { type Flaw, validationError } from '../validation.ts';
import { CONSENT_ROUTES, ConsentByAddress, ConsentPage } from './consents.schema.ts';
import { contactInQuestion } from './contacts.ts';

/** Who agreed to be written to, and who refused. */
export function consentRoutes(app: HttpApp, { db, keys, clock, contacts, settings }: HttpDeps): void {
  const reading = guard(keys, 'contacts:read');
  const writing = guard(keys, 'contacts:write');

  app.post(
    '/api/v1/contacts/:id/consent',
    { schema: { ...CONSENT_ROUTES.give, params: IdParameter }, onRequest: writing },
    async (request, reply) => {
      const { tenant_id: tenant } = principalOf(request);
      const said = saidOf(request.body, clock.now());
      const contact = await contactInQuestion(db, tenant, request.params.id);
      const given = await contacts.consent({ ...said, tenant, contact });
      return reply.code(201).send(answer(given));
    },
  );

  app.get(
    '/api/v1/contacts/:id/consents',
    {
      schema: { ...CONSENT_ROUTES.history, params: IdParameter },
      onRequest: reading,
      preValidation: integersOf(ConsentPage),
    },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const contact = await contactInQuestion(db, tenant_id, request.params.id);
      const { rows, next_cursor } = await recordPage(request.query, (before, limit) =>
        listConsents(db, tenant_id, contact, before, limit),
      );
      return { consents: rows, next_cursor };
    },
  );

  app.post('/api/v1/consents', { schema: CONSENT_ROUTES.giveByAddress, onRequest: writing }, async (request, reply) => {
    const said = saidBy(request.body, clock.now());
    return reply.code(201).send(answer(await contacts.consentList(principalOf(request).tenant_id, [said])));
  });

  app.post(
    '/api/v1/consents/batch',
    { schema: CONSENT_ROUTES.giveMany, onRequest: writing, bodyLimit: settings.batch_body_limit },
    async (request) => {
      const isConsent = request.compileValidationSchema(ConsentByAddress, 'body');
      const now = clock.now();
      const said: SaidBy[] = [];
      const errors: Refusal[] = [];
      request.body.consents.forEach((item, index) => {
        try {
          if (!isConsent(item)) throw validationError(isConsent.errors?.[0] as Flaw, 'consent');
          // The validator has just said so.
          said.push(saidBy(item as Static<typeof ConsentByAddress>, now));
        } catch (error) {
          if (!(error instanceof AldisError)) throw error;
          const { code, message, field } = error;
          errors.push({ index, error: code, code: code.toUpperCase(), message, field });
        }
      });
      const { stopped } = await contacts.consentList(principalOf(request).tenant_id, said);
      return { accepted: said.length, refused: errors.length, messages_stopped: stopped, errors };
    },
  );
}

interface Refusal {
  index: number;
  error: string;
  code: string;
  message: string;
  field: string | null;
}

type Asked = Pick<Static<typeof ConsentByAddress>, 'scope' | 'state' | 'source' | 'detail' | 'at'>;

/** Clocks of whoever asks may be so far ahead. Milliseconds. */
const AHEAD = 60_000;

function saidOf({ scope, state, source = 'api', detail, at }: Asked, now: number): Omit<Consent, 'tenant' | 'contact'> {
  const time = at === undefined ? now : parseTime(at);
  if (time === null || time > now + AHEAD) {
    throw new AldisError('invalid_field', 'at must be a time that is not in the future.', { field: 'at' });
  }
  // Not later than now: else it would hold against what the customer says in between.
  return { scope, state, source, detail: detail ?? null, message: null, at: Math.min(time, now) };
}

/** @throws {AldisError} `missing_field`, `two_addressees` */
function saidBy({ phone, user_id, ...said }: Static<typeof ConsentByAddress>, now: number): SaidBy {
  if (phone !== undefined && user_id !== undefined)
    throw new AldisError('two_addressees', undefined, { field: 'user_id' });
  const address =
    phone !== undefined
      ? ({ kind: 'phone', value: phone } as const)
      : user_id !== undefined
        ? ({ kind: 'bsuid', value: user_id } as const)
        : null;
  if (address === null) throw new AldisError('missing_field', 'phone or user_id is required.', { field: 'phone' });
  return { ...saidOf(said, now), person: { addresses: [address], name: null } };
}

function answer({ settled, stopped }: GivenConsent) {
  const [now] = settled;
  if (now === undefined) throw new Error('a consent that was just written does not hold');
  const { contact_id, marketing_consent, contact_consent } = now;
  return { contact_id, marketing_consent, contact_consent, messages_stopped: stopped };
}
