// breaks: noProcessEnv
export const value = process.env['ALDIS_SERVER_PORT'];
