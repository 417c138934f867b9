// breaks: http-clients-owned
import { request } from 'node:https';

export const used = request;
