import { BlockList, isIP } from 'node:net';

/**
 * Which addresses a user's URL may lead to: public ones, and those that the operator allowed. The ranges are those of the
 * IANA registries of special-purpose addresses (RFC 6890 and what was added since), and the addresses at which clouds give
 * credentials to whoever asks.
 */
export interface AddressGuard {
  /** Whether a name may lead anywhere at all: the operator named it. */
  trusts(host: string): boolean;
  /** Why no connection may be made to an address, or null when one may. */
  objection(address: string): string | null;
}

const REFUSED_V4: readonly [address: string, bits: number, why: string][] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by a carrier'],
  ['127.0.0.0', 8, 'loopback'],
  ['168.63.129.16', 32, 'a metadata service'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.88.99.0', 24, 'a relay'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/**
 * Of IPv6 only global unicast is public. That leaves out loopback, link-local, unique local and multicast, and the forms that
 * hold an IPv4 address beginning with 0: or 64:ff9b: (mapped, compatible, NAT64).
 */
const GLOBAL_V6: readonly [string, number] = ['2000::', 3];
const REFUSED_V6: readonly [address: string, bits: number, why: string][] = [
  ['2001::', 23, 'Teredo, or reserved'],
  ['2001:db8::', 32, 'for documentation'],
  ['2002::', 16, '6to4'],
  ['3fff::', 20, 'for documentation'],
];

const special = (ranges: typeof REFUSED_V4, family: 'ipv4' | 'ipv6') =>
  ranges.map(([address, bits, why]) => ({ list: listOf((list) => list.addSubnet(address, bits, family)), why }));
const V4 = special(REFUSED_V4, 'ipv4');
const V6 = special(REFUSED_V6, 'ipv6');
const GLOBAL = listOf((list) => list.addSubnet(...GLOBAL_V6, 'ipv6'));

/**
 * @param allowed what is allowed beside public addresses: host names, addresses, ranges such as 10.0.0.0/8.
 * @throws {RangeError} for an item that is none of these.
 */
export function addressGuard(allowed: readonly string[]): AddressGuard {
  const names = new Set<string>();
  const addresses = new BlockList();
  for (const item of allowed) {
    const [address = '', bits, more] = item.split('/');
    const family = isIP(address);
    if (more !== undefined) throw new RangeError(`"${item}" is no host name, address or range`);
    if (family === 0 && bits === undefined) names.add(plainName(item));
    else if (family === 0 || !fits(bits, family)) throw new RangeError(`"${item}" is no host name, address or range`);
    else addresses.addSubnet(address, Number(bits ?? (family === 4 ? 32 : 128)), nameOf(family));
  }
  return {
    trusts: (host) => names.has(plainName(host)),
    objection(address) {
      const family = isIP(address);
      if (family === 0) return 'no address';
      // Node takes a mapped address for the IPv4 one in it; only its own form is compared here.
      const mapped = family === 6 && /^::ffff:/i.test(address);
      if (!mapped && addresses.check(address, nameOf(family))) return null;
      if (family === 6 && !GLOBAL.check(address, 'ipv6')) return 'not global';
      const found = (family === 4 ? V4 : V6).find(({ list }) => list.check(address, nameOf(family)));
      return found?.why ?? null;
    },
  };
}

function listOf(fill: (list: BlockList) => void): BlockList {
  const list = new BlockList();
  fill(list);
  return list;
}

function nameOf(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6';
}

function fits(bits: string | undefined, family: number): boolean {
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** A dot at the end only says that the name is whole. */
function plainName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}
