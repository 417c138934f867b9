// breaks: noProcessEnv
export const value = process.env['ALDIS_SIMULATOR_PORT'];
