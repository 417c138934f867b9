import { createHash } from 'node:crypto';
import { parse, resolve } from 'node:path';
import { clientSettings } from '../../runtime/client-settings.ts';
import { checkCountry } from '../address.ts';
import { contentParts, isMoreThanText } from '../content-options.ts';
import { usageError } from '../exit-codes.ts';
import { type MessageOptions, messageShape } from '../message-options.ts';
import { type CsvFile, type CsvRecord, openCsv } from './csv-reader.ts';
import { isJsonLines, type JsonLinesFile, openJsonLines } from './jsonl-reader.ts';
import { createRowMapper, type Mapped } from './row-mapper.ts';
import { inspectSource, type Source } from './source.ts';

/** The options that say what an import sends to whom. */
export interface PlanOptions extends MessageOptions {
  text?: string;
  phoneColumn?: string;
  country?: string;
  allowDuplicates?: boolean;
  chunk: number;
  again?: string;
  refused?: string;
  failed?: string;
  journal?: string;
}

/** An import that is ready to begin: everything that can be wrong with file and options has been looked at. */
export interface ImportPlan {
  source: Source;
  csv: CsvFile | JsonLinesFile;
  /** Turns each row, in order, into a message or a refusal. */
  map: (record: CsvRecord) => Mapped;
  /** SHA-256 of the file's content and of every option that changes what is sent: the same import has the same. */
  runId: string;
  /** Rows in a request. */
  chunkSize: number;
  /** Where is written what: absolute paths. */
  paths: { refused: string; failed: string; journal: string };
}

/**
 * Reads the file once and its header again, and fits the options to it. Nothing is written or sent.
 * @throws {CliError} `usage`
 */
export async function planImport(file: string, options: PlanOptions): Promise<ImportPlan> {
  const settings = clientSettings();
  const absolute = (path: string) => resolve(settings.argumentFolder, path);
  const path = absolute(file);
  const isJson = isJsonLines(path);
  const shape = messageShape(options.text ?? (isJson ? ownText(options) : null), options);
  if (shape.file !== null) {
    throw usageError(`${shape.file}: an import sends files by their address or the id of a stored file`);
  }
  const country = options.country ?? settings.defaultCountry;
  const defaultCountry = country === null ? null : checkCountry(country);
  const { dir, name, ext } = parse(path);
  const stem = resolve(dir, ext.toLowerCase() === '.csv' ? name : name + ext);
  const paths = {
    refused: absolute(options.refused ?? `${stem}.refused.csv`),
    failed: absolute(options.failed ?? `${stem}.failed.csv`),
    journal: absolute(options.journal ?? `${stem}.import.jsonl`),
  };
  if (new Set([path, ...Object.values(paths)]).size < 4) {
    throw usageError(
      '--refused, --failed and --journal must be files of their own, apart from the one that is imported',
    );
  }

  const source = await inspectSource(path);
  const constants = options.var ?? new Map<string, string>();
  const phoneColumn = options.phoneColumn ?? null;
  // A dump has a line a message, not a line an addressee.
  const allowDuplicates = isJson || (options.allowDuplicates ?? false);
  const { text, template, rest, content, textNames, componentNames, fallback } = shape;
  const meaning = [
    // As it was always written: an import that was begun by a version before is still the same.
    { text, template, rest, media: content, textNames, componentNames, ...(fallback === null ? {} : { fallback }) },
    [...constants].sort(),
    defaultCountry,
    phoneColumn,
    allowDuplicates,
    options.chunk,
    options.again ?? null,
  ];
  const runId = createHash('sha256').update(source.sha256).update(JSON.stringify(meaning)).digest('hex');
  const csv = isJson ? await openJsonLines(source) : await openCsv(source);
  const map = createRowMapper({
    header: csv.header,
    phoneColumn,
    shape,
    constants,
    defaultCountry,
    allowDuplicates,
    importId: runId.slice(0, 16),
  });
  return { source, csv, map, runId, chunkSize: options.chunk, paths };
}

/** A dump of messages has the text of each, which is not looked through for names: the whole of it is a value. */
function ownText(options: PlanOptions): string | null {
  return options.template === undefined && !isMoreThanText(contentParts(options)) ? '{content}' : null;
}
