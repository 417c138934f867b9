// Allowed: a test starts programs with an environment.
export const value = { ...process.env, ALDIS_SERVER_PORT: '0' };
