// breaks: driver-pino
import * as driver from 'pino';

export const used = driver;
