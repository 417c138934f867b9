// breaks: useImportExtensions
import type { Db } from '../db/later';

export type Known = Db;
