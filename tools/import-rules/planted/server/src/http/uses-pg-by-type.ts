// breaks: driver-pg
import type { Pool } from 'pg';

export type Known = Pool;
