// Allowed: db/ owns the database driver.
import pg from 'pg';

export const used = pg;
