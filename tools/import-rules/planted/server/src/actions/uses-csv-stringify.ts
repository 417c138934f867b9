// breaks: driver-csv-stringify
import * as driver from 'csv-stringify/sync';

export const used = driver;
