// breaks: noProcessEnv
export const value = globalThis.process.env['ALDIS_SERVER_PORT'];
