import { type AddressGuard, addressGuard } from '../net/guarded-fetch-addresses.ts';
import type { Config } from '../runtime/settings.ts';
import { StartError } from '../runtime/start-error.ts';

/**
 * Where users' URLs may lead.
 * @throws {StartError} for a network that is none.
 */
export function guardOf(config: Config): AddressGuard {
  try {
    return addressGuard(config.outgoing.allowed_networks);
  } catch (error) {
    throw new StartError(`outgoing.allowed_networks: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
