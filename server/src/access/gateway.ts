import { BlockList, isIP } from 'node:net';

/** Gateways that say whose a request is: whoever has such an address is believed without a key. */
export interface Gateway {
  /** Whether the connection's other end is one. IPv4 addresses count in their IPv6 form too; a Unix socket is none. */
  admits(address: string | undefined): boolean;
  /** Whose users they speak for: a tenant's own or external id. */
  tenant: string;
}

/** @param networks addresses and ranges such as `10.0.0.0/8`, each valid. */
export function createGateway(networks: readonly string[], tenant: string): Gateway {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', bits] = network.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return {
    admits: (address) => address !== undefined && isIP(address) !== 0 && list.check(address, familyOf(address)),
    tenant,
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
