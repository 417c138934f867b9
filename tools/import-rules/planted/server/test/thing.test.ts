// Allowed: a test may import what it tests, and any driver.
import pg from 'pg';
import { started } from '../src/main.ts';

export const tested = [pg, started];
