// breaks: driver-pg
import * as driver from 'pg';

export const used = driver;
