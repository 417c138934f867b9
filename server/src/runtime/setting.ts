/**
 * One setting: what it means, what it may be, and how it is read and shown. Every source (file, environment, flag) gives
 * text, so that each setting has one way to be read.
 */
export interface Setting<T> {
  /** What is right, as the end of "is not …": `a whole number from 0 to 65535`. */
  readonly expects: string;
  readonly default: T;
  /** One or two sentences for the reference page. */
  readonly about: string;
  /** Names the documented services and others use for it in the environment, the first of them that is set wins. */
  readonly aliases: readonly Alias[];
  /** Keys the documented services use for it in their files, such as `whatsapp.timeout`; the first that is set wins. */
  readonly keys: readonly Alias[];
  /** The flag's name without dashes, when it is not the key's words joined by dashes. */
  readonly flag: string | undefined;
  /** Never shown: neither in `aldis config` nor in an error. */
  readonly secret: boolean;
  /** For booleans: the flag alone means true, `--no-FLAG` means false. */
  readonly onOff: boolean;
  /** For lists: commas or a YAML list part the items. */
  readonly many: boolean;
  /** @throws {RangeError} that says what was wrong and what would be right. */
  read(text: string): T;
  /** The value as one would write it. Empty when there is none. */
  show(value: T): string;
  /** As `show`, with what is secret left out. */
  mask(value: T): string;
}

/**
 * Another name. `unit` is written behind its value: `REQUEST_TIMEOUT_SECONDS=10` is `10s`. `plus` is added to it: three
 * retries are four attempts.
 */
export interface Alias {
  readonly name: string;
  readonly unit?: 's';
  readonly plus?: number;
}

/** What a value that stands under an alias means as a value of its setting. What is no number is left for the setting to refuse. */
export function meaningOf({ unit, plus = 0 }: Alias, text: string): string {
  if (plus !== 0 && /^\d+$/.test(text.trim())) return String(Number(text) + plus);
  return `${text}${unit ?? ''}`;
}

interface Options<T> {
  default: T;
  about: string;
  aliases?: readonly (string | Alias)[];
  keys?: readonly (string | Alias)[];
  flag?: string;
  secret?: boolean;
}

interface Pattern {
  pattern?: RegExp;
  expects?: string;
}

interface Limits {
  min: number;
  max: number;
}

interface Schemes {
  schemes?: readonly string[];
}

interface Reading<T> {
  expects: string;
  /** The value, or undefined when the text is none. */
  parse: (text: string) => T | undefined;
  show: (value: NonNullable<T>) => string;
  mask?: (value: NonNullable<T>) => string;
  onOff?: boolean;
  many?: boolean;
}

function setting<T>(options: Options<T>, { expects, parse, show, mask, onOff, many }: Reading<T>): Setting<T> {
  const secret = options.secret ?? false;
  const shown = (value: T) => (value === null || value === undefined ? '' : show(value));
  return {
    expects,
    default: options.default,
    about: options.about,
    aliases: (options.aliases ?? []).map(asAlias),
    keys: (options.keys ?? []).map(asAlias),
    flag: options.flag,
    secret,
    onOff: onOff ?? false,
    many: many ?? false,
    read(text) {
      const value = parse(text.trim());
      if (value === undefined) throw new RangeError(`${secret ? 'the value' : JSON.stringify(text)} is not ${expects}`);
      return value;
    },
    show: shown,
    mask(value) {
      if (!secret) return shown(value);
      if (shown(value) === '') return '';
      return mask && value !== null && value !== undefined ? mask(value) : '***';
    },
  };
}

function asAlias(alias: string | Alias): Alias {
  return typeof alias === 'string' ? { name: alias } : alias;
}

/** Any text, or text of a pattern; `expects` says the pattern in words. A `default` of null makes it optional. */
export function text(options: Options<string> & Pattern): Setting<string>;
export function text(options: Options<string | null> & Pattern): Setting<string | null>;
export function text(options: Options<string | null> & Pattern): Setting<string | null> {
  const { pattern = /./s, expects = 'a text' } = options;
  return setting<string | null>(options, {
    expects,
    parse: (raw) => (pattern.test(raw) ? raw : undefined),
    show: String,
  });
}

/** A whole number within limits, both allowed. */
export function integer(options: Options<number> & Limits): Setting<number>;
export function integer(options: Options<number | null> & Limits): Setting<number | null>;
export function integer(options: Options<number | null> & Limits): Setting<number | null> {
  const { min, max } = options;
  return setting<number | null>(options, {
    expects: `a whole number from ${min} to ${max}`,
    parse: (raw) => (/^-?\d+$/.test(raw) ? within(Number(raw), min, max) : undefined),
    show: String,
  });
}

/** True or false. */
export function boolean(options: Options<boolean>): Setting<boolean> {
  const words: Record<string, boolean> = {
    true: true,
    yes: true,
    on: true,
    1: true,
    false: false,
    no: false,
    off: false,
    0: false,
  };
  return setting<boolean>(options, {
    expects: 'true or false',
    parse: (raw) => words[raw.toLowerCase()],
    show: String,
    onOff: true,
  });
}

/** One of some words. `read` maps further words to one of them. */
export function choice<const W extends string>(
  options: Options<NoInfer<W>> & { words: readonly W[]; read?: Record<string, NoInfer<W>> },
): Setting<W> {
  const { words, read = {} } = options;
  return setting<W>(options, {
    expects: words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${words.at(-1)}` : String(words[0]),
    parse: (raw) => words.find((word) => word === raw.toLowerCase()) ?? read[raw.toLowerCase()],
    show: String,
  });
}

const TIME_UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/** A length of time, in milliseconds: written `1500ms`, `5s`, `1m30s`, `24h`, `30d`. */
export function duration(options: Options<number> & Limits): Setting<number>;
export function duration(options: Options<number | null> & Limits): Setting<number | null>;
export function duration(options: Options<number | null> & Limits): Setting<number | null> {
  const { min, max } = options;
  return setting<number | null>(options, {
    expects: `a time from ${showDuration(min)} to ${showDuration(max)}, with its unit: ms, s, m, h or d`,
    parse: (raw) => within(parseDuration(raw), min, max),
    show: (value) => (value === null ? '' : showDuration(value)),
  });
}

function parseDuration(raw: string): number | undefined {
  if (raw === '0') return 0;
  if (!/^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/.test(raw)) return undefined;
  let total = 0;
  for (const [, amount, unit] of raw.matchAll(/([\d.]+)(ms|s|m|h|d)/g)) {
    total += Number(amount) * TIME_UNITS[unit as keyof typeof TIME_UNITS];
  }
  return Math.round(total);
}

function showDuration(ms: number): string {
  const unit = Object.entries(TIME_UNITS).find(([, length]) => ms > 0 && ms % length === 0);
  return unit ? `${ms / unit[1]}${unit[0]}` : `${ms}ms`;
}

const SIZE_UNITS: Record<string, number> = {
  GiB: 2 ** 30,
  MiB: 2 ** 20,
  KiB: 2 ** 10,
  GB: 1e9,
  MB: 1e6,
  KB: 1e3,
  B: 1,
};

/** A size in bytes: written `3MiB` (1024 each), `3MB` (1000 each) or `3145728`. */
export function bytes(options: Options<number> & Limits): Setting<number> {
  const { min, max } = options;
  return setting<number>(options, {
    expects: `a size from ${showBytes(min)} to ${showBytes(max)}`,
    parse(raw) {
      const match = /^(\d+(?:\.\d+)?) ?([KMG]i?B|B)?$/i.exec(raw);
      if (!match) return undefined;
      const written = (match[2] ?? 'B').toLowerCase();
      const unit = Object.entries(SIZE_UNITS).find(([name]) => name.toLowerCase() === written);
      return within(Math.round(Number(match[1]) * (unit?.[1] ?? 1)), min, max);
    },
    show: showBytes,
  });
}

function showBytes(size: number): string {
  const unit = Object.entries(SIZE_UNITS).find(([, length]) => size > 0 && size % length === 0);
  return unit ? `${size / unit[1]}${unit[0]}` : String(size);
}

/** An address with one of some schemes (`http`, `https` unless told), without a slash at its end. Its password is masked. */
export function url(options: Options<string> & Schemes): Setting<string>;
export function url(options: Options<string | null> & Schemes): Setting<string | null>;
export function url(options: Options<string | null> & Schemes): Setting<string | null> {
  const { schemes = ['http', 'https'] } = options;
  return setting<string | null>(options, {
    expects: `an address that begins with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`,
    parse(raw) {
      const parsed = URL.parse(raw);
      if (!parsed || !schemes.includes(parsed.protocol.slice(0, -1))) return undefined;
      return raw.replace(/\/+$/, '');
    },
    show: String,
    mask: (value) => value.replace(/^([^/]+:\/\/[^:@/]*):.*@/, '$1:***@').replace(/([?&]password=)[^&]*/gi, '$1***'),
  });
}

/** Several items of one kind. `parse` gives an item, or undefined when the text is none, or throws its own RangeError. */
export function list<I>(
  options: Options<readonly I[]> & {
    expects: string;
    parse: (text: string) => I | undefined;
    show: (item: I) => string;
  },
): Setting<readonly I[]> {
  const { expects, parse, show, secret } = options;
  return setting<readonly I[]>(options, {
    expects: `a list of ${expects}`,
    parse(raw) {
      const items = raw.split(',').map((item) => item.trim());
      return items.map((item) => {
        const parsed = parse(item);
        if (parsed === undefined) {
          throw new RangeError(`${secret ? 'an item' : JSON.stringify(item)} is not ${expects}`);
        }
        return parsed;
      });
    },
    show: (items) => items.map(show).join(','),
    many: true,
  });
}

function within(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined;
}
