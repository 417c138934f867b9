// breaks: driver-csv-parse
import * as driver from 'csv-parse';

export const used = driver;
