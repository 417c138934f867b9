// breaks: driver-csv-parse
import { parse } from 'csv-parse/sync';

export const used = parse;
