// breaks: driver-fastify
import * as driver from 'fastify';

export const used = driver;
