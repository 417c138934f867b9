import type { Source } from './config-layer.ts';
import type { Config } from './settings.ts';

/** What settings must be to each other. Each line names what was wrong and what would be right. */
export function checkTogether(config: Config): string[] {
  const { database, engine, secrets, server } = config;
  const problems: string[] = [];
  const must = (right: boolean, problem: string) => {
    if (!right) problems.push(problem);
  };
  must(
    engine.lease_renewal * 3 <= engine.lease,
    `engine.lease_renewal (${engine.lease_renewal}ms) is more than a third of engine.lease (${engine.lease}ms): two renewals may fail before the lease is lost`,
  );
  must(
    engine.backoff_base <= engine.backoff_cap,
    'engine.backoff_base is longer than engine.backoff_cap: make it shorter',
  );
  must(
    engine.doubt_grace <= engine.doubt_report_after,
    'engine.doubt_grace is longer than engine.doubt_report_after: report later, or decide earlier',
  );
  must(
    server.body_limit <= server.batch_body_limit,
    'server.body_limit is larger than server.batch_body_limit: a batch must be allowed at least as much',
  );
  must(
    (server.tls.cert_file === null) === (server.tls.key_file === null),
    'server.tls has one of cert_file and key_file: a server needs both to speak HTTPS',
  );
  const { batch_size, processing_interval } = config.message_queue;
  must(
    (batch_size === null) === (processing_interval === null),
    'message_queue has one of batch_size and processing_interval: a pace needs both',
  );
  must(
    config.webhook_channel.api_key === null || config.webhook_channel.url !== null,
    'webhook_channel.api_key is a key to nowhere: set webhook_channel.url',
  );
  const { s3, store } = config.media;
  must(store !== 's3' || s3.bucket !== null, 'media.store is s3 and media.s3.bucket names no bucket: set it');
  must(
    s3.bucket === null || (s3.access_key_id === null) === (s3.secret_access_key === null),
    'media.s3 has one of access_key_id and secret_access_key: set both, or neither',
  );
  const { jwt, gateway } = config.auth;
  if (jwt.issuer !== null) {
    must(
      jwt.audience.length > 0,
      'auth.jwt.audience names nobody: without it tokens for any other service of the issuer would count here',
    );
    must(
      jwt.tenant !== null || jwt.tenant_claim !== null,
      "auth.jwt does not say whose users its tokens' users are: set auth.jwt.tenant or auth.jwt.tenant_claim",
    );
    must(
      jwt.jwks_url === null || jwt.public_key === null,
      'auth.jwt has both jwks_url and public_key: keys come from one of them',
    );
    const shared = jwt.algorithms.some((algorithm) => algorithm.startsWith('HS'));
    const open = jwt.algorithms.some((algorithm) => !algorithm.startsWith('HS'));
    must(
      shared === (jwt.secret !== null),
      'auth.jwt.secret and HS256, HS384 or HS512 in auth.jwt.algorithms belong together: set both, or neither',
    );
    must(
      !open || jwt.jwks_url !== null || jwt.public_key !== null,
      'auth.jwt.algorithms needs public keys: set auth.jwt.jwks_url or auth.jwt.public_key',
    );
  }
  must(
    gateway.addresses.length === 0 || gateway.tenant !== null,
    'auth.gateway.addresses speak for nobody: set auth.gateway.tenant',
  );
  must(
    config.redis.url === null || config.redis.host === null,
    'redis.url and redis.host name two servers: take one away',
  );
  must(
    config.redis.url === null || URL.canParse(config.redis.url.replace(/^(?!rediss?:)/, 'redis://')),
    'redis.url is no address: write redis://USER:PASSWORD@HOST:PORT/DB, its special characters as %40',
  );
  must(
    Number(config.redis.port.slice(config.redis.port.lastIndexOf(':') + 1)) <= 65_535,
    'redis.port is above 65535: give the port that Redis listens on',
  );
  const { sasl, tls } = config.kafka;
  must(
    sasl.mechanism === 'off' || (sasl.username !== null && sasl.password !== null),
    'kafka.sasl lacks username or password: set both, or take mechanism away',
  );
  must(
    (tls.cert_file === null) === (tls.key_file === null),
    'kafka.tls has one of cert_file and key_file: set both, or neither',
  );
  const versions = secrets.encryption_keys.map(({ version }) => version);
  must(
    new Set(versions).size === versions.length,
    'secrets.encryption_keys has one version twice: give each key its own',
  );
  if (config.environment === 'production') {
    must(
      database.url !== null || database.embedded,
      'no database is named in production: set ALDIS_DATABASE_URL, or pass --embedded to run on the embedded one',
    );
    must(config.failpoints.length === 0, 'failpoints are set in production: take them away');
    must(
      config.simulator.url === null,
      'simulator.url is set in production: messages would go to nobody, take it away',
    );
  }
  return problems;
}

/** What was set and does nothing as things are: no error, for a service's own environment may say more than Aldis needs. */
export function uselessSettings(config: Config, sources: ReadonlyMap<string, Source>): string[] {
  const set = (keys: readonly string[]) =>
    keys.flatMap((key) => {
      const source = sources.get(key);
      const meant = source && source.layer !== 'default' && source.layer !== 'profile' && !source.name.startsWith('PG');
      return meant ? [{ key, name: source.name }] : [];
    });
  const warnings: string[] = [];
  const warn = (keys: readonly string[], missing: string) => {
    for (const { key, name } of set(keys)) warnings.push(`${key} from ${name} does nothing without ${missing}`);
  };
  if (config.database.url === null) {
    warn(
      ['port', 'name', 'user', 'password', 'ssl'].map((part) => `database.${part}`),
      'database.host',
    );
  }
  if (config.auth.jwt.issuer === null) {
    const parts = [
      'audience',
      'algorithms',
      'jwks_url',
      'public_key',
      'secret',
      'tenant',
      'tenant_claim',
      'user_claim',
    ];
    warn(
      parts.map((part) => `auth.jwt.${part}`),
      'auth.jwt.issuer',
    );
  }
  if (config.redis.url === null && config.redis.host === null) {
    warn(
      ['port', 'user', 'password', 'db', 'prefix', 'ttl'].map((part) => `redis.${part}`),
      'redis.url or redis.host',
    );
  }
  if (config.whatsapp.number.phone_number_id === null) {
    warn(['whatsapp.number.access_token'], 'whatsapp.number.phone_number_id');
  }
  if (config.kafka.brokers.length === 0) warn(['kafka.client_id', 'kafka.topic_prefix', 'kafka.mode'], 'kafka.brokers');
  return warnings;
}
