import type { Command } from 'commander';
import { optionalString } from './answers.ts';
import { recordCommand } from './record-command.ts';
import { countField, jsonField, textField, yesNoField } from './record-fields.ts';

const EXAMPLES = `
Examples:
  aldis tenant create "Shop" --external-id shop-1 --monthly-quota 10000
  aldis tenant list
  aldis tenant change shop-1 --requests-per-second 50 --monthly-quota none
  aldis tenant change shop-1 --quiet-hours '{"marketing": {"from": "21:00", "to": "08:00"}}'
  aldis tenant change shop-1 --processing no       nothing of it leaves until --processing yes
  aldis tenant delete shop-1                       only one without senders`;

const FIELDS = [
  textField('external_id', 'ID', 'your own id of it', { orNone: true }),
  countField('monthly_quota', 0, 1_000_000_000, 'the most messages in a calendar month, UTC'),
  countField('requests_per_second', 1, 100_000, 'the most requests of the API, on average'),
  countField('request_burst', 1, 1_000_000, 'how many requests may come at once'),
  jsonField('doubt_policy', 'when nobody knows whether a message left, by category: {"marketing": "resend"}'),
  {
    ...jsonField(
      'consent_keywords',
      'words its customers opt out and in by: {"opt_out": ["STOP"], "opt_in": ["START"]}',
    ),
    orNone: true,
  },
  jsonField(
    'quiet_hours',
    'when messages wait, by category and the clock of who gets them: {"marketing": {"from": "21:00", "to": "08:00"}}',
  ),
  countField('retention_days', 1, 36_500, 'days that what people say in conversations is kept'),
  yesNoField('processing', 'whether its messages leave'),
];

/** `aldis tenant`: who uses this installation. */
export function tenantCommand(): Command {
  return recordCommand({
    noun: 'tenant',
    path: '/api/v1/tenants',
    plural: 'tenants',
    ofTenant: false,
    summary: 'list, make and change tenants',
    examples: EXAMPLES,
    create: FIELDS,
    change: FIELDS,
    end: { verb: 'delete', summary: 'delete a tenant that has no senders, and its keys' },
    line: (tenant) =>
      [optionalString(tenant, 'id'), optionalString(tenant, 'external_id') ?? '-', optionalString(tenant, 'name')].join(
        '  ',
      ),
  });
}
