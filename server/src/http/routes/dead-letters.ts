import type { Static } from 'typebox';
import type { DeadLetterFilter } from '../../domain/dead-letters.ts';
import { AldisError } from '../../domain/errors.ts';
import { type BatchId, isUuid, type TenantId } from '../../domain/ids.ts';
import { findDeadLetterGroups } from '../../store/dead-letters.read.ts';
import { guard, principalOf } from '../guard.ts';
import type { HttpDeps } from '../http-deps.ts';
import { integersOf } from '../query.ts';
import type { HttpApp } from '../typebox-provider.ts';
import { DEAD_LETTER_ROUTES, DeadLetterFilterQuery } from './dead-letters.schema.ts';
import { DAY, dateOf } from './message-filter.ts';

/** Failed messages of the key's tenant. */
export function deadLetterRoutes(app: HttpApp, deps: HttpDeps): void {
  app.get(
    '/api/v1/dead-letters',
    {
      schema: DEAD_LETTER_ROUTES.list,
      onRequest: guard(deps.keys, 'messages:read'),
      preValidation: integersOf(DeadLetterFilterQuery),
    },
    async (request) => {
      const { tenant_id } = principalOf(request);
      const filter = await deadLetterFilter(deps, tenant_id, request.query, '');
      return { dead_letters: typeof filter === 'string' ? [] : await findDeadLetterGroups(deps.db, tenant_id, filter) };
    },
  );
}

/**
 * Which failed messages are asked for, with external ids turned into own ones.
 * @param within the field that the filter stands in, with a dot.
 * @returns the name of a field that names a record that does not exist, if there is one: then nothing matches.
 * @throws {AldisError} `invalid_field` for a date that is none, or dates in the wrong order.
 */
export async function deadLetterFilter(
  { senders }: Pick<HttpDeps, 'senders'>,
  tenant: TenantId,
  asked: Static<typeof DeadLetterFilterQuery>,
  within: string,
): Promise<DeadLetterFilter | 'sender_id' | 'batch_id'> {
  const { sender_id, batch_id, error, error_code } = asked;
  const since = dateOf(`${within}since`, asked.since, 0)?.toISOString();
  const until = dateOf(`${within}until`, asked.until, DAY - 1)?.toISOString();
  if (since !== undefined && until !== undefined && since > until) {
    throw new AldisError('invalid_field', 'since is after until.', { field: `${within}since` });
  }
  const filter: DeadLetterFilter = { error, error_code, since, until };
  if (sender_id !== undefined) {
    filter.sender_id = (await senders.find(tenant, [sender_id])).get(sender_id)?.id;
    if (filter.sender_id === undefined) return 'sender_id';
  }
  if (batch_id !== undefined) {
    if (!isUuid(batch_id)) return 'batch_id';
    filter.batch_id = batch_id as BatchId;
  }
  return filter;
}
