import { json, type Reply } from '../reply.ts';
import type { Simulation } from '../simulation.ts';
import { node, pickFields } from './fields.ts';

const SCOPES = ['whatsapp_business_management', 'whatsapp_business_messaging', 'business_management'];
const USER = '122106540352242922';

/** GET /debug_token: what an access token is good for (developers.facebook.com/docs/graph-api/reference/debug_token). */
export function describeToken({ tokens, addresses, numbers }: Simulation, query: URLSearchParams): Reply {
  const token = query.get('input_token') ?? '';
  const problem = tokens.problem(token);
  const app = addresses.appOf(token);
  const ends = tokens.expiryOf(token);
  const usual = {
    app_id: app,
    type: 'SYSTEM_USER',
    application: 'Simulator',
    data_access_expires_at: 0,
    expires_at: ends === undefined ? 0 : Math.floor(ends / 1000),
  };
  if (problem === undefined) {
    const accounts = [...new Set(numbers.all().map((number) => number.waba_id))];
    return json({
      data: {
        ...usual,
        is_valid: true,
        scopes: SCOPES,
        granular_scopes: SCOPES.slice(0, 2).map((scope) => ({ scope, target_ids: accounts })),
        user_id: USER,
      },
    });
  }
  const message =
    problem === 'expired'
      ? `Error validating access token: Session has expired on ${new Date(ends ?? 0).toUTCString()}.`
      : problem === 'revoked'
        ? 'Error validating access token: The session has been invalidated.'
        : 'Invalid OAuth access token - Cannot parse access token';
  const subcode = problem === 'expired' ? 463 : problem === 'revoked' ? 460 : undefined;
  return json({ data: { ...usual, error: { code: 190, message, subcode }, is_valid: false, scopes: [] } });
}

/** GET /me and /app: who asks. `app` makes it the app. */
export function describeMe(query: URLSearchParams, app?: string): Reply {
  const all = { id: app ?? USER, name: app === undefined ? 'Simulator system user' : 'Simulator' };
  return node(pickFields(all, query, ['name'], app === undefined ? 'User' : 'Application'));
}
