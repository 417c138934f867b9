// breaks: driver-range-parser
import * as driver from 'range-parser';

export const used = driver;
