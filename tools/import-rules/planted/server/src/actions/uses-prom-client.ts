// breaks: driver-prom-client
import * as driver from 'prom-client';

export const used = driver;
