import { writeSync } from 'node:fs';

/**
 * Named places where a crash, a delay or an error can be made to happen, so that drills stop the program exactly between
 * two steps. Each stands before or after a commit, a lease or a write to a socket. In production none can be armed.
 */
export const FAILPOINTS = [
  'accept.before_commit',
  'accept.after_commit',
  'batch.after_chunk',
  'begin.before_commit',
  'begin.after_commit',
  'counted.before_commit',
  'counted.after_commit',
  'put_off.before_commit',
  'put_off.after_commit',
  'call.before_write',
  'call.after_write',
  'call.after_answer',
  'settle.before_commit',
  'settle.after_commit',
  'webhook.before_commit',
  'webhook.after_commit',
  'apply.before_commit',
  'apply.after_commit',
  'receive.before_commit',
  'receive.after_commit',
  'renew.before',
  'takeover.after',
  'handover.before_commit',
  'handover.after_commit',
  'clock.before_commit',
  'clock.after_commit',
  'pause.before_commit',
  'pause.after_commit',
  'doubt.before_commit',
  'doubt.after_commit',
  'fetch.before_call',
  'fetch.after_call',
  'fetch.after_commit',
  'keep.after_put',
  'keep.after_commit',
  'upload.before_call',
  'upload.after_call',
  'upload.after_commit',
  'template.before_call',
  'template.after_call',
  'template.after_commit',
  'template_sync.after_call',
  'template_sync.after_commit',
  'hold.before_commit',
  'hold.after_commit',
  'release.before_commit',
  'release.after_commit',
  'fallback.before_commit',
  'fallback.after_commit',
  'consent.before_commit',
  'consent.after_commit',
  'block.before_call',
  'block.after_call',
  'block.after_commit',
  'account.before_call',
  'account.after_call',
  'account.after_commit',
  'tend.before_commit',
  'tend.after_commit',
  'export.before_put',
  'export.after_put',
  'export.after_commit',
  'redrive.before_commit',
  'redrive.after_commit',
  'reseal.before_commit',
  'reseal.after_commit',
  'say.before_commit',
  'say.after_commit',
  'chat.before_commit',
  'chat.after_commit',
  'mark.before_commit',
  'mark.after_commit',
  'webhook_out.before_commit',
  'webhook_out.after_claim',
  'webhook_out.after_call',
  'kafka.before_publish',
  'kafka.after_publish',
  'kafka.before_commit',
  'kafka.after_commit',
] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

/** What happens at a failpoint: at its nth passage only, or (`at` null) at each. Delays are in milliseconds. */
export interface FailpointRule {
  name: FailpointName;
  action: { kind: 'kill' } | { kind: 'error' } | { kind: 'delay'; ms: number };
  at: number | null;
}

/** What `NAME=error` throws. */
export class FailpointError extends Error {
  override readonly name = 'FailpointError';
  readonly failpoint: FailpointName;

  constructor(failpoint: FailpointName) {
    super(`failpoint ${failpoint}`);
    this.failpoint = failpoint;
  }
}

const RULE =
  /^(?<name>[a-z_.]+)=(?:(?<plain>kill|error)|delay:(?<delay>\d{1,6})(?<unit>ms|s))(?:@(?<at>[1-9]\d{0,8}))?$/;

/**
 * Reads a rule: `NAME=kill`, `NAME=error` or `NAME=delay:500ms`, then `@3` to act at the third passage only.
 * @throws {RangeError} that says what was wrong.
 */
export function parseFailpoint(text: string): FailpointRule {
  const parts = RULE.exec(text)?.groups;
  if (!parts) {
    throw new RangeError(
      `"${text}" is not NAME=kill, NAME=error or NAME=delay:500ms, with @3 for the third passage only`,
    );
  }
  const name = FAILPOINTS.find((known) => known === parts.name);
  if (!name) throw new RangeError(`"${parts.name}" is no failpoint; there are ${FAILPOINTS.join(', ')}`);
  const at = parts.at === undefined ? null : Number(parts.at);
  if (parts.plain === 'kill' || parts.plain === 'error') return { name, action: { kind: parts.plain }, at };
  return { name, action: { kind: 'delay', ms: Number(parts.delay) * (parts.unit === 's' ? 1000 : 1) }, at };
}

/** The rule as `parseFailpoint` reads it. */
export function showFailpoint({ name, action, at }: FailpointRule): string {
  const what = action.kind === 'delay' ? `delay:${action.ms}ms` : action.kind;
  return `${name}=${what}${at === null ? '' : `@${at}`}`;
}

interface Armed extends FailpointRule {
  passed: number;
}

let anyArmed = false;
let armed: Armed[] = [];

/** Arms these rules and no others: an empty list disarms all. Passages are counted from here. */
export function armFailpoints(rules: readonly FailpointRule[]): void {
  armed = rules.map((rule) => ({ ...rule, passed: 0 }));
  anyArmed = armed.length > 0;
}

/**
 * Passes a failpoint. Nothing happens and nothing is allocated unless some rule is armed.
 * Await the answer, or a delay is none: `await failpoint('settle.before_commit')`.
 * @throws {FailpointError} when armed with `=error`.
 */
export function failpoint(name: FailpointName): undefined | Promise<void> {
  return anyArmed ? pass(name) : undefined;
}

function pass(name: FailpointName): undefined | Promise<void> {
  let wait = 0;
  for (const rule of armed) {
    if (rule.name !== name) continue;
    rule.passed++;
    if (rule.at !== null && rule.at !== rule.passed) continue;
    tell(name);
    if (rule.action.kind === 'delay') wait += rule.action.ms;
    else if (rule.action.kind === 'error') throw new FailpointError(name);
    // The kernel ends this thread on its way back from the call: no line after it runs.
    else process.kill(process.pid, 'SIGKILL');
  }
  return wait > 0 ? new Promise((resolve) => setTimeout(resolve, wait)) : undefined;
}

/** By a write of our own, for a logger may still hold the line when the process dies. */
function tell(name: FailpointName): void {
  try {
    writeSync(2, `failpoint ${name} hit\n`);
  } catch {
    // Standard error is full or closed: the crash matters more than the line.
  }
}
