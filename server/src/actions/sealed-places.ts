import type { EndpointId, SenderId, TenantId } from '../domain/ids.ts';

/** The app of the bare webhook path. */
export const DEFAULT_APP = 'default';

/** The installation's facts that are secrets. */
export const SEALED_FACTS: readonly string[] = ['mark_key'];

/** Where a sealed value belongs. */
export const place = {
  accessToken: (tenant: TenantId, sender: SenderId) => `senders/${tenant}/${sender}/access_token`,
  webhookKey: (tenant: TenantId, sender: SenderId) => `senders/${tenant}/${sender}/webhook_key`,
  webhookSecret: (tenant: TenantId, endpoint: EndpointId) => `webhook_endpoints/${tenant}/${endpoint}/secret`,
  accountToken: (tenant: TenantId, account: string) => `accounts/${tenant}/${account}/access_token`,
  appSecret: (app: string) => `apps/${app}/app_secret`,
  verifyToken: (app: string) => `apps/${app}/verify_token`,
  fact: (key: string) => `settings/${key}`,
};
