import { isSetUp, type NumberToHave, type WebhookToHave } from '../actions/set-up.ts';
import type { Db } from '../db/pool.ts';
import { RATE_OF } from '../domain/account.ts';
import type { Simulator } from '../outside/simulator.ts';
import { hasKey, readOrMakeKey } from '../runtime/data-folder.ts';
import { createSealer, type Sealer, WrongKey } from '../runtime/sealer.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';

/**
 * The sealer with the configured keys, or with the data folder's own, which a new installation makes.
 * @throws {WrongKey} when the database was set up with a key that is not in the folder: one that is made now would only look right.
 */
export async function openSealer(config: Config, folder: string, db: Db): Promise<Sealer> {
  const keys = config.secrets.encryption_keys;
  if (keys.length > 0) {
    return createSealer(keys.map(({ version, key }) => ({ version, key: Buffer.from(key, 'base64') })));
  }
  if (!hasKey(folder) && (await isSetUp(db))) {
    throw new WrongKey('there is none in the data folder');
  }
  return createSealer([{ version: 1, key: readOrMakeKey(folder) }]);
}

/**
 * The numbers that the first tenant is to have: the simulator's, or the one that the configuration names.
 * @throws {StartError} when a number is named in part.
 */
export async function findNumbers(config: Config, simulator: Simulator | null): Promise<NumberToHave[]> {
  if (simulator) {
    const numbers = await simulator.numbers(config.demo.senders);
    return numbers.map((number) => ({
      phoneNumberId: number.phone_number_id,
      accountId: number.waba_id,
      portfolio: number.portfolio_id,
      phone: `+${number.display_phone_number}`,
      accessToken: 'simulated',
      messagesPerSecond: number.throughput,
      // A simulated number may have any rate; the levels by which it is told are only two.
      ownRate: number.throughput !== RATE_OF.STANDARD && number.throughput !== RATE_OF.HIGH,
    }));
  }
  const { phone_number_id, account_id, portfolio_id, phone, access_token } = config.whatsapp.number;
  if (phone_number_id === null) return [];
  if (account_id === null || phone === null || access_token === null) {
    throw new StartError(
      'whatsapp.number names a phone_number_id and lacks the rest: set account_id, phone and access_token as well',
    );
  }
  const portfolio = portfolio_id ?? account_id;
  return [
    {
      phoneNumberId: phone_number_id,
      accountId: account_id,
      portfolio,
      phone,
      accessToken: access_token,
      messagesPerSecond: 80,
    },
  ];
}

/** The webhook that the configuration names, which the first tenant is to have. */
export function findWebhook({ webhook_channel: { url, header, api_key } }: Config): WebhookToHave | null {
  return url === null ? null : { url, header, apiKey: api_key };
}
