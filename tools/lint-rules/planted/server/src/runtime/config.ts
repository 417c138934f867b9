// Allowed: the reader of the environment.
export const value = process.env['ALDIS_SERVER_PORT'];
