import Type, { type Static } from 'typebox';
import { EXPORT_FORMATS, EXPORT_KINDS, EXPORT_STATES, exportFilename, exportPercent } from '../../domain/export.ts';
import type { ExportRecord } from '../../store/exports.read.ts';
import { ERRORS_OF_ROUTES, NO_BODY, NO_QUERY, NullableTime, reference, Time, words } from '../schemas.ts';
import { ContactPage } from './contacts.schema.ts';
import { ListQuery } from './messages.schema.ts';
import { closed, DeletedAnswer, PAGE, pageOf } from './record-pages.schema.ts';

const { limit: _, cursor: _c, page: _p, ...messageFilters } = ListQuery.properties;
const { limit: _l, cursor: _d, ...contactFilters } = ContactPage.properties;

/** Which fields of a filter a kind has: those of its list. */
export const FILTER_FIELDS = {
  messages: new Set(Object.keys(messageFilters)),
  contacts: new Set(Object.keys(contactFilters)),
} as const;

const Filter = Type.Object({ ...contactFilters, ...messageFilters }, closed);
export type ExportFilter = Static<typeof Filter>;

const ExportBody = Type.Object(
  {
    kind: words(EXPORT_KINDS, { description: 'Which list.' }),
    format: words(EXPORT_FORMATS, { description: 'csv, or jsonl: a JSON object a line.' }),
    filter: Type.Optional({ ...Filter, description: "The filters of the kind's list. Absent: all of it." }),
    bom: Type.Boolean({
      default: false,
      description: 'Whether a CSV file begins with a byte order mark, by which some spreadsheets know UTF-8.',
    }),
  },
  { ...closed, $id: 'ExportBody' },
);

const NullableInteger = Type.Unsafe<number | null>({ type: ['integer', 'null'] });

const ExportObject = Type.Object(
  {
    id: Type.String(),
    kind: words(EXPORT_KINDS),
    format: words(EXPORT_FORMATS),
    bom: Type.Boolean(),
    filter: Filter,
    state: words(EXPORT_STATES),
    rows: Type.Integer({ description: 'Written so far.' }),
    total: Type.Unsafe<number | null>({
      ...NullableInteger,
      description: 'How many there were when it was asked for; null: more than can be counted at once.',
    }),
    percent: Type.Unsafe<number | null>({
      ...NullableInteger,
      description: 'null: the total is not known. 100: it is complete.',
    }),
    parts: Type.Integer({ description: 'Pieces that are written. A restart goes on after the last.' }),
    size: Type.Integer({ description: 'Bytes.' }),
    filename: Type.String(),
    error: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'What went wrong last.' }),
    created_at: Time,
    ended_at: NullableTime,
    expires_at: Type.Unsafe<Date | null>({
      ...NullableTime,
      description: 'When it is removed, with its file. null: it has not ended.',
    }),
  },
  { $id: 'Export', description: 'A list that is written to a file, or was.' },
);
const ExportList = pageOf('exports', reference(ExportObject), 'ExportList');
export const ExportPage = Type.Object(PAGE, closed);

/** A record as it is answered. */
export function exportView({ asked, ...record }: ExportRecord): Static<typeof ExportObject> {
  const { kind, format, state, rows, total, created_at } = record;
  return {
    ...record,
    filter: asked,
    percent: exportPercent(state, rows, total),
    filename: exportFilename(kind, format, created_at),
  };
}

const tags = ['exports'];
const one = { 200: reference(ExportObject), ...ERRORS_OF_ROUTES };

export const EXPORT_ROUTES = {
  create: {
    tags,
    summary: 'Write a list to a file',
    description:
      'Messages or contacts, the newest first, with the filters of their list: what is there when it is asked for. It is written in the background. A record is as the API shows it; in CSV it has a column for each field, JSON stands there as text, and a text that a spreadsheet would take for a formula gets an apostrophe before it, phone numbers too. At most 3 are written at a time, and 100 kept. Needs exports:write and the scope that reads the list.',
    querystring: NO_QUERY,
    body: ExportBody,
    response: { 202: reference(ExportObject), ...ERRORS_OF_ROUTES },
  },
  list: {
    tags,
    summary: 'List exports, the newest first',
    querystring: ExportPage,
    response: { 200: reference(ExportList), ...ERRORS_OF_ROUTES },
  },
  read: { tags, summary: 'An export, and how far it is', querystring: NO_QUERY, response: one },
  cancel: {
    tags,
    summary: 'Stop writing an export',
    description: 'What is written of it is removed.',
    querystring: NO_QUERY,
    body: NO_BODY,
    response: one,
  },
  remove: {
    tags,
    summary: 'Delete an export that has ended, with its file',
    querystring: NO_QUERY,
    response: { 200: reference(DeletedAnswer), ...ERRORS_OF_ROUTES },
  },
  download: {
    tags,
    summary: 'The file of a complete export',
    description: 'As an attachment, with its length. A range is answered with 206, so that a download can go on.',
    querystring: NO_QUERY,
    produces: ['text/csv', 'application/x-ndjson'],
    response: {
      200: Type.String({ description: 'The whole file.' }),
      206: Type.String({ description: 'The range that was asked for.' }),
      ...ERRORS_OF_ROUTES,
    },
  },
} as const;

export const EXPORT_PARTS = [ExportObject, ExportBody, ExportList];
