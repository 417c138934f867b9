// breaks: driver-pino
export const used = () => import('pino');
